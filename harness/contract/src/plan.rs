//! From scenarios to cells: what would be asked of one release, in which order and in which launches.
//!
//! [`Plan::new`] is pure, and so is [`Plan::without`], which is told what the machine lacks. A cell's position is its place in the full matrix of all scenarios, so that filters and shards
//! never change an id or an order.

pub mod budget;
mod cell;
mod list;
mod places;
mod selection;
mod shard;
mod shares;

pub use cell::{Cell, UNDER_WAY, Way, cells, cells_of, cells_under};
pub use list::{PlannedCell, PlannedCells};
pub use places::Places;
pub(crate) use selection::glob_of;
pub use selection::{Selection, SelectionError};
pub use shard::{Shard, ShardArg, ShardError};
pub use shares::{Share, Shares};

use std::collections::{BTreeMap, BTreeSet};

use crate::release::Version;
use crate::scenario::model::Kind;
use crate::scenario::{Catalogue, Proxy};

/// What this machine has not: a requirement's name, such as a sender's, and why it is missing and how to get it.
pub type Missing = BTreeMap<String, String>;

/// What launches need beside the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Programs, and how each is installed.
    pub programs: BTreeMap<String, String>,
    /// Whether a launch needs network namespaces.
    pub network: bool,
}

/// The name of network namespaces among what is missing.
pub const NETWORK: &str = "network namespaces";

/// Why a cell cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// It makes no sense on the release, for this reason: nothing that anybody could install would change that.
    Release(String),
    /// This machine lacks something that it takes, for this reason.
    Machine(String),
}

impl Barred {
    /// Why a cell cannot be asked of a release where some requirements are missing, if it cannot.
    pub fn of(
        catalogue: &Catalogue,
        release: &Version,
        missing: &Missing,
        cell: &Cell,
    ) -> Option<Self> {
        let here = || lack(missing, catalogue, cell).map(Self::Machine);
        let there = not_applicable(catalogue, release, cell).map(Self::Release);
        there.or_else(here)
    }
}

/// The cells of one profile: one gateway launch.
#[derive(Debug, Clone)]
pub struct PlannedLaunch {
    /// Id of the profile.
    pub profile: String,
    /// Its cells, in order.
    pub cells: PlannedCells,
}

impl PlannedLaunch {
    /// Whether any cell needs the gateway.
    pub fn needs_gateway(&self) -> bool {
        self.cells.askable().next().is_some()
    }
}

/// What one gateway is asked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The release that it is judged as.
    pub release: Version,
    /// One launch a profile, in the order in which profiles first appear.
    pub launches: Vec<PlannedLaunch>,
    /// Cells that were not selected.
    pub unselected: usize,
}

impl Plan {
    /// Plans all selected cells of the catalogue for one release; of a sequence all steps, if any is selected.
    pub fn new(catalogue: &Catalogue, release: &Version, selection: &Selection) -> Self {
        let mut launches: Vec<PlannedLaunch> = Vec::new();
        let mut unselected = 0;
        let sequences: BTreeSet<(String, String)> = cells(catalogue)
            .filter(|cell| cell.scenario.kind == Kind::Sequence && selection.accepts(cell))
            .map(|cell| (cell.scenario.id.clone(), cell.profile().to_owned()))
            .collect();
        for cell in cells(catalogue) {
            // A step means nothing without the steps around it.
            let beside =
                || sequences.contains(&(cell.scenario.id.clone(), cell.profile().to_owned()));
            if !selection.accepts(&cell) && !beside() {
                unselected += 1;
                continue;
            }
            let barred = not_applicable(catalogue, release, &cell).map(Barred::Release);
            let planned = PlannedCell { cell, barred };
            match launches
                .iter_mut()
                .find(|launch| launch.profile == planned.cell.profile())
            {
                Some(launch) => launch.cells.push(planned),
                None => {
                    launches.push(PlannedLaunch {
                        profile: planned.cell.profile().to_owned(),
                        cells: PlannedCells::from_iter([planned]),
                    });
                }
            }
        }
        Self {
            release: release.clone(),
            launches,
            unselected,
        }
    }

    /// What the cells that can be asked of the release need of a machine, beside client libraries.
    pub fn needs(&self, catalogue: &Catalogue) -> Needs {
        let mut needs = Needs::default();
        for cell in self
            .launches
            .iter()
            .flat_map(|launch| launch.cells.askable())
        {
            needs.network |= own_network(catalogue, &cell);
            let proxy = proxy(catalogue, &cell);
            let program = proxy.map(|proxy| (proxy.program.clone(), proxy.install.clone()));
            needs.programs.extend(program);
        }
        needs
    }

    /// The same plan on a machine that has not everything: what takes something of `missing` is not asked.
    #[must_use]
    pub fn without(mut self, missing: &Missing, catalogue: &Catalogue) -> Self {
        if missing.is_empty() {
            return self;
        }
        for launch in &mut self.launches {
            let cells = launch.cells.iter().map(|planned| PlannedCell {
                barred: planned
                    .barred
                    .or_else(|| lack(missing, catalogue, &planned.cell).map(Barred::Machine)),
                cell: planned.cell,
            });
            launch.cells = cells.collect();
        }
        self
    }

    /// How many cells were selected.
    pub fn len(&self) -> usize {
        self.launches.iter().map(|launch| launch.cells.len()).sum()
    }

    /// Whether nothing was selected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a cell cannot be asked of a release, if it cannot.
pub fn not_applicable(catalogue: &Catalogue, release: &Version, cell: &Cell) -> Option<String> {
    if let Some(since) = cell
        .scenario
        .since
        .as_ref()
        .filter(|since| release < *since)
    {
        return Some(format!("the scenario's contract begins with {since}"));
    }
    let name = cell.profile();
    let Some(profile) = catalogue.profiles.get(name) else {
        return Some(format!("there is no profile {name}"));
    };
    if let Err(reason) = profile.launch_for(release) {
        return Some(reason);
    }
    // The start itself is asked: whether the issue is still there.
    let mut issues = catalogue.known_issues.iter();
    let issue = issues.find(|issue| issue.keeps_from_starting(name, release));
    let issue = issue.filter(|_| cell.scenario.kind != Kind::Start)?;
    Some(format!(
        "{release} does not start under {name}: {}",
        issue.id
    ))
}

/// What a cell takes of a machine beside the gateway, by name: a client, a program, [`NETWORK`].
pub fn requirements<'a>(catalogue: &'a Catalogue, cell: &'a Cell) -> impl Iterator<Item = &'a str> {
    let program = proxy(catalogue, cell).map(|proxy| proxy.program.as_str());
    let network = own_network(catalogue, cell).then_some(NETWORK);
    [cell.sender(), program, network].into_iter().flatten()
}

/// The names of all that cells may take of a machine.
pub fn all_requirements(catalogue: &Catalogue) -> BTreeSet<&str> {
    let senders = catalogue.senders.keys().map(String::as_str);
    let proxies = catalogue.proxies.values();
    let programs = proxies.map(|proxy| proxy.program.as_str());
    let mut profiles = catalogue.profiles.values();
    let network = profiles.any(|profile| profile.own_network);
    senders
        .chain(programs)
        .chain(network.then_some(NETWORK))
        .collect()
}

/// Why a cell cannot be asked where some requirements are missing, if it cannot.
fn lack(missing: &Missing, catalogue: &Catalogue, cell: &Cell) -> Option<String> {
    let mut reasons = requirements(catalogue, cell).filter_map(|name| missing.get(name));
    reasons.next().cloned()
}

/// The proxy that a cell's request goes through.
fn proxy<'a>(catalogue: &'a Catalogue, cell: &Cell) -> Option<&'a Proxy> {
    match cell.way() {
        Way::Through(proxy) => catalogue.proxies.get(proxy),
        Way::AsProxy | Way::PastProxies | Way::AtGateway => None,
    }
}

fn own_network(catalogue: &Catalogue, cell: &Cell) -> bool {
    let profile = catalogue.profiles.get(cell.profile());
    profile.is_some_and(|profile| profile.own_network)
}
