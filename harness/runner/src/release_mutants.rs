//! Mutants of a release's own code: a copy holds many, each behind a switch, so that most cost no launch of their own.
//!
//! Read [`MutantRun::carry_out`]. A mutant that requests reach is switched on in a gateway that is up, and asked by the cells that
//! reach it; one that the start reaches is on from the start of launches for mutants. Each is asked without others first, as most are
//! noticed at once. What is left is on in groups: where a cell objects, halves of the group tell to whom. A cell kills a mutant only
//! if it deviates again, and conforms with the mutant switched off.

mod pending;
mod standing;
mod starts;
mod switch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use self::pending::{Pending, Tell, culprit, give_up, groups, numbers};
use self::standing::Standing;
use self::starts::Starts;
use crate::gateway::{plan, prepare};
use crate::target::Target;
use crate::{Context, Events, RunOptions};
use contract::plan::{PlannedCell, PlannedLaunch, Selection};
use contract::release::GatewayRef;
use contract::scenario::model::Kind;
use contract::scenario::{Catalogue, Instrument};
use contract::snapshots::Snapshots;
use machine::install::Program;
use machine::instrument::{Change, CopyFolder, InstrumentError};
use studies::coverage::Map;
use studies::mutation::{Chosen, Fate};

/// The variable that names the socket of a copy, from the folder that it is started in.
const CONTROL: &str = "CLAWGAUGE_CONTROL";
/// The socket, from there.
const SOCKET: &str = "../control";
/// A mutant without others is asked by 4 cells, then by the next 12: most are noticed by these, and one that never answers is waited for by
/// few.
const FIRST: [usize; 2] = [4, 12];
/// So many mutants are on together: the fewer, the fewer can hide each other.
const TOGETHER: usize = 32;
/// So many launches at a time: a gateway lets whoever guesses wait, and a start keeps one core busy.
const LAUNCHES: usize = 2;

/// What is needed to try mutants of a release.
#[derive(Debug)]
pub struct MutantRun<'a> {
    /// What is asked and judged by.
    pub catalogue: &'a Catalogue,
    /// The accepted answers.
    pub snapshots: &'a Snapshots,
    /// How gateways are launched and asked.
    pub options: &'a RunOptions,
    /// What mutants are made of.
    pub instrument: &'a Instrument,
    /// The release.
    pub gateway: &'a GatewayRef,
    /// Patterns of the cells to ask.
    pub globs: &'a [String],
    /// Conditions on the cells to ask.
    pub conditions: &'a [String],
    /// At most so many of the cells that reach a mutant are asked.
    pub most: usize,
    /// A copy of the release.
    pub copy: &'a CopyFolder,
    /// When to stop.
    pub ends: Option<Instant>,
}

impl MutantRun<'_> {
    /// Tries the mutants, and tells each fate once, by the position of the mutant, as it is known.
    ///
    /// # Errors
    /// A copy cannot be changed.
    pub async fn carry_out(
        &self,
        chosen: &[Chosen],
        tell: Tell<'_>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Fate>, InstrumentError> {
        let sequences = self.sequences();
        let mut fates: Vec<Option<Fate>> = vec![None; chosen.len()];
        let mut left: Vec<usize> = Vec::new();
        for (place, one) in chosen.iter().enumerate() {
            match one.is_reached() {
                true => left.push(place),
                false => {
                    tell(place, &Fate::NotReached);
                    fates[place] = Some(Fate::NotReached);
                }
            }
        }
        // Those that overlap wait for the next copy.
        while !left.is_empty() && !self.is_over(cancel) {
            let numbers: Vec<u32> = left.iter().map(|place| chosen[*place].number).collect();
            let change = Change::Hold(&numbers);
            let (map, program) = self.copy.change(self.instrument, change, cancel).await?;
            let map =
                Map::read(&map).map_err(|error| InstrumentError::Failed(error.to_string()))?;
            let (now, later): (Vec<usize>, Vec<usize>) = left
                .into_iter()
                .partition(|place| map.held.contains(&chosen[*place].number));
            if now.is_empty() {
                let why = "the copy holds none of the mutants".to_owned();
                return Err(InstrumentError::Failed(why));
            }
            let pending = now
                .iter()
                .map(|place| Pending::new(&chosen[*place], *place, self.most, &sequences));
            let pending: Vec<Pending<'_>> = pending.collect();
            self.batch(&pending, &program, tell, cancel).await;
            for one in pending {
                fates[one.place] = one.fate();
            }
            left = later;
        }
        let why = match cancel.is_cancelled() {
            true => "interrupted",
            false => "the time was over",
        };
        let undecided = || Fate::Undecided {
            why: why.to_owned(),
        };
        Ok(fates
            .into_iter()
            .map(|fate| fate.unwrap_or_else(undecided))
            .collect())
    }

    fn is_over(&self, cancel: &CancellationToken) -> bool {
        cancel.is_cancelled() || self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    /// The cells whose launch has to be their own.
    fn sequences(&self) -> HashMap<String, String> {
        let cells = contract::plan::cells(self.catalogue);
        let cells = cells.filter(|cell| cell.scenario.kind == Kind::Sequence);
        cells
            .map(|cell| (cell.id(), cell.profile().to_owned()))
            .collect()
    }

    /// The mutants that one copy holds: first those that requests reach, then what is left of the others.
    async fn batch(
        &self,
        pending: &[Pending<'_>],
        program: &Program,
        tell: Tell<'_>,
        cancel: &CancellationToken,
    ) {
        self.while_up(pending, program, tell, cancel).await;
        if self.is_over(cancel) {
            return;
        }
        for one in pending {
            let not_asked = one.launches();
            if !not_asked.is_empty() {
                let why = format!("not asked under {}", not_asked.join(", "));
                one.decide(Fate::Undecided { why }, tell);
            }
        }
        Starts::new(self, program, cancel)
            .carry_out(pending, tell)
            .await;
    }

    /// Launches what cells of several mutants need, the launch of most of them first, and asks one mutant after the other.
    async fn while_up(
        &self,
        pending: &[Pending<'_>],
        program: &Program,
        tell: Tell<'_>,
        cancel: &CancellationToken,
    ) {
        let selection = Selection::only(pending.iter().flat_map(Pending::all_cells));
        let mut program = program.clone();
        program.env.insert(CONTROL.to_owned(), SOCKET.to_owned());
        let context = Arc::new(Context {
            catalogue: self.catalogue.clone(),
            snapshots: self.snapshots.clone(),
            options: RunOptions {
                program: Some(program),
                selection,
                ..self.options.clone()
            },
            // What is told of launches is of no interest.
            events: Events::unheard(),
            cancel: cancel.clone(),
            interrupted: cancel.clone(),
            ends: OnceLock::new(),
        });
        let Some((target, _folder)) = prepare(&context, self.gateway).await else {
            return;
        };
        let launches = Mutex::new(plan(&context, &target).launches);
        let next = || {
            let needs = |launch: &PlannedLaunch| {
                let open = pending.iter().filter(|one| one.has_cells(&launch.profile));
                open.count()
            };
            let mut launches = launches.lock().unwrap_or_else(PoisonError::into_inner);
            let most = (0..launches.len()).max_by_key(|place| needs(&launches[*place]))?;
            let launch = launches.swap_remove(most);
            (needs(&launch) > 0 && !self.is_over(cancel)).then_some(launch)
        };
        let work = (0..LAUNCHES).map(async |_| {
            while let Some(launch) = next() {
                self.launch(&context, &target, &launch, pending, tell).await;
            }
        });
        join_all(work).await;
    }

    /// Asks under one launch whatever mutants have cells there.
    async fn launch(
        &self,
        context: &Arc<Context>,
        target: &Target,
        launch: &PlannedLaunch,
        pending: &[Pending<'_>],
        tell: Tell<'_>,
    ) {
        let askable = launch
            .cells
            .iter()
            .filter(|planned| planned.barred.is_none());
        let by_id: HashMap<String, PlannedCell> = askable
            .map(|planned| (planned.cell.id(), planned))
            .collect();
        let Some(mut standing) = Standing::new(context, target, &launch.profile) else {
            return;
        };
        let mut asked = Asked {
            launch: &launch.profile,
            cells: &by_id,
            standing: &mut standing,
            tell,
        };
        let here = || {
            let here = pending.iter();
            here.filter(|one| one.has_cells(&launch.profile))
        };
        for one in here().filter(|one| one.begins()) {
            if !self.is_over(&context.cancel) {
                asked.alone(one).await;
            }
        }
        for group in groups(here().collect(), &launch.profile, TOGETHER) {
            if !self.is_over(&context.cancel) {
                asked.together(group, &context.cancel).await;
            }
        }
        standing.stop().await;
    }
}

/// A launch under which mutants are asked.
struct Asked<'s, 'a> {
    launch: &'s str,
    /// The cells that can be asked, by their ids.
    cells: &'s HashMap<String, PlannedCell>,
    standing: &'s mut Standing<'a>,
    tell: Tell<'s>,
}

impl<'s> Asked<'s, '_> {
    fn planned(&self, ids: &[String]) -> Vec<&'s PlannedCell> {
        let cells = ids.iter().filter_map(|id| self.cells.get(id));
        cells.collect()
    }

    /// Asks the first cells of a mutant that has not been on yet; the others are asked in a group.
    async fn alone(&mut self, one: &Pending<'_>) {
        let cells = self.planned(&one.cells(self.launch));
        let (first, rest) = cells.split_at(cells.len().min(FIRST[0]));
        let (second, rest) = rest.split_at(rest.len().min(FIRST[1]));
        for some in [first, second] {
            let is_open = some.is_empty() || self.survives(one, some).await;
            if !is_open {
                return;
            }
        }
        if rest.is_empty() {
            one.is_asked(self.launch, self.tell);
        }
    }

    /// Asks the cells of many mutants at once. Who is objected to is asked without the others.
    async fn together(&mut self, mut group: Vec<&Pending<'_>>, cancel: &CancellationToken) {
        let mut ids: Vec<String> = group
            .iter()
            .flat_map(|one| one.cells(self.launch))
            .collect();
        ids.sort();
        ids.dedup();
        let mut cells = self.planned(&ids);
        while !group.is_empty() {
            let found = self.objected_to(&group, &cells).await;
            // Who is interrupted gets no answers.
            if cancel.is_cancelled() {
                return;
            }
            match found {
                Ok(None) => {
                    for one in group {
                        one.is_asked(self.launch, self.tell);
                    }
                    return;
                }
                Ok(Some((one, objecting))) => {
                    group.retain(|other| other.place != one.place);
                    let all = self.planned(&one.cells(self.launch));
                    if self.survives(one, &objecting).await && self.survives(one, &all).await {
                        one.is_asked(self.launch, self.tell);
                    }
                    // The other cells conform, whoever is on.
                    cells = objecting;
                }
                Err(why) => return give_up(&group, &why, self.tell),
            }
        }
    }

    /// A mutant that cells object to, and these cells.
    async fn objected_to<'p, 'm>(
        &mut self,
        group: &[&'p Pending<'m>],
        cells: &[&'s PlannedCell],
    ) -> Result<Option<(&'p Pending<'m>, Vec<&'s PlannedCell>)>, String> {
        let standing = &mut *self.standing;
        let objecting = standing.objecting(&numbers(group), cells).await?;
        if objecting.is_empty() {
            return Ok(None);
        }
        let objects = async |some: &[&'p Pending<'m>]| {
            let objecting = standing.objecting(&numbers(some), &objecting).await?;
            Ok(!objecting.is_empty())
        };
        let found = culprit(group.to_vec(), objects).await?;
        Ok(found.map(|one| (one, objecting)))
    }

    /// Whether no cell notices a mutant that is on without others; else it is decided.
    async fn survives(&mut self, one: &Pending<'_>, cells: &[&PlannedCell]) -> bool {
        match self.standing.ask(one.chosen.number, cells).await {
            Ok(None) => return true,
            Ok(Some(killed)) => one.decide(killed, self.tell),
            Err(why) if self.standing.is_interrupted() => tracing::debug!(why, "interrupted"),
            Err(why) => one.decide(Fate::Undecided { why }, self.tell),
        }
        false
    }
}
