//! Two records compared: which callers get another answer on B than on A, folded into causes.
//!
//! Pure: [`Cells`] is what is kept of a record, [`compare`] makes a [`Comparison`] of two of them, and a renderer under
//! `report/` shows it. Bodies are kept once each, so that memory grows with the number of cells and not with their answers.
//! What a change means is decided in `change`, what belongs together in `cause`, and what to do about it in `advice`.

mod advice;
mod authority;
mod cause;
mod cells;
mod change;
mod effect;
mod ending;
mod gaps;
mod input;
mod lines;
mod model;

pub use cells::{Cells, CompareError, Texts};
pub use effect::{ChangeSeverity, ContractEffect, Kind};
pub use ending::Ended;
pub use input::Profiles;
pub use model::{
    Advice, AnswerRecord, Cause, Comparison, Counts, Difference, Gap, IssueRef, Place, RuleChange,
    SCHEMA, Side, SideGap, Unchanged,
};

use change::Change;

/// Compares two gateways. `texts` holds what both were read into.
///
/// The result depends on the two records and the profiles only: no time, no order of arrival.
pub fn compare(a: &Cells, b: &Cells, texts: &Texts, profiles: &Profiles) -> Comparison {
    let mut counts = Counts::default();
    let mut changes: Vec<Change<'_>> = Vec::new();
    let mut unchanged = gaps::UnchangedTally::default();
    for (id, twin) in cells::pairs(a, b) {
        counts.compared += 1;
        match change::weigh(twin, texts) {
            Some((kind, bearing, weight)) => changes.push(Change {
                id,
                twin,
                kind,
                bearing,
                weight,
            }),
            None => {
                counts.unchanged += 1;
                unchanged.add(id, twin.after, texts);
            }
        }
    }
    counts.changed = changes.len();
    let gaps = gaps::gaps(a, b, texts);
    for gap in &gaps {
        counts.cells += gap.cells;
        match (gap.a, gap.b) {
            (SideGap::Answered, _) => counts.only_a += gap.cells,
            (_, SideGap::Answered) => counts.only_b += gap.cells,
            _ => {}
        }
    }
    counts.cells += counts.compared;
    let world = input::ComparisonInput {
        a,
        b,
        texts,
        profiles,
    };
    let causes = cause::causes(&world, &changes);
    for cause in &causes {
        *counts.by_weight(cause.weight) += 1;
    }
    Comparison {
        schema: SCHEMA.to_owned(),
        same_contract: a.side.table_hash == b.side.table_hash,
        a: a.side.clone(),
        b: b.side.clone(),
        counts,
        causes,
        unchanged: unchanged.into_list(),
        gaps,
    }
}

#[cfg(test)]
mod tests;
