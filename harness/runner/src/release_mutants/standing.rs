//! A gateway with mutants that stays up while they are asked, and is launched again where one has spoiled it.

use std::path::Path;
use std::sync::Arc;

use super::switch::switch;
use crate::Context;
use crate::attempt::Attempt;
use crate::live::Live;
use crate::seen::Seen;
use crate::target::Target;
use crate::verdicts::LaunchJudge;
use contract::plan::{PlannedCell, PlannedCells};
use contract::scenario::Launch;
use record::judge::{Proof, Verdict};
use studies::mutation::Fate;

/// How a cell objects that got no answer.
const NO_ANSWER: &str = "no answer";

/// So many cells that deviate are asked again.
const AGAIN: usize = 4;
/// So many cells are asked of a gateway that was just launched, before answers count.
const WARM_UP: usize = 16;

/// A profile of a copy that holds mutants.
pub(super) struct Standing<'a> {
    context: &'a Arc<Context>,
    target: &'a Target,
    profile: &'a str,
    config: &'a Launch,
    live: Option<Live>,
    /// Counts launches, so that no launch finds the folder of another.
    launches: u32,
}

fn only_cells(told: Vec<(&PlannedCell, String)>) -> Vec<&PlannedCell> {
    told.into_iter().map(|(cell, _)| cell).collect()
}

fn planned(cells: &[&PlannedCell]) -> PlannedCells {
    cells.iter().map(|cell| (*cell).clone()).collect()
}

impl<'a> Standing<'a> {
    /// Of a profile; nothing is launched yet. `None` where the release does not know the profile.
    pub(super) fn new(
        context: &'a Arc<Context>,
        target: &'a Target,
        profile: &'a str,
    ) -> Option<Self> {
        let known = context.catalogue.profiles.get(profile);
        let config = known.and_then(|profile| profile.launch_for(&target.version).ok())?;
        Some(Self {
            context,
            target,
            profile,
            config,
            live: None,
            launches: 0,
        })
    }

    /// Asks cells with a mutant switched on; what became of it, if a cell tells.
    ///
    /// # Errors
    /// The gateway does not start with all mutants off, or cannot be asked, in words.
    pub(super) async fn ask(
        &mut self,
        mutant: u32,
        cells: &[&PlannedCell],
    ) -> Result<Option<Fate>, String> {
        let mut told = self.told_anew(&[mutant], cells).await?;
        // A machine that is busy gives no answer, too: what deviates is asked once more, with the mutant off and on.
        told.sort_by_key(|(_, how)| how == NO_ANSWER);
        let cells: Vec<&PlannedCell> = told.iter().map(|(cell, _)| *cell).take(AGAIN).collect();
        if cells.is_empty() {
            return Ok(None);
        }
        // Silence proves less than an answer: it has to come twice.
        let mut silent = None;
        for _ in 0..2 {
            if !self.told(&[], &cells).await?.is_empty() {
                // What it does, or what the one before it did, may last longer than it is on: only fresh gateways tell.
                self.stop().await;
                if let Some((cell, how)) = self.told(&[], &cells).await?.first() {
                    let cell = cell.cell.id();
                    return Err(format!("with the mutant off {cell} deviates, too: {how}"));
                }
            }
            let mut told = self.told(&[mutant], &cells).await?;
            told.sort_by_key(|(_, how)| how == NO_ANSWER);
            let Some((cell, how)) = told.into_iter().next() else {
                return Ok(None);
            };
            if how != NO_ANSWER {
                return self.killed(cell, how).map(Some);
            }
            silent = Some(cell);
        }
        let killed = silent.map(|cell| self.killed(cell, NO_ANSWER.to_owned()));
        killed.transpose()
    }

    /// The cells that object to a group of mutants, and do so again, and not with all mutants off: a busy machine, and what a long life
    /// leaves behind in a gateway, say nothing.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) async fn objecting<'c>(
        &mut self,
        mutants: &[u32],
        cells: &[&'c PlannedCell],
    ) -> Result<Vec<&'c PlannedCell>, String> {
        let mut objecting = only_cells(self.told_anew(mutants, cells).await?);
        for is_fresh in [false, true] {
            if objecting.is_empty() {
                break;
            }
            if is_fresh {
                self.stop().await;
            }
            let again = only_cells(self.told(mutants, &objecting).await?);
            if again.is_empty() {
                return Ok(again);
            }
            let off = only_cells(self.told(&[], &again).await?);
            let by_mutants = |cell: &&PlannedCell| !off.iter().any(|off| std::ptr::eq(*off, *cell));
            let told: Vec<&PlannedCell> = again.iter().copied().filter(by_mutants).collect();
            if !told.is_empty() {
                return Ok(told);
            }
            objecting = again;
        }
        Ok(Vec::new())
    }

    /// Whether somebody pressed Ctrl-C: then no answer comes, and nothing follows from that.
    pub(super) fn is_interrupted(&self) -> bool {
        self.context.cancel.is_cancelled()
    }

    fn killed(&self, cell: &PlannedCell, how: String) -> Result<Fate, String> {
        // Who is interrupted gets no answers.
        match self.is_interrupted() {
            true => Err("interrupted".to_owned()),
            false => Ok(Fate::Killed {
                cell: cell.cell.id(),
                how,
            }),
        }
    }

    /// As [`Self::told`]; whoever was on before may have ended the gateway only now, so it is asked again where it did.
    async fn told_anew<'c>(
        &mut self,
        mutants: &[u32],
        cells: &[&'c PlannedCell],
    ) -> Result<Vec<(&'c PlannedCell, String)>, String> {
        let told = self.told(mutants, cells).await?;
        if told.iter().any(|(_, how)| how == NO_ANSWER) && !self.is_up().await {
            self.stop().await;
            return self.told(mutants, cells).await;
        }
        Ok(told)
    }

    /// The cells that object while some mutants are on and all others off, and how.
    async fn told<'c>(
        &mut self,
        mutants: &[u32],
        cells: &[&'c PlannedCell],
    ) -> Result<Vec<(&'c PlannedCell, String)>, String> {
        let seen = self.asked(mutants, cells).await?;
        let told = cells.iter().zip(seen);
        let told = told.filter_map(|(cell, seen)| Some((*cell, self.objection(cell, seen)?)));
        Ok(told.collect())
    }

    async fn asked(
        &mut self,
        mutants: &[u32],
        cells: &[&PlannedCell],
    ) -> Result<Vec<Seen>, String> {
        if self.switched(mutants, cells).await.is_err() {
            // It may just have ended.
            self.stop().await;
            self.switched(mutants, cells).await?;
        }
        let attempt = self.attempt();
        match &mut self.live {
            Some(live) => Ok(attempt.ask_at_once(&planned(cells), live).await),
            None => Err(format!("profile {} is not up", self.profile)),
        }
    }

    async fn is_up(&mut self) -> bool {
        match &mut self.live {
            Some(live) => live.is_up().await,
            None => false,
        }
    }

    fn attempt(&self) -> Attempt<'a> {
        Attempt {
            context: self.context,
            target: self.target,
            profile: self.profile,
            config: self.config,
            number: self.launches,
            again: false,
        }
    }

    /// Launches the gateway, unless it is up, and switches mutants on.
    async fn switched(&mut self, mutants: &[u32], cells: &[&PlannedCell]) -> Result<(), String> {
        if !self.is_up().await {
            self.stop().await;
            self.launches += 1;
            let started = self.attempt().start(&planned(cells)).await;
            let mut live =
                started.map_err(|_| format!("profile {} does not start", self.profile))?;
            // What is asked first of a gateway may take it long.
            let first = &cells[..cells.len().min(WARM_UP)];
            self.attempt().ask_at_once(&planned(first), &mut live).await;
            self.live = Some(live);
        }
        let folder = self.live.as_ref().map(Live::folder);
        let switched = switch(folder.unwrap_or(Path::new("")), mutants).await;
        switched.map_err(|error| format!("the copy takes no mutant: {error}"))
    }

    /// Why an answer is not what the contract says, if it is not.
    fn objection(&self, cell: &PlannedCell, seen: Seen) -> Option<String> {
        let judge = LaunchJudge {
            context: self.context,
            target: self.target,
        };
        let result = judge.result(&cell.cell, seen, Proof::Shown, Vec::new());
        match &result.facts.verdict {
            Verdict::Conforms
            | Verdict::Known(_)
            | Verdict::NotApplicable(_)
            | Verdict::NotAsked(_) => None,
            Verdict::Deviates(deviation) => Some(deviation.name().to_owned()),
            Verdict::CouldNotRun(_) => Some(NO_ANSWER.to_owned()),
            verdict @ (Verdict::New | Verdict::Stale) => Some(verdict.name().to_owned()),
        }
    }

    /// Stops the gateway, if it is up.
    pub(super) async fn stop(&mut self) {
        if let Some(live) = self.live.take() {
            live.stop().await;
        }
    }
}
