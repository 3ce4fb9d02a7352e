//! What changed from one release to another, as the fewest groups of cells that describe it.

use std::collections::{BTreeMap, BTreeSet};

use super::mark::Mark;
use super::table::Table;
use contract::region::{Combination, Conditions, minimize_conditions};
use record::region::Places;

/// Cells of a scenario that all changed in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Place of the scenario.
    pub scenario: usize,
    /// Values by axis that select exactly its cells among those that both releases were asked; no axis means all of them.
    pub conditions: Conditions,
    /// How many cells.
    pub cells: usize,
    /// Place of a row that some of them are in.
    pub row: usize,
    /// What is said of them before; which known issue says so is in `issues`.
    pub before: Mark,
    /// What is said of them after; which known issue says so is in `issues`.
    pub after: Mark,
    /// The known issues that explain some of them before or after.
    pub issues: Vec<String>,
}

impl Change {
    /// How severe it is: whom it lets in wrongly first, then whom it keeps out, then what fixes or only differs.
    fn weight(&self) -> (bool, bool) {
        (self.after.look.is_sound(), self.before.look.is_sound())
    }
}

/// What changed from one release to another, by their places; what could not be asked on either says nothing.
pub fn changes(table: &Table, before: usize, after: usize) -> Vec<Change> {
    let mut found = Vec::new();
    for (place, scenario) in table.scenarios.iter().enumerate() {
        let places = Places::of(scenario);
        let mut universe: Vec<Combination> = Vec::new();
        let mut groups: BTreeMap<(Mark, Mark), Vec<(usize, Combination)>> = BTreeMap::new();
        for (number, row) in table.rows.iter().enumerate() {
            let mark = |release: usize| row.marks.get(release).and_then(Option::as_ref);
            let (true, Some(old), Some(new)) = (row.scenario == place, mark(before), mark(after))
            else {
                continue;
            };
            if old.look.is_silent() || new.look.is_silent() {
                continue;
            }
            let cells = row.cells.iter().map(|id| places.combination(id));
            let cells: Vec<Combination> = cells.collect();
            universe.extend(cells.iter().cloned());
            // Several issues may have broken the same thing: to a caller that is one change.
            let (old, new) = (seen(old), seen(new));
            if old != new {
                let group = groups.entry((old, new)).or_default();
                group.extend(cells.into_iter().map(|cell| (number, cell)));
            }
        }
        for ((old, new), cells) in groups {
            let combinations: Vec<Combination> =
                cells.iter().map(|(_, cell)| cell.clone()).collect();
            for region in minimize_conditions(&combinations, &universe) {
                let own = cells.iter().filter(|(_, cell)| region.cells.contains(cell));
                let rows: BTreeSet<usize> = own.map(|(row, _)| *row).collect();
                let marks = rows.iter().flat_map(|row| {
                    let marks = &table.rows[*row].marks;
                    [marks.get(before), marks.get(after)]
                });
                let issues: BTreeSet<String> = marks
                    .flatten()
                    .flatten()
                    .filter_map(|mark| mark.issue.clone())
                    .collect();
                found.push(Change {
                    scenario: place,
                    conditions: region.named(scenario),
                    cells: region.cells.len(),
                    row: rows.first().copied().unwrap_or_default(),
                    before: old.clone(),
                    after: new.clone(),
                    issues: issues.into_iter().collect(),
                });
            }
        }
    }
    found.sort_by_key(|change| (change.weight(), change.after.look, change.scenario));
    found
}

/// What was seen, whoever says so.
fn seen(mark: &Mark) -> Mark {
    Mark {
        issue: None,
        reason: None,
        ..mark.clone()
    }
}
