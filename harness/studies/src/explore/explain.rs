//! What cells that are wrong have in common: the few settings that set them apart from those that are right.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

/// No explanation is longer than this: more settings at once are no explanation but the cell itself.
const MOST: usize = 3;
/// A right cell with the same settings counts against an explanation as so many wrong cells count for it.
const EXCEPTION: usize = 4;
/// Of so many wrong cells the settings are looked at before the best are taken.
const SEEDS: usize = 24;

/// Settings of a cell: its profile, the values of its launch's options, its value on each axis, each as `name=value`.
pub(super) type Settings = BTreeSet<String>;

/// Cells that a few settings explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Explained {
    /// The settings.
    pub by: Settings,
    /// The cells, by their place among the wrong ones.
    pub cells: Vec<usize>,
    /// How many right cells have these settings, too.
    pub exceptions: usize,
}

/// Explains all wrong cells, the explanation with the most cells first.
///
/// That explanation is best by which the most wrong cells are told from the right ones; of several the one with the fewest
/// settings, and of these the one with the fewest that `plain` holds, since what is odd about a cell explains more.
pub(super) fn explain(
    wrong: &[&Settings],
    right: &[&Settings],
    plain: &Settings,
) -> Vec<Explained> {
    let (of_wrong, of_right) = (places(wrong), places(right));
    let all = everything(right.len());
    let exceptions = |by: &[&String]| matching(&of_right, by, all.clone()).count_ones(..);
    let mut left = everything(wrong.len());
    let mut found = Vec::new();
    while !left.is_clear() {
        let mut best: Option<(Score, Vec<&String>)> = None;
        let step = (left.count_ones(..) / SEEDS).max(1);
        for seed in left.ones().step_by(step) {
            let own: Vec<&String> = wrong[seed].iter().collect();
            for by in (0..=MOST).flat_map(|size| subsets(&own, size)) {
                let cells = matching(&of_wrong, &by, left.clone()).count_ones(..);
                let odd = by.iter().filter(|one| !plain.contains(**one)).count();
                let gain = i64::try_from(cells).unwrap_or(i64::MAX)
                    - i64::try_from(EXCEPTION * exceptions(&by)).unwrap_or(i64::MAX);
                let score = Score(gain, std::cmp::Reverse(by.len()), odd);
                if gain > 0 && best.as_ref().is_none_or(|(most, _)| score > *most) {
                    best = Some((score, by));
                }
            }
        }
        let first = left.ones().next().unwrap_or_default();
        let by = best.map_or_else(|| wrong[first].iter().collect(), |(_, by)| by);
        let cells = matching(&of_wrong, &by, left.clone());
        found.push(Explained {
            exceptions: exceptions(&by),
            by: by.into_iter().cloned().collect(),
            cells: cells.ones().collect(),
        });
        left.difference_with(&cells);
    }
    found.sort_by(|a, b| {
        let size = |one: &Explained| (std::cmp::Reverse(one.cells.len()), one.by.len());
        (size(a), &a.by).cmp(&(size(b), &b.by))
    });
    found
}

/// How many more wrong cells than right ones, how few settings, how many of them odd.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Score(i64, std::cmp::Reverse<usize>, usize);

/// So many cells, all of them.
fn everything(cells: usize) -> FixedBitSet {
    let mut all = FixedBitSet::with_capacity(cells);
    all.insert_range(..);
    all
}

/// The cells that have a setting, by the setting.
fn places<'a>(cells: &[&'a Settings]) -> BTreeMap<&'a str, FixedBitSet> {
    let mut places: BTreeMap<&str, FixedBitSet> = BTreeMap::new();
    for (place, settings) in cells.iter().enumerate() {
        for setting in *settings {
            let none = || FixedBitSet::with_capacity(cells.len());
            places.entry(setting).or_insert_with(none).insert(place);
        }
    }
    places
}

/// Those of `cells` that have all these settings.
fn matching(
    places: &BTreeMap<&str, FixedBitSet>,
    by: &[&String],
    mut cells: FixedBitSet,
) -> FixedBitSet {
    for setting in by {
        match places.get(setting.as_str()) {
            Some(having) => cells.intersect_with(having),
            None => cells.clear(),
        }
    }
    cells
}

/// All subsets of a size.
fn subsets<'a>(of: &[&'a String], size: usize) -> Vec<Vec<&'a String>> {
    match (size, of.split_first()) {
        (0, _) => vec![Vec::new()],
        (_, None) => Vec::new(),
        (_, Some((first, rest))) => {
            let mut with = subsets(rest, size - 1);
            for subset in &mut with {
                subset.insert(0, *first);
            }
            with.extend(subsets(rest, size));
            with
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        text.split(' ').map(str::to_owned).collect()
    }

    fn explained(wrong: &[&str], right: &[&str]) -> Vec<(String, usize, usize)> {
        let (wrong, right): (Vec<Settings>, Vec<Settings>) = (
            wrong.iter().map(|text| settings(text)).collect(),
            right.iter().map(|text| settings(text)).collect(),
        );
        let plain = settings("plain=yes");
        let found = explain(
            &wrong.iter().collect::<Vec<_>>(),
            &right.iter().collect::<Vec<_>>(),
            &plain,
        );
        let told = found.into_iter().map(|one| {
            let by: Vec<String> = one.by.into_iter().collect();
            (by.join(" "), one.cells.len(), one.exceptions)
        });
        told.collect()
    }

    #[test]
    fn the_fewest_settings_that_no_right_cell_has() {
        let wrong = [
            "a=1 b=1 plain=yes",
            "a=1 b=2 plain=yes",
            "a=2 b=3 plain=yes",
        ];
        let right = ["a=2 b=1 plain=yes", "a=2 b=2 plain=yes"];
        assert_eq!(
            explained(&wrong, &right),
            [("a=1".to_owned(), 2, 0), ("b=3".to_owned(), 1, 0)]
        );
    }

    #[test]
    fn settings_that_only_count_together() {
        let wrong = ["a=1 b=1 c=1", "a=1 b=1 c=2"];
        let right = ["a=1 b=2 c=1", "a=2 b=1 c=2"];
        assert_eq!(explained(&wrong, &right), [("a=1 b=1".to_owned(), 2, 0)]);
    }

    #[test]
    fn where_all_are_wrong_nothing_needs_to_be_said() {
        assert_eq!(
            explained(&["a=1 b=1", "a=2 b=2"], &[]),
            [(String::new(), 2, 0)]
        );
    }

    #[test]
    fn what_is_plain_explains_last() {
        let found = explained(&["a=9 plain=yes"], &["a=1 other=yes"]);
        assert_eq!(found, [("a=9".to_owned(), 1, 0)]);
        let found = explained(&["a=1 plain=yes"], &["a=1 other=yes"]);
        assert_eq!(found, [("plain=yes".to_owned(), 1, 0)]);
    }

    #[test]
    fn a_few_exceptions_are_told() {
        let wrong = [
            "a=1 b=1", "a=1 b=2", "a=1 b=3", "a=1 b=4", "a=1 b=5", "a=1 b=6",
        ];
        let right = [
            "a=1 b=9", "a=2 b=1", "a=2 b=2", "a=2 b=3", "a=2 b=4", "a=2 b=5", "a=2 b=6",
        ];
        assert_eq!(explained(&wrong, &right), [("a=1".to_owned(), 6, 1)]);
    }

    #[test]
    fn a_wrong_cell_like_a_right_one_is_told_as_it_is() {
        let found = explained(&["a=1 b=1"], &["a=1 b=1"]);
        assert_eq!(found, [("a=1 b=1".to_owned(), 1, 1)]);
    }
}
