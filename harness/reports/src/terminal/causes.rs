//! Causes at the terminal: the most severe first, and what is left out.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use crate::words::{also, conditions};
use crate::{Detail, Paint};
use base::text::count;
use record::judge::Severity;
use record::{CauseRecord, Record};

/// At most so many causes are spelled out.
const MAX_CAUSES: usize = 20;
/// At most so many other parts of a cause are named.
const MAX_PARTS: usize = 4;
/// At most so many lines of a difference are shown.
const MAX_DIFF: usize = 14;

/// What no known issue explains.
pub(super) fn causes(out: &mut String, record: &Record, detail: Detail, paint: Paint) {
    let unexplained = || {
        let causes = record.causes.iter();
        causes.filter(|cause| cause.known_issue.is_none() || cause.failing > 0)
    };
    // What a baseline or the severity asked for excuses is told only to those who want everything.
    let told = |cause: &&CauseRecord| cause.failing > 0 || detail == Detail::Verbose;
    let all = unexplained().filter(told).count();
    let excused = unexplained().count() - all;
    if all > 0 {
        let heading = count(all, "cause");
        let _ = writeln!(out, "\n{}", paint.bold(&heading));
    }
    let most = if detail == Detail::Verbose {
        usize::MAX
    } else {
        MAX_CAUSES
    };
    let mut earlier: BTreeMap<&str, usize> = BTreeMap::new();
    for cause in unexplained().filter(told).take(most) {
        cause_part(out, cause, record, paint);
        parts(out, cause, record, detail, paint);
        // Each rule is told in full once.
        let rule = match earlier.get(cause.rule.as_str()) {
            Some(earlier) => format!("     rule {}, as in {earlier}\n", cause.rule),
            None => rule_lines(cause),
        };
        earlier.entry(&cause.rule).or_insert(cause.id);
        out.push_str(&paint.dim(&rule));
    }
    if all > most {
        let left: Vec<&CauseRecord> = unexplained().filter(told).skip(most).collect();
        let _ = writeln!(out, "  {}", left_out(&left));
    }
    if excused > 0 {
        let causes = if excused == 1 {
            "cause is"
        } else {
            "causes are"
        };
        let _ = writeln!(
            out,
            "\n  {excused} more {causes} as in the baseline or below --severity; --verbose tells"
        );
    }
    if let Some(first) = unexplained().find(told) {
        let _ = writeln!(out, "  explain a cell: clawgauge show '{}'", first.example);
    }
}

/// What is not told of causes, and how to see it.
fn left_out(left: &[&CauseRecord]) -> String {
    let mut kinds: BTreeMap<Reverse<Severity>, usize> = BTreeMap::new();
    for cause in left {
        *kinds.entry(Reverse(cause.severity)).or_default() += 1;
    }
    let kinds = kinds
        .iter()
        .map(|(kind, causes)| format!("{causes} {}", kind.0.name()));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let cells = count(left.iter().map(|cause| cause.cells).sum(), "cell");
    let causes = count(left.len(), "cause");
    format!(
        "left out: {causes}, none of them worse than these ({kinds}; {cells}); --verbose tells all, --report json=PATH or html=PATH holds them"
    )
}

/// The other parts of a cause.
fn parts(out: &mut String, cause: &CauseRecord, record: &Record, detail: Detail, paint: Paint) {
    let most = match detail {
        Detail::Verbose => usize::MAX,
        Detail::Quiet | Detail::Normal => MAX_PARTS,
    };
    for line in also(record, cause).iter().take(most) {
        let _ = writeln!(out, "     {}", paint.dim(&format!("also {line}")));
    }
    if let Some(left) = cause.also.get(most..).filter(|left| !left.is_empty()) {
        let cells = count(left.iter().map(|part| part.cells).sum(), "cell");
        let parts = count(left.len(), "more part");
        let _ = writeln!(out, "     and {parts} ({cells}); --verbose tells them");
    }
}

fn rule_lines(cause: &CauseRecord) -> String {
    let mut lines = format!("     rule {} ({})\n", cause.rule, cause.origin);
    if !cause.title.is_empty() {
        let _ = writeln!(lines, "       {}", cause.title);
    }
    if !cause.source.is_empty() {
        let _ = writeln!(lines, "       source: {}", cause.source);
    }
    lines
}

fn cause_part(out: &mut String, cause: &CauseRecord, record: &Record, paint: Paint) {
    let conditions = conditions(record, cause);
    let on = match record.gateways.len() {
        0 | 1 => String::new(),
        _ => format!(" on {}", cause.gateway),
    };
    let direction = paint.bad(cause.direction.name());
    let plural = if cause.cells == 1 { "" } else { "s" };
    let excused = match cause.cells - cause.failing.min(cause.cells) {
        0 => String::new(),
        excused => format!(" ({excused} excused)"),
    };
    let scenarios = match cause.scenarios().len() {
        1 => String::new(),
        several => format!(" of {several} scenarios"),
    };
    let severe = match cause.severity {
        Severity::Severe => ", severe",
        Severity::Cosmetic | Severity::Shape | Severity::Blocker => "",
    };
    let _ = writeln!(
        out,
        "{:>3}. {direction} {} cell{plural}{scenarios}{excused}{on}{severe}: {conditions}",
        cause.id, cause.cells
    );
    match &cause.difference {
        None => {
            let seen = paint.bad(&cause.answer);
            let _ = writeln!(out, "     expected {}, observed {seen}", cause.expected);
        }
        Some(difference) => {
            let _ = writeln!(
                out,
                "     {}, but not the accepted answer ({})",
                cause.observed, difference.snapshot
            );
            diff(out, &difference.accepted, &difference.observed, paint);
        }
    }
}

fn diff(out: &mut String, accepted: &str, observed: &str, paint: Paint) {
    let diff = TextDiff::from_lines(accepted, observed);
    let changes = diff
        .iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal);
    let mut left = MAX_DIFF;
    for change in changes {
        if left == 0 {
            out.push_str("       ...\n");
            break;
        }
        left -= 1;
        let text = change.value().trim_end();
        let line = match change.tag() {
            ChangeTag::Delete => paint.good(&format!("- {text}")),
            ChangeTag::Insert => paint.bad(&format!("+ {text}")),
            ChangeTag::Equal => continue,
        };
        let _ = writeln!(out, "       {line}");
    }
}
