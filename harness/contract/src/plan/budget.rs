//! `--budget`: the most of the contract that fits into a time.
//!
//! [`fit`] cuts a plan down to what is estimated to fit. What it leaves out is told by [`Shown`]: which rules, known issues and
//! relations some cells show. Nothing of this is judged by.

mod choose;
mod estimates;

pub use estimates::{Estimates, Measured, Origin, RequestKind, Taken};

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use choose::{Market, Offer, Unit};

use super::{Cell, Plan, PlannedLaunch};
use crate::release::Version;
use crate::scenario::Catalogue;
use crate::scenario::model::Kind;
use base::text::duration;

/// More than this is no budget.
const MOST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a run may take, from its first launch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(Duration);

impl Budget {
    /// The time.
    pub fn time(self) -> Duration {
        self.0
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.parse().ok().map(Duration::try_from_secs_f64);
        let time = match seconds {
            Some(seconds) => seconds.ok(),
            None => text
                .parse::<jiff::SignedDuration>()
                .ok()
                .and_then(|time| Duration::try_from(time).ok()),
        };
        let time = time.ok_or("not a time such as 2m, 90s or 1m30s")?;
        match time {
            Duration::ZERO => Err("must be more than 0 seconds".to_owned()),
            time if time > MOST => Err("more than a week is no budget".to_owned()),
            time => Ok(Self(time)),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration(self.0))
    }
}

/// What some cells show on a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// How many cells.
    pub cells: usize,
    /// Cells by scenario and rule.
    pub rules: BTreeMap<(String, String), usize>,
    /// Known issues that at least one cell has.
    pub issues: BTreeSet<String>,
    /// Relations of which at least one pair is there.
    pub relations: BTreeSet<String>,
}

impl Shown {
    /// By cells that were asked, or would be.
    pub fn by(
        cells: impl IntoIterator<Item = Cell>,
        catalogue: &Catalogue,
        release: &Version,
    ) -> Self {
        let mut shown = Self::default();
        let mut ids = BTreeSet::new();
        for cell in cells {
            shown.cells += 1;
            ids.insert(cell.id());
            shown.issues.extend(issues(catalogue, release, &cell));
            if let Some(rule) = cell.rule(release) {
                let place = (cell.scenario.id.clone(), rule.id.clone());
                *shown.rules.entry(place).or_default() += 1;
            }
        }
        let has = |(one, two): &(String, String)| {
            ids.contains(one.as_str()) && ids.contains(two.as_str())
        };
        let relations = catalogue.relations.iter();
        let relations = relations.filter(|relation| relation.pairs.iter().any(has));
        shown.relations = relations.map(|relation| relation.id.clone()).collect();
        shown
    }

    /// By all cells of a plan that can be asked.
    pub fn of(plan: &Plan, catalogue: &Catalogue) -> Self {
        let cells = plan
            .launches
            .iter()
            .flat_map(|launch| launch.cells.askable());
        Self::by(cells, catalogue, &plan.release)
    }
}

/// Known issues that say something about a cell on a release.
fn issues(catalogue: &Catalogue, release: &Version, cell: &Cell) -> Vec<String> {
    let says = |part: &crate::scenario::Affects| {
        part.scenario == cell.scenario.id && part.holds(release, &cell.combination())
    };
    let issues = catalogue.known_issues.iter();
    let issues = issues.filter(|issue| issue.affects.iter().any(says));
    issues.map(|issue| issue.id.clone()).collect()
}

/// A launch of the whole plan, and what of it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FittedLaunch {
    /// Id of the profile.
    pub profile: String,
    /// Cells that can be asked in it.
    pub of: usize,
    /// Cells that are asked in it; 0 where it is not made.
    pub cells: usize,
    /// What it takes: start, what is asked (or all, where it is not made), stop.
    pub takes: Duration,
    /// Where the estimate of start and stop comes from.
    pub origin: Origin,
}

/// What of a plan fits into a time.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The launches and cells that fit, in the order in which they are made. What cannot be asked of the release is all there.
    pub plan: Plan,
    /// What the whole plan shows.
    pub whole: Shown,
    /// Every launch that needs a gateway: first those that are made, in order.
    pub launches: Vec<FittedLaunch>,
    /// From the first launch to the end of the last.
    pub takes: Duration,
    /// The least that a launch with one request takes, where there is a launch.
    pub least: Option<Duration>,
}

impl Fitted {
    /// The launches that are made.
    pub fn made(&self) -> impl Iterator<Item = &FittedLaunch> {
        self.launches.iter().filter(|launch| launch.cells > 0)
    }

    /// Where the estimates come from: of how many launches from where.
    pub fn origins(&self) -> String {
        counted(self.made().map(|launch| &launch.origin))
    }
}

/// What a whole plan is estimated to take, from its first launch to the end of the last, and where the estimates come from.
pub fn whole(plan: &Plan, estimates: &Estimates) -> (Duration, String) {
    let mut offers = Vec::new();
    let mut origins = Vec::new();
    for launch in &plan.launches {
        let mut cells = launch.cells.askable().peekable();
        if cells.peek().is_none() {
            continue;
        }
        let (start, origin) = estimates.launch(launch, &plan.release);
        let asking = cells.map(|cell| estimates.cell(&cell, &plan.release));
        offers.push(Offer {
            cost: asking.fold(start, u64::saturating_add),
            ..Offer::default()
        });
        origins.push(origin);
    }
    let market = Market {
        offers: &offers,
        rules: 0,
        lanes: estimates.launches,
    };
    let takes = Duration::from_millis(market.choose(u64::MAX).takes);
    (takes, counted(origins.iter()))
}

/// Where estimates come from: of how many launches from where.
fn counted<'a>(origins: impl Iterator<Item = &'a Origin>) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for origin in origins {
        let name = origin.to_string();
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    match counts.as_slice() {
        [] => "data".to_owned(),
        [(name, _)] => name.clone(),
        counts => {
            let counts = counts.iter();
            let counts = counts.map(|(name, count)| format!("{name} ({count})"));
            counts.collect::<Vec<_>>().join("; ")
        }
    }
}

/// Units of a launch: which of its cells are asked together.
struct Units<'a> {
    launch: &'a PlannedLaunch,
    cells: Vec<Vec<usize>>,
}

impl<'a> Units<'a> {
    /// A step of a sequence means nothing without the steps around it; every other cell stands alone.
    fn of(launch: &'a PlannedLaunch) -> Self {
        let mut cells: Vec<Vec<usize>> = Vec::new();
        let mut sequences: HashMap<String, usize> = HashMap::new();
        for (index, planned) in launch.cells.iter().enumerate() {
            if planned.barred.is_some() {
                continue;
            }
            let scenario = &planned.cell.scenario;
            if scenario.kind != Kind::Sequence {
                cells.push(vec![index]);
                continue;
            }
            match sequences.get(scenario.id.as_str()) {
                Some(unit) => cells[*unit].push(index),
                None => {
                    sequences.insert(scenario.id.clone(), cells.len());
                    cells.push(vec![index]);
                }
            }
        }
        Self { launch, cells }
    }
}

/// The most of a plan that is estimated to fit into a time: launches, and cells of them, by what they newly show per second. All
/// of it where all fits.
pub fn fit(plan: &Plan, catalogue: &Catalogue, estimates: &Estimates, time: Duration) -> Fitted {
    let release = &plan.release;
    let whole = Shown::of(plan, catalogue);
    let units: Vec<Units<'_>> = plan.launches.iter().map(Units::of).collect();
    let costs: Vec<(u64, Origin)> = plan
        .launches
        .iter()
        .map(|launch| estimates.launch(launch, release))
        .collect();
    let askable: Vec<usize> = (0..units.len())
        .filter(|launch| !units[*launch].cells.is_empty())
        .collect();
    let marks = Numbers::of(&whole, catalogue);
    let mut offers: Vec<Offer> = Vec::new();
    for launch in &askable {
        let mut places: HashMap<String, usize> = HashMap::new();
        let profile = catalogue.profiles.get(&units[*launch].launch.profile);
        let mode = profile.map_or("", |profile| profile.mode.as_str());
        let mut offer = Offer {
            cost: costs[*launch].0,
            ..Offer::default()
        };
        for cells in &units[*launch].cells {
            let mut unit = Unit::default();
            for index in cells {
                let cell = &units[*launch].launch.cells.get(*index).cell;
                unit.cost = unit.cost.saturating_add(estimates.cell(cell, release));
                places.insert(cell.id(), offer.units.len());
                let rule = cell.rule(release);
                let rule = rule.map(|rule| (cell.scenario.id.clone(), rule.id.clone()));
                if let Some(rule) = rule.and_then(|rule| marks.rules.get(&rule)) {
                    unit.marks.push(*rule);
                    unit.marks.push(marks.under(*rule, mode));
                }
                let issues = issues(catalogue, release, cell);
                let issues = issues.iter().filter_map(|issue| marks.issues.get(issue));
                unit.marks.extend(issues);
            }
            offer.units.push(unit);
        }
        for relation in &catalogue.relations {
            let Some(mark) = marks.relations.get(&relation.id) else {
                continue;
            };
            let pairs = relation.pairs.iter().filter_map(|(one, two)| {
                let place = |id: &String| places.get(id.as_str()).copied();
                Some((*mark, place(one)?, place(two)?))
            });
            offer.pairs.extend(pairs);
        }
        offers.push(offer);
    }
    let market = Market {
        offers: &offers,
        rules: marks.rules.len(),
        lanes: estimates.launches,
    };
    let choice = market.choose(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let mut launches = Vec::new();
    let mut made: Vec<FittedLaunch> = Vec::new();
    let mut left: BTreeSet<usize> = (0..units.len()).collect();
    let mut asked = 0;
    for chosen in &choice.launches {
        let (place, offer) = (askable[chosen.offer], &offers[chosen.offer]);
        let Units { launch, cells } = &units[place];
        let wanted = chosen.units.iter().flat_map(|unit| &cells[*unit]).copied();
        let wanted: Vec<usize> = wanted.collect();
        let takes = chosen.units.iter().map(|unit| offer.units[*unit].cost);
        made.push(fitted(
            launch,
            &costs[place],
            wanted.len(),
            takes.fold(0, u64::saturating_add),
        ));
        asked += wanted.len();
        launches.push(only(launch, &wanted));
        left.remove(&place);
    }
    for place in left {
        let Units { launch, cells } = &units[place];
        if !cells.is_empty() {
            let offer = askable.iter().position(|askable| *askable == place);
            let units = offer.map_or(&[][..], |offer| &offers[offer].units);
            let all = units.iter().map(|unit| unit.cost);
            let all = all.fold(0, u64::saturating_add);
            made.push(fitted(launch, &costs[place], 0, all));
        }
        let rest = only(launch, &[]);
        if !rest.cells.is_empty() {
            launches.push(rest);
        }
    }
    let plan = match asked == whole.cells {
        // Nothing is left out, so nothing is moved either.
        true => plan.clone(),
        false => Plan {
            release: release.clone(),
            launches,
            unselected: plan.unselected,
        },
    };
    Fitted {
        plan,
        whole,
        launches: made,
        takes: Duration::from_millis(choice.takes),
        least: offers.iter().map(least).min(),
    }
}

/// What a launch takes with the one request that takes least.
fn least(offer: &Offer) -> Duration {
    let units = offer.units.iter().map(|unit| unit.cost);
    Duration::from_millis(offer.cost.saturating_add(units.min().unwrap_or(0)))
}

fn fitted(
    launch: &PlannedLaunch,
    (cost, origin): &(u64, Origin),
    cells: usize,
    asking: u64,
) -> FittedLaunch {
    FittedLaunch {
        profile: launch.profile.clone(),
        of: launch.cells.askable().count(),
        cells,
        takes: Duration::from_millis(cost.saturating_add(asking)),
        origin: *origin,
    }
}

/// Of a launch the wanted cells, in that order, and those that cannot be asked.
fn only(launch: &PlannedLaunch, wanted: &[usize]) -> PlannedLaunch {
    let barred = launch.cells.iter();
    let barred = barred.filter(|planned| planned.barred.is_some());
    let wanted = wanted.iter().map(|index| launch.cells.get(*index));
    PlannedLaunch {
        profile: launch.profile.clone(),
        cells: wanted.chain(barred).collect(),
    }
}

/// A number for each thing that can be shown; rules come first.
struct Numbers<'a> {
    rules: HashMap<&'a (String, String), usize>,
    issues: HashMap<&'a String, usize>,
    relations: HashMap<&'a String, usize>,
    modes: Vec<&'a str>,
}

impl<'a> Numbers<'a> {
    fn of(whole: &'a Shown, catalogue: &'a Catalogue) -> Self {
        let modes = catalogue.profiles.values();
        let modes: BTreeSet<&str> = modes.map(|profile| profile.mode.as_str()).collect();
        let mut number = 0..;
        let rules = whole.rules.keys().zip(&mut number).collect();
        let issues = whole.issues.iter().zip(&mut number).collect();
        let relations = whole.relations.iter().zip(&mut number).collect();
        Self {
            rules,
            issues,
            relations,
            modes: modes.into_iter().collect(),
        }
    }

    /// A rule under an auth mode, which is another thing than the rule.
    fn under(&self, rule: usize, mode: &str) -> usize {
        let first = self.rules.len() + self.issues.len() + self.relations.len();
        let place = self.modes.iter().position(|known| *known == mode);
        first + rule * self.modes.len() + place.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
