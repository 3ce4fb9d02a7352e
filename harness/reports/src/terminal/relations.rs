//! Cells that do not agree with each other, or with themselves.

use std::fmt::Write as _;

use crate::{Detail, Paint};
use base::text::{count, one_line};
use record::Record;

/// At most so many cells are named that were answered in two ways.
const MAX_TWO_ANSWERS: usize = 20;

/// Cells that were answered in two ways when they were asked twice.
pub(super) fn two_answers(out: &mut String, record: &Record, detail: Detail, paint: Paint) {
    let differing = record.run.twice.iter().flat_map(|twice| &twice.differing);
    let all = differing.clone().count();
    if all == 0 {
        return;
    }
    let most = match detail {
        Detail::Verbose => usize::MAX,
        Detail::Quiet | Detail::Normal => MAX_TWO_ANSWERS,
    };
    let heading = format!("asked twice, answered in two ways: {}", count(all, "cell"));
    let _ = writeln!(out, "\n{}", paint.bold(&heading));
    for two in differing.take(most) {
        let (first, second) = (one_line(&two.first), one_line(&two.second));
        let answers = match first == second {
            true => format!("{first}, with other headers or another body"),
            false => format!("{first}, then {second}"),
        };
        let _ = writeln!(
            out,
            "  {} on {}: {}",
            two.cell,
            two.gateway,
            paint.bad(&answers)
        );
    }
    if all > most {
        let _ = writeln!(out, "  and {} more; --verbose tells them", all - most);
    }
}

/// Relations that do not hold.
pub(super) fn broken(out: &mut String, record: &Record, paint: Paint) {
    let failing = || record.relations.iter().filter(|relation| relation.failing);
    if failing().next().is_none() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{}",
        paint.bold("relations between cells that do not hold")
    );
    for relation in failing() {
        let _ = writeln!(
            out,
            "  {} {} pairs: {} ({})",
            paint.bad(&relation.id),
            relation.unexplained,
            relation.title,
            relation.origin
        );
        let (first, second) = &relation.example;
        let _ = writeln!(out, "     {first}\n     {second}");
    }
}
