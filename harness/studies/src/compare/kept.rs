//! What is kept of two records: the cells that are not the same on both sides, and of the others what they count for.

use std::collections::BTreeSet;

use super::cells::{Cell, CellPair, Cells, Marks, RecordSide, Texts, is_answered, pairs};
use super::change::weigh;
use super::effect::Kind;
use super::gaps::{GapTally, UnchangedTally};
use super::input::Universes;
use super::model::Counts;
use contract::cell_id::CellId;
use contract::scenario::model::Direction;
use record::{CellRecord, ResultsError};

/// Both sides.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    pub(super) a: Cells<'a>,
    pub(super) b: Cells<'a>,
    pub(super) texts: Texts,
    /// Cells that are the same on both sides.
    pub(super) counts: Counts,
    pub(super) unchanged: UnchangedTally,
    pub(super) gaps: GapTally,
}

/// A cell of A as it is looked for.
#[derive(Debug, Clone, Copy)]
struct Known {
    marks: Marks,
    /// Whether B has it, too.
    seen: bool,
    /// Whether B has the same, so that nothing of it need be kept.
    alike: bool,
}

/// Why a record cannot be compared.
fn twice(cell: &str) -> ResultsError {
    std::io::Error::other(format!("{cell} is there twice")).into()
}

impl<'a> Kept<'a> {
    /// Reads A, then B, then of A what is not the same.
    pub(super) fn read(a: &RecordSide<'a>, b: &RecordSide<'a>) -> Result<Self, ResultsError> {
        let mut kept = Self {
            a: Cells::of(a),
            b: Cells::of(b),
            texts: Texts::default(),
            counts: Counts::default(),
            unchanged: UnchangedTally::default(),
            gaps: GapTally::default(),
        };
        let mut known: Vec<Known> = Vec::new();
        a.each_cell(&mut |cell| {
            kept.a.count(cell);
            let marks = a.marks(cell);
            known.push(Known {
                marks,
                seen: false,
                alike: false,
            });
        })?;
        known.sort_unstable_by_key(|known| known.marks);
        let mut neighbours = known.windows(2);
        if neighbours.any(|pair| pair[0].marks.id == pair[1].marks.id) {
            return Err(twice("a cell of A"));
        }
        let find = |known: &[Known], marks: Marks| {
            let found = known.binary_search_by_key(&marks.id, |known| known.marks.id);
            found.ok()
        };
        let mut repeated: Option<String> = None;
        b.each_cell(&mut |cell| {
            kept.b.count(cell);
            let marks = b.marks(cell);
            let mut place = find(&known, marks).map(|place| &mut known[place]);
            let again = match &mut place {
                Some(known) => std::mem::replace(&mut known.seen, true),
                None => kept.b.cells.contains_key(&cell.id),
            };
            if again {
                repeated.get_or_insert_with(|| cell.id.clone());
            }
            match place.filter(|known| known.marks == marks) {
                Some(known) => {
                    known.alike = true;
                    kept.add_alike(cell);
                }
                None => kept.b.keep(cell, &mut kept.texts),
            }
        })?;
        if let Some(cell) = repeated {
            return Err(twice(&format!("{cell} of B")));
        }
        if known.iter().any(|known| !known.alike) {
            a.each_cell(&mut |cell| {
                let place = find(&known, a.marks(cell));
                if place.is_some_and(|place| !known[place].alike) {
                    kept.a.keep(cell, &mut kept.texts);
                }
            })?;
        }
        Ok(kept)
    }

    /// Counts a cell that is the same on both sides.
    fn add_alike(&mut self, cell: &CellRecord) {
        if is_answered(cell) {
            self.counts.compared += 1;
            self.counts.unchanged += 1;
            // Most keep the contract, and have nothing to tell.
            if cell.direction.is_none() {
                return;
            }
        }
        match self.b.cell(cell, &mut self.texts) {
            Cell::Answered(seen) => self.unchanged.add(&cell.id, &seen, &self.texts),
            gap => self.gaps.add_alike(&cell.id, &gap, &self.texts),
        }
    }

    /// Reads what stands beside the changes: the cells that they must be told from, and what B lets in where it shuts others out.
    pub(super) fn look_around(&mut self, b: &RecordSide<'_>) -> Result<Universes, ResultsError> {
        let mut universes = Universes::default();
        let mut changed: BTreeSet<String> = BTreeSet::new();
        let (mut scenarios, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for (id, pair) in pairs(&self.a, &self.b) {
            let Some((kind, ..)) = weigh(pair, &self.texts) else {
                continue;
            };
            let id = CellId::of(id);
            changed.insert(id.scenario().to_owned());
            if kind == Kind::ShutOut {
                scenarios.insert((id.scenario().to_owned(), id.profile().to_owned()));
                keys.insert(id.key());
            }
        }
        if changed.is_empty() {
            return Ok(universes);
        }
        b.each_cell(&mut |cell| {
            let alike = !self.b.cells.contains_key(&cell.id) && is_answered(cell);
            if changed.contains(cell.scenario()) {
                let of = |cells: &Cells<'_>| cells.cells.get(&cell.id).cloned();
                let both = of(&self.a).zip(of(&self.b));
                if alike || both.is_some_and(|(a, b)| CellPair::of(&a, &b).is_some()) {
                    universes.add(cell.scenario(), &self.b.combination(cell));
                }
            }
            let observed = cell.observed.as_ref();
            let lets_in = observed.and_then(|seen| seen.direction) == Some(Direction::Allow);
            if alike && lets_in {
                let id = CellId::of(&cell.id);
                let beside = (id.scenario().to_owned(), id.profile().to_owned());
                if scenarios.contains(&beside) || keys.contains(&id.key()) {
                    self.b.keep(cell, &mut self.texts);
                }
            }
        })?;
        Ok(universes)
    }
}
