//! Records from before `not-asked` was a verdict: what a machine could not ask was `not-applicable` in them, and excused. They are read
//! as what they mean.

use std::collections::BTreeSet;

use super::{CellRecord, GateEffect, Record, SkipRecord};
use crate::judge::VerdictKind;

/// What stands for everything among what may be skipped.
const EVERYTHING: &str = "**";

/// What one record calls by its older name.
#[derive(Debug, Default)]
pub(super) struct Older {
    /// Why the machine could not ask.
    lacks: BTreeSet<String>,
    cells: usize,
}

impl Older {
    /// A record whose machine lacked something for these reasons.
    pub(super) fn new(lacks: impl IntoIterator<Item = String>) -> Self {
        let lacks = lacks.into_iter().collect();
        Self { lacks, cells: 0 }
    }

    /// Calls a cell what it is called now.
    pub(super) fn cell(&mut self, cell: &mut CellRecord) {
        let why = cell.reason.as_ref();
        let older = cell.verdict == VerdictKind::NotApplicable
            && why.is_some_and(|why| self.lacks.contains(why));
        if older {
            cell.verdict = VerdictKind::NotAsked;
            cell.standing = Some(GateEffect::ExpectedSkip);
            self.cells += 1;
        }
    }

    /// Counts such cells as what they are called now.
    pub(super) fn head(&self, record: &mut Record) {
        if self.cells == 0 {
            return;
        }
        let summary = &mut record.summary;
        summary.not_applicable = summary.not_applicable.saturating_sub(self.cells);
        summary.not_asked += self.cells;
        summary.expected_skips += self.cells;
        let rest = summary.not_applicable.saturating_add(summary.not_asked);
        record.run.may_skip.push(SkipRecord {
            entry: EVERYTHING.to_owned(),
            skipped: self.cells,
            asked: summary.selected.saturating_sub(rest),
        });
    }
}
