//! The judge of one cell: rule, accepted answer and known issue against what was seen.

use std::sync::Arc;

use contract::plan::Cell;
use contract::release::{GatewayRef, Version};
use contract::scenario::model::{Outcome, Start};
use contract::scenario::{Catalogue, KnownIssue};
use contract::snapshots::{Answer, Snapshot, Snapshots};
use jiff::civil::Date;

use super::{Difference, Proof, Severity, SnapshotView, Verdict, judge};
use crate::events::{CellResult, Expected, Facts};
use crate::observe::Observation;

/// What was seen of a cell, or why nothing was.
pub type Seen = Result<Observation, String>;

/// What cells are judged by. Pure: the same observations are judged the same again, whenever and wherever.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The rules.
    pub catalogue: &'a Catalogue,
    /// The accepted answers.
    pub snapshots: &'a Snapshots,
    /// The gateway as the caller named it.
    pub gateway: &'a str,
    /// The release that it is judged as.
    pub release: &'a Version,
    /// The day on which known issues are heeded; `None` judges as if there were none.
    pub known_issues: Option<Date>,
}

impl Judge<'_> {
    /// Judges one cell; `attempts` says why earlier ones brought no answer.
    pub fn cell(&self, cell: &Cell, seen: Seen, proof: Proof, attempts: Vec<String>) -> CellResult {
        let Some(expected) = self.expected(cell) else {
            let reason = format!("no rule speaks about it on {}", self.release);
            return self.unseen(cell, Verdict::CouldNotRun(reason), attempts);
        };
        let observed = match seen {
            Err(reason) => return self.unseen(cell, Verdict::CouldNotRun(reason), attempts),
            Ok(observed) => observed,
        };
        let accepted = self.accepted(cell);
        let is_right = observed.outcome.as_deref() == Some(expected.outcome.id.as_str());
        let known = self
            .known(cell)
            .filter(|(issue, outcome)| !is_right || self.is_sure_of(issue, outcome));
        let by = known
            .as_ref()
            .map(|(issue, outcome)| (&**issue, &**outcome));
        let (verdict, difference) = self.verdict(accepted, &expected, &observed, proof, by);
        let known_issue = match &verdict {
            Verdict::Known(_) | Verdict::Stale => known.map(|(issue, _)| issue),
            Verdict::Conforms
            | Verdict::Deviates(_)
            | Verdict::New
            | Verdict::NotApplicable(_)
            | Verdict::NotAsked(_)
            | Verdict::CouldNotRun(_) => None,
        };
        let facts = Facts {
            gateway: self.gateway.to_owned(),
            expected: Some(expected),
            observed: Some(observed),
            verdict,
            known_issue,
            accepted: accepted.map(|(_, answer)| answer.text.clone()),
            difference,
            severity: None,
            attempts,
        };
        let severity = Severity::of(&facts, &self.catalogue.outcomes);
        CellResult::new(cell, Facts { severity, ..facts })
    }

    /// A cell of which nothing was seen.
    pub fn unseen(&self, cell: &Cell, verdict: Verdict, attempts: Vec<String>) -> CellResult {
        let facts = Facts {
            accepted: self.accepted(cell).map(|(_, answer)| answer.text.clone()),
            attempts,
            ..Facts::unseen(self.gateway, self.expected(cell), verdict)
        };
        CellResult::new(cell, facts)
    }

    fn verdict(
        &self,
        accepted: Option<(&Snapshot, &Answer)>,
        expected: &Expected,
        observed: &Observation,
        proof: Proof,
        known: Option<(&KnownIssue, &Outcome)>,
    ) -> (Verdict, Option<Difference>) {
        let view = accepted.map_or(SnapshotView::Absent, |(_, answer)| SnapshotView::Accepted {
            answer: &answer.text,
            grants: answer.grants(self.catalogue),
        });
        let outcome = known.map(|(_, outcome)| outcome);
        let verdict = judge(&expected.outcome, observed, view, proof, outcome);
        if let (Verdict::Known(deviation), Some((issue, outcome))) = (&verdict, known)
            && let Some(difference) = self.not_accepted(issue, outcome, observed)
        {
            return (Verdict::Deviates(*deviation), Some(difference));
        }
        let by_rule = observed.outcome.as_deref() == Some(expected.outcome.id.as_str());
        let difference = match (&verdict, accepted) {
            (Verdict::Deviates(_), Some((snapshot, answer))) if by_rule => Some(Difference {
                snapshot: format!("{}:{}", snapshot.path(), answer.line),
                accepted: answer.text.clone(),
                observed: observed.answer.clone(),
            }),
            _ => None,
        };
        (verdict, difference)
    }

    /// Whether an issue says of this very gateway that it has it. Nobody knows of an issue that no release has mended whether a build, or a
    /// release after the last one that was looked at, still has it: where it does not show, that is no mistake of the issue's file. A start
    /// that fails is sure to: what else is under the profile was not asked because of it, and somebody has to hear of that.
    fn is_sure_of(&self, issue: &KnownIssue, outcome: &Outcome) -> bool {
        let is_published = matches!(self.gateway.parse(), Ok(GatewayRef::Published(_)));
        let is_later = issue
            .shows_on
            .as_ref()
            .is_none_or(|last| self.release > last);
        let bars = outcome.start == Some(Start::Refused);
        issue.gone_on.is_some() || bars || (is_published && !is_later)
    }

    /// What a known issue says is observed instead, if the run heeds them.
    fn known(&self, cell: &Cell) -> Option<(Arc<KnownIssue>, Arc<Outcome>)> {
        let known = cell.known(self.catalogue, self.release, self.known_issues?);
        known.map(|(issue, outcome)| (Arc::clone(issue), Arc::clone(outcome)))
    }

    /// How an answer differs from those that are accepted for what a known issue says is observed.
    fn not_accepted(
        &self,
        issue: &KnownIssue,
        outcome: &Outcome,
        observed: &Observation,
    ) -> Option<Difference> {
        let answers = || {
            let own = self.catalogue.known_answers(&outcome.id);
            own.chain(self.snapshots.answers(&outcome.id))
        };
        if answers().any(|text| text == observed.answer) {
            return None;
        }
        Some(Difference {
            snapshot: issue.origin(),
            accepted: answers().next().unwrap_or_default().to_owned(),
            observed: observed.answer.clone(),
        })
    }

    fn expected(&self, cell: &Cell) -> Option<Expected> {
        Expected::of(cell, self.release)
    }

    fn accepted(&self, cell: &Cell) -> Option<(&Snapshot, &Answer)> {
        let (scenario, profile) = (&cell.scenario, cell.profile());
        let snapshot = self.snapshots.find(scenario, profile, self.release)?;
        Some((snapshot, snapshot.cells.get(&cell.key())?))
    }
}
