//! From scenarios to cells: what would be asked of one release, in which order and in which launches.
//!
//! [`Plan::new`] is pure, and so is [`Plan::without`], which is told what the machine lacks. A cell's position is its place in the full matrix of all scenarios, so that filters and shards
//! never change an id or an order.

pub mod budget;
mod shard;
mod shares;

pub use shard::{Shard, ShardArg, ShardError};
pub use shares::{Share, Shares};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet};

use crate::cell_id::{self, CellId};
use crate::release::Version;
use crate::scenario::model::{
    AxisValue, DIRECT, Direction, Kind, Outcome, PROXY_AXIS, Rule, Scenario, Standpoint,
};
use crate::scenario::{Catalogue, Proxy};
use base::nearest::nearest;

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
        match self.values().find_map(|value| value.from) {
            Some(Standpoint::Caller) => return Way::PastProxies,
            Some(Standpoint::Gateway) => return Way::AtGateway,
            None => {}
        }
        let proxy = self.axes().find(|(axis, _)| *axis == PROXY_AXIS);
        match proxy {
            None => Way::AsProxy,
            Some((_, DIRECT)) => Way::PastProxies,
            Some((_, proxy)) => Way::Through(proxy),
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

/// A cell and whether it can be asked of the release.
#[derive(Debug, Clone)]
pub struct PlannedCell {
    /// The cell.
    pub cell: Arc<Cell>,
    /// Why it cannot be asked, if it cannot.
    pub not_applicable: Option<String>,
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
        self.cells
            .iter()
            .any(|planned| planned.not_applicable.is_none())
    }
}

/// What one gateway is asked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The release that it is judged as.
    pub release: Version,
    /// One launch a profile, in the order in which profiles first appear.
    pub launches: Vec<PlannedLaunch>,
    /// Whether a filter left cells out.
    pub filtered: bool,
}

impl Plan {
    /// Plans all selected cells of the catalogue for one release; of a sequence all steps, if any is selected.
    pub fn new(catalogue: &Catalogue, release: &Version, selection: &Selection) -> Self {
        let mut launches: Vec<PlannedLaunch> = Vec::new();
        let mut filtered = false;
        let sequences: BTreeSet<(String, String)> = cells(catalogue)
            .filter(|cell| cell.scenario.kind == Kind::Sequence && selection.accepts(cell))
            .map(|cell| (cell.scenario.id.clone(), cell.profile))
            .collect();
        for cell in cells(catalogue) {
            // A step means nothing without the steps around it.
            let beside = || sequences.contains(&(cell.scenario.id.clone(), cell.profile.clone()));
            if !selection.accepts(&cell) && !beside() {
                filtered = true;
                continue;
            }
            let not_applicable = not_applicable(catalogue, release, &cell);
            let planned = PlannedCell {
                cell: Arc::new(cell),
                not_applicable,
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
            filtered,
        }
    }

    /// What the cells that can be asked of the release need of a machine, beside client libraries.
    pub fn needs(&self, catalogue: &Catalogue) -> Needs {
        let mut needs = Needs::default();
        let launches = self.launches.iter().flat_map(|launch| &launch.cells);
        for planned in launches.filter(|planned| planned.not_applicable.is_none()) {
            needs.network |= own_network(catalogue, &planned.cell);
            let proxy = proxy(catalogue, &planned.cell);
            let program = proxy.map(|proxy| (proxy.program.clone(), proxy.install.clone()));
            needs.programs.extend(program);
        }
        needs
    }

    /// The same plan on a machine that has not everything: what takes something of `missing` is not applicable.
    #[must_use]
    pub fn without(mut self, missing: &Missing, catalogue: &Catalogue) -> Self {
        let launches = self.launches.iter_mut();
        let cells = launches.flat_map(|launch| &mut launch.cells);
        for planned in cells.filter(|planned| planned.not_applicable.is_none()) {
            planned.not_applicable = lack(missing, catalogue, &planned.cell);
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

/// Why a cell cannot be asked where some requirements are missing, if it cannot.
fn lack(missing: &Missing, catalogue: &Catalogue, cell: &Cell) -> Option<String> {
    let program = proxy(catalogue, cell).map(|proxy| proxy.program.as_str());
    let network = own_network(catalogue, cell).then_some(NETWORK);
    let requirements = [cell.sender(), program, network].into_iter().flatten();
    let mut reasons = requirements.filter_map(|name| missing.get(name));
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

/// Which cells a command is about.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    globs: Vec<GlobSet>,
    conditions: Vec<WhereExpr>,
    only: Option<BTreeSet<String>>,
}

/// `axis=value,value` or `axis!=value,value`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WhereExpr {
    axis: String,
    values: Vec<String>,
    negated: bool,
}

/// A filter that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The glob does not parse.
    #[error("`{0}` is not a glob: {1}")]
    Glob(String, String),
    /// The glob selects nothing.
    #[error("no cell matches `{glob}`{}", .nearest.as_ref().map(|glob| format!("; did you mean `{glob}`?")).unwrap_or_default())]
    Unmatched {
        /// The glob as given.
        glob: String,
        /// The same glob with its first slip fixed.
        nearest: Option<String>,
    },
    /// The expression has no `=`.
    #[error("`{0}` is not a condition; write axis=value,value or axis!=value")]
    Where(String),
    /// No scenario has the axis.
    #[error("no scenario has an axis `{axis}`{}", .nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Axis {
        /// The axis as given.
        axis: String,
        /// A name that resembles it.
        nearest: Option<String>,
    },
    /// The axis has no such value.
    #[error("axis `{axis}` has no value `{value}`{}", .nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Value {
        /// The axis.
        axis: String,
        /// The value as given.
        value: String,
        /// A name that resembles it.
        nearest: Option<String>,
    },
}

impl Selection {
    /// Reads globs over cell ids and `--where` expressions, and refuses those that cannot select anything.
    ///
    /// A glob without `/` or `*` is taken as the beginning of an id. `*` does not cross a `/`, `**` does.
    ///
    /// # Errors
    /// A [`SelectionError`] that names the nearest thing there is.
    pub fn parse(
        catalogue: &Catalogue,
        globs: &[String],
        wheres: &[String],
    ) -> Result<Self, SelectionError> {
        let ids: Vec<String> = if globs.is_empty() {
            Vec::new()
        } else {
            cells(catalogue).map(|cell| cell.id).collect()
        };
        let globs = globs
            .iter()
            .map(|glob| parse_glob(glob, &ids))
            .collect::<Result<_, _>>()?;
        let conditions = wheres
            .iter()
            .map(|text| parse_where(text, catalogue))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            globs,
            conditions,
            only: None,
        })
    }

    /// Selects the cells with these ids and no others.
    pub fn only(ids: impl IntoIterator<Item = String>) -> Self {
        Self {
            only: Some(ids.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Whether the cell is selected: by any glob (if there are any) and by every condition.
    pub fn accepts(&self, cell: &Cell) -> bool {
        self.accepts_named(&cell.id, &|axis| {
            let mut axes = cell.axes();
            axes.find(|(name, _)| *name == axis).map(|(_, value)| value)
        })
    }

    /// As [`Selection::accepts`], of a cell that is known by its id and its values only, as records have it.
    pub fn accepts_named<'a>(&self, id: &str, value: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id))
            && (self.globs.is_empty() || self.globs.iter().any(|glob| glob.is_match(id)))
            && self.conditions.iter().all(|condition| {
                value(&condition.axis).is_some_and(|value| {
                    condition.values.iter().any(|wanted| wanted == value) != condition.negated
                })
            })
    }
}

/// A glob of cells is no longer than this; the longest cell id has some 200 characters.
const MAX_GLOB: usize = 2_000;

fn parse_glob(text: &str, ids: &[String]) -> Result<GlobSet, SelectionError> {
    let pattern = if text.contains(['/', '*', '?', '[', '{']) {
        text.to_owned()
    } else {
        format!("{text}/**")
    };
    let wrong = |why: String| SelectionError::Glob(text.chars().take(MAX_GLOB).collect(), why);
    if pattern.len() > MAX_GLOB {
        return Err(wrong(format!("longer than {MAX_GLOB} characters")));
    }
    let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
    // A set, unlike a matcher, says so if it cannot be made of what was parsed.
    let glob = glob.and_then(|glob| GlobSet::builder().add(glob).build());
    let glob = glob.map_err(|error| wrong(error.kind().to_string()))?;
    if ids.iter().any(|id| glob.is_match(id)) {
        return Ok(glob);
    }
    Err(SelectionError::Unmatched {
        glob: text.to_owned(),
        nearest: fixed(&pattern, ids),
    })
}

/// A glob with its first slip fixed: the first part that no cell has becomes the one that resembles it.
fn fixed(pattern: &str, ids: &[String]) -> Option<String> {
    let mut parts: Vec<&str> = pattern.split('/').collect();
    let mut mine: Vec<&String> = ids.iter().collect();
    for (place, part) in parts.iter().enumerate() {
        if part.contains(['*', '?', '[', '{']) {
            continue;
        }
        let has = |id: &&String| match place {
            0 => CellId::of(id).scenario() == *part,
            _ => CellId::of(id).parts().skip(1).any(|other| other == *part),
        };
        let left: Vec<&String> = mine.iter().copied().filter(has).collect();
        if left.is_empty() {
            let others = mine.iter().flat_map(|id| {
                let skip = usize::from(place > 0);
                let take = if place == 0 { 1 } else { usize::MAX };
                CellId::of(id).parts().skip(skip).take(take)
            });
            parts[place] = nearest(part, others)?;
            return Some(parts.join("/"));
        }
        mine = left;
    }
    None
}

fn parse_where(text: &str, catalogue: &Catalogue) -> Result<WhereExpr, SelectionError> {
    let (axis, values) = text
        .split_once('=')
        .ok_or_else(|| SelectionError::Where(text.to_owned()))?;
    let (axis, negated) = axis
        .strip_suffix('!')
        .map_or((axis, false), |axis| (axis, true));
    let axis = axis.trim().to_owned();
    let values: Vec<String> = values
        .split(',')
        .map(|value| value.trim().to_owned())
        .collect();
    let axes = || {
        catalogue
            .scenarios
            .iter()
            .flat_map(|scenario| &scenario.axes)
    };
    if !axes().any(|known| known.name == axis) {
        let nearest = nearest(&axis, axes().map(|known| known.name.as_str())).map(str::to_owned);
        return Err(SelectionError::Axis { axis, nearest });
    }
    let known: Vec<&str> = axes()
        .filter(|known| known.name == axis)
        .flat_map(|known| &known.values)
        .map(|value| value.id.as_str())
        .collect();
    if let Some(value) = values.iter().find(|value| !known.contains(&value.as_str())) {
        let nearest = nearest(value, known.iter().copied()).map(str::to_owned);
        return Err(SelectionError::Value {
            axis,
            value: value.clone(),
            nearest,
        });
    }
    Ok(WhereExpr {
        axis,
        values,
        negated,
    })
}
