//! What failed in a run, for whoever asks only that again.

use std::collections::BTreeSet;

use super::{CellRecord, GateEffect, Results, ResultsError};

impl CellRecord {
    /// Whether it makes its run fail, or incomplete.
    pub fn is_red(&self) -> bool {
        match self.standing {
            Some(GateEffect::Fails) => true,
            Some(
                GateEffect::AsInBaseline | GateEffect::BelowSeverity | GateEffect::ExpectedSkip,
            ) => false,
            None => !self.verdict.passes(),
        }
    }
}

impl Results<'_> {
    /// The ids of the cells that made the run fail or incomplete, on whatever gateway, and of those that show a broken relation.
    ///
    /// # Errors
    /// The record cannot be read any more.
    pub fn failed_cells(&self) -> Result<BTreeSet<String>, ResultsError> {
        let mut failed = BTreeSet::new();
        self.each_cell(&mut |cell| {
            if cell.is_red() {
                failed.insert(cell.id.clone());
            }
            Ok(())
        })?;
        let relations = self.head().relations.iter();
        for relation in relations.filter(|relation| relation.failing) {
            let (one, other) = &relation.example;
            failed.extend([one.clone(), other.clone()]);
        }
        Ok(failed)
    }
}
