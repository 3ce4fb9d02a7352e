//! What a client developer asks: which request gets in, by route and auth mode, since which release until which.

use std::fmt;

use super::Table;
use super::spans::{Span, spans};
use super::table::Row;
use contract::region::{Combination, Conditions, minimize_conditions};
use contract::release::Version;
use contract::scenario::model::PROFILE_AXIS;
use record::ScenarioRecord;
use record::region::Places;

/// The axis that names the routes.
const ROUTES: &str = "endpoint";

/// Who gets in at a route under an auth mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Id of the scenario.
    pub scenario: String,
    /// Ids of the routes: those of which the same is to be said under every mode.
    pub routes: Vec<String>,
    /// By auth mode, in the order of the scenario.
    pub modes: Vec<(String, Vec<Span<Entry>>)>,
}

/// Who gets in on a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The least that a request must carry, as titles of values; none where nobody gets in.
    pub send: Option<Vec<String>>,
    /// Everybody who gets in: alternatives of values by axis. No axis means everybody.
    pub who: Vec<Conditions>,
    /// Where that is not as the contract says; none where it is on all of the span's releases.
    pub wrong: Option<Wrong>,
}

/// On which releases of a span it is not as the contract says who gets in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// On all of them.
    Throughout,
    /// On some of them, in words: `until 2026.6.1`.
    When(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not as the contract says")?;
        match self {
            Self::Throughout => Ok(()),
            Self::When(when) => write!(f, " {when}"),
        }
    }
}

/// For each scenario that asks several routes under several modes.
pub fn access(table: &Table) -> Vec<Access> {
    let mut found = Vec::new();
    for (place, scenario) in table.scenarios.iter().enumerate() {
        let axis = |name: &str| scenario.axes.iter().position(|axis| axis.name == name);
        if let (Some(routes), Some(modes)) = (axis(ROUTES), axis(PROFILE_AXIS)) {
            let rows: Vec<&Row> = table
                .rows
                .iter()
                .filter(|row| row.scenario == place)
                .collect();
            found.extend(of_scenario(table, scenario, &rows, routes, modes));
        }
    }
    found
}

/// A cell: its values, and its row.
type Cell<'a> = (Combination, &'a Row);

fn of_scenario(
    table: &Table,
    scenario: &ScenarioRecord,
    rows: &[&Row],
    routes: usize,
    modes: usize,
) -> Vec<Access> {
    let places = Places::of(scenario);
    let cells: Vec<Cell<'_>> = rows
        .iter()
        .flat_map(|row| row.cells.iter().map(|id| (places.combination(id), *row)))
        .collect();
    let value = |axis: usize, place: usize| scenario.axes[axis].values[place].id.clone();
    let mut found: Vec<Access> = Vec::new();
    for route in 0..scenario.axes[routes].values.len() {
        let here = |cell: &&Cell<'_>| usize::from(cell.0[routes]) == route;
        let here: Vec<&Cell<'_>> = cells.iter().filter(here).collect();
        if here.is_empty() {
            continue;
        }
        let by_mode = (0..scenario.axes[modes].values.len()).map(|mode| {
            let own = here
                .iter()
                .filter(|cell| usize::from(cell.0[modes]) == mode);
            let own: Vec<&Cell<'_>> = own.copied().collect();
            let entries = table.releases.iter().enumerate().map(|(place, release)| {
                let entry = entry(scenario, &own, place, &[routes, modes]);
                (release.version.clone(), entry)
            });
            let entries: Vec<_> = entries.collect();
            (value(modes, mode), whole(&entries))
        });
        let by_mode: Vec<_> = by_mode.filter(|(_, spans)| !spans.is_empty()).collect();
        match found.iter_mut().find(|access| access.modes == by_mode) {
            Some(same) => same.routes.push(value(routes, route)),
            None => found.push(Access {
                scenario: scenario.id.clone(),
                routes: vec![value(routes, route)],
                modes: by_mode,
            }),
        }
    }
    found
}

/// The spans in which the same get in, whether or not the contract says so.
fn whole(entries: &[(Version, Option<(Entry, bool)>)]) -> Vec<Span<Entry>> {
    let alike: Vec<(Version, Option<Entry>)> = entries
        .iter()
        .map(|(version, entry)| {
            let entry = entry.as_ref().map(|(entry, _)| entry.clone());
            (version.clone(), entry)
        })
        .collect();
    let mut spans = spans(&alike);
    for span in &mut spans {
        span.seen.wrong = wrong(span, entries);
    }
    spans
}

/// Where a span is not as the contract says.
fn wrong(span: &Span<Entry>, entries: &[(Version, Option<(Entry, bool)>)]) -> Option<Wrong> {
    let inside = entries.iter().filter(|(version, _)| {
        let line = version.line() == span.first.line();
        line && span.first <= *version && *version <= span.last
    });
    let inside: Vec<(Version, Option<bool>)> = inside
        .map(|(version, entry)| (version.clone(), entry.as_ref().map(|(_, sound)| *sound)))
        .collect();
    let parts = spans(&inside);
    let wrong: Vec<String> = parts
        .iter()
        .filter(|part| !part.seen)
        .map(Span::when)
        .collect();
    match (wrong.is_empty(), parts.len()) {
        (true, _) => None,
        (false, 1) => Some(Wrong::Throughout),
        (false, _) => Some(Wrong::When(wrong.join(", "))),
    }
}

/// Who gets in on a release, and whether that is as the contract says; `None` where it cannot be told of every cell.
fn entry(
    scenario: &ScenarioRecord,
    cells: &[&Cell<'_>],
    release: usize,
    fixed: &[usize],
) -> Option<(Entry, bool)> {
    let (mut universe, mut allowed, mut sound) = (Vec::new(), Vec::new(), true);
    for (combination, row) in cells {
        let mark = row.marks.get(release)?.as_ref()?;
        if mark.look.is_silent() {
            return None;
        }
        sound &= mark.look.is_sound();
        universe.push(combination.clone());
        if mark.let_in {
            allowed.push(combination.clone());
        }
    }
    if universe.is_empty() {
        return None;
    }
    let free: Vec<usize> = (0..scenario.axes.len())
        .filter(|axis| !fixed.contains(axis))
        .collect();
    let who = minimize_conditions(&allowed, &universe).into_iter();
    let who = who.map(|region| region.without(fixed).named(scenario));
    let entry = Entry {
        send: least(scenario, &allowed, &free),
        who: who.collect(),
        wrong: None,
    };
    Some((entry, sound))
}

/// The least that gets in: as much as possible of it absent, and what the scenario names first of the rest.
fn least(
    scenario: &ScenarioRecord,
    allowed: &[Combination],
    free: &[usize],
) -> Option<Vec<String>> {
    let absent = |axis: usize, value: u16| {
        scenario.axes[axis]
            .values
            .get(usize::from(value))
            .is_some_and(|value| value.id == "absent")
    };
    let effort = |cell: &&Combination| {
        let present = free
            .iter()
            .filter(|axis| !absent(**axis, cell[**axis]))
            .count();
        let values: Vec<u16> = free.iter().map(|axis| cell[*axis]).collect();
        (present, values)
    };
    let easiest = allowed.iter().min_by_key(effort)?;
    let words = free.iter().filter_map(|axis| {
        let value = scenario.axes[*axis]
            .values
            .get(usize::from(easiest[*axis]))?;
        (!absent(*axis, easiest[*axis])).then(|| {
            let title = if value.title.is_empty() {
                &value.id
            } else {
                &value.title
            };
            format!("{}: {title}", scenario.axes[*axis].name)
        })
    });
    Some(words.collect())
}
