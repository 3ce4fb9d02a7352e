//! From what a launch's cells answered to verdicts, as events.

use std::sync::Arc;

use jiff::civil::Date;

use super::ask::Answers;
use super::gateway::Target;
use super::{CellResult, Context, Expected, RunEvent};
use crate::judge::{Difference, Proof, SnapshotView, Verdict, judge};
use crate::observe::Observation;
use crate::plan::Cell;
use crate::release::Version;
use crate::scenario::model::Outcome;
use crate::scenario::{Catalogue, KnownIssue};
use crate::snapshots::{Snapshot, Snapshots};
use crate::upstream::Upstream;

/// What was seen of a cell, or why nothing was.
pub type Seen = Result<Observation, String>;

/// Judges the cells of one launch.
pub(super) struct Bench<'a> {
    pub(super) context: &'a Arc<Context>,
    pub(super) target: &'a Target,
}

impl Bench<'_> {
    /// What was seen, once the gateway has stopped: calls that reached the model after the answer count too.
    pub(super) fn settle(answers: Answers, upstream: &Upstream) -> (Vec<Seen>, Proof) {
        let seen: Vec<Seen> = answers
            .cells
            .into_iter()
            .map(|(canary, seen)| {
                seen.map(|observation| {
                    let calls = upstream.calls(&canary);
                    if observation.model_calls == Some(calls) {
                        observation
                    } else {
                        observation.with_late_calls(calls)
                    }
                })
            })
            .collect();
        let reached = answers.control
            || seen
                .iter()
                .flatten()
                .any(|observation| observation.model_calls > Some(0));
        let proof = if reached {
            Proof::Shown
        } else {
            Proof::Missing
        };
        (seen, proof)
    }

    /// Judges one cell; `attempts` says why earlier ones brought no answer.
    pub(super) fn judge(&self, cell: &Arc<Cell>, seen: Seen, proof: Proof, attempts: Vec<String>) {
        self.emit(self.by().cell(cell, seen, proof, attempts));
    }

    /// A cell of which nothing was seen.
    pub(super) fn unseen(&self, cell: &Arc<Cell>, verdict: Verdict, attempts: Vec<String>) {
        self.emit(self.by().unseen(cell, verdict, attempts));
    }

    fn by(&self) -> Judge<'_> {
        Judge {
            catalogue: &self.context.catalogue,
            snapshots: &self.context.snapshots,
            gateway: &self.target.gateway,
            release: &self.target.version,
            known_issues: self.context.options.known_issues,
        }
    }

    fn emit(&self, result: CellResult) {
        tracing::trace!(cell = result.cell.id, verdict = ?result.verdict, "judged");
        self.context.emit(RunEvent::Cell(Box::new(result)));
    }
}

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
    pub fn cell(
        &self,
        cell: &Arc<Cell>,
        seen: Seen,
        proof: Proof,
        attempts: Vec<String>,
    ) -> CellResult {
        let Some(expected) = self.expected(cell) else {
            let reason = format!("no rule speaks about it on {}", self.release);
            return self.unseen(cell, Verdict::CouldNotRun(reason), attempts);
        };
        let observed = match seen {
            Err(reason) => return self.unseen(cell, Verdict::CouldNotRun(reason), attempts),
            Ok(observed) => observed,
        };
        let known = self.known(cell);
        let known_outcome = known.as_ref().map(|(_, outcome)| outcome.as_ref());
        let (verdict, difference) = self.verdict(cell, &expected, &observed, proof, known_outcome);
        let known_issue = match &verdict {
            Verdict::Known(_) | Verdict::Stale => known.map(|(issue, _)| issue),
            Verdict::Conforms
            | Verdict::Deviates(_)
            | Verdict::New
            | Verdict::NotApplicable(_)
            | Verdict::CouldNotRun(_) => None,
        };
        CellResult {
            gateway: self.gateway.to_owned(),
            cell: Arc::clone(cell),
            expected: Some(expected),
            observed: Some(observed),
            verdict,
            known_issue,
            accepted: self.accepted(cell),
            difference,
            attempts,
        }
    }

    /// A cell of which nothing was seen.
    pub fn unseen(&self, cell: &Arc<Cell>, verdict: Verdict, attempts: Vec<String>) -> CellResult {
        CellResult {
            gateway: self.gateway.to_owned(),
            cell: Arc::clone(cell),
            expected: self.expected(cell),
            observed: None,
            verdict,
            known_issue: None,
            accepted: self.accepted(cell),
            difference: None,
            attempts,
        }
    }

    fn verdict(
        &self,
        cell: &Cell,
        expected: &Expected,
        observed: &Observation,
        proof: Proof,
        known: Option<&Outcome>,
    ) -> (Verdict, Option<Difference>) {
        let snapshot = self.snapshot(cell);
        let accepted =
            snapshot.and_then(|snapshot| Some((snapshot, snapshot.cells.get(&cell.key())?)));
        let view = accepted.map_or(SnapshotView::Absent, |(_, answer)| SnapshotView::Accepted {
            answer: &answer.text,
            direction: answer.direction(self.catalogue),
        });
        let verdict = judge(&expected.outcome, observed, view, proof, known);
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

    /// What a known issue says is observed instead, if the run heeds them.
    fn known(&self, cell: &Cell) -> Option<(Arc<KnownIssue>, Arc<Outcome>)> {
        let today = self.known_issues?;
        self.catalogue.known_issues.iter().find_map(|issue| {
            let release = self.release;
            let outcome = issue.says(&cell.scenario.id, release, &cell.combination, today)?;
            Some((Arc::clone(issue), Arc::clone(outcome)))
        })
    }

    fn expected(&self, cell: &Cell) -> Option<Expected> {
        Expected::of(cell, self.release)
    }

    fn accepted(&self, cell: &Cell) -> Option<String> {
        Some(self.snapshot(cell)?.cells.get(&cell.key())?.text.clone())
    }

    fn snapshot(&self, cell: &Cell) -> Option<&Snapshot> {
        self.snapshots
            .find(&cell.scenario, &cell.profile, self.release)
    }
}
