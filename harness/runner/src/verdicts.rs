//! From what a launch's cells answered to verdicts, as events.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Context;
use super::ask::Answers;
use super::seen::{AllSeen, Seen};
use super::target::Target;
use contract::plan::{Cell, PlannedCell, PlannedCells};
use contract::release::Version;
use contract::scenario::model::Direction;
use machine::upstream::Upstream;
use record::events::{CellResult, RunEvent};
use record::judge::{Judge, ModelCalls, Proof, Verdict};

/// What came of a launch, once nothing can call its model any more.
pub(super) struct Settled {
    /// By place of the cell.
    pub(super) seen: AllSeen,
    /// Whether its denials prove anything.
    pub(super) proof: Proof,
    /// The calls that reached the model.
    pub(super) model: ModelCalls,
}

/// What was seen: calls that reached the model after the answer count, too. `waited` is how long late calls were waited
/// for, and `open` how many connections to the model were left.
pub(super) fn settle(
    answers: Answers,
    cells: &PlannedCells,
    release: &Version,
    upstream: &Upstream,
    waited: Duration,
    open: usize,
) -> Settled {
    let tally = upstream.tally();
    let mut model = ModelCalls {
        calls: tally.calls,
        before: tally.before,
        unexplained: tally.unexplained,
        places: tally.places,
        open: u32::try_from(open).unwrap_or(u32::MAX),
        settled_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
    };
    let mut unexplained = |calls: u32, place: &str| {
        if calls > 0 {
            model.unexplained += calls;
            if !model.places.iter().any(|known| known == place) {
                model.places.push(place.to_owned());
            }
        }
    };
    // These have no verdict of their own in which a call could show.
    for (canary, seen) in &answers.earlier {
        if seen
            .as_ref()
            .is_ok_and(|seen| seen.direction == Direction::Deny)
        {
            unexplained(
                upstream.calls(*canary),
                "for a denied request that came before another",
            );
        }
    }
    let mut seen = answers.cells;
    for place in 0..seen.len() {
        let Some(canary) = seen.canary(place) else {
            continue;
        };
        let calls = upstream.calls(canary);
        match seen.look(place) {
            // A denied caller's words that reached the model count whether or not an answer came back, and whatever a retry
            // answers.
            Some(Err(_)) if calls > 0 && cells.get(place).cell.must_be_denied(release) => {
                unexplained(calls, "for a request to be denied that got no answer");
            }
            Some(Ok(observation)) if observation.model_calls != Some(calls) => {
                let late = seen.get(place);
                seen.put(place, late.map(|late| late.with_late_calls(calls)));
            }
            Some(_) | None => {}
        }
    }
    let observed = || seen.iter().flatten();
    let reached = answers.control || observed().any(|seen| seen.model_calls > Some(0));
    let proof = Proof::of(reached, &model);
    Settled { seen, proof, model }
}

/// Judges the cells of one launch.
pub(super) struct LaunchJudge<'a> {
    pub(super) context: &'a Arc<Context>,
    pub(super) target: &'a Target,
}

impl LaunchJudge<'_> {
    /// Judges one cell; `attempts` says why earlier ones brought no answer.
    pub(super) async fn judge(&self, cell: &Cell, seen: Seen, proof: Proof, attempts: Vec<String>) {
        self.tell(self.result(cell, seen, proof, attempts)).await;
    }

    /// The cells that can be asked; the others are judged.
    pub(super) async fn askable<'c>(&self, cells: &'c PlannedCells) -> Cow<'c, PlannedCells> {
        if cells.askable().count() == cells.len() {
            return Cow::Borrowed(cells);
        }
        for PlannedCell { cell, barred } in cells.iter() {
            if let Some(barred) = &barred {
                let result = self.by().unseen(&cell, barred.into(), Vec::new());
                self.tell(result).await;
            }
        }
        let askable = cells.iter().filter(|planned| planned.barred.is_none());
        Cow::Owned(askable.collect())
    }

    /// What deviates has this rank.
    pub(super) const DEVIATES: u8 = 5;

    /// How far an answer is from what the contract says; more is worse.
    pub(super) fn rank(&self, cell: &Cell, seen: Seen) -> u8 {
        match self
            .result(cell, seen, Proof::Shown, Vec::new())
            .facts
            .verdict
        {
            Verdict::Conforms | Verdict::NotApplicable(_) | Verdict::NotAsked(_) => 0,
            Verdict::Known(_) => 1,
            Verdict::New => 2,
            Verdict::Stale => 3,
            Verdict::CouldNotRun(_) => 4,
            Verdict::Deviates(_) => Self::DEVIATES,
        }
    }

    /// What comes of one cell.
    pub(super) fn result(
        &self,
        cell: &Cell,
        seen: Seen,
        proof: Proof,
        attempts: Vec<String>,
    ) -> CellResult {
        let seen = seen.map_err(|missed| missed.to_string());
        self.by().cell(cell, seen, proof, attempts)
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

    async fn tell(&self, result: CellResult) {
        tracing::trace!(cell = result.cell.id(), verdict = ?result.facts.verdict, "judged");
        let event = RunEvent::Cell(result);
        self.context.events.tell_in_turn(event).await;
    }
}
