//! What cannot be compared, and what is wrong on both sides alike: counted by reason, never dropped.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::cells::{Cell, CellPair, Cells, Conformance, Seen, Texts};
use super::model::{Gap, SideGap, Unchanged};
use contract::cell_id::CellId;
use record::judge::Deviation;

/// At most so many reasons are told apart.
const MOST_REASONS: usize = 200;
/// What stands for the reasons beyond.
const OTHER_REASONS: &str = "other reasons";

/// What became of a cell on one side, and why.
type State = (SideGap, Option<String>);

/// What became of cells on A and on B, and their profile.
type Key = (State, State, String);

/// How many cells of each scenario, and one of them.
type Group = (BTreeMap<String, usize>, String);

/// Counts the cells that were not answered on both sides, by what became of them.
#[derive(Debug, Default)]
pub(super) struct GapTally {
    gaps: BTreeMap<Key, Group>,
}

impl GapTally {
    /// Takes in what is kept of the cells of both sides.
    pub(super) fn add_all(&mut self, a: &Cells<'_>, b: &Cells<'_>, texts: &Texts) {
        let missing = || (SideGap::NotAsked, None);
        for (id, on_a) in &a.cells {
            match (on_a, b.cells.get(id)) {
                (on_a @ Cell::Answered(_), Some(on_b @ Cell::Answered(_))) => {
                    if CellPair::of(on_a, on_b).is_none() {
                        let otherwise = || (SideGap::AskedOtherwise, None);
                        self.add(id, otherwise(), otherwise());
                    }
                }
                (on_a, Some(on_b)) => self.add(id, state(on_a, texts), state(on_b, texts)),
                (on_a, None) => self.add(id, state(on_a, texts), missing()),
            }
        }
        for (id, on_b) in &b.cells {
            if !a.cells.contains_key(id) {
                self.add(id, missing(), state(on_b, texts));
            }
        }
    }

    /// Takes in a cell that became the same on both sides, and was answered on neither.
    pub(super) fn add_alike(&mut self, id: &str, cell: &Cell, texts: &Texts) {
        self.add(id, state(cell, texts), state(cell, texts));
    }

    fn add(&mut self, id: &str, on_a: State, on_b: State) {
        let key = (on_a, on_b, CellId::of(id).profile().to_owned());
        let scenario = CellId::of(id).scenario().to_owned();
        self.take(key, ([(scenario, 1)].into(), id.to_owned()));
    }

    /// Takes in what another tally has, after what is here.
    pub(super) fn absorb(&mut self, other: Self) {
        for (key, group) in other.gaps {
            self.take(key, group);
        }
    }

    fn take(&mut self, key: Key, (counts, id): Group) {
        let key = match self.gaps.len() >= MOST_REASONS && !self.gaps.contains_key(&key) {
            false => key,
            true => {
                let ((on_a, why_a), (on_b, why_b), _) = key;
                let other = |why: Option<String>| why.map(|_| OTHER_REASONS.to_owned());
                ((on_a, other(why_a)), (on_b, other(why_b)), String::new())
            }
        };
        let (scenarios, example) = self.gaps.entry(key).or_default();
        first(example, &id);
        for (scenario, cells) in counts {
            *scenarios.entry(scenario).or_default() += cells;
        }
    }

    pub(super) fn into_list(self) -> Vec<Gap> {
        let gaps = self.gaps.into_iter();
        let gaps = gaps.map(
            |(((a, a_reason), (b, b_reason), profile), (scenarios, example))| Gap {
                a,
                a_reason,
                b,
                b_reason,
                profile,
                cells: scenarios.values().sum(),
                scenarios,
                example,
            },
        );
        let mut gaps: Vec<Gap> = gaps.collect();
        // What went wrong is worth more than what is not there.
        gaps.sort_by_key(|gap| {
            let wrong = [gap.a, gap.b].contains(&SideGap::CouldNotRun);
            (!wrong, Reverse(gap.cells))
        });
        gaps
    }
}

/// The first of several ids, in whatever order they come.
fn first(example: &mut String, id: &str) {
    if example.is_empty() || id < example.as_str() {
        id.clone_into(example);
    }
}

fn state(cell: &Cell, texts: &Texts) -> State {
    match cell {
        Cell::Answered(_) => (SideGap::Answered, None),
        Cell::NotApplicable(why) => (SideGap::NotApplicable, Some(texts.text(*why).to_owned())),
        Cell::NotAsked(why) => (SideGap::MachineLacks, Some(texts.text(*why).to_owned())),
        Cell::CouldNotRun(why) => (SideGap::CouldNotRun, Some(texts.text(*why).to_owned())),
    }
}

/// Counts what breaks the contract on both sides alike.
#[derive(Debug, Default)]
pub(super) struct UnchangedTally {
    cells: BTreeMap<(Deviation, Option<String>), (usize, String)>,
}

impl UnchangedTally {
    /// Takes in a cell that did not change.
    pub(super) fn add(&mut self, id: &str, seen: &Seen, texts: &Texts) {
        let Conformance::Breaks(deviation, _) = seen.keeps else {
            return;
        };
        let issue = seen.known_issue.map(|issue| texts.text(issue).to_owned());
        let (cells, example) = self.cells.entry((deviation, issue)).or_default();
        *cells += 1;
        first(example, id);
    }

    pub(super) fn into_list(self) -> Vec<Unchanged> {
        let groups = self.cells.into_iter();
        let groups = groups.map(|((direction, known_issue), (cells, example))| Unchanged {
            direction,
            known_issue,
            cells,
            example,
        });
        groups.collect()
    }
}
