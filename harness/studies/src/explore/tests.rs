use std::collections::BTreeSet;

use contract::data::Data;
use contract::release::Version;
use contract::scenario::model::Kind;
use contract::scenario::{Catalogue, ExploreRules};
use record::events::{CellResult, Expected as ExpectedOf, Facts};
use record::judge::{Deviation, Verdict};
use record::observe::Observation;

use super::*;

fn contract() -> (Catalogue, ExploreRules) {
    let catalogue = Catalogue::load(&Data::Embedded).unwrap();
    let rules = ExploreRules::load(&catalogue).unwrap();
    (catalogue, rules)
}

fn release(text: &str) -> Version {
    text.parse().unwrap()
}

/// The same seed tries the same launches, another one others; the plain profiles come first, and no launch comes twice.
#[test]
fn launches_are_known_by_their_seed() {
    let (catalogue, rules) = contract();
    let newest = release("2026.9.6");
    let take = |seed| -> Vec<Tried> {
        let launches = Launches::new(&catalogue, &rules, &newest, seed);
        launches.take(60).collect()
    };
    let first = take(1);
    assert_eq!(first, take(1));
    assert_ne!(first, take(2));
    let plain: Vec<String> = first[..rules.profiles.len()]
        .iter()
        .map(Tried::id)
        .collect();
    assert_eq!(plain, rules.profiles);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), first.len());
    let most = first.iter().map(|tried| tried.values.len()).max();
    assert_eq!(most, Some(rules.options_at_most));
    for tried in &first {
        assert_eq!(Tried::of(&tried.id(), &rules).as_ref(), Some(tried));
    }
}

/// Within few launches every value that a gateway starts with is tried, and those that it refuses, by themselves.
#[test]
fn every_value_is_tried_soon() {
    let (catalogue, rules) = contract();
    let newest = release("2026.9.6");
    let launches = Launches::new(&catalogue, &rules, &newest, 7);
    let refused: Vec<Tried> = (launches.singles().into_iter())
        .filter(|tried| tried.values[0].starts_with("flag-unknown"))
        .collect();
    assert_eq!(refused.len(), rules.profiles.len());
    let tried: Vec<Tried> = launches.refusing(refused.clone()).take(120).collect();
    let values: BTreeSet<&String> = tried.iter().flat_map(|tried| &tried.values).collect();
    let all = rules.options.iter().flat_map(|option| &option.values);
    for value in all {
        assert!(values.contains(&value.id), "{}", value.id);
    }
    for one in tried
        .iter()
        .filter(|tried| tried.values.iter().any(|value| value == "flag-unknown"))
    {
        assert!(refused.contains(one), "{}", one.id());
    }
}

/// A release is not given an option that it does not know yet, and what was tried before is not tried again.
#[test]
fn what_a_release_does_not_know_and_what_was_tried_is_left_out() {
    let (catalogue, rules) = contract();
    let old = release("2026.4.15");
    let launches = Launches::new(&catalogue, &rules, &old, 1);
    assert!(
        launches
            .singles()
            .iter()
            .all(|tried| tried.values != ["not-on-loopback"])
    );
    // It denies every proxy on loopback.
    assert!(
        launches
            .singles()
            .iter()
            .all(|tried| tried.profile != "trusted-proxy")
    );
    let newest = release("2026.9.6");
    let before: Vec<Tried> = Launches::new(&catalogue, &rules, &newest, 1)
        .take(20)
        .collect();
    let mut after = Launches::new(&catalogue, &rules, &newest, 1);
    after.leave_out(before.iter().cloned());
    assert!(after.take(20).all(|tried| !before.contains(&tried)));
}

/// A launch is asked each value by itself, the same for the same seed, and no more than the file says.
#[test]
fn each_value_of_a_request_is_asked_by_itself() {
    let (_, rules) = contract();
    let mut requests = Requests::new(&rules, 1);
    let asked = requests.asked_of(&Tried::plain("token"), "token");
    assert!(asked.iter().any(|(ask, _)| ask.id == "explore-http"));
    for (ask, combos) in &asked {
        let plain: Combo = vec![0; ask.axes.len()];
        assert!(combos.contains(&plain), "{}", ask.id);
        for (axis, values) in ask.axes.values().enumerate() {
            for value in 1..values.len() {
                let mut combo = plain.clone();
                combo[axis] = value;
                assert!(combos.contains(&combo), "{}: {combo:?}", ask.id);
            }
        }
        // A partner may come on top of the last one.
        assert!(combos.len() <= ask.most + 1, "{}: {}", ask.id, combos.len());
    }
    let mut again = Requests::new(&rules, 1);
    let twice = again.asked_of(&Tried::plain("token"), "token");
    assert!(asked.iter().zip(&twice).all(|(one, two)| one.1 == two.1));
}

/// Which launches an ask is for: options that it needs, options that it does not go with, auth modes.
#[test]
fn an_ask_is_for_some_launches() {
    let (_, rules) = contract();
    let asked = |profile: &str, values: &[&str]| -> BTreeSet<&str> {
        let tried = Tried {
            profile: profile.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let asked = Requests::new(&rules, 1).asked_of(&tried, profile);
        asked.iter().map(|(ask, _)| ask.id.as_str()).collect()
    };
    assert!(!asked("token", &[]).contains("explore-hooks"));
    assert!(asked("token", &["hooks-on"]).contains("explore-hooks"));
    assert!(asked("trusted-proxy", &[]).contains("explore-identity"));
    assert!(!asked("token", &[]).contains("explore-identity"));
    assert_eq!(
        asked("token", &["limit-3"]),
        BTreeSet::from(["explore-lockout"])
    );
    assert_eq!(
        asked("token", &["pages-on"]),
        BTreeSet::from(["explore-pages"])
    );
}

/// Whatever may be tried makes valid scenario files, whose cells are those that are asked; a sequence is asked whole.
#[test]
fn scenario_files_are_made_of_what_is_tried() {
    let (catalogue, rules) = contract();
    let newest = release("2026.9.6");
    let launches = Launches::new(&catalogue, &rules, &newest, 3);
    let mut requests = Requests::new(&rules, 3);
    let singles = launches
        .singles()
        .into_iter()
        .map(|tried| (tried, Vec::new()));
    let more = launches.take(12).map(|tried| {
        let asked = requests.asked_of(&tried, tried.mode(&catalogue));
        (tried, asked)
    });
    let mut asked: Questions<'_> = more.collect();
    let known: BTreeSet<Tried> = asked.iter().map(|(tried, _)| tried.clone()).collect();
    asked.extend(singles.filter(|(tried, _)| !known.contains(tried)));
    let maker = Maker::new(&catalogue, &rules, "somebody").unwrap();
    let made = maker.open(&asked).unwrap();
    let combos = asked
        .iter()
        .flat_map(|(_, asks)| asks.iter().map(|(_, combos)| combos.len()));
    assert_eq!(made.cells.len(), asked.len() + combos.sum::<usize>());
    let places = contract::plan::Places::of(&made.catalogue);
    for id in &made.cells {
        assert!(places.find(id).is_some(), "{id}");
        assert_eq!(Candidate::of(id, &rules).unwrap().id(), *id);
    }
    let sequence = asked
        .iter()
        .flat_map(|(_, asks)| asks)
        .find(|(ask, _)| ask.kind == Kind::Sequence);
    if let Some((ask, combos)) = sequence {
        assert_eq!(
            combos.len(),
            ask.axes.values().map(Vec::len).product::<usize>()
        );
    }
    // What an oracle said is what is expected; what it did not say is not asked.
    let id = made
        .cells
        .iter()
        .find(|id| id.starts_with("explore-http"))
        .unwrap();
    let expected = Expected::from([(id.clone(), "unauthorized".to_owned())]);
    let judged = maker.judged(&asked, &expected).unwrap();
    assert!(
        judged
            .cells
            .iter()
            .all(|cell| cell == id || cell.starts_with("explore-pages"))
    );
    let places = contract::plan::Places::of(&judged.catalogue);
    let outcome = places
        .find(id)
        .unwrap()
        .expected(&newest)
        .unwrap()
        .id
        .clone();
    assert_eq!(outcome, "unauthorized");
}

/// What is kept decides every cell, so that it can be asked by anybody.
#[test]
fn files_that_are_kept_are_whole() {
    let (catalogue, rules) = contract();
    let cells = [
        "explore-http/profile=token/endpoint=chat/guess=query/scopes=absent/ingress=direct",
        "explore-http/profile=token.range/endpoint=chat/guess=nothing/scopes=read/ingress=forwarded",
        "explore-http/profile=none/endpoint=models/guess=caller/scopes=read/ingress=direct",
        "explore-start/profile=token.token-undefined",
    ];
    let asked = Candidate::together(cells.iter().map(|id| Candidate::of(id, &rules).unwrap()));
    let outcomes = [
        "unauthorized",
        "unauthorized",
        "model-list",
        "refuses-empty-token",
    ];
    let expected = cells.iter().zip(outcomes);
    let expected = expected
        .map(|(id, outcome)| ((*id).to_owned(), outcome.to_owned()))
        .collect();
    let maker = Maker::new(&catalogue, &rules, "somebody").unwrap();
    let kept = maker.kept(&asked, &expected).unwrap();
    kept.catalogue.check_tables().unwrap();
    let left: Vec<String> = contract::plan::cells(&kept.catalogue)
        .map(|cell| cell.id())
        .collect();
    assert_eq!(
        left.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        cells.into()
    );
}

/// A finding is not shown again only where its own example was asked again and answered otherwise.
#[test]
fn what_has_no_answer_says_nothing() {
    let (catalogue, rules) = contract();
    let newest = release("2026.9.6");
    let world = World {
        rules: &rules,
        contract: &catalogue,
        authority: "somebody",
        known: known_on(&catalogue, &newest, &newest),
    };
    let id =
        "explore-http/profile=token.range/endpoint=models/guess=query/scopes=read/ingress=direct";
    let cell = Candidate::of(id, &rules).unwrap();
    let maker = Maker::new(&catalogue, &rules, "somebody").unwrap();
    let made = maker.open(&Candidate::together([cell])).unwrap();
    let cell = contract::plan::Places::of(&made.catalogue)
        .find(id)
        .unwrap();
    let result = |observed: Option<Observation>| {
        let verdict = Verdict::CouldNotRun("nothing".to_owned());
        let unseen = Facts::unseen("gateway", None, verdict);
        CellResult::new(&cell, Facts { observed, ..unseen })
    };
    let silent = result(None);
    let mut finding = Finding {
        deviation: Some(Deviation::UnexpectedAllow),
        by: vec!["guess=query".to_owned()],
        ..world.example(&made.catalogue, &silent)
    };
    let [smallest, singles, whole] = world.candidates(&finding);
    let ids =
        |cells: &[Candidate<'_>]| -> Vec<String> { cells.iter().map(Candidate::id).collect() };
    let plain = "explore-http/profile=token/endpoint=models/guess=query/scopes=";
    assert_eq!(
        ids(&smallest),
        [
            format!("{plain}absent/ingress=direct"),
            format!("{plain}read/ingress=direct")
        ]
    );
    assert_eq!(
        (ids(&singles), ids(&whole)),
        (vec![id.to_owned()], vec![id.to_owned()])
    );
    world.take_smallest(&mut finding, &whole, (&made.catalogue, &[silent]));
    assert_eq!(finding.again, None);
    let right = result(Some(Observation::default()));
    world.take_smallest(&mut finding, &whole, (&made.catalogue, &[right]));
    assert_eq!(finding.again, Some(false));
}

/// Of requests of a kind that reaches the model a launch is asked only some, the plainest among them; of the rest, and of sequences, all.
#[test]
fn a_launch_is_asked_what_it_can_afford() {
    let (catalogue, rules) = contract();
    let tried = Tried::plain("none").with_only(Some(&"odd-sessions".to_owned()));
    let asked = Requests::new(&rules, 1).asked_of(&tried, "none");
    let asked: Questions<'_> = vec![(tried, asked)];
    let maker = Maker::new(&catalogue, &rules, "somebody").unwrap();
    let made = maker.open(&asked).unwrap();
    let calls = |id: &str| id.contains("/endpoint=chat/");
    let cells: BTreeSet<String> = contract::plan::cells(&made.catalogue)
        .filter(|cell| made.cells.contains(&cell.id()))
        .map(|cell| cell.id())
        .collect();
    let answers = contract::plan::cells(&made.catalogue).map(|cell| {
        let observed = Observation {
            // Some are let in, and the others are of the same kind.
            model_calls: Some(u32::from(
                calls(&cell.id()) && cell.id().contains("/guess=caller/"),
            )),
            ..Observation::default()
        };
        let unseen = Facts::unseen("gateway", None, Verdict::New);
        CellResult::new(
            &cell,
            Facts {
                observed: Some(observed),
                ..unseen
            },
        )
    });
    let answers: Vec<CellResult> = answers.collect();
    let left = |seed| -> BTreeSet<String> {
        let left = affordable(asked.clone(), &answers, 5, seed);
        maker.open(&left).unwrap().cells
    };
    let first = left(1);
    assert_eq!(first, left(1));
    assert_ne!(first, left(2));
    let is_sequence = |id: &&String| id.starts_with("explore-sessions/");
    let gone: Vec<&String> = cells.difference(&first).collect();
    assert!(
        gone.iter().all(|id| calls(id) && !is_sequence(id)),
        "{gone:?}"
    );
    let costly = first.iter().filter(|id| calls(id) && !is_sequence(id));
    let costly: Vec<&String> = costly.collect();
    assert_eq!(costly.len(), 5, "{costly:?}");
    let plain = "explore-more/profile=none.odd-sessions/endpoint=chat/more=nothing/guess=caller/scopes=absent";
    assert!(costly.iter().any(|id| *id == plain), "{costly:?}");
}

/// On a release, an answer that it does not know is one finding, after what is new; a known issue explains only cells of its mode.
#[test]
fn news_come_before_what_is_known_of_an_old_release() {
    let (catalogue, rules) = contract();
    let old = release("2026.4.15");
    let world = World {
        rules: &rules,
        contract: &catalogue,
        authority: "somebody",
        known: known_on(&catalogue, &old, &release("2026.9.6")),
    };
    let maker = Maker::new(&catalogue, &rules, "somebody").unwrap();
    let found = |cells: &[(&str, &str)]| -> Vec<Finding> {
        let asked = cells
            .iter()
            .map(|(id, _)| Candidate::of(id, &rules).unwrap());
        let expected = cells
            .iter()
            .map(|(id, outcome)| ((*id).to_owned(), (*outcome).to_owned()));
        let made = maker
            .judged(&Candidate::together(asked), &expected.collect())
            .unwrap();
        let places = contract::plan::Places::of(&made.catalogue);
        let results = cells.iter().map(|(id, _)| {
            let cell = places.find(id).unwrap();
            let observed = Observation {
                outcome: Some("model-list".to_owned()),
                ..Observation::default()
            };
            let verdict = Verdict::Deviates(Deviation::UnexpectedAllow);
            let unseen = Facts::unseen("gateway", ExpectedOf::of(&cell, &old), verdict);
            CellResult::new(
                &cell,
                Facts {
                    observed: Some(observed),
                    ..unseen
                },
            )
        });
        let results: Vec<CellResult> = results.collect();
        world.findings(&[(&made.catalogue, &results)])
    };
    let models = "endpoint=models/guess=caller/scopes=absent";
    let forwarded = format!("explore-http/profile=none/{models}/ingress=forwarded");
    let real_ip = format!("explore-http/profile=none/{models}/ingress=x-real-ip");
    let query = |profile: &str| {
        format!(
            "explore-http/profile={profile}/endpoint=models/guess=query/scopes=absent/ingress=direct"
        )
    };
    let both = found(&[
        (&forwarded, "proxy-attribution-required"),
        (&real_ip, "proxy-attribution-required"),
        (&query("password"), "unauthorized"),
    ]);
    assert_eq!(both.len(), 2, "{both:#?}");
    assert!(
        both[0].is_new() && both[0].example == query("password"),
        "{both:#?}"
    );
    let unknown = "2026.4.15 does not know the answer proxy-attribution-required";
    assert_eq!(
        (both[1].cells, &both[1].like[..]),
        (2, &[unknown.to_owned()][..])
    );
    // A known issue of mode none says the same of its own mode only.
    let none = found(&[(&query("none"), "unauthorized")]);
    assert_eq!(none[0].like, ["seen-open-mode-foreign-origin"]);
}
