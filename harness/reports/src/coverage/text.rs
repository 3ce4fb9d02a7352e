//! Coverage at a terminal: the sums, the regions, and what nobody reached.

use std::fmt::Write as _;

use super::{share, shares};
use crate::Paint;
use base::text::{count, one_line};
use studies::coverage::{Coverage, CoverageChange, PointKind, Unreached};

/// Renders coverage; `most` is how many points are told that nobody reached.
pub fn coverage_text(coverage: &Coverage, most: usize, paint: Paint) -> String {
    let mut out = String::new();
    let head = &coverage.head;
    let _ = writeln!(
        out,
        "{}",
        paint.bold(&format!("Coverage of {}, on a changed copy", head.gateway))
    );
    let _ = writeln!(
        out,
        "{} in {} reach {}",
        count(head.asked, "cell"),
        count(coverage.launches.len(), "launch"),
        shares(&coverage.total)
    );
    let width = coverage
        .regions
        .iter()
        .map(|region| region.name.len())
        .max();
    let width = width.unwrap_or(0);
    let _ = writeln!(
        out,
        "\n{}",
        paint.dim(&format!(
            "{:<width$}  {:>10}  {:>10}",
            "region", "functions", "branches"
        ))
    );
    for region in &coverage.regions {
        let line = format!(
            "{:<width$}  {:>10}  {:>10}",
            region.name,
            share(region.share.functions),
            share(region.share.branches)
        );
        let nothing = region.share.functions.0 + region.share.branches.0 == 0;
        let _ = writeln!(out, "{}", if nothing { paint.dim(&line) } else { line });
    }
    let all = coverage.unreached.len();
    if all == 0 {
        out.push_str("\nEverything is reached.\n");
        return out;
    }
    let told = most.min(all);
    let _ = writeln!(
        out,
        "\n{}",
        paint.bold(&format!(
            "Never reached, what decides about access first ({told} of {all})"
        ))
    );
    for unreached in coverage.unreached.iter().take(most) {
        one(&mut out, unreached, paint);
    }
    out
}

fn one(out: &mut String, unreached: &Unreached, paint: Paint) {
    let function = unreached.function.as_deref().unwrap_or("-");
    let what = match unreached.kind {
        PointKind::Function => paint.warn("never called"),
        kind => format!("{} {}", paint.warn(kind.name()), one_line(&unreached.text)),
    };
    let (region, line) = (&unreached.region, unreached.line);
    let _ = writeln!(out, "{region}:{line} {function}: {what}");
    let mut notes = Vec::new();
    if unreached.passed_by > 0 {
        notes.push(format!("passed by {}", count(unreached.passed_by, "cell")));
    }
    if unreached.behind > 0 {
        notes.push(format!(
            "{} behind it",
            count(unreached.behind, "more point")
        ));
    }
    if !notes.is_empty() {
        let _ = writeln!(out, "    {}", paint.dim(&notes.join("; ")));
    }
}

/// Renders what differs between the code of two releases.
pub fn coverage_change_text(change: &CoverageChange, paint: Paint) -> String {
    let mut out = format!(
        "{}\n{} differ, {} are the same\n",
        paint.bold(&format!("From {} to {}", change.before, change.after)),
        count(change.functions.len(), "function"),
        change.same
    );
    let mut region = "";
    for function in &change.functions {
        if function.region != region {
            region = &function.region;
            let _ = writeln!(out, "\n{}", paint.bold(region));
        }
        let who = match (function.cells, function.launches) {
            (0, 0) => paint.warn("no cell reaches it"),
            (0, launches) => format!("no cell, {} otherwise", count(launches, "launch")),
            (cells, _) => format!(
                "{}, such as {}",
                count(cells, "cell"),
                function.examples.join(", ")
            ),
        };
        let _ = writeln!(
            out,
            "  {:<8} {} (line {}): {who}",
            function.change.name(),
            function.function,
            function.line
        );
    }
    out
}
