//! From what a launch's cells answered to verdicts, as events.

use std::sync::Arc;

use super::Context;
use super::ask::Answers;
use super::gateway::Target;
use contract::plan::Cell;
use machine::upstream::Upstream;
use record::events::{CellResult, RunEvent};
use record::judge::{Judge, Proof, Seen, Verdict};

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
