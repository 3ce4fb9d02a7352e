//! Rounds over gateways that stay up: each asks only what has changed since the one before, and judges everything.

use std::collections::HashMap;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use machine::folder::RunFolder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::gateway::{plan, prepare};
use super::live::Live;
use super::seen::{AllSeen, Seen};
use super::target::Target;
use super::verdicts::LaunchJudge;
use super::{Context, Events, RunOptions};
use contract::plan::{Cell, PlannedCell, PlannedCells, PlannedLaunch, Way};
use contract::release::GatewayRef;
use contract::request::as_text;
use contract::scenario::model::Kind;
use contract::scenario::{Catalogue, Launch};
use contract::snapshots::Snapshots;
use record::judge::Proof;

/// A gateway whose launches are kept from round to round.
#[derive(Debug)]
pub struct Rounds {
    target: Arc<Target>,
    standing: HashMap<String, Standing>,
    /// Counts launches, so that no launch finds the folder of another.
    launches: u32,
    _folder: RunFolder,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoundStats {
    /// Cells that were sent.
    pub asked: usize,
    /// Gateways that were started.
    pub launched: usize,
}

/// A profile between rounds.
#[derive(Debug)]
struct Standing {
    /// What it was launched with.
    launch: Launch,
    /// The gateway; `None` where it did not start, as it must.
    live: Option<Live>,
    /// By cell id: a hash of what the observation depends on, and what was seen.
    seen: HashMap<String, (u64, Seen)>,
    proof: Proof,
    /// Whether a sequence has changed the gateway, so that it cannot be asked again.
    spent: bool,
}

impl Rounds {
    /// Prepares the gateway; what happens is told in events. `None` where that fails.
    pub async fn begin(
        catalogue: &Catalogue,
        options: &RunOptions,
        reference: &GatewayRef,
        events: Events,
        cancel: &CancellationToken,
    ) -> Option<Self> {
        let context = Context {
            catalogue: catalogue.clone(),
            snapshots: Snapshots::default(),
            options: options.clone(),
            events,
            cancel: cancel.clone(),
            interrupted: cancel.clone(),
            ends: OnceLock::new(),
        };
        let (target, folder) = prepare(&context, reference).await?;
        Some(Self {
            target,
            standing: HashMap::new(),
            launches: 0,
            _folder: folder,
        })
    }

    /// One round: launches what is not up or is configured in another way now, asks what is new or is asked in another way,
    /// and judges every cell. What happens is told in events.
    pub async fn round(
        &mut self,
        catalogue: Catalogue,
        snapshots: Snapshots,
        options: RunOptions,
        events: Events,
        cancel: CancellationToken,
    ) -> RoundStats {
        let context = Arc::new(Context {
            catalogue,
            snapshots,
            options,
            events,
            cancel: cancel.clone(),
            interrupted: cancel,
            ends: OnceLock::new(),
        });
        self.target = Arc::new(self.target.with_senders(&context).await);
        let plan = plan(&context, &self.target);
        let slots = Arc::new(Semaphore::new(context.options.launches.max(1)));
        let mut tasks = JoinSet::new();
        let mut before = std::mem::take(&mut self.standing);
        for launch in plan.launches {
            self.launches += 1;
            let (context, target, slots) = (
                Arc::clone(&context),
                Arc::clone(&self.target),
                Arc::clone(&slots),
            );
            let before = before.remove(&launch.profile);
            let number = self.launches;
            tasks.spawn(async move {
                let _slot = slots.acquire_owned().await.ok();
                let (standing, stats) = round_of(&context, &target, number, &launch, before).await;
                (launch.profile, standing, stats)
            });
        }
        let mut stats = RoundStats::default();
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok((profile, standing, more)) => {
                    stats.asked += more.asked;
                    stats.launched += more.launched;
                    self.standing
                        .extend(standing.map(|standing| (profile, standing)));
                }
                Err(error) => {
                    if let Ok(panic) = error.try_into_panic() {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
        // Profiles that no cell needs any more.
        stop(before.into_values()).await;
        stats
    }

    /// Stops every gateway.
    pub async fn end(mut self) {
        stop(std::mem::take(&mut self.standing).into_values()).await;
    }
}

async fn stop(standing: impl Iterator<Item = Standing>) {
    let live = standing.filter_map(|standing| standing.live);
    futures_util::future::join_all(live.map(Live::stop)).await;
}

/// One profile in one round.
async fn round_of(
    context: &Arc<Context>,
    target: &Target,
    number: u32,
    launch: &PlannedLaunch,
    before: Option<Standing>,
) -> (Option<Standing>, RoundStats) {
    let bench = LaunchJudge { context, target };
    let cells = bench.askable(&launch.cells).await;
    let profile = context.catalogue.profiles.get(&launch.profile);
    let config = profile.and_then(|profile| profile.launch_for(&target.version).ok());
    let Some(config) = config.filter(|_| !cells.is_empty()) else {
        stop(before.into_iter()).await;
        return (None, RoundStats::default());
    };
    let attempt = Attempt {
        context,
        target,
        profile: &launch.profile,
        config,
        number,
        again: false,
    };
    let outcomes = format!("{:?}", context.catalogue.outcomes);
    let sent = |cell: &Cell| sent(cell, &context.catalogue, &outcomes);
    let (mut standing, mut stats) = match keep(before, config, &cells, &sent).await {
        Some(standing) => (standing, RoundStats::default()),
        None => {
            let mut standing = Standing {
                launch: config.clone(),
                live: None,
                seen: HashMap::new(),
                proof: Proof::Shown,
                spent: false,
            };
            match attempt.start(&cells).await {
                Ok(live) => standing.live = Some(live),
                Err(seen) => standing.note(&cells, &seen, &sent),
            }
            let launched = 1;
            (standing, RoundStats { asked: 0, launched })
        }
    };
    let open = cells.iter();
    let open = open.filter(|planned| standing.answer(&planned.cell, &sent).is_none());
    let open: PlannedCells = open.collect();
    if let Some(live) = standing.live.as_mut().filter(|_| !open.is_empty()) {
        let (seen, proof) = attempt.ask_and_keep(&open, live).await;
        stats.asked = open.len();
        // One request that reached the model is proof for as long as the gateway stays up; one call that nothing explains
        // takes it away for as long.
        standing.proof = match (standing.proof, proof) {
            (Proof::Void, _) | (_, Proof::Void) => Proof::Void,
            (_, Proof::Shown) => Proof::Shown,
            (_, Proof::Missing) if standing.seen.is_empty() => Proof::Missing,
            (before, Proof::Missing) => before,
        };
        standing.spent |= open.iter().any(|planned| is_step(&planned.cell));
        standing.note(&open, &seen, &sent);
    }
    for PlannedCell { cell, .. } in cells.iter() {
        let seen = standing.answer(&cell, &sent).cloned();
        let seen = seen.unwrap_or_else(|| Err("it was not asked".into()));
        bench.judge(&cell, seen, standing.proof, Vec::new()).await;
    }
    // What brought no answer is asked again in the next round.
    standing.seen.retain(|_, (_, seen)| seen.is_ok());
    (Some(standing), stats)
}

/// What stands from the round before, if it can serve this one; it is stopped otherwise.
async fn keep(
    before: Option<Standing>,
    config: &Launch,
    cells: &PlannedCells,
    sent: &impl Fn(&Cell) -> u64,
) -> Option<Standing> {
    let mut standing = before?;
    let up = match &mut standing.live {
        Some(live) => live.is_up().await,
        None => true,
    };
    let complete = cells
        .iter()
        .all(|planned| standing.answer(&planned.cell, sent).is_some());
    let steps = cells
        .iter()
        .any(|PlannedCell { cell, .. }| is_step(&cell) && standing.answer(&cell, sent).is_none());
    // A gateway that did not start has nothing more to say; a sequence begins with a fresh one.
    let fresh = standing.live.is_some() && !standing.spent;
    let serves = complete || (fresh && (!steps || standing.seen.is_empty()));
    if up && standing.launch == *config && serves {
        return Some(standing);
    }
    stop(std::iter::once(standing)).await;
    None
}

impl Standing {
    fn answer(&self, cell: &Cell, sent: &impl Fn(&Cell) -> u64) -> Option<&Seen> {
        let (before, seen) = self.seen.get(&cell.id())?;
        (*before == sent(cell)).then_some(seen)
    }

    fn note(&mut self, cells: &PlannedCells, seen: &AllSeen, sent: &impl Fn(&Cell) -> u64) {
        for (place, PlannedCell { cell, .. }) in cells.iter().enumerate() {
            self.seen.insert(cell.id(), (sent(&cell), seen.get(place)));
        }
    }
}

/// Everything that an observation of a cell depends on: what the gateway gets to see, and the outcomes it is read by.
fn sent(cell: &Cell, catalogue: &Catalogue, outcomes: &str) -> u64 {
    let steps: Vec<String> = cell
        .values()
        .filter(|_| is_step(cell))
        .map(|value| {
            format!(
                "{} {} {:?} {}",
                value.repeat, value.set_config, value.wait, value.listens
            )
        })
        .collect();
    let (kind, protocol) = (cell.scenario.kind, cell.scenario.request.protocol);
    let request = as_text(cell, catalogue);
    let sender = cell.sender().and_then(|id| catalogue.senders.get(id));
    let proxy = match cell.way() {
        Way::Through(id) => catalogue.proxies.get(id).map(|proxy| format!("{proxy:?}")),
        Way::AsProxy | Way::PastProxies | Way::AtGateway => None,
    };
    let mut hash = std::hash::DefaultHasher::new();
    (
        format!("{kind:?} {protocol:?} {sender:?}"),
        steps,
        request,
        proxy,
        outcomes,
    )
        .hash(&mut hash);
    hash.finish()
}

fn is_step(cell: &Cell) -> bool {
    cell.scenario.kind == Kind::Sequence
}
