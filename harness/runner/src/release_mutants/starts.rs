//! Launches for mutants that are on from the start.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex as Shared, PoisonError};

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::pending::{Pending, Tell, culprit, give_up, groups, mixture, numbers};
use super::switch::listed;
use super::{LAUNCHES, MutantRun, TOGETHER};
use crate::RunOptions;
use crate::mutants::{MutantResult, fate};
use contract::plan::Selection;
use contract::scenario::model::PROFILE_AXIS;
use machine::install::Program;
use studies::mutation::Fate;

/// The variable that switches mutants on from the start.
const MUTANTS: &str = "CLAWGAUGE_MUTANTS";

/// A copy that holds mutants, launched with some of them on.
pub(super) struct Starts<'a> {
    run: &'a MutantRun<'a>,
    program: &'a Program,
    cancel: &'a CancellationToken,
    /// What came of launches with all mutants off.
    off: Mutex<HashMap<String, MutantResult>>,
}

impl<'a> Starts<'a> {
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

    /// Launches the copy with mutants on that are still open: each without others once, since most are noticed at once, then what is
    /// left in groups, under every launch that reaches them.
    pub(super) async fn carry_out(&self, pending: &[Pending<'_>], tell: Tell<'_>) {
        let first = pending.iter().map(async |one| {
            if let Some(launch) = one.starts().first()
                && !self.is_over()
            {
                self.alone(one, launch, tell).await;
            }
        });
        let done: Vec<()> = stream::iter(first)
            .buffer_unordered(LAUNCHES)
            .collect()
            .await;
        drop(done);
        let mut users: BTreeMap<String, usize> = BTreeMap::new();
        for launch in pending.iter().flat_map(Pending::starts) {
            *users.entry(launch).or_default() += 1;
        }
        let mut launches: Vec<(usize, String)> = users
            .into_iter()
            .map(|(launch, users)| (users, launch))
            .collect();
        launches.sort();
        let launches = Shared::new(launches);
        let next = || {
            let mut launches = launches.lock().unwrap_or_else(PoisonError::into_inner);
            launches.pop().map(|(_, launch)| launch)
        };
        let work = (0..LAUNCHES).map(async |_| {
            while let Some(launch) = next() {
                let open = pending.iter().filter(|one| one.starts().contains(&launch));
                for group in groups(open.collect(), &launch, TOGETHER) {
                    self.together(group, &launch, tell).await;
                }
            }
        });
        join_all(work).await;
    }

    fn is_over(&self) -> bool {
        self.run.is_over(self.cancel)
    }

    /// One mutant under one launch.
    async fn alone(&self, one: &Pending<'_>, launch: &str, tell: Tell<'_>) {
        match self.under(one.chosen.number, launch).await {
            Ok(None) => one.is_started(launch, tell),
            Ok(Some(fate)) => one.decide(fate, tell),
            Err(why) if self.cancel.is_cancelled() => tracing::debug!(why, "interrupted"),
            Err(why) => one.decide(Fate::Undecided { why }, tell),
        }
    }

    /// Many mutants under one launch. Who is objected to is launched without the others.
    async fn together(&self, group: Vec<&Pending<'_>>, launch: &str, tell: Tell<'_>) {
        let mut group: Vec<&Pending<'_>> = group.into_iter().filter(|one| one.is_open()).collect();
        while !group.is_empty() && !self.is_over() {
            let found = self.objected_to(&group, launch).await;
            // Who is interrupted gets no answers.
            if self.cancel.is_cancelled() {
                return;
            }
            match found {
                Ok(None) => {
                    for one in group {
                        one.is_started(launch, tell);
                    }
                    return;
                }
                Ok(Some(one)) => {
                    group.retain(|other| other.place != one.place);
                    self.alone(one, launch, tell).await;
                }
                Err(why) => return give_up(&group, &why, tell),
            }
        }
    }

    /// A mutant that a launch objects to.
    async fn objected_to<'p, 'm>(
        &self,
        group: &[&'p Pending<'m>],
        launch: &str,
    ) -> Result<Option<&'p Pending<'m>>, String> {
        let cells = self.selection(launch)?;
        let again = match self.tried(&numbers(group), cells.clone()).await {
            MutantResult::Survived => return Ok(None),
            MutantResult::Caught(cell, _) => Selection::only([cell]),
            MutantResult::Unknown(_) => cells,
        };
        let objects = async |some: &[&'p Pending<'m>]| {
            let tried = self.tried(&numbers(some), again.clone()).await;
            Ok(tried != MutantResult::Survived)
        };
        culprit(group.to_vec(), objects).await
    }

    /// What becomes of it under one launch, if that tells: only what fails twice, and does not fail with the mutant off.
    async fn under(&self, mutant: u32, launch: &str) -> Result<Option<Fate>, String> {
        let all = self.selection(launch)?;
        let again = match self.tried(&[mutant], all.clone()).await {
            MutantResult::Survived => return Ok(None),
            MutantResult::Caught(cell, _) => Selection::only([cell]),
            MutantResult::Unknown(_) => all.clone(),
        };
        let mut off = self.off.lock().await;
        if !off.contains_key(launch) {
            off.insert(launch.to_owned(), self.tried(&[], all).await);
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
        match self.tried(&[mutant], again).await {
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

    /// Whether a cell objects to a launch with some mutants on.
    async fn tried(&self, mutants: &[u32], selection: Selection) -> MutantResult {
        let mut program = self.program.clone();
        program.env.insert(MUTANTS.to_owned(), listed(mutants));
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
