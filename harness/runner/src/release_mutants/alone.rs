//! Launches that a mutant has for itself, on from the start.

use std::collections::HashMap;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{MutantRun, mixture};
use crate::RunOptions;
use crate::mutants::{MutantResult, fate};
use contract::plan::Selection;
use contract::scenario::model::PROFILE_AXIS;
use machine::install::Program;
use studies::mutation::Fate;

/// The variable that switches a mutant on from the start.
const MUTANT: &str = "CLAWGAUGE_MUTANT";

/// A copy that holds mutants, launched for one after the other.
pub(super) struct Alone<'a> {
    run: &'a MutantRun<'a>,
    program: &'a Program,
    cancel: &'a CancellationToken,
    /// What came of launches with all mutants off.
    off: Mutex<HashMap<String, MutantResult>>,
}

impl<'a> Alone<'a> {
    /// Of a copy; nothing is launched yet.
    pub(super) fn new(
        run: &'a MutantRun<'a>,
        program: &'a Program,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self {
            run,
            program,
            cancel,
            off: Mutex::default(),
        }
    }

    /// What becomes of a mutant under these launches; `None` where all conform.
    pub(super) async fn fate(&self, mutant: u32, launches: &[String]) -> Option<Fate> {
        for (done, launch) in launches.iter().enumerate() {
            if self.run.is_over(self.cancel) {
                let all = launches.len();
                let why = format!("the time was over after {done} of {all} launches");
                return Some(Fate::Undecided { why });
            }
            match self.under(mutant, launch).await {
                Ok(None) => {}
                Ok(Some(fate)) => return Some(fate),
                Err(why) => return Some(Fate::Undecided { why }),
            }
        }
        None
    }

    /// What becomes of it under one launch, if that tells: only what fails twice, and does not fail with the mutant off.
    async fn under(&self, mutant: u32, launch: &str) -> Result<Option<Fate>, String> {
        let all = self.selection(launch)?;
        let again = match self.tried(Some(mutant), all.clone()).await {
            MutantResult::Survived => return Ok(None),
            MutantResult::Caught(cell, _) => Selection::only([cell]),
            MutantResult::Unknown(_) => all.clone(),
        };
        let mut off = self.off.lock().await;
        if !off.contains_key(launch) {
            off.insert(launch.to_owned(), self.tried(None, all).await);
        }
        match off.get(launch) {
            Some(MutantResult::Caught(cell, how)) => {
                let how = how.name();
                return Err(format!("with the mutant off {cell} deviates, too: {how}"));
            }
            Some(MutantResult::Unknown(why)) => {
                return Err(format!("profile {launch} with the mutant off: {why}"));
            }
            Some(MutantResult::Survived) | None => {}
        }
        drop(off);
        match self.tried(Some(mutant), again).await {
            MutantResult::Survived => Err(format!("profile {launch} failed only once")),
            MutantResult::Caught(cell, deviation) => {
                let how = deviation.name().to_owned();
                Ok(Some(Fate::Killed { cell, how }))
            }
            MutantResult::Unknown(why) if self.cancel.is_cancelled() => Err(why),
            MutantResult::Unknown(why) => Ok(Some(Fate::Broken { why })),
        }
    }

    /// The cells of a launch that are asked for: the same ones with any mutant.
    fn selection(&self, launch: &str) -> Result<Selection, String> {
        let mut conditions = self.run.conditions.to_vec();
        conditions.push(format!("{PROFILE_AXIS}={launch}"));
        let parsed = Selection::parse(self.run.catalogue, self.run.globs, &conditions);
        let parsed = parsed.map_err(|error| error.to_string())?;
        let cells = contract::plan::cells(self.run.catalogue);
        let cells = cells.filter(|cell| parsed.accepts(cell));
        let cells = cells.map(|cell| cell.id());
        Ok(Selection::only(mixture(cells, launch, self.run.most)))
    }

    async fn tried(&self, mutant: Option<u32>, selection: Selection) -> MutantResult {
        let mut program = self.program.clone();
        let number = mutant.map(|mutant| (MUTANT.to_owned(), mutant.to_string()));
        program.env.extend(number);
        let options = RunOptions {
            gateways: vec![self.run.gateway.clone()],
            program: Some(program),
            selection,
            ..self.run.options.clone()
        };
        let (catalogue, snapshots) = (self.run.catalogue, self.run.snapshots);
        fate(catalogue, snapshots, options, self.cancel).await
    }
}
