//! Comparisons of make-believe records.

mod made;
mod properties;

use rstest::rstest;

use super::*;
use made::*;
use record::judge::Deviation;
use record::{Ending, Record, Results};

#[rstest]
#[case::nothing(made("a", ANSWERED), made("a", ANSWERED), None)]
#[case::let_in_against_the_rule(made("a", UNKNOWN), made("a", UNKNOWN).says(ANSWERED), Some((Kind::LetIn, ContractEffect::Breaks, ChangeSeverity::Blocker)))]
#[case::shut_out_against_the_rule(made("a", ANSWERED), made("a", ANSWERED).says(FORBIDDEN), Some((Kind::ShutOut, ContractEffect::Breaks, ChangeSeverity::Blocker)))]
#[case::a_known_issue_is_no_excuse(made("a", ANSWERED), made("a", ANSWERED).says(FORBIDDEN).known("i#1"), Some((Kind::ShutOut, ContractEffect::Breaks, ChangeSeverity::Blocker)))]
#[case::refused_otherwise(made("a", UNKNOWN), made("a", UNKNOWN).says(FORBIDDEN), Some((Kind::DenialChanged, ContractEffect::Breaks, ChangeSeverity::Shape)))]
#[case::answered_otherwise(made("a", ANSWERED), made("a", ANSWERED).says(LISTED), Some((Kind::AnswerChanged, ContractEffect::Breaks, ChangeSeverity::Shape)))]
#[case::fixed(made("a", ANSWERED).says(FORBIDDEN), made("a", ANSWERED), Some((Kind::LetIn, ContractEffect::Fixes, ChangeSeverity::Improvement)))]
#[case::announced(made("a", ANSWERED), made("a", UNKNOWN), Some((Kind::ShutOut, ContractEffect::ContractChanged, ChangeSeverity::ContractChange)))]
#[case::announced_and_not_followed(made("a", ANSWERED), made("a", UNKNOWN).says(ANSWERED), Some((Kind::SameAnswer, ContractEffect::Breaks, ChangeSeverity::Blocker)))]
#[case::the_contract_caught_up(made("a", UNKNOWN).says(ANSWERED), made("a", ANSWERED), Some((Kind::SameAnswer, ContractEffect::ContractChanged, ChangeSeverity::ContractChange)))]
#[case::text_only(made("a", ANSWERED), made("a", ANSWERED).text("2"), Some((Kind::AnswerChanged, ContractEffect::BothConform, ChangeSeverity::Cosmetic)))]
#[case::shape(made("a", ANSWERED), made("a", ANSWERED).text("{\"was\": 1}"), Some((Kind::AnswerChanged, ContractEffect::BothConform, ChangeSeverity::Shape)))]
#[case::as_wrong_as_before(made("a", ANSWERED).says(FORBIDDEN), made("a", ANSWERED).says(FORBIDDEN), None)]
#[case::still_wrong(made("a", ANSWERED).says(FORBIDDEN), made("a", ANSWERED).says(UNKNOWN), Some((Kind::DenialChanged, ContractEffect::StillBreaks, ChangeSeverity::Shape)))]
#[case::less_wrong(made("a", UNKNOWN).says(ANSWERED), made("a", UNKNOWN).says(FORBIDDEN), Some((Kind::ShutOut, ContractEffect::Fixes, ChangeSeverity::Improvement)))]
#[case::wrong_the_other_way(made("a", UNKNOWN).says(ANSWERED), made("a", ANSWERED).says(UNKNOWN), Some((Kind::ShutOut, ContractEffect::Breaks, ChangeSeverity::Blocker)))]
fn what_a_change_is(
    #[case] a: Made,
    #[case] b: Made,
    #[case] wanted: Option<(Kind, ContractEffect, ChangeSeverity)>,
) {
    let comparison = of(&[a], &[b]);
    let found = comparison.causes.first().map(|cause| {
        let kind = cause.kinds.keys().next().copied().unwrap();
        (kind, cause.bearing, cause.weight)
    });
    assert_eq!(found, wanted);
    let blocker = matches!(wanted, Some((_, _, ChangeSeverity::Blocker)));
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
    assert_eq!(cause.weight, ChangeSeverity::ContractChange);
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
            Some(("i#1", "workaround i#1")),
            Some(("i#2", "workaround i#2")),
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

/// Only what is not the same on both sides takes memory.
#[test]
fn what_is_the_same_is_counted_and_not_kept() {
    let wrong = made("b", ANSWERED).says(FORBIDDEN).known("i#1");
    let a = [made("a", ANSWERED), wrong.clone(), made("z", ANSWERED)];
    let b = [made("a", ANSWERED), wrong, made("z", ANSWERED).text("2")];
    let (a, b) = (record("2026.1.1", &a), record("2026.1.2", &b));
    let (a, b) = (Results::from(&a), Results::from(&b));
    let side = |results| RecordSide::new(results, None, &|_| true).unwrap();
    let kept = Kept::read(&side(&a), &side(&b)).unwrap();
    for side in [&kept.a, &kept.b] {
        let ids: Vec<&String> = side.cells.keys().collect();
        assert_eq!(ids, ["chat/profile=token/header=z"]);
        assert_eq!(side.side.ran, 3);
    }
    assert_eq!((kept.counts.compared, kept.counts.unchanged), (2, 2));
}

/// A cell that is there twice could be the same once and let somebody in the other time.
#[rstest]
#[case::in_a(&["a", "a"], &["a"], "a cell of A is there twice")]
#[case::in_b(&["a"], &["a", "a"], "chat/profile=token/header=a of B is there twice")]
#[case::in_b_alone(&["a"], &["z", "z"], "chat/profile=token/header=z of B is there twice")]
fn a_cell_twice(#[case] a: &[&'static str], #[case] b: &[&'static str], #[case] why: &str) {
    let record = |version: &str, headers: &[&'static str]| {
        let cells: Vec<Made> = headers.iter().map(|name| made(name, ANSWERED)).collect();
        record(version, &cells)
    };
    let (a, b) = (record("2026.1.1", a), record("2026.1.2", b));
    let (a, b) = (Results::from(&a), Results::from(&b));
    let side = |results| RecordSide::new(results, None, &|_| true).unwrap();
    let error = compare(&side(&a), &side(&b), &profiles()).unwrap_err();
    assert_eq!(error.to_string(), why);
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
    let results = Results::from(&several);
    let side = |name| RecordSide::new(&results, name, &|_| true);
    let said = |name| side(name).err().unwrap().to_string();
    assert_eq!(said(None), "it holds several gateways: g, h");
    assert_eq!(said(Some("x")), "it holds no gateway \"x\"; it holds g, h");
    let (g, h) = (side(Some("g")).unwrap(), side(Some("h")).unwrap());
    let comparison = compare(&g, &h, &profiles()).unwrap();
    assert_eq!((comparison.a.ran, comparison.b.ran), (1, 0));
}
