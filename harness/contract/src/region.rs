//! Regions: the smallest description of a set of cells by conditions on their axes.
//!
//! A [`Region`] accepts a set of values on each axis. The regions of [`minimize_conditions`] together hold exactly the given
//! cells and no two of them overlap. Used for causes (which cells deviate), for comparisons and surveys, for the written
//! contract, and for the decision table's errors (which cells no rule covers).

use std::collections::{BTreeMap, BTreeSet};

/// A combination: value index by axis.
pub type Combination = Vec<u16>;

/// Conditions by name: axes, each with the ids of the values that it accepts. No condition means every cell.
pub type Conditions = Vec<(String, Vec<String>)>;

/// What calls axes and values by name, by their positions.
pub trait Axes {
    /// Name of an axis.
    fn axis(&self, axis: usize) -> &str;
    /// Id of a value.
    fn value(&self, axis: usize, value: u16) -> &str;
}

/// Cells that a few conditions select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The conditions that matter, by axis position: a cell of the universe is in the region exactly if it meets them all.
    pub conditions: Vec<(usize, Vec<u16>)>,
    /// The cells in the region, sorted.
    pub cells: Vec<Combination>,
}

impl Region {
    /// The conditions by name.
    pub fn named(&self, axes: &impl Axes) -> Conditions {
        let conditions = self.conditions.iter().map(|(axis, values)| {
            let ids = values
                .iter()
                .map(|value| axes.value(*axis, *value).to_owned());
            (axes.axis(*axis).to_owned(), ids.collect())
        });
        conditions.collect()
    }

    /// The same region without conditions on axes that are said elsewhere.
    #[must_use]
    pub fn without(mut self, axes: &[usize]) -> Self {
        self.conditions.retain(|(axis, _)| !axes.contains(axis));
        self
    }
}

type Sides = Vec<BTreeSet<u16>>;

/// Describes `cells`, all of which are in `universe`, by few regions.
///
/// Boxes are merged axis by axis for each order of the axes (all orders up to four axes, the rotations beyond), and the
/// order that needs the fewest boxes and then the fewest conditions wins; ties go to the first order, so the result is
/// the same for the same input. Conditions that the universe makes superfluous are dropped.
pub fn minimize_conditions(cells: &[Combination], universe: &[Combination]) -> Vec<Region> {
    let Some(axes) = cells.first().map(Vec::len) else {
        return Vec::new();
    };
    let start: BTreeSet<Sides> = cells
        .iter()
        .map(|cell| cell.iter().map(|value| BTreeSet::from([*value])).collect())
        .collect();
    let mut best: Option<(usize, usize, Vec<Region>)> = None;
    for order in orders(axes) {
        let boxes = merge_along(start.clone(), &order);
        if best
            .as_ref()
            .is_some_and(|(count, _, _)| boxes.len() > *count)
        {
            continue;
        }
        let regions: Vec<Region> = boxes
            .iter()
            .map(|sides| describe(sides, cells, universe))
            .collect();
        let conditions = regions
            .iter()
            .flat_map(|region| &region.conditions)
            .map(|(_, values)| 1 + values.len())
            .sum::<usize>();
        if best
            .as_ref()
            .is_none_or(|(count, size, _)| (regions.len(), conditions) < (*count, *size))
        {
            best = Some((regions.len(), conditions, regions));
        }
    }
    let mut regions = best.map(|(_, _, regions)| regions).unwrap_or_default();
    regions.sort_by(|a, b| a.cells.cmp(&b.cells));
    regions
}

/// Merges boxes that differ on one axis only, axis by axis, until nothing merges any more.
fn merge_along(mut boxes: BTreeSet<Sides>, order: &[usize]) -> BTreeSet<Sides> {
    loop {
        let before = boxes.len();
        for axis in order {
            let mut merged: BTreeMap<Sides, BTreeSet<u16>> = BTreeMap::new();
            for mut sides in boxes {
                let side = std::mem::take(&mut sides[*axis]);
                merged.entry(sides).or_default().extend(side);
            }
            boxes = merged
                .into_iter()
                .map(|(mut sides, side)| {
                    sides[*axis] = side;
                    sides
                })
                .collect();
        }
        if boxes.len() == before {
            return boxes;
        }
    }
}

/// Turns a box into a region, dropping conditions that every cell of the universe in reach meets anyway.
fn describe(sides: &Sides, cells: &[Combination], universe: &[Combination]) -> Region {
    let inside = |cell: &Combination, skip: &BTreeSet<usize>| {
        cell.iter()
            .enumerate()
            .all(|(axis, value)| skip.contains(&axis) || sides[axis].contains(value))
    };
    let none = BTreeSet::new();
    let mut own: Vec<Combination> = cells
        .iter()
        .filter(|cell| inside(cell, &none))
        .cloned()
        .collect();
    own.sort();
    own.dedup();
    let mut dropped = BTreeSet::new();
    for axis in (0..sides.len()).rev() {
        dropped.insert(axis);
        if universe
            .iter()
            .filter(|cell| inside(cell, &dropped))
            .count()
            != own.len()
        {
            dropped.remove(&axis);
        }
    }
    let conditions = sides
        .iter()
        .enumerate()
        .filter(|(axis, _)| !dropped.contains(axis))
        .map(|(axis, side)| (axis, side.iter().copied().collect()))
        .collect();
    Region {
        conditions,
        cells: own,
    }
}

/// The orders of the axes to try.
fn orders(axes: usize) -> Vec<Vec<usize>> {
    let straight: Vec<usize> = (0..axes).collect();
    if axes > 4 {
        return (0..axes)
            .map(|shift| {
                let mut order = straight.clone();
                order.rotate_left(shift);
                order
            })
            .collect();
    }
    let mut orders = vec![Vec::new()];
    for _ in 0..axes {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                straight
                    .iter()
                    .filter(|axis| !order.contains(axis))
                    .map(|axis| [&order[..], &[*axis]].concat())
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(sizes: &[u16]) -> Vec<Combination> {
        sizes.iter().fold(vec![vec![]], |rows, size| {
            rows.iter()
                .flat_map(|row| {
                    (0..*size)
                        .map(|value| [&row[..], &[value]].concat())
                        .collect::<Vec<_>>()
                })
                .collect()
        })
    }

    #[test]
    fn one_plane_is_one_condition() {
        let universe = grid(&[4, 5, 6]);
        let cells: Vec<_> = universe
            .iter()
            .filter(|cell| cell[1] == 3)
            .cloned()
            .collect();
        let regions = minimize_conditions(&cells, &universe);
        assert_eq!(regions.len(), 1);
        assert_eq!(regions[0].conditions, vec![(1, vec![3])]);
        assert_eq!(regions[0].cells.len(), 24);
    }

    #[test]
    fn everything_needs_no_condition() {
        let universe = grid(&[2, 3]);
        assert_eq!(
            minimize_conditions(&universe, &universe)[0].conditions,
            vec![]
        );
    }

    proptest! {
        /// Whatever the cells, the boxes hold exactly them, and each condition list selects exactly its own cells.
        #[test]
        fn folds_are_exact(picks in prop::collection::vec(any::<bool>(), 60), holes in prop::collection::vec(any::<bool>(), 60)) {
            let universe: Vec<_> = grid(&[3, 4, 5]).into_iter().zip(holes).filter(|(_, hole)| !hole).map(|(cell, _)| cell).collect();
            let cells: Vec<_> = universe.iter().zip(picks).filter(|(_, pick)| *pick).map(|(cell, _)| cell.clone()).collect();
            let regions = minimize_conditions(&cells, &universe);
            let mut seen: Vec<_> = regions.iter().flat_map(|region| region.cells.clone()).collect();
            seen.sort();
            let mut wanted = cells.clone();
            wanted.sort();
            prop_assert_eq!(seen, wanted);
            for region in &regions {
                let mut selected: Vec<_> = universe.iter().filter(|cell| region.conditions.iter().all(|(axis, values)| values.contains(&cell[*axis]))).cloned().collect();
                selected.sort();
                prop_assert_eq!(&selected, &region.cells);
            }
        }

        /// The order in which the cells come does not matter.
        #[test]
        fn folds_are_deterministic(picks in prop::collection::vec(any::<bool>(), 24)) {
            let universe = grid(&[2, 3, 4]);
            let cells: Vec<_> = universe.iter().zip(picks).filter(|(_, pick)| *pick).map(|(cell, _)| cell.clone()).collect();
            let reversed: Vec<_> = cells.iter().rev().cloned().collect();
            prop_assert_eq!(minimize_conditions(&cells, &universe), minimize_conditions(&reversed, &universe));
        }
    }
}
