//! Two records compared: which callers get another answer on B than on A, folded into causes.
//!
//! [`compare`] makes a [`Comparison`] of two records, and a renderer under `report/` shows it. Both are read cell by cell, and a cell is
//! kept only where it is not the same on both sides (`kept`): memory grows with what changed, not with what was asked.
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
mod kept;
mod lines;
mod model;

pub use cells::{CompareError, RecordSide};
pub use effect::{ChangeSeverity, ContractEffect, Kind};
pub use ending::Ended;
pub use input::Profiles;
pub use model::{
    Advice, AnswerRecord, Cause, Comparison, Counts, Difference, Gap, IssueRef, Place, RuleChange,
    SCHEMA, Side, SideGap, Unchanged,
};

use change::Change;
use kept::Kept;
use record::ResultsError;

/// Compares two gateways.
///
/// The result depends on the two records and the profiles only: no time, no order of arrival.
///
/// # Errors
/// A record cannot be read any more.
pub fn compare(
    a: &RecordSide<'_>,
    b: &RecordSide<'_>,
    profiles: &Profiles,
) -> Result<Comparison, ResultsError> {
    let mut kept = Kept::read(a, b)?;
    // What is not the same on both sides comes first, as long as reasons are told apart.
    let mut gaps = gaps::GapTally::default();
    gaps.add_all(&kept.a, &kept.b, &kept.texts);
    gaps.absorb(std::mem::take(&mut kept.gaps));
    let gaps = gaps.into_list();
    let universes = kept.look_around(b)?;
    let Kept {
        a,
        b,
        texts,
        mut counts,
        mut unchanged,
        ..
    } = kept;
    let mut changes: Vec<Change<'_>> = Vec::new();
    for (id, twin) in cells::pairs(&a, &b) {
        counts.compared += 1;
        match change::weigh(twin, &texts) {
            Some((kind, bearing, weight)) => changes.push(Change {
                id,
                twin,
                kind,
                bearing,
                weight,
            }),
            None => {
                counts.unchanged += 1;
                unchanged.add(id, twin.after, &texts);
            }
        }
    }
    counts.changed = changes.len();
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
        a: &a,
        b: &b,
        texts: &texts,
        profiles,
        universes: &universes,
    };
    let causes = cause::causes(&world, &changes);
    for cause in &causes {
        *counts.by_weight(cause.weight) += 1;
    }
    Ok(Comparison {
        schema: SCHEMA.to_owned(),
        same_contract: a.side.table_hash == b.side.table_hash,
        a: a.side.clone(),
        b: b.side.clone(),
        counts,
        causes,
        unchanged: unchanged.into_list(),
        gaps,
    })
}

#[cfg(test)]
mod tests;
