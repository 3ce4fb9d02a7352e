//! The runner: schedules launches and requests, and is the only source of [`RunEvent`]s. It never prints.

mod ask;
pub mod attach;
mod attempt;
mod budget;
pub mod coverage;
mod drive;
mod gateway;
mod launch;
mod live;
pub mod mutants;
mod options;
pub mod prefetch;
mod proxies;
pub mod release_mutants;
pub mod routes;
mod seen;
mod slots;
pub mod survey;
mod target;
mod verdicts;
mod watch;

pub use budget::estimates;
pub use drive::{Events, drive};
pub use options::RunOptions;
pub use watch::{RoundStats, Rounds};

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use record::events::RunEvent;
use tokio_util::sync::CancellationToken;

use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;

/// What a run needs to know; shared by all its tasks.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) catalogue: Catalogue,
    pub(crate) snapshots: Snapshots,
    pub(crate) options: RunOptions,
    pub(crate) events: Events,
    /// Whether to stop, for whatever reason.
    pub(crate) cancel: CancellationToken,
    /// Whether to stop because somebody said so.
    pub(crate) interrupted: CancellationToken,
    /// When the run's budget is over, once it is known.
    pub(crate) ends: OnceLock<tokio::time::Instant>,
}

/// So long before the budget is over requests that are under way are ended, so that what came of them counts.
const LAST_MOMENT: Duration = Duration::from_millis(50);

impl Context {
    /// Whether to stop because the run's budget is over.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.cancel.is_cancelled() && !self.interrupted.is_cancelled()
    }

    /// How much of the run's budget is left for a request; `None` without a budget.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let left = self
            .ends
            .get()?
            .saturating_duration_since(tokio::time::Instant::now());
        Some(left.saturating_sub(LAST_MOMENT))
    }

    /// Tells an event.
    pub(crate) fn emit(&self, event: RunEvent) {
        self.events.tell(event);
    }
}

/// Runs everything that the options ask for; what happens is told in events, which [`drive`] feeds to a sink.
///
/// Gateways are taken one after the other, the launches of a gateway overlap, and so do the requests of a launch. When
/// `cancel` fires, gateways are stopped and no further cell is asked.
pub async fn run(
    catalogue: Catalogue,
    snapshots: Snapshots,
    options: RunOptions,
    events: Events,
    cancel: CancellationToken,
) {
    let context = Arc::new(Context {
        catalogue,
        snapshots,
        options,
        events,
        // A budget that is over stops the run from within.
        cancel: cancel.child_token(),
        interrupted: cancel,
        ends: OnceLock::new(),
    });
    for reference in &context.options.gateways {
        if context.cancel.is_cancelled() {
            break;
        }
        let shares = context.options.shares.as_ref();
        if shares.is_some_and(|shares| !shares.has_gateway(&reference.to_string())) {
            continue;
        }
        gateway::run_gateway(&context, reference).await;
    }
    if context.interrupted.is_cancelled() {
        context.emit(RunEvent::Interrupted);
    }
}
