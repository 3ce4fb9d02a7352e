//! Sets of numbers, each kept once and written as runs.

use indexmap::IndexSet;
use std::collections::BTreeSet;

/// A set of numbers as runs: the first and the last of each.
pub type Runs = Vec<(u32, u32)>;

/// Distinct sets, by the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Sets(IndexSet<Runs>);

impl Sets {
    /// The position of a set; an empty one has none.
    pub fn put(&mut self, set: &BTreeSet<u32>) -> Option<usize> {
        match set.is_empty() {
            true => None,
            false => Some(self.0.insert_full(runs(set)).0),
        }
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Runs> {
        self.0.into_iter().collect()
    }
}

fn runs(set: &BTreeSet<u32>) -> Runs {
    let mut runs = Runs::new();
    for number in set {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    runs
}

/// How many numbers there are in runs.
pub(super) fn count(runs: &Runs) -> usize {
    let sizes = runs.iter().map(|(first, last)| (last - first) as usize + 1);
    sizes.sum()
}
