//! The matrix of one profile as text: equal rows folded, one symbol a cell.

use crate::judge::Deviation;
use crate::record::CellRecord;
use crate::report::Paint;
use crate::scenario::model::{Direction, PROFILE_AXIS, Scenario};

/// What the symbols mean, for the foot of a report.
pub(super) const LEGEND: &str = "  + let in   . refused   as expected      A let in, must not   D refused, must not   x other denial   b other body\n  a d k as a known issue says   s a known issue that does not show   n no snapshot yet   ? could not run   / not applicable";

/// Renders the cells of one scenario and profile: the last axis across, the other axes down, equal rows as one.
pub(super) fn matrix(
    scenario: &Scenario,
    profile: &str,
    cells: &[&CellRecord],
    paint: Paint,
) -> String {
    let axes: Vec<_> = scenario
        .axes
        .iter()
        .filter(|axis| axis.name != PROFILE_AXIS)
        .collect();
    let Some((across, down)) = axes.split_last() else {
        return cells
            .iter()
            .map(|cell| format!("  {}\n", symbol(cell, paint)))
            .collect();
    };
    let mut rows: Vec<(Vec<String>, Vec<Option<&CellRecord>>)> = Vec::new();
    for cell in cells.iter().filter(|cell| {
        cell.axes
            .get(PROFILE_AXIS)
            .is_some_and(|value| value == profile)
    }) {
        let name: Vec<&str> = down
            .iter()
            .filter_map(|axis| cell.axes.get(&axis.name))
            .map(String::as_str)
            .collect();
        let name = if name.is_empty() {
            "all".to_owned()
        } else {
            name.join(" ")
        };
        let column = across
            .values
            .iter()
            .position(|value| cell.axes.get(&across.name) == Some(&value.id));
        let row = match rows.iter_mut().find(|(names, _)| names[0] == name) {
            Some((_, row)) => row,
            None => {
                rows.push((vec![name], vec![None; across.values.len()]));
                let Some((_, row)) = rows.last_mut() else {
                    continue;
                };
                row
            }
        };
        if let Some(column) = column {
            row[column] = Some(cell);
        }
    }

    // Rows that look the same are one row with several names.
    let mut folded: Vec<(Vec<String>, Vec<Option<&CellRecord>>)> = Vec::new();
    for (names, row) in rows {
        let plain = |row: &[Option<&CellRecord>]| {
            row.iter()
                .map(|cell| cell.map_or(' ', letter))
                .collect::<String>()
        };
        match folded
            .iter_mut()
            .find(|(_, other)| plain(other) == plain(&row))
        {
            Some((known, _)) => known.extend(names),
            None => folded.push((names, row)),
        }
    }

    let heads: Vec<&str> = across
        .values
        .iter()
        .map(|value| value.short.as_str())
        .collect();
    let widths: Vec<usize> = heads
        .iter()
        .map(|head| head.chars().count().max(1))
        .collect();
    let mut out = String::from("  ");
    for (head, width) in heads.iter().zip(&widths) {
        out.push_str(&paint.dim(&format!("{head:^width$}")));
        out.push(' ');
    }
    out.push_str(&paint.dim(&format!(
            " {} across, {} below",
            across.name,
            down.iter()
                .map(|axis| axis.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        )));
    out.push('\n');
    for (names, row) in folded {
        out.push_str("  ");
        for (cell, width) in row.iter().zip(&widths) {
            let (left, right) = ((width - 1) / 2, width - 1 - (width - 1) / 2);
            out.push_str(&" ".repeat(left));
            out.push_str(&cell.map_or_else(|| " ".to_owned(), |cell| symbol(cell, paint)));
            out.push_str(&" ".repeat(right + 1));
        }
        out.push(' ');
        out.push_str(&names_line(&names));
        out.push('\n');
    }
    out
}

/// Several names in one line: the first ones, and how many more.
fn names_line(names: &[String]) -> String {
    let shown = if names.len() <= 3 { names.len() } else { 2 };
    let mut line = names[..shown].join(", ");
    if names.len() > shown {
        line.push_str(&format!(" and {} more", names.len() - shown));
    }
    line
}

fn letter(cell: &CellRecord) -> char {
    match (cell.verdict.as_str(), cell.direction) {
        ("conforms", _)
            if cell
                .expected
                .as_ref()
                .is_some_and(|expected| expected.direction == Direction::Allow) =>
        {
            '+'
        }
        ("conforms", _) => '.',
        ("known", Some(Deviation::UnexpectedAllow)) => 'a',
        ("known", Some(Deviation::UnexpectedDeny)) => 'd',
        ("known", _) => 'k',
        ("stale", _) => 's',
        (_, Some(Deviation::UnexpectedAllow)) => 'A',
        (_, Some(Deviation::UnexpectedDeny)) => 'D',
        (_, Some(Deviation::WrongDenial)) => 'x',
        (_, Some(Deviation::WrongBody)) => 'b',
        ("new", _) => 'n',
        ("not-applicable", _) => '/',
        _ => '?',
    }
}

fn symbol(cell: &CellRecord, paint: Paint) -> String {
    let letter = letter(cell);
    let text = letter.to_string();
    match letter {
        '+' => paint.good(&text),
        '.' => paint.dim(&text),
        'A' | 'D' | 'x' | 'b' | 's' => paint.bad(&text),
        _ => paint.warn(&text),
    }
}
