//! Comparisons of records that no gateway had to write.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::judge::Deviation;
use crate::record::{Ending, Record, Results};

/// What a cell asks for or answers: name, whether it lets in, status.
type Outcome = (&'static str, bool, u16);

const ANSWERED: Outcome = ("answered", true, 200);
const LISTED: Outcome = ("listed", true, 200);
const UNKNOWN: Outcome = ("unauthorized", false, 401);
const FORBIDDEN: Outcome = ("forbidden", false, 403);
const OUTCOMES: [Outcome; 4] = [ANSWERED, LISTED, UNKNOWN, FORBIDDEN];

/// A cell of a record.
#[derive(Debug, Clone)]
struct Made {
    scenario: &'static str,
    profile: &'static str,
    header: &'static str,
    rule: String,
    source: String,
    asks: Outcome,
    says: Outcome,
    /// What tells texts of the same outcome apart.
    text: String,
    known: Option<&'static str>,
    /// Why it was not answered: the verdict and the reason.
    silent: Option<(&'static str, &'static str)>,
    path: &'static str,
}

/// A cell that conforms.
fn made(header: &'static str, outcome: Outcome) -> Made {
    Made {
        scenario: "chat",
        profile: "token",
        header,
        rule: "a-rule".to_owned(),
        source: "docs/a.md".to_owned(),
        asks: outcome,
        says: outcome,
        text: String::new(),
        known: None,
        silent: None,
        path: "/v1/chat",
    }
}

impl Made {
    fn says(mut self, outcome: Outcome) -> Self {
        self.says = outcome;
        self
    }

    fn known(mut self, issue: &'static str) -> Self {
        self.known = Some(issue);
        self
    }

    fn text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    fn rule(mut self, rule: &str, source: &str) -> Self {
        rule.clone_into(&mut self.rule);
        source.clone_into(&mut self.source);
        self
    }

    fn at(mut self, scenario: &'static str, profile: &'static str) -> Self {
        self.scenario = scenario;
        self.profile = profile;
        self
    }

    fn silent(mut self, verdict: &'static str, reason: &'static str) -> Self {
        self.silent = Some((verdict, reason));
        self
    }

    fn id(&self) -> String {
        format!(
            "{}/profile={}/header={}",
            self.scenario, self.profile, self.header
        )
    }

    fn answer(&self) -> String {
        let (name, _, status) = self.says;
        let body = match self.text.starts_with('{') {
            true => self.text.clone(),
            false => json!({ "is": format!("{name} {}", self.text) }).to_string(),
        };
        format!("status: {status}\nbody: json\n  {body}\n")
    }

    fn request(&self) -> String {
        match self.header {
            "none" => format!("POST {} HTTP/1.1\nHost: a\n\nbody", self.path),
            header => format!(
                "POST {} HTTP/1.1\nHost: a\nX-Test: {header}\n\nbody",
                self.path
            ),
        }
    }

    fn deviation(&self) -> Option<&'static str> {
        match (self.asks.1, self.says.1) {
            _ if self.asks == self.says => None,
            (false, true) => Some("unexpected-allow"),
            (true, false) => Some("unexpected-deny"),
            (false, false) => Some("wrong-denial"),
            (true, true) => Some("wrong-body"),
        }
    }
}

/// Whether a call is a blocker, found in another way than [`weigh`] does.
fn blocks(before: &Made, after: &Made) -> bool {
    let wrong = |made: &Made| made.deviation().filter(|way| way.starts_with("unexpected"));
    before.silent.is_none()
        && after.silent.is_none()
        && wrong(after).is_some()
        && wrong(before) != wrong(after)
}

const HEADERS: [&str; 5] = ["none", "a", "b", "long-value", "z"];
const PROFILES: [&str; 3] = ["token", "token-behind-proxy", "open"];

fn record(version: &str, cells: &[Made]) -> Record {
    let value = |id: &&str| json!({ "id": id, "short": id, "title": format!("the {id}") });
    let axes = json!([
        { "name": "profile", "values": PROFILES.iter().map(value).collect::<Vec<_>>() },
        { "name": "header", "values": HEADERS.iter().map(value).collect::<Vec<_>>() },
    ]);
    let mut answers: Vec<String> = Vec::new();
    let mut requests: Vec<String> = Vec::new();
    let mut rules: BTreeMap<(String, String), Value> = BTreeMap::new();
    let place = |texts: &mut Vec<String>, text: String| {
        let found = texts.iter().position(|known| *known == text);
        found.unwrap_or_else(|| {
            texts.push(text);
            texts.len() - 1
        })
    };
    let mut list = Vec::new();
    for made in cells {
        rules.insert(
            (made.scenario.to_owned(), made.rule.clone()),
            json!({ "scenario": made.scenario, "id": made.rule, "title": format!("title of {}", made.rule), "origin": "x:1", "source": made.source }),
        );
        let observed = json!({
            "outcome": made.says.0, "status": made.says.2, "error_type": null, "message": null, "model_calls": 0,
            "ms": 1.0, "answer": place(&mut answers, made.answer()),
        });
        let verdict = match (made.silent, made.deviation(), made.known) {
            (Some((verdict, _)), _, _) => verdict,
            (None, None, _) => "conforms",
            (None, Some(_), Some(_)) => "known",
            (None, Some(_), None) => "deviates",
        };
        list.push(json!({
            "id": made.id(), "gateway": "g", "axes": { "profile": made.profile, "header": made.header },
            "expected": {
                "rule": made.rule, "outcome": made.asks.0, "status": made.asks.2,
                "direction": if made.asks.1 { "allow" } else { "deny" },
            },
            "observed": if made.silent.is_some() { Value::Null } else { observed },
            "request": place(&mut requests, made.request()),
            "verdict": verdict,
            "direction": if made.silent.is_some() { None } else { made.deviation() },
            "known_issue": made.known, "reason": made.silent.map(|(_, reason)| reason),
        }));
    }
    let scenarios: Vec<&str> = ["chat", "lists"].to_vec();
    let issues: Vec<&str> = cells.iter().filter_map(|made| made.known).collect();
    serde_json::from_value(json!({
        "schema": "clawgauge.results/1",
        "run": {
            "id": version, "started": "s", "finished": "f", "harness": "0", "table_hash": "h", "interrupted": false,
        },
        "gateways": [{ "ref": "g", "version": version, "integrity": null, "node": null, "launches": [] }],
        "summary": serde_json::to_value(crate::record::Summary::default()).unwrap(),
        "causes": [],
        "scenarios": scenarios.iter().map(|id| json!({ "id": id, "title": id, "file": "f", "axes": axes })).collect::<Vec<_>>(),
        "rules": rules.into_values().collect::<Vec<_>>(),
        "known_issues": issues.iter().map(|id| json!({
            "id": id, "url": "", "title": format!("title of {id}"), "kind": "regression", "releases": "r", "means": "m",
            "workaround": format!("way around {id}"), "bytes_say": "", "file": "f",
        })).collect::<Vec<_>>(),
        "requests": requests,
        "answers": answers,
        "cells": list,
    }))
    .unwrap()
}

fn profiles() -> Profiles {
    let facts = |mode: &str, config: Value| ProfileFacts {
        mode: mode.to_owned(),
        config,
    };
    Profiles {
        known: BTreeMap::from([
            (
                "token".to_owned(),
                facts("token", json!({ "gateway": { "port": 1 } })),
            ),
            (
                "token-behind-proxy".to_owned(),
                facts(
                    "token",
                    json!({ "gateway": { "port": 1, "trustedProxies": ["x"] } }),
                ),
            ),
            (
                "open".to_owned(),
                facts("none", json!({ "gateway": { "port": 2 } })),
            ),
        ]),
    }
}

fn compared(a: &Record, b: &Record) -> Comparison {
    let mut texts = Texts::default();
    let mut read =
        |record: &Record| Cells::read(&Results::from(record), None, &|_| true, &mut texts).unwrap();
    let (a, b) = (read(a), read(b));
    compare(&a, &b, &texts, &profiles())
}

fn of(a: &[Made], b: &[Made]) -> Comparison {
    compared(&record("2026.1.1", a), &record("2026.1.2", b))
}

#[rstest]
#[case::nothing(made("a", ANSWERED), made("a", ANSWERED), None)]
#[case::let_in_against_the_rule(made("a", UNKNOWN), made("a", UNKNOWN).says(ANSWERED), Some((Kind::LetIn, Bearing::Breaks, Weight::Blocker)))]
#[case::shut_out_against_the_rule(made("a", ANSWERED), made("a", ANSWERED).says(FORBIDDEN), Some((Kind::ShutOut, Bearing::Breaks, Weight::Blocker)))]
#[case::a_known_issue_is_no_excuse(made("a", ANSWERED), made("a", ANSWERED).says(FORBIDDEN).known("i#1"), Some((Kind::ShutOut, Bearing::Breaks, Weight::Blocker)))]
#[case::refused_otherwise(made("a", UNKNOWN), made("a", UNKNOWN).says(FORBIDDEN), Some((Kind::DenialChanged, Bearing::Breaks, Weight::Shape)))]
#[case::answered_otherwise(made("a", ANSWERED), made("a", ANSWERED).says(LISTED), Some((Kind::AnswerChanged, Bearing::Breaks, Weight::Shape)))]
#[case::mended(made("a", ANSWERED).says(FORBIDDEN), made("a", ANSWERED), Some((Kind::LetIn, Bearing::Mends, Weight::Improvement)))]
#[case::announced(made("a", ANSWERED), made("a", UNKNOWN), Some((Kind::ShutOut, Bearing::ContractChanged, Weight::ContractChange)))]
#[case::announced_and_not_followed(made("a", ANSWERED), made("a", UNKNOWN).says(ANSWERED), Some((Kind::SameAnswer, Bearing::Breaks, Weight::Blocker)))]
#[case::the_contract_caught_up(made("a", UNKNOWN).says(ANSWERED), made("a", ANSWERED), Some((Kind::SameAnswer, Bearing::ContractChanged, Weight::ContractChange)))]
#[case::text_only(made("a", ANSWERED), made("a", ANSWERED).text("2"), Some((Kind::AnswerChanged, Bearing::BothConform, Weight::Cosmetic)))]
#[case::shape(made("a", ANSWERED), made("a", ANSWERED).text("{\"was\": 1}"), Some((Kind::AnswerChanged, Bearing::BothConform, Weight::Shape)))]
#[case::as_wrong_as_before(made("a", ANSWERED).says(FORBIDDEN), made("a", ANSWERED).says(FORBIDDEN), None)]
#[case::still_wrong(made("a", ANSWERED).says(FORBIDDEN), made("a", ANSWERED).says(UNKNOWN), Some((Kind::DenialChanged, Bearing::StillBreaks, Weight::Shape)))]
#[case::less_wrong(made("a", UNKNOWN).says(ANSWERED), made("a", UNKNOWN).says(FORBIDDEN), Some((Kind::ShutOut, Bearing::Mends, Weight::Improvement)))]
#[case::wrong_the_other_way(made("a", UNKNOWN).says(ANSWERED), made("a", ANSWERED).says(UNKNOWN), Some((Kind::ShutOut, Bearing::Breaks, Weight::Blocker)))]
fn what_a_change_is(
    #[case] a: Made,
    #[case] b: Made,
    #[case] wanted: Option<(Kind, Bearing, Weight)>,
) {
    let comparison = of(&[a], &[b]);
    let found = comparison.causes.first().map(|cause| {
        let kind = cause.kinds.keys().next().copied().unwrap();
        (kind, cause.bearing, cause.weight)
    });
    assert_eq!(found, wanted);
    let blocker = matches!(wanted, Some((_, _, Weight::Blocker)));
    let ending = comparison.ended().ending;
    assert_eq!(
        ending,
        if blocker {
            Ending::Broken
        } else {
            Ending::Holds
        }
    );
}

/// One change of the contract on two routes, from three answers to one, is one cause: the issue that both rules cite.
#[test]
fn one_change_is_one_cause_across_scenarios() {
    let everywhere = |version: usize| -> Vec<Made> {
        let rule = |made: Made, source: &str| match version {
            1 => made.rule("before", "docs/b.md knows nothing of it"),
            _ => made.rule("after", source),
        };
        let new = |old: Outcome| if version == 1 { old } else { FORBIDDEN };
        vec![
            rule(made("a", new(ANSWERED)), "docs/a.md; issue#7"),
            rule(made("b", new(UNKNOWN)), "docs/a.md; issue#7"),
            rule(
                made("a", new(LISTED)).at("lists", "token"),
                "docs/c.md, a section; issue#7, GHSA-1",
            ),
            made("none", ANSWERED),
            made("none", LISTED).at("lists", "token"),
            match version {
                1 => made("z", LISTED).at("lists", "token"),
                _ => made("z", FORBIDDEN)
                    .at("lists", "token")
                    .rule("another", "docs/else.md; issue#8"),
            },
        ]
    };
    let comparison = of(&everywhere(1), &everywhere(2));
    let cells: Vec<usize> = comparison.causes.iter().map(|cause| cause.cells).collect();
    assert_eq!(cells, [3, 1], "{:#?}", comparison.causes);
    let cause = &comparison.causes[0];
    assert_eq!(cause.weight, Weight::ContractChange);
    assert_eq!(cause.before.len(), 3);
    assert_eq!(cause.after.len(), 1);
    let places: Vec<&str> = cause
        .places
        .iter()
        .map(|place| place.scenario.as_str())
        .collect();
    assert_eq!(places, ["chat", "lists"]);
    // A downgrade is the same change the other way round.
    let back = compared(
        &record("2026.1.2", &everywhere(2)),
        &record("2026.1.1", &everywhere(1)),
    );
    let cells: Vec<usize> = back.causes.iter().map(|cause| cause.cells).collect();
    assert_eq!(cells, [3, 1]);
}

/// Known issues are named, one cause each, whatever the rule.
#[test]
fn a_known_issue_is_a_cause_of_its_own() {
    let a = [
        made("a", ANSWERED),
        made("b", ANSWERED),
        made("z", ANSWERED),
    ];
    let b = [
        made("a", ANSWERED).says(FORBIDDEN).known("i#1"),
        made("b", ANSWERED).says(FORBIDDEN).known("i#2"),
        made("z", ANSWERED).says(FORBIDDEN),
    ];
    let comparison = of(&a, &b);
    let issues = comparison.causes.iter().map(|cause| {
        let issue = cause.known_issue.as_ref();
        issue.map(|issue| (issue.id.as_str(), issue.workaround.as_str()))
    });
    let issues: Vec<_> = issues.collect();
    assert_eq!(
        issues,
        [
            Some(("i#1", "way around i#1")),
            Some(("i#2", "way around i#2")),
            None
        ]
    );
    assert_eq!(comparison.ended().why, "3 blockers");
}

/// The smallest change of the request that B lets in, and never another path or another auth mode.
#[test]
fn what_to_send_instead_is_what_b_lets_in() {
    let other_path = |mut made: Made| {
        made.path = "/v1/other";
        made
    };
    let cells = |outcome: Outcome| {
        vec![
            made("a", outcome),
            made("long-value", ANSWERED),
            made("b", ANSWERED),
            other_path(made("none", ANSWERED)),
            made("a", ANSWERED).at("chat", "token-behind-proxy"),
            made("a", ANSWERED).at("chat", "open"),
        ]
    };
    let comparison = of(&cells(ANSWERED), &cells(FORBIDDEN));
    let advice = &comparison.causes[0].advice;
    let [
        Advice::Request {
            set,
            send,
            leave_out,
            cells: 1,
            ..
        },
        Advice::Configuration {
            profiles,
            set: keys,
            ..
        },
    ] = advice.as_slice()
    else {
        panic!("{advice:#?}");
    };
    assert_eq!(set["header"], "b");
    assert_eq!(send, &["X-Test: b"]);
    assert!(leave_out.is_empty(), "{leave_out:?}");
    assert_eq!(profiles["token"], "token-behind-proxy");
    assert_eq!(keys, &["gateway.trustedProxies = [\"x\"]"]);
    assert_eq!(comparison.causes[0].beyond_advice, 0);
}

#[test]
fn whom_nothing_helps_is_counted() {
    let comparison = of(&[made("a", ANSWERED)], &[made("a", FORBIDDEN)]);
    assert_eq!(comparison.causes[0].advice, []);
    assert_eq!(comparison.causes[0].beyond_advice, 1);
}

#[test]
fn what_cannot_be_compared_is_told_apart() {
    let mut asked_otherwise = made("z", ANSWERED);
    asked_otherwise.path = "/v2";
    let a = [
        made("none", ANSWERED).silent("not-applicable", "too old"),
        made("a", ANSWERED),
        made("b", ANSWERED).silent("not-applicable", "no such route"),
        made("z", ANSWERED),
    ];
    let b = [
        made("none", ANSWERED),
        made("a", ANSWERED).silent("could-not-run", "no answer"),
        made("b", ANSWERED).silent("not-applicable", "no such route"),
        asked_otherwise,
        made("long-value", ANSWERED),
    ];
    let comparison = of(&a, &b);
    let gaps = comparison.gaps.iter().map(|gap| (gap.a, gap.b, gap.cells));
    let gaps: Vec<_> = gaps.collect();
    use SideGap::{Answered, AskedOtherwise, CouldNotRun, NotApplicable, NotAsked};
    assert_eq!(
        gaps,
        [
            (Answered, CouldNotRun, 1),
            (AskedOtherwise, AskedOtherwise, 1),
            (NotApplicable, NotApplicable, 1),
            (NotApplicable, Answered, 1),
            (NotAsked, Answered, 1),
        ]
    );
    assert_eq!(comparison.counts.compared, 0);
    assert_eq!(comparison.ended().ending, Ending::Incomplete);
}

#[test]
fn what_is_wrong_on_both_is_nothing_new() {
    let wrong = [
        made("a", ANSWERED).says(FORBIDDEN).known("i#1"),
        made("b", ANSWERED),
    ];
    let comparison = of(&wrong, &wrong);
    assert_eq!(comparison.causes, []);
    let [group] = comparison.unchanged.as_slice() else {
        panic!("{:?}", comparison.unchanged);
    };
    assert_eq!(
        (group.direction, group.cells),
        (Deviation::UnexpectedDeny, 1)
    );
    assert_eq!(comparison.ended().ending, Ending::Holds);
}

#[rstest]
#[case::a_blocker_first(&|a: &mut Record, _: &mut Record| a.gateways[0].error = Some("x".into()), Ending::Broken)]
#[case::interrupted(&|a: &mut Record, _: &mut Record| a.run.interrupted = true, Ending::Interrupted)]
fn endings(#[case] spoil: &dyn Fn(&mut Record, &mut Record), #[case] wanted: Ending) {
    let mut a = record("2026.1.1", &[made("a", ANSWERED)]);
    let mut b = record("2026.1.2", &[made("a", ANSWERED).says(FORBIDDEN)]);
    spoil(&mut a, &mut b);
    assert_eq!(compared(&a, &b).ended().ending, wanted);
    let mut same = a.clone();
    spoil(&mut same, &mut a);
    let ending = compared(&same, &same).ended().ending;
    assert_eq!(
        ending,
        if wanted == Ending::Broken {
            Ending::Gateway
        } else {
            wanted
        }
    );
}

#[test]
fn one_of_several_gateways_must_be_named() {
    let mut several = record("2026.1.1", &[made("a", ANSWERED)]);
    let mut other = several.gateways[0].clone();
    "h".clone_into(&mut other.reference);
    several.gateways.push(other);
    let read = |name: Option<&str>| {
        Cells::read(
            &Results::from(&several),
            name,
            &|_| true,
            &mut Texts::default(),
        )
    };
    let said = |name| read(name).unwrap_err().to_string();
    assert_eq!(said(None), "it holds several gateways: g, h");
    assert_eq!(said(Some("x")), "it holds no gateway \"x\"; it holds g, h");
    assert_eq!(read(Some("g")).unwrap().side().ran, 1);
    assert_eq!(read(Some("h")).unwrap().side().ran, 0);
}

/// Cells of both sides, by what each asks for and says.
fn worlds() -> impl Strategy<Value = (Vec<Made>, Vec<Made>)> {
    let one = (0..4_usize, 0..4_usize, 0..3_usize, any::<bool>(), 0..12_u8);
    let pair = (one.clone(), one);
    prop::collection::vec(pair, HEADERS.len() * PROFILES.len() * 2).prop_map(|pairs| {
        let mut places = Vec::new();
        for scenario in ["chat", "lists"] {
            for profile in PROFILES {
                places.extend(HEADERS.iter().map(|header| (scenario, profile, *header)));
            }
        }
        let build = |(asks, says, text, known, silent): (usize, usize, usize, bool, u8),
                     (scenario, profile, header)| {
            let made = made(header, OUTCOMES[asks])
                .says(OUTCOMES[says])
                .text(&"x".repeat(text));
            let made = made.at(scenario, profile).rule(
                &format!("rule-{asks}"),
                &format!("docs/{asks}.md; issue#{}", asks % 2),
            );
            let made = if known && asks != says {
                made.known("i#1")
            } else {
                made
            };
            match silent {
                0 => made.silent("not-applicable", "too old"),
                1 => made.silent("could-not-run", "no answer"),
                _ => made,
            }
        };
        let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let make = |side: Vec<_>| {
            side.into_iter()
                .zip(&places)
                .map(|(one, place)| build(one, *place))
                .collect()
        };
        (make(a), make(b))
    })
}

fn kinds(comparison: &Comparison) -> BTreeMap<Kind, usize> {
    let mut kinds = BTreeMap::new();
    for (kind, cells) in comparison.causes.iter().flat_map(|cause| &cause.kinds) {
        *kinds.entry(*kind).or_default() += cells;
    }
    kinds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A gateway is no different from itself.
    #[test]
    fn nothing_changes_between_a_record_and_itself((a, _) in worlds()) {
        let comparison = of(&a, &a);
        prop_assert_eq!(&comparison.causes, &[]);
        prop_assert_eq!(comparison.counts.changed, 0);
        prop_assert_ne!(comparison.ended().ending, Ending::Broken);
    }

    /// Whoever is let in one way is shut out the other way, and nothing else moves.
    #[test]
    fn directions_turn_round_when_sides_change((a, b) in worlds()) {
        let there = kinds(&of(&a, &b));
        let back = kinds(&of(&b, &a));
        let turned: BTreeMap<Kind, usize> = back.into_iter().map(|(kind, cells)| (kind.mirrored(), cells)).collect();
        prop_assert_eq!(there, turned);
    }

    /// Every cell is compared or told to be missing; every change is in one cause and in one place of it.
    #[test]
    fn nothing_is_dropped_or_told_twice((a, b) in worlds()) {
        let comparison = of(&a, &b);
        let counts = &comparison.counts;
        let gaps: usize = comparison.gaps.iter().map(|gap| gap.cells).sum();
        prop_assert_eq!(counts.compared + gaps, a.len());
        prop_assert_eq!(counts.changed + counts.unchanged, counts.compared);
        let told: usize = comparison.causes.iter().map(|cause| cause.cells).sum();
        prop_assert_eq!(told, counts.changed);
        for cause in &comparison.causes {
            let places: usize = cause.places.iter().map(|place| place.cells).sum();
            let kinds: usize = cause.kinds.values().sum();
            let before: usize = cause.before.iter().map(|answer| answer.cells).sum();
            prop_assert_eq!((places, kinds, before), (cause.cells, cause.cells, cause.cells));
            let helped = cause.advice.iter().map(Advice::cells).max().unwrap_or(0);
            prop_assert!(helped + cause.beyond_advice <= cause.cells);
        }
    }

    /// A blocker is told exactly where B is wrong about somebody and A was not wrong in the same way.
    #[test]
    fn blockers_are_found_and_not_invented((a, b) in worlds()) {
        let comparison = of(&a, &b);
        let wanted = a.iter().zip(&b).filter(|(a, b)| blocks(a, b)).count();
        let blockers = comparison.causes.iter().filter(|cause| cause.weight == Weight::Blocker);
        let found: usize = blockers.map(|cause| cause.cells).sum();
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(comparison.ended().ending == Ending::Broken, wanted > 0);
    }

    /// The order of the cells in a record does not matter.
    #[test]
    fn the_order_of_cells_does_not_matter((a, b) in worlds()) {
        let turned = |cells: &[Made]| -> Vec<Made> { cells.iter().rev().cloned().collect() };
        let there = serde_json::to_string(&of(&a, &b)).unwrap();
        prop_assert_eq!(there, serde_json::to_string(&of(&turned(&a), &turned(&b))).unwrap());
    }

    /// What is said to be let in is let in on B.
    #[test]
    fn advice_is_what_b_lets_in((a, b) in worlds()) {
        for advice in of(&a, &b).causes.iter().flat_map(|cause| &cause.advice) {
            let (Advice::Request { example, .. } | Advice::Configuration { example, .. }) = advice;
            let made = b.iter().find(|made| made.id() == *example).unwrap();
            prop_assert!(made.says.1 && made.silent.is_none(), "{} {:?}", example, made);
        }
    }
}
