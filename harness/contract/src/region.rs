//! Regions: the smallest description of a set of cells by conditions on their axes.
//!
//! A [`Region`] accepts a set of values on each axis. The regions of [`minimize_conditions`] together hold exactly the given
//! cells and no two of them overlap. Used for causes (which cells deviate), for comparisons and surveys, for the written
//! contract, and for the decision table's errors (which cells no rule covers).

use std::collections::BTreeSet;

use indexmap::IndexSet;

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

/// Describes `cells`, all of which are in `universe`, by few regions.
///
/// Boxes are merged axis by axis for each order of the axes (all orders up to four axes, the rotations beyond), and the
/// order that needs the fewest boxes and then the fewest conditions wins; ties go to the first order, so the result is
/// the same for the same input. Conditions that the universe makes superfluous are dropped.
pub fn minimize_conditions(cells: &[Combination], universe: &[Combination]) -> Vec<Region> {
    minimize_among(cells, universe.iter().map(Vec::as_slice))
}

/// As [`minimize_conditions`], of a universe that need not be a list.
pub fn minimize_among<'a>(
    cells: &[Combination],
    universe: impl Iterator<Item = &'a [u16]> + Clone,
) -> Vec<Region> {
    let Some(axes) = cells.first().map(Vec::len) else {
        return Vec::new();
    };
    if axes == 0 {
        return vec![describe(&[], cells, universe)];
    }
    let mut sides = Sides::default();
    let single = |value: &u16| sides.number(BTreeSet::from([*value]));
    let start: Vec<usize> = cells.iter().flatten().map(single).collect();
    let mut best: Option<(usize, usize, Vec<Region>)> = None;
    for order in orders(axes) {
        let boxes = merge_along(start.clone(), &order, &mut sides);
        let count = boxes.len() / axes;
        if best.as_ref().is_some_and(|(least, _, _)| count > *least) {
            continue;
        }
        let regions: Vec<Region> = boxes
            .chunks_exact(axes)
            .map(|numbers| {
                let of = |number: &usize| &sides.0[*number];
                let sides: Vec<&BTreeSet<u16>> = numbers.iter().map(of).collect();
                describe(&sides, cells, universe.clone())
            })
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

/// Sets of values, each with a number: a box is a number for each axis, and boxes follow each other in one list.
#[derive(Default)]
struct Sides(IndexSet<BTreeSet<u16>>);

impl Sides {
    fn number(&mut self, side: BTreeSet<u16>) -> usize {
        self.0.insert_full(side).0
    }
}

/// Merges boxes that differ on one axis only, axis by axis, until nothing merges any more.
fn merge_along(mut boxes: Vec<usize>, order: &[usize], sides: &mut Sides) -> Vec<usize> {
    let axes = order.len();
    loop {
        let before = boxes.len();
        for axis in order {
            let mut rows: Vec<&[usize]> = boxes.chunks_exact(axes).collect();
            rows.sort_unstable_by(|a, b| {
                (&a[..*axis], &a[axis + 1..]).cmp(&(&b[..*axis], &b[axis + 1..]))
            });
            let mut merged = Vec::with_capacity(boxes.len());
            for same in
                rows.chunk_by(|a, b| a[..*axis] == b[..*axis] && a[axis + 1..] == b[axis + 1..])
            {
                let start = merged.len();
                merged.extend_from_slice(same[0]);
                if same.len() > 1 {
                    let values = same.iter().flat_map(|row| &sides.0[row[*axis]]);
                    let values = values.copied().collect();
                    merged[start + axis] = sides.number(values);
                }
            }
            boxes = merged;
        }
        if boxes.len() == before {
            return boxes;
        }
    }
}

/// Turns a box into a region, dropping conditions that every cell of the universe in reach meets anyway.
fn describe<'a>(
    sides: &[&BTreeSet<u16>],
    cells: &[Combination],
    universe: impl Iterator<Item = &'a [u16]> + Clone,
) -> Region {
    // By value: a matrix of a million is gone through several times.
    let accepts: Vec<Vec<bool>> = sides
        .iter()
        .map(|side| {
            let end = side.last().map_or(0, |last| usize::from(*last) + 1);
            let mut accepts = vec![false; end];
            side.iter()
                .for_each(|value| accepts[usize::from(*value)] = true);
            accepts
        })
        .collect();
    let inside = |cell: &[u16], skip: &BTreeSet<usize>| {
        cell.iter().enumerate().all(|(axis, value)| {
            let accepted = accepts[axis].get(usize::from(*value));
            accepted.copied().unwrap_or(false) || skip.contains(&axis)
        })
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
        let reach = universe.clone().filter(|cell| inside(cell, &dropped));
        if reach.count() != own.len() {
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
