//! What changed from one release to another, as the fewest groups of cells that describe it.

use std::collections::BTreeMap;

use super::mark::Mark;
use super::table::Table;
use crate::fold::{Combination, fold};

/// Cells of a scenario that all changed in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Place of the scenario.
    pub scenario: usize,
    /// Values by axis that select exactly its cells among those that both releases were asked; no axis means all of them.
    pub conditions: Vec<(String, Vec<String>)>,
    /// How many cells.
    pub cells: usize,
    /// Place of a row that some of them are in.
    pub row: usize,
    /// What is said of them before.
    pub before: Mark,
    /// What is said of them after.
    pub after: Mark,
}

impl Change {
    /// How grave it is: whom it lets in wrongly first, then whom it keeps out, then what mends or only differs.
    fn weight(&self) -> (bool, bool) {
        (self.after.look.is_sound(), self.before.look.is_sound())
    }
}

/// What changed from one release to another, by their places; what could not be asked on either says nothing.
pub fn changes(table: &Table, before: usize, after: usize) -> Vec<Change> {
    let mut found = Vec::new();
    for (place, scenario) in table.scenarios.iter().enumerate() {
        let mut universe: Vec<Combination> = Vec::new();
        let mut groups: BTreeMap<(&Mark, &Mark), Vec<(usize, Combination)>> = BTreeMap::new();
        for (number, row) in table.rows.iter().enumerate() {
            let mark = |release: usize| row.marks.get(release).and_then(Option::as_ref);
            let (true, Some(old), Some(new)) = (row.scenario == place, mark(before), mark(after))
            else {
                continue;
            };
            if old.look.is_silent() || new.look.is_silent() {
                continue;
            }
            let cells = row.cells.iter().map(|id| Table::combination(scenario, id));
            let cells: Vec<Combination> = cells.collect();
            universe.extend(cells.iter().cloned());
            if old != new {
                let group = groups.entry((old, new)).or_default();
                group.extend(cells.into_iter().map(|cell| (number, cell)));
            }
        }
        for ((old, new), cells) in groups {
            let combinations: Vec<Combination> =
                cells.iter().map(|(_, cell)| cell.clone()).collect();
            for group in fold(&combinations, &universe) {
                let row = cells.iter().find(|(_, cell)| group.cells.contains(cell));
                found.push(Change {
                    scenario: place,
                    conditions: Table::named(scenario, &group.conditions),
                    cells: group.cells.len(),
                    row: row.map_or(0, |(row, _)| *row),
                    before: old.clone(),
                    after: new.clone(),
                });
            }
        }
    }
    found.sort_by_key(|change| (change.weight(), change.after.look, change.scenario));
    found
}
