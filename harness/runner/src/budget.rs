//! A run within a budget: what of the plan fits, when the time is over, and what was not asked by then.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use super::seen::{AllSeen, Seen};
use super::target::Target;
use super::{Context, RunEvent};
use contract::plan::budget::{Budget, Estimates, fit};
use contract::plan::{Plan, PlannedCells};
use contract::release::GatewayRef;
use contract::scenario::Catalogue;
use contract::scenario::model::Kind;
use machine::install::{Cache, timings};
use record::PartRecord;
use record::events::Budgeted;
use record::judge::Proof;

/// What is known of the time that launches and requests of a gateway take on this machine, so many launches at a time.
pub fn estimates(
    catalogue: &Catalogue,
    cache: Option<&Cache>,
    gateway: &GatewayRef,
    release: &contract::release::Version,
    launches: usize,
) -> Estimates {
    let published = matches!(gateway, GatewayRef::Published(_));
    let cache = cache.filter(|_| published);
    Estimates {
        typical: catalogue.timings.of(gateway, release),
        measured: cache.and_then(|cache| timings::read(cache, release)),
        launches,
        cores: std::thread::available_parallelism().map_or(2, NonZeroUsize::get),
    }
}

/// What of a plan fits into the budget; told as an event.
pub(super) fn cut(context: &Context, target: &Target, plan: Plan) -> Plan {
    let Some(budget) = context.options.budget else {
        return plan;
    };
    let (options, catalogue) = (&context.options, &context.catalogue);
    let mut gateways = options.gateways.iter();
    let Some(gateway) = gateways.find(|gateway| gateway.to_string() == target.gateway) else {
        return plan;
    };
    let (cache, release) = (options.install.cache.as_ref(), &target.version);
    let estimates = estimates(catalogue, cache, gateway, release, options.launches);
    let fitted = fit(&plan, catalogue, &estimates, budget.time());
    let left_out = fitted.launches.iter().filter(|launch| launch.cells == 0);
    let part = PartRecord {
        budget_ms: millis(budget.time()),
        estimated_ms: millis(fitted.takes),
        estimates: fitted.origins(),
        launches_left_out: left_out.map(|launch| launch.profile.clone()).collect(),
        least_ms: fitted.least.map(millis),
        ..PartRecord::default()
    };
    context.emit(RunEvent::Budgeted(Box::new(Budgeted {
        release: release.clone(),
        whole: fitted.whole,
        part,
        watched: true,
    })));
    fitted.plan
}

/// The time of a run, from now on. When it is over, gateways are stopped and no further cell is asked.
#[derive(Debug)]
pub(super) struct Clock {
    ends: Option<AbortHandle>,
    turns: Option<Arc<Semaphore>>,
}

impl Clock {
    /// Starts it; without a budget it never ends.
    pub(super) fn start(context: &Context) -> Self {
        let ends = context.options.budget.map(|budget: Budget| {
            let cancel = context.cancel.clone();
            let _ = context
                .ends
                .set(tokio::time::Instant::now() + budget.time());
            let ends = async move {
                tokio::time::sleep(budget.time()).await;
                cancel.cancel();
            };
            tokio::spawn(ends).abort_handle()
        });
        let turns = ends
            .as_ref()
            .map(|_| Arc::new(Semaphore::new(context.options.launches.max(1))));
        Self { ends, turns }
    }

    /// Waits until the next launch may be made, so that they are made in the order in which they were chosen.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let turns = self.turns.clone()?;
        turns.acquire_owned().await.ok()
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        if let Some(ends) = &self.ends {
            ends.abort();
        }
    }
}

/// Whether a cell was not asked, or was asked for nothing, because the time was over.
pub(super) fn is_cut(context: &Context, seen: &Seen, proof: Proof) -> bool {
    context.is_out_of_time()
        && match seen {
            Err(missed) => missed.is_cut(),
            // Whatever was denied, the request that would have proved it did not come to its end.
            Ok(seen) => {
                proof == Proof::Missing
                    && seen.direction == contract::scenario::model::Direction::Deny
            }
        }
}

/// The sequences of which a step was not asked: they say nothing without it.
pub(super) fn cut_sequences(
    context: &Context,
    cells: &PlannedCells,
    seen: &AllSeen,
    proof: Proof,
) -> BTreeSet<String> {
    if !context.is_out_of_time() {
        return BTreeSet::new();
    }
    let cells = cells.iter().map(|planned| planned.cell).enumerate();
    let steps = cells.filter(|(_, cell)| cell.scenario.kind == Kind::Sequence);
    let cut = steps.filter(|(place, _)| is_cut(context, &seen.get(*place), proof));
    cut.map(|(_, cell)| cell.scenario.id.clone()).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
