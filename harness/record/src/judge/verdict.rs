//! One cell's verdict.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::Proof;
use crate::observe::Observation;
use contract::plan::Barred;
use contract::scenario::Privilege;
use contract::scenario::model::{Direction, Outcome};

/// In which way a cell deviates.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Deviation {
    /// A caller got in who must not, or got more than it may: a security finding.
    UnexpectedAllow,
    /// A caller was refused who must get in, or got less than it may: an availability finding.
    UnexpectedDeny,
    /// Refused, as it must be, but for another reason or in another shape.
    WrongDenial,
    /// Let in, as it must be, but the answer has another shape.
    WrongBody,
}

impl Deviation {
    /// Whether the caller got in.
    pub fn observed(self) -> Direction {
        match self {
            Self::UnexpectedAllow | Self::WrongBody => Direction::Allow,
            Self::UnexpectedDeny | Self::WrongDenial => Direction::Deny,
        }
    }

    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnexpectedAllow => "unexpected-allow",
            Self::UnexpectedDeny => "unexpected-deny",
            Self::WrongDenial => "wrong-denial",
            Self::WrongBody => "wrong-body",
        }
    }
}

/// What is said about one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As the rule and the snapshot say.
    Conforms,
    /// Not as the rule or the snapshot says.
    Deviates(Deviation),
    /// Not as the rule says, but exactly as a known issue says it is on this release.
    Known(Deviation),
    /// As the rule says, although a known issue says that it is not so on this release.
    Stale,
    /// As the rule says, and no snapshot holds the cell yet.
    New,
    /// Cannot be asked of this release, with the reason.
    NotApplicable(String),
    /// Was not asked, since this machine lacks something that it takes, with the reason.
    NotAsked(String),
    /// Could not be asked, or the answer proves nothing, with the reason.
    CouldNotRun(String),
}

impl Verdict {
    /// Which verdict, without what belongs to it.
    pub fn kind(&self) -> VerdictKind {
        match self {
            Self::Conforms => VerdictKind::Conforms,
            Self::Deviates(_) => VerdictKind::Deviates,
            Self::Known(_) => VerdictKind::Known,
            Self::Stale => VerdictKind::Stale,
            Self::New => VerdictKind::New,
            Self::NotApplicable(_) => VerdictKind::NotApplicable,
            Self::NotAsked(_) => VerdictKind::NotAsked,
            Self::CouldNotRun(_) => VerdictKind::CouldNotRun,
        }
    }

    /// The word that files and reports use.
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }
}

impl From<&Barred> for Verdict {
    fn from(barred: &Barred) -> Self {
        match barred {
            Barred::Release(reason) => Self::NotApplicable(reason.clone()),
            Barred::Machine(reason) => Self::NotAsked(reason.clone()),
        }
    }
}

/// A verdict by name, as records have it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// [`Verdict::Conforms`].
    Conforms,
    /// [`Verdict::Deviates`].
    Deviates,
    /// [`Verdict::Known`].
    Known,
    /// [`Verdict::Stale`].
    Stale,
    /// [`Verdict::New`].
    New,
    /// [`Verdict::NotApplicable`].
    NotApplicable,
    /// [`Verdict::NotAsked`].
    NotAsked,
    /// [`Verdict::CouldNotRun`].
    CouldNotRun,
}

impl VerdictKind {
    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Deviates => "deviates",
            Self::Known => "known",
            Self::Stale => "stale",
            Self::New => "new",
            Self::NotApplicable => "not-applicable",
            Self::NotAsked => "not-asked",
            Self::CouldNotRun => "could-not-run",
        }
    }

    /// Whether a run passes with this verdict in it, if nothing excuses it.
    pub fn passes(self) -> bool {
        match self {
            Self::Conforms | Self::Known | Self::NotApplicable => true,
            Self::Deviates | Self::Stale | Self::New | Self::NotAsked | Self::CouldNotRun => false,
        }
    }
}

/// What the accepted snapshot says about a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotView<'a> {
    /// No snapshot holds the cell.
    Absent,
    /// The accepted answer, and whether the caller got in with it.
    Accepted {
        /// The normalised answer.
        answer: &'a str,
        /// What the caller got with it.
        grants: Privilege,
    },
}

/// Judges one observation.
///
/// The rule is asked first, then the snapshot; a denial that both accept still needs the launch's proof. `known` is what
/// a known issue says is observed instead: that and nothing else is excused, and if it is not there the issue is stale.
pub fn judge(
    expected: &Outcome,
    observed: &Observation,
    snapshot: SnapshotView<'_>,
    proof: Proof,
    known: Option<&Outcome>,
) -> Verdict {
    let verdict = judge_outcome(expected, observed, known);
    if verdict != Verdict::Conforms {
        return verdict;
    }
    if let SnapshotView::Accepted { answer, grants } = snapshot
        && answer != observed.answer
    {
        return Verdict::Deviates(deviation(grants, observed));
    }
    let objection = match observed.direction {
        Direction::Allow => None,
        Direction::Deny => proof.objection(),
    };
    match (objection, snapshot) {
        (Some(objection), _) => Verdict::CouldNotRun(objection.to_owned()),
        (None, SnapshotView::Absent) => Verdict::New,
        (None, SnapshotView::Accepted { .. }) => Verdict::Conforms,
    }
}

/// Judges the outcome alone: neither an accepted answer nor a proof is asked for.
pub fn judge_outcome(
    expected: &Outcome,
    observed: &Observation,
    known: Option<&Outcome>,
) -> Verdict {
    let fits = |outcome: &Outcome| observed.outcome.as_deref() == Some(outcome.id.as_str());
    if !fits(expected) {
        let kept_apart = expected
            .model_saw
            .as_ref()
            .is_some_and(|saw| !saw.earlier_words);
        let deviation = match kept_apart && observed.goes_on_with_earlier_words() {
            // Whoever is sent them may be told them.
            true => Deviation::UnexpectedAllow,
            false => deviation(expected.grants, observed),
        };
        return match known {
            Some(known) if fits(known) => Verdict::Known(deviation),
            Some(_) | None => Verdict::Deviates(deviation),
        };
    }
    if known.is_some_and(|known| known.id != expected.id) {
        return Verdict::Stale;
    }
    Verdict::Conforms
}

/// In which way an answer is not the right one, whose caller gets `expected`.
fn deviation(expected: Privilege, observed: &Observation) -> Deviation {
    // What fits no outcome shows what it grants at least.
    let is_all = observed.outcome.is_some() || observed.grants == Privilege::None;
    match observed.grants.cmp(&expected) {
        _ if observed.shows_anothers_words() => Deviation::UnexpectedAllow,
        Ordering::Greater => Deviation::UnexpectedAllow,
        Ordering::Less if is_all => Deviation::UnexpectedDeny,
        Ordering::Less | Ordering::Equal => match expected.direction() {
            Direction::Allow => Deviation::WrongBody,
            Direction::Deny => Deviation::WrongDenial,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Allow, Deny};
    use contract::scenario::model::ModelSaw;
    use rstest::rstest;

    fn outcome(id: &str, direction: Direction) -> Outcome {
        Outcome {
            id: id.to_owned(),
            direction,
            grants: direction.into(),
            ..Outcome::default()
        }
    }

    fn observed(outcome: Option<&str>, direction: Direction, answer: &str) -> Observation {
        Observation {
            outcome: outcome.map(str::to_owned),
            direction,
            grants: direction.into(),
            answer: answer.to_owned(),
            ..Observation::default()
        }
    }

    #[rstest]
    #[case::as_expected(("yes", Allow), (Some("yes"), Allow, "a"), Some(("a", Allow)), "conforms", None)]
    #[case::denied_as_expected(("no", Deny), (Some("no"), Deny, "a"), Some(("a", Deny)), "conforms", None)]
    #[case::no_snapshot(("yes", Allow), (Some("yes"), Allow, "a"), None, "new", None)]
    #[case::let_in(("no", Deny), (Some("yes"), Allow, "a"), Some(("b", Deny)), "deviates", Some(Deviation::UnexpectedAllow))]
    #[case::refused(("yes", Allow), (Some("no"), Deny, "a"), Some(("b", Allow)), "deviates", Some(Deviation::UnexpectedDeny))]
    #[case::other_denial(("no", Deny), (None, Deny, "a"), Some(("b", Deny)), "deviates", Some(Deviation::WrongDenial))]
    #[case::other_answer(("yes", Allow), (None, Allow, "a"), Some(("b", Allow)), "deviates", Some(Deviation::WrongBody))]
    #[case::body_changed(("yes", Allow), (Some("yes"), Allow, "a"), Some(("b", Allow)), "deviates", Some(Deviation::WrongBody))]
    #[case::denial_changed(("no", Deny), (Some("no"), Deny, "a"), Some(("b", Deny)), "deviates", Some(Deviation::WrongDenial))]
    #[case::rule_widened(("yes", Allow), (Some("yes"), Allow, "a"), Some(("b", Deny)), "deviates", Some(Deviation::UnexpectedAllow))]
    #[case::rule_outranks_snapshot(("no", Deny), (Some("yes"), Allow, "a"), Some(("a", Allow)), "deviates", Some(Deviation::UnexpectedAllow))]
    fn verdicts(
        #[case] rule: (&str, Direction),
        #[case] seen: (Option<&str>, Direction, &str),
        #[case] accepted: Option<(&str, Direction)>,
        #[case] name: &str,
        #[case] deviation: Option<Deviation>,
    ) {
        let snapshot = accepted.map_or(SnapshotView::Absent, |(answer, direction)| {
            SnapshotView::Accepted {
                answer,
                grants: direction.into(),
            }
        });
        let verdict = judge(
            &outcome(rule.0, rule.1),
            &observed(seen.0, seen.1, seen.2),
            snapshot,
            Proof::Shown,
            None,
        );
        assert_eq!(verdict.name(), name);
        assert_eq!(
            deviation,
            if let Verdict::Deviates(deviation) = &verdict {
                Some(*deviation)
            } else {
                None
            }
        );
        assert_eq!(verdict.kind().passes(), name == "conforms");
    }

    /// What counts is what the caller gets; what fits no outcome shows what it grants at least.
    #[rstest]
    #[case::more_than_the_rule_grants(
        Privilege::Read,
        Some("other"),
        Privilege::Write,
        Deviation::UnexpectedAllow
    )]
    #[case::something_instead_of_nothing(
        Privilege::Access,
        Some("other"),
        Privilege::Read,
        Deviation::UnexpectedAllow
    )]
    #[case::a_secret(Privilege::Admin, None, Privilege::Owner, Deviation::UnexpectedAllow)]
    #[case::less(
        Privilege::Write,
        Some("other"),
        Privilege::Read,
        Deviation::UnexpectedDeny
    )]
    #[case::at_least_as_much(Privilege::Write, None, Privilege::Read, Deviation::WrongBody)]
    #[case::more_of_no_name(Privilege::Read, None, Privilege::Write, Deviation::UnexpectedAllow)]
    #[case::nothing_of_no_name(Privilege::Access, None, Privilege::None, Deviation::UnexpectedDeny)]
    #[case::as_much(
        Privilege::Write,
        Some("other"),
        Privilege::Write,
        Deviation::WrongBody
    )]
    #[case::denied_otherwise(
        Privilege::None,
        Some("other"),
        Privilege::None,
        Deviation::WrongDenial
    )]
    fn more_than_granted(
        #[case] expected: Privilege,
        #[case] outcome: Option<&str>,
        #[case] grants: Privilege,
        #[case] wanted: Deviation,
    ) {
        let seen = Observation {
            grants,
            ..observed(outcome, grants.direction(), "a")
        };
        assert_eq!(deviation(expected, &seen), wanted);
    }

    /// Where a conversation must begin anew, the words of an earlier one are more than the rule grants.
    #[rstest]
    #[case::kept_apart(Some(false), true, Deviation::UnexpectedAllow)]
    #[case::not_sent(Some(false), false, Deviation::WrongBody)]
    #[case::not_looked_at(None, true, Deviation::WrongBody)]
    fn words_of_an_earlier_request(
        #[case] expected: Option<bool>,
        #[case] sent: bool,
        #[case] wanted: Deviation,
    ) {
        let saw = |earlier_words| ModelSaw {
            model: "fake-model".to_owned(),
            earlier_words,
        };
        let expected = Outcome {
            model_saw: expected.map(saw),
            ..outcome("anew", Allow)
        };
        let words = if sent { "came along" } else { "none" };
        let answer =
            format!("status: 200\nmodel: fake-model\nearlier-words: {words}\nbody: none\n");
        let seen = observed(Some("other"), Allow, &answer);
        assert_eq!(
            judge_outcome(&expected, &seen, None),
            Verdict::Deviates(wanted)
        );
    }

    /// Words of another request are more than anybody may have, whatever the answer grants.
    #[test]
    fn words_of_another_request() {
        let seen = |answer: &str| observed(Some("other"), Deny, answer);
        let foreign = seen("body: text\n  canary-bcdfghjkmnpqrstv asked\n");
        assert_eq!(
            deviation(Privilege::None, &foreign),
            Deviation::UnexpectedAllow
        );
        assert_eq!(
            deviation(Privilege::Write, &foreign),
            Deviation::UnexpectedAllow
        );
        let own = seen("body: text\n  [canary] asked about a canary-like word\n");
        assert_eq!(deviation(Privilege::None, &own), Deviation::WrongDenial);
    }

    #[rstest]
    #[case::missing(Proof::Missing)]
    #[case::void(Proof::Void)]
    fn a_denial_without_proof_is_no_verdict(#[case] proof: Proof) {
        let snapshot = SnapshotView::Accepted {
            answer: "a",
            grants: Privilege::None,
        };
        let verdict = judge(
            &outcome("no", Deny),
            &observed(Some("no"), Deny, "a"),
            snapshot,
            proof,
            None,
        );
        assert_eq!(verdict.name(), "could-not-run");
        assert!(!verdict.kind().passes());
    }

    #[test]
    fn a_wrong_refusal_needs_no_proof() {
        let verdict = judge(
            &outcome("yes", Allow),
            &observed(Some("no"), Deny, "a"),
            SnapshotView::Absent,
            Proof::Missing,
            None,
        );
        assert_eq!(verdict, Verdict::Deviates(Deviation::UnexpectedDeny));
    }

    #[rstest]
    #[case::exactly_as_it_says((Some("no"), Deny), Verdict::Known(Deviation::UnexpectedDeny))]
    #[case::another_deviation((Some("other"), Deny), Verdict::Deviates(Deviation::UnexpectedDeny))]
    #[case::of_no_name((None, Allow), Verdict::Deviates(Deviation::WrongBody))]
    #[case::fixed((Some("yes"), Allow), Verdict::Stale)]
    fn known_issues(#[case] seen: (Option<&str>, Direction), #[case] verdict: Verdict) {
        let known = outcome("no", Deny);
        let got = judge(
            &outcome("yes", Allow),
            &observed(seen.0, seen.1, "a"),
            SnapshotView::Absent,
            Proof::Shown,
            Some(&known),
        );
        assert_eq!(got, verdict);
    }
}
