//! Mutants of a release's own code: a copy holds many, each behind a switch, so that most cost no launch of their own.
//!
//! Read [`MutantRun::carry_out`]. A mutant that requests reach is switched on in a gateway that is up, and asked by the cells that
//! reach it; one that the start reaches needs launches of its own. A cell kills a mutant only if it deviates again, and conforms
//! with the mutant switched off.

mod alone;
mod standing;
mod switch;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use self::alone::Alone;
use self::standing::Standing;
use crate::gateway::{plan, prepare};
use crate::target::Target;
use crate::{Context, Events, RunOptions};
use base::files::sha256;
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
/// The first 4 cells are asked, then the next 12, then the rest: most mutants are noticed by the first, and one that never answers is waited
/// for by few.
const FIRST: [usize; 2] = [4, 12];
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

/// A mutant that is not decided yet.
#[derive(Debug)]
struct Pending<'a> {
    chosen: &'a Chosen,
    /// Its position among the chosen ones.
    place: usize,
    /// Cells that are asked with it.
    asked: usize,
    /// Launches that it needs for itself.
    alone: Vec<String>,
    state: Mutex<State>,
}

/// What is known of it so far.
#[derive(Debug)]
struct State {
    /// Its cells by launch; those that a launch has answered are gone.
    cells: BTreeMap<String, Vec<String>>,
    fate: Option<Fate>,
}

impl MutantRun<'_> {
    /// Tries the mutants, and tells each fate once, by the position of the mutant, as it is known.
    ///
    /// # Errors
    /// A copy cannot be changed.
    pub async fn carry_out(
        &self,
        chosen: &[Chosen],
        tell: &(dyn Fn(usize, &Fate) + Sync),
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
                .map(|place| pending(&chosen[*place], *place, self.most, &sequences));
            let mut pending: Vec<Pending<'_>> = pending.collect();
            // What takes many launches goes last: the time may be over before.
            pending.sort_by_key(|one| one.alone.len());
            self.batch(&pending, &program, tell, cancel).await;
            for one in pending {
                fates[one.place] = one.state().fate.take();
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
        tell: &(dyn Fn(usize, &Fate) + Sync),
        cancel: &CancellationToken,
    ) {
        self.while_up(pending, program, tell, cancel).await;
        let alone = Alone::new(self, program, cancel);
        let tried = pending.iter().map(async |one| {
            if one.state().fate.is_some() || self.is_over(cancel) {
                return;
            }
            let not_asked: Vec<String> = one.state().cells.keys().cloned().collect();
            let fate = match not_asked.is_empty() {
                true => alone.fate(one.chosen.number, &one.alone).await,
                false => Some(Fate::Undecided {
                    why: format!("not asked under {}", not_asked.join(", ")),
                }),
            };
            let asked = one.asked;
            one.decide(fate.unwrap_or(Fate::Survived { asked }), tell);
        });
        let done: Vec<()> = stream::iter(tried)
            .buffer_unordered(LAUNCHES)
            .collect()
            .await;
        drop(done);
    }

    /// Launches what cells of several mutants need, the launch of most of them first, and asks one mutant after the other.
    async fn while_up(
        &self,
        pending: &[Pending<'_>],
        program: &Program,
        tell: &(dyn Fn(usize, &Fate) + Sync),
        cancel: &CancellationToken,
    ) {
        let ids = pending.iter().flat_map(|one| {
            one.state()
                .cells
                .values()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
        });
        let selection = Selection::only(ids);
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
                let open = pending.iter().filter(|one| one.needs(&launch.profile));
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
        tell: &(dyn Fn(usize, &Fate) + Sync),
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
        for one in pending.iter().filter(|one| one.needs(&launch.profile)) {
            if self.is_over(&context.cancel) {
                break;
            }
            let ids = one.state().cells.get(&launch.profile).cloned();
            let cells: Vec<&PlannedCell> = ids
                .iter()
                .flatten()
                .filter_map(|id| by_id.get(id))
                .collect();
            let (first, rest) = cells.split_at(cells.len().min(FIRST[0]));
            let (second, rest) = rest.split_at(rest.len().min(FIRST[1]));
            let parts = [first, second, rest].into_iter();
            let mut met = Ok(None);
            for some in parts.filter(|some| !some.is_empty()) {
                met = standing.ask(one.chosen.number, some).await;
                if !matches!(met, Ok(None)) {
                    break;
                }
            }
            match met {
                Ok(Some(killed)) => one.decide(killed, tell),
                Ok(None) => one.is_asked(&launch.profile, tell),
                Err(why) if context.cancel.is_cancelled() => {
                    tracing::debug!(why, "interrupted");
                    break;
                }
                Err(why) => one.decide(Fate::Undecided { why }, tell),
            }
        }
        standing.stop().await;
    }
}

impl Pending<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether cells of a launch are still to be asked.
    fn needs(&self, launch: &str) -> bool {
        let state = self.state();
        state.fate.is_none() && state.cells.contains_key(launch)
    }

    /// All its cells of a launch have been asked, and none has noticed it.
    fn is_asked(&self, launch: &str, tell: &(dyn Fn(usize, &Fate) + Sync)) {
        let mut state = self.state();
        state.cells.remove(launch);
        let (asked, done) = (self.asked, state.cells.is_empty());
        drop(state);
        if done && self.alone.is_empty() {
            self.decide(Fate::Survived { asked }, tell);
        }
    }

    /// The first fate counts: another launch may bring one at the same time.
    fn decide(&self, fate: Fate, tell: &(dyn Fn(usize, &Fate) + Sync)) {
        let mut state = self.state();
        if state.fate.is_none() {
            tell(self.place, &fate);
            state.fate = Some(fate);
        }
    }
}

/// A mutant by what it needs: launches that are shared, and launches of its own.
fn pending<'a>(
    chosen: &'a Chosen,
    place: usize,
    most: usize,
    sequences: &HashMap<String, String>,
) -> Pending<'a> {
    let asked = mixture(chosen.cells.iter().cloned(), &chosen.change.id, most);
    let mut cells: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut alone = chosen.starts.clone();
    for cell in &asked {
        match sequences.get(cell) {
            Some(launch) if alone.contains(launch) => {}
            Some(launch) => alone.push(launch.clone()),
            None => {
                let launch = contract::cell_id::CellId::of(cell).profile().to_owned();
                cells.entry(launch).or_default().push(cell.clone());
            }
        }
    }
    Pending {
        chosen,
        place,
        asked: asked.len(),
        alone,
        state: Mutex::new(State { cells, fate: None }),
    }
}

/// So many cells at most, in an order that depends on them and on `of` alone: the first are a mixture.
fn mixture(cells: impl Iterator<Item = String>, of: &str, most: usize) -> Vec<String> {
    let mut cells: Vec<String> = cells.collect();
    cells.sort_by_cached_key(|cell| sha256(format!("{of} {cell}").as_bytes()));
    cells.truncate(most);
    cells
}
