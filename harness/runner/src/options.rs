//! What a run is asked to do.

use std::num::NonZeroUsize;
use std::time::Duration;

use contract::plan::budget::Budget;
use contract::plan::{Selection, Shares};
use contract::release::{GatewayRef, Version};
use machine::install::{InstallContext, Program};

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The gateways, in order.
    pub gateways: Vec<GatewayRef>,
    /// Which cells.
    pub selection: Selection,
    /// Which launches, where other machines make the rest.
    pub shares: Option<Shares>,
    /// How long it may take; what does not fit by estimate is left out.
    pub budget: Option<Budget>,
    /// Requests at a time within a launch.
    pub jobs: usize,
    /// So many more at a time that must be denied: a gateway may let them wait, and they cost it little. With 0 they are among
    /// `jobs`.
    pub denials: usize,
    /// Launches at a time.
    pub launches: usize,
    /// So many more at a time while the processor idles.
    pub more_launches: usize,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long a gateway may take to get ready.
    pub ready_timeout: Duration,
    /// How long a gateway may take to stop before it is killed.
    pub stop_grace: Duration,
    /// How often what failed for reasons of its surroundings is tried again: an install, a launch, a request without an
    /// answer. An answer is never asked for twice.
    pub retries: u32,
    /// Judge a gateway whose version is unknown as this release.
    pub release: Option<Version>,
    /// The day on which known issues are heeded; `None` judges as if there were none.
    pub known_issues: Option<jiff::civil::Date>,
    /// Keep the launch folders instead of removing them.
    pub keep_temp: bool,
    /// Whether launches of a release share the compile cache of Node.
    pub compile_cache: bool,
    /// Whether other people's clients send, too, as far as this machine has them.
    pub clients: bool,
    /// Where releases come from.
    pub install: InstallContext,
    /// What is launched in place of the one gateway that is named: a changed copy of it.
    pub program: Option<Program>,
}

/// Launches of the reference gateway at a time: it starts in no time.
const LIGHT_LAUNCHES: usize = 16;
/// Requests at a time within a launch.
const JOBS: usize = 16;
/// Requests at a time that must be denied. 2026.9.6 answers a wrong credential after 5 s, once several came.
const DENIALS: usize = 96;
/// So many more launches a core while the processor idles.
const MORE_LAUNCHES: usize = 2;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How long a gateway may take to get ready.
const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a gateway may take to stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

impl RunOptions {
    /// Asks these gateways these cells, with the defaults of `clawgauge run`; known issues are heeded, and nothing is kept.
    pub fn new(gateways: Vec<GatewayRef>, selection: Selection, install: InstallContext) -> Self {
        // A real gateway keeps a core busy for seconds. Whoever names none yet will name real ones.
        let light = !gateways.is_empty()
            && gateways
                .iter()
                .all(|gateway| *gateway == GatewayRef::Reference);
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Self {
            gateways,
            selection,
            shares: None,
            budget: None,
            jobs: JOBS,
            denials: DENIALS,
            launches: if light { LIGHT_LAUNCHES } else { cores },
            more_launches: if light { 0 } else { MORE_LAUNCHES * cores },
            timeout: TIMEOUT,
            ready_timeout: READY_TIMEOUT,
            stop_grace: STOP_GRACE,
            retries: 0,
            release: None,
            known_issues: Some(record::today()),
            keep_temp: false,
            compile_cache: true,
            clients: true,
            install,
            program: None,
        }
    }
}
