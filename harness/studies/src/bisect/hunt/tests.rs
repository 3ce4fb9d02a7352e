//! Hunts over made-up releases of the real catalogue.

use rstest::rstest;

use super::*;
use crate::bisect::{Answer, Bisection, BoundsError, ChangeKind, Find, QuestionKind};
use contract::data::Data;
use contract::release::Releases;
use contract::scenario::model::Direction;
use record::Ending;
use record::sameness::RecordedAnswer;

const SEED: &str = "chat-completions/profile=none/credential=absent/scopes=absent";

fn catalogue() -> Catalogue {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Catalogue::load(&Data::Folder(root)).unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// Twenty releases of a month.
fn line() -> Vec<Version> {
    (1..=20)
        .map(|patch| version(&format!("2026.10.{patch}")))
        .collect()
}

/// A release that answers every cell with this outcome; the rule asks for `answered`.
fn answers(hunt: &Hunt, release: &Version, outcome: &str) -> Tested {
    if let Some(why) = outcome.strip_prefix("no: ") {
        return Tested::nothing(release.clone(), why.to_owned(), true);
    }
    let answer = Answer {
        seen: RecordedAnswer {
            outcome: Some(outcome.to_owned()),
            direction: Direction::Allow,
            grants: contract::scenario::Privilege::Access,
            status: Some(200),
            start: None,
            error_type: Some(format!("line of {outcome}")),
            message: None,
            model_calls: None,
            late_calls: false,
            text: "".into(),
        },
        expected: Some("answered".to_owned()),
        known_issue: None,
    };
    let cells = hunt.question().ids().map(|id| (id, answer.clone()));
    Tested {
        trouble: None,
        answers: cells.collect(),
        ..Tested::nothing(release.clone(), String::new(), false)
    }
}

struct Bench {
    catalogue: Catalogue,
    hunt: Hunt,
    tested: Vec<String>,
}

impl Bench {
    fn new(said: &[(&str, Label)], find: Option<Find>, expect: Option<&str>) -> Self {
        let catalogue = catalogue();
        let question = Question::find(&catalogue, SEED).unwrap();
        let said = said
            .iter()
            .map(|(release, label)| (version(release), *label));
        let bounds = Bounds::new(said, find).unwrap();
        let mut line = line();
        if bounds.towards().is_none() {
            let ends: Vec<&Version> = bounds.labels().map(|(version, _)| version).collect();
            line.retain(|release| ends[0] <= release && release <= ends[ends.len() - 1]);
        }
        let probes = bounds.probes(8);
        let expect = expect.map(str::to_owned);
        let hunt = Hunt::new(&catalogue, question, bounds, line, true, probes, expect).unwrap();
        Self {
            catalogue,
            hunt,
            tested: Vec::new(),
        }
    }

    /// Goes on to the end; `truth` says what a release of October answers.
    fn run(
        mut self,
        truth: impl Fn(u16) -> &'static str,
    ) -> Result<(Bisection, Vec<String>), EndError> {
        while let Some(next) = self.hunt.next() {
            let name = next.test.to_string();
            let patch = name.rsplit('.').next().unwrap().parse().unwrap();
            self.tested.push(name);
            let tested = answers(&self.hunt, &next.test, truth(patch));
            self.hunt.take(tested)?;
        }
        let found = self
            .hunt
            .finish(&self.catalogue, &Releases::default(), false);
        Ok((found, self.tested))
    }
}

const GOOD_BAD: [(&str, Label); 2] = [("2026.10.1", Label::Good), ("2026.10.20", Label::Bad)];
const BETWEEN: [(&str, Label); 2] = [("2026.10.1", Label::End), ("2026.10.20", Label::End)];

fn edges(found: &Bisection) -> Vec<(ChangeKind, &str, &str)> {
    let changes = found.changes.iter();
    changes
        .map(|change| (change.kind, change.before.as_str(), change.after.as_str()))
        .collect()
}

#[test]
fn a_break_is_found_and_the_ends_come_first() {
    let bench = Bench::new(&GOOD_BAD, None, None);
    let next = bench.hunt.next().unwrap();
    assert_eq!(
        next.ahead,
        [version("2026.10.20")],
        "the other end is installed ahead"
    );
    let (found, tested) = bench
        .run(|patch| {
            if patch < 13 {
                "answered"
            } else {
                "missing-scope-write"
            }
        })
        .unwrap();
    assert_eq!(tested[..2], ["2026.10.1", "2026.10.20"]);
    assert!(tested.len() <= 7, "{tested:?}");
    assert_eq!(
        edges(&found),
        [(ChangeKind::Break, "2026.10.12", "2026.10.13")]
    );
    assert_eq!(found.changes[0].first, ["2026.10.13"]);
    assert!(
        found.changes[0]
            .repro
            .ends_with("--gateway openclaw@2026.10.13")
    );
    assert_eq!(found.ending().0, Ending::Holds);
}

#[test]
fn a_fix_is_found_where_the_bad_end_is_older() {
    let said = [("2026.10.1", Label::Bad), ("2026.10.20", Label::Good)];
    let (found, _) = Bench::new(&said, Some(Find::Fix), None)
        .run(|patch| {
            if patch < 4 {
                "missing-scope-write"
            } else {
                "answered"
            }
        })
        .unwrap();
    assert_eq!(edges(&found), [(ChangeKind::Fix, "2026.10.3", "2026.10.4")]);
    assert!(
        found.changes[0]
            .repro
            .ends_with("--gateway openclaw@2026.10.3"),
        "what shows it is bad"
    );
}

#[test]
fn what_cannot_be_told_widens_the_answer() {
    let (found, _) = Bench::new(&GOOD_BAD, None, None)
        .run(|patch| match patch {
            ..11 => "answered",
            11 => "no: npm says no",
            12 => "unauthorized",
            13.. => "missing-scope-write",
        })
        .unwrap();
    assert_eq!(
        found.changes[0].first,
        ["2026.10.11", "2026.10.12", "2026.10.13"]
    );
    let why = |release: &str| found.release(release).unwrap().why.clone().unwrap();
    assert_eq!(why("2026.10.11"), "npm says no");
    assert_eq!(
        why("2026.10.12"),
        "it answers neither as the good nor as the bad end: 200 line of unauthorized"
    );
    assert_eq!(
        found.ending(),
        (
            Ending::Incomplete,
            "the first may be any of 2026.10.11, 2026.10.12, 2026.10.13".to_owned()
        )
    );
}

#[test]
fn what_is_expected_leaves_no_third_answer() {
    let (found, _) = Bench::new(&GOOD_BAD, None, Some("answered"))
        .run(|patch| match patch {
            ..11 => "answered",
            11..13 => "unauthorized",
            13.. => "missing-scope-write",
        })
        .unwrap();
    assert_eq!(
        edges(&found),
        [(ChangeKind::Break, "2026.10.10", "2026.10.11")]
    );
}

#[rstest]
#[case::between(&BETWEEN)]
#[case::two_good_ends(&[("2026.10.1", Label::Good), ("2026.10.20", Label::Good)])]
fn a_stretch_between_ends_that_agree(#[case] said: &[(&str, Label)]) {
    let (found, _) = Bench::new(said, None, None)
        .run(|patch| {
            if (9..12).contains(&patch) {
                "missing-scope-write"
            } else {
                "answered"
            }
        })
        .unwrap();
    assert_eq!(
        edges(&found),
        [
            (ChangeKind::Break, "2026.10.8", "2026.10.9"),
            (ChangeKind::Fix, "2026.10.11", "2026.10.12")
        ]
    );
}

#[test]
fn nothing_found_is_no_success() {
    let (found, tested) = Bench::new(&BETWEEN, None, None)
        .run(|_| "answered")
        .unwrap();
    assert_eq!((found.changes.len(), tested.len()), (0, 10));
    assert_eq!(found.assumed.len(), 10);
    assert_eq!(found.ending().0, Ending::Incomplete);
}

#[rstest]
#[case::earlier(("2026.10.18", Label::Bad), None, (ChangeKind::Break, "2026.10.12", "2026.10.13"))]
#[case::later(("2026.10.2", Label::Good), None, (ChangeKind::Break, "2026.10.12", "2026.10.13"))]
fn from_one_release(
    #[case] said: (&str, Label),
    #[case] find: Option<Find>,
    #[case] edge: (ChangeKind, &str, &str),
) {
    let (found, tested) = Bench::new(&[said], find, None)
        .run(|patch| {
            if patch < 13 {
                "answered"
            } else {
                "missing-scope-write"
            }
        })
        .unwrap();
    assert_eq!(edges(&found), [edge], "{tested:?}");
}

#[rstest]
#[case::alike(&GOOD_BAD, "answered", "answered", None, "both answer 200 line of answered", "--between 2026.10.1 2026.10.20")]
#[case::swapped(&GOOD_BAD, "missing-scope-write", "answered", None, "not what the rule asks for", "swap them, and a fix is found: --good 2026.10.20 --bad 2026.10.1")]
#[case::goods_differ(&[("2026.10.1", Label::Good), ("2026.10.20", Label::Good)], "answered", "unauthorized", None, "are both called good and answer differently", "--between")]
#[case::does_not_install(&GOOD_BAD, "answered", "no: npm says no", Some(Ending::Gateway), "2026.10.20 is called bad and cannot be told: npm says no", "beside")]
fn ends_are_held_against_what_they_are_called(
    #[case] said: &[(&str, Label)],
    #[case] first: &'static str,
    #[case] last: &'static str,
    #[case] ending: Option<Ending>,
    #[case] message: &str,
    #[case] help: &str,
) {
    let error = Bench::new(said, None, None)
        .run(|patch| if patch == 1 { first } else { last })
        .unwrap_err();
    assert_eq!(error.ending(), ending);
    assert!(error.to_string().contains(message), "{error}");
    assert!(error.help().contains(help), "{}", error.help());
}

#[test]
fn an_end_that_is_not_as_expected() {
    let error = Bench::new(&GOOD_BAD, None, Some("unauthorized"))
        .run(|_| "answered")
        .unwrap_err();
    assert!(matches!(
        error,
        EndError::Unexpected {
            called: Label::Good,
            ..
        }
    ));
}

#[rstest]
#[case::both(&[("2026.10.1", Label::Good), ("2026.10.1", Label::Bad)], None, "is called good and bad")]
#[case::same(&[("2026.10.1", Label::End), ("2026.10.1", Label::End)], None, "is both ends")]
#[case::nothing(&[], None, "no release is named")]
#[case::order(&GOOD_BAD, Some(Find::Fix), "is a break, not a fix")]
fn claims_that_contradict_each_other(
    #[case] said: &[(&str, Label)],
    #[case] find: Option<Find>,
    #[case] message: &str,
) {
    let said = said
        .iter()
        .map(|(release, label)| (version(release), *label));
    let error: BoundsError = Bounds::new(said, find).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
    assert!(!error.help().is_empty());
}

/// One bad cell makes a release bad: broken by the first, fixed with the last.
#[test]
fn of_several_cells_the_first_breaks_and_the_last_fixes() {
    let catalogue = catalogue();
    let mut question = Question::find(&catalogue, "openclaw#58357").unwrap();
    question.cells.truncate(3);
    assert_eq!(question.kind, QuestionKind::KnownIssue);
    let said = [
        (version("2026.10.1"), Label::Good),
        (version("2026.10.5"), Label::Bad),
        (version("2026.10.9"), Label::Good),
    ];
    let bounds = Bounds::new(said, None).unwrap();
    let line = line()[..9].to_vec();
    let probes = bounds.probes(8);
    let mut hunt = Hunt::new(&catalogue, question, bounds, line, true, probes, None).unwrap();
    while let Some(next) = hunt.next() {
        let patch: usize = next
            .test
            .to_string()
            .rsplit('.')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        // How many of the three cells are bad.
        let bad = [0, 0, 1, 2, 3, 2, 1, 0, 0][patch - 1];
        let mut tested = answers(&hunt, &next.test, "answered");
        for answer in tested.answers.values_mut().take(bad) {
            answer.seen.outcome = Some("missing-scope-write".to_owned());
        }
        hunt.take(tested).unwrap();
    }
    let found = hunt.finish(&catalogue, &Releases::default(), false);
    assert_eq!(
        edges(&found),
        [
            (ChangeKind::Break, "2026.10.2", "2026.10.3"),
            (ChangeKind::Fix, "2026.10.7", "2026.10.8")
        ]
    );
    assert_eq!(
        found.changes[0].cells[0].cells, 1,
        "only one cell has changed by then"
    );
}

#[rstest]
#[case::cell(SEED, QuestionKind::Cell, 1)]
#[case::rule("chat-completions/declared-scopes-lack-write", QuestionKind::Rule, 2)]
#[case::known_issue("OpenClaw#58357", QuestionKind::KnownIssue, 2)]
fn questions(#[case] what: &str, #[case] kind: QuestionKind, #[case] least: usize) {
    let question = Question::find(&catalogue(), what).unwrap();
    assert_eq!(question.kind, kind);
    assert!(question.cells.len() >= least);
}

#[test]
fn hints_are_what_rules_and_known_issues_say() {
    let catalogue = catalogue();
    let question = Question::find(&catalogue, SEED).unwrap();
    let hints = question.hints(&catalogue);
    assert!(
        hints.contains(&version("2026.3.28")) && hints.contains(&version("2026.4.1")),
        "{hints:?}"
    );
}

#[test]
fn who_is_not_known_is_told_what_is_close() {
    let error = Question::find(&catalogue(), "openclaw#58375").unwrap_err();
    assert!(error.help().contains("openclaw#58"), "{}", error.help());
}
