//! From scenarios to cells: what would be asked of one release, in which order and in which launches.
//!
//! [`Plan::new`] is pure, and so is [`Plan::without`], which is told what the machine lacks. A cell's position is its place in the full matrix of all scenarios, so that filters and shards
//! never change an id or an order.

pub mod budget;
mod selection;
mod shard;
mod shares;

pub(crate) use selection::glob_of;
pub use selection::{Selection, SelectionError};
pub use shard::{Shard, ShardArg, ShardError};
pub use shares::{Share, Shares};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::cell_id;
use crate::release::Version;
use crate::scenario::model::{
    AxisValue, DIRECT, Direction, Kind, Outcome, PROXY_AXIS, Rule, Scenario, Standpoint,
};
use crate::scenario::{Catalogue, KnownIssue, Proxy};

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

/// One combination of axis values of one scenario.
#[derive(Debug, Clone)]
pub struct Cell {
    /// `scenario/axis=value/axis=value`.
    pub id: String,
    /// The scenario it belongs to.
    pub scenario: Arc<Scenario>,
    /// Value index by axis.
    pub combination: Vec<u16>,
    /// The profile that it is launched under.
    pub profile: String,
}

impl Cell {
    /// This cell's value on each axis, in the order of the axes.
    pub fn values(&self) -> impl Iterator<Item = &Arc<AxisValue>> {
        self.scenario
            .axes
            .iter()
            .zip(&self.combination)
            .map(|(axis, value)| &axis.values[usize::from(*value)])
    }

    /// Axis names with this cell's values.
    pub fn axes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scenario
            .axes
            .iter()
            .zip(self.values())
            .map(|(axis, value)| (axis.name.as_str(), value.id.as_str()))
    }

    /// The client that sends it, where clawgauge itself does not.
    pub fn sender(&self) -> Option<&str> {
        self.values().find_map(|value| value.sender.as_deref())
    }

    /// The id without scenario and profile: what tells cells of one snapshot file apart.
    pub fn key(&self) -> String {
        cell_id::key(self.axes())
    }

    /// How its request gets to the gateway.
    pub fn way(&self) -> Way<'_> {
        let proxy = self.axes().find(|(axis, _)| *axis == PROXY_AXIS);
        match (self.values().find_map(|value| value.from), proxy) {
            (Some(Standpoint::Gateway), _) => Way::AtGateway,
            (Some(Standpoint::Caller), _) | (None, Some((_, DIRECT))) => Way::PastProxies,
            (None, Some((_, proxy))) => Way::Through(proxy),
            (None, None) => Way::AsProxy,
        }
    }

    /// The outcome that is asked of it on a release.
    pub fn expected(&self, release: &Version) -> Option<&Arc<Outcome>> {
        self.scenario.expected(release, &self.combination)
    }

    /// Whether its caller must be denied on a release.
    pub fn must_be_denied(&self, release: &Version) -> bool {
        let expected = self.expected(release);
        expected.is_some_and(|outcome| outcome.direction == Direction::Deny)
    }

    /// The known issue that speaks about it on a release and has not expired on `today`, and what it says is observed.
    pub fn known<'a>(
        &self,
        catalogue: &'a Catalogue,
        release: &Version,
        today: Date,
    ) -> Option<(&'a Arc<KnownIssue>, &'a Arc<Outcome>)> {
        catalogue.known_issues.iter().find_map(|issue| {
            let outcome = issue.says(&self.scenario.id, release, &self.combination, today)?;
            Some((issue, outcome))
        })
    }

    /// The rule that decides it on a release.
    pub fn rule(&self, release: &Version) -> Option<&Rule> {
        self.scenario.rule_for(release, &self.combination)
    }
}

/// How a request gets to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'a> {
    /// From where a proxy would be: the scenario asks about no proxies, its header lines are what one would say.
    AsProxy,
    /// From where callers are, past all proxies.
    PastProxies,
    /// From the gateway's own machine, at an address that is not the loopback.
    AtGateway,
    /// Through a proxy, by id.
    Through(&'a str),
}

/// Why a cell cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// It makes no sense on the release, for this reason: nothing that anybody could install would change that.
    Release(String),
    /// This machine lacks something that it takes, for this reason.
    Machine(String),
}

/// A cell and whether it can be asked.
#[derive(Debug, Clone)]
pub struct PlannedCell {
    /// The cell.
    pub cell: Arc<Cell>,
    /// Why it cannot be asked, if it cannot.
    pub barred: Option<Barred>,
}

/// The cells of one profile: one gateway launch.
#[derive(Debug, Clone)]
pub struct PlannedLaunch {
    /// Id of the profile.
    pub profile: String,
    /// Its cells, in order.
    pub cells: Vec<PlannedCell>,
}

impl PlannedLaunch {
    /// Whether any cell needs the gateway.
    pub fn needs_gateway(&self) -> bool {
        self.cells.iter().any(|planned| planned.barred.is_none())
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
            .map(|cell| (cell.scenario.id.clone(), cell.profile))
            .collect();
        for cell in cells(catalogue) {
            // A step means nothing without the steps around it.
            let beside = || sequences.contains(&(cell.scenario.id.clone(), cell.profile.clone()));
            if !selection.accepts(&cell) && !beside() {
                unselected += 1;
                continue;
            }
            let barred = not_applicable(catalogue, release, &cell).map(Barred::Release);
            let planned = PlannedCell {
                cell: Arc::new(cell),
                barred,
            };
            match launches
                .iter_mut()
                .find(|launch| launch.profile == planned.cell.profile)
            {
                Some(launch) => launch.cells.push(planned),
                None => {
                    launches.push(PlannedLaunch {
                        profile: planned.cell.profile.clone(),
                        cells: vec![planned],
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
        let launches = self.launches.iter().flat_map(|launch| &launch.cells);
        for planned in launches.filter(|planned| planned.barred.is_none()) {
            needs.network |= own_network(catalogue, &planned.cell);
            let proxy = proxy(catalogue, &planned.cell);
            let program = proxy.map(|proxy| (proxy.program.clone(), proxy.install.clone()));
            needs.programs.extend(program);
        }
        needs
    }

    /// The same plan on a machine that has not everything: what takes something of `missing` is not asked.
    #[must_use]
    pub fn without(mut self, missing: &Missing, catalogue: &Catalogue) -> Self {
        let launches = self.launches.iter_mut();
        let cells = launches.flat_map(|launch| &mut launch.cells);
        for planned in cells.filter(|planned| planned.barred.is_none()) {
            planned.barred = lack(missing, catalogue, &planned.cell).map(Barred::Machine);
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

/// Every cell of the catalogue, in order.
pub fn cells(catalogue: &Catalogue) -> impl Iterator<Item = Cell> + '_ {
    catalogue.scenarios.iter().flat_map(cells_of)
}

/// Every cell of a scenario, in order.
pub fn cells_of(scenario: &Arc<Scenario>) -> impl Iterator<Item = Cell> + '_ {
    let profile_axis = scenario.profile_axis();
    scenario.combinations().map(move |combination| Cell {
        id: scenario.cell_id(&combination),
        profile: scenario.axes[profile_axis].values[usize::from(combination[profile_axis])]
            .id
            .clone(),
        scenario: Arc::clone(scenario),
        combination,
    })
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
    match catalogue.profiles.get(&cell.profile) {
        Some(profile) => profile.launch_for(release).err(),
        None => Some(format!("there is no profile {}", cell.profile)),
    }
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
    let profile = catalogue.profiles.get(&cell.profile);
    profile.is_some_and(|profile| profile.own_network)
}
