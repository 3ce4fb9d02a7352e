//! TAP, version 14: a line a cell, for what reads pipes. What fails brings a YAML block.

use std::io::Write;

use super::facts::Facts;
use super::test_status::{
    Besides, TestStatus, cause, details, headline, kind, relation_details, relation_headline,
};
use crate::words::replay;
use base::text::one_line;
use record::{CellRecord, Record, Results, ResultsError};

/// Writes the report.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let record = results.head();
    let facts = Facts::gather(results)?;
    let besides = Besides::of(record, facts.all.red());
    let points = facts.all.all() + besides.count();
    write!(out, "TAP version 14\n1..{points}\n")?;
    if let Some(headline) = record.headline() {
        writeln!(out, "# {}", escaped(&headline))?;
    }
    let mut number = 0;
    results.each_cell(&mut |cell| {
        number += 1;
        point(out, record, number, cell)
    })?;
    for relation in &besides.relations {
        number += 1;
        let name = name(
            record,
            &relation.gateway,
            &format!("relations/{}", relation.id),
        );
        writeln!(out, "not ok {number} - {name}")?;
        let facts = [
            ("message", relation_headline(relation)),
            ("severity", "fail".to_owned()),
            ("at", relation.origin.clone()),
            ("details", relation_details(relation)),
        ];
        diagnostics(out, &facts)?;
    }
    if let Some(why) = &besides.ending {
        number += 1;
        writeln!(out, "not ok {number} - run/ending")?;
        diagnostics(out, &[("message", one_line(why))])?;
    }
    Ok(())
}

fn point(
    out: &mut dyn Write,
    record: &Record,
    number: usize,
    cell: &CellRecord,
) -> std::io::Result<()> {
    let name = name(record, &cell.gateway, &cell.id);
    let status = TestStatus::of(cell);
    let excuse = || escaped(&status.excuse(record, cell).unwrap_or_default());
    match status {
        TestStatus::Passes => writeln!(out, "ok {number} - {name}"),
        // Not as it should be, and known not to be: exactly what TODO says, and no failure to a harness.
        TestStatus::Known => writeln!(out, "not ok {number} - {name} # TODO {}", excuse()),
        TestStatus::NotApplicable
        | TestStatus::NotAsked
        | TestStatus::AsInBaseline
        | TestStatus::BelowSeverity => {
            writeln!(out, "ok {number} - {name} # SKIP {}", excuse())
        }
        TestStatus::Fails | TestStatus::CouldNotRun => {
            writeln!(out, "not ok {number} - {name}")?;
            let mut facts = vec![
                ("message", headline(record, cell)),
                (
                    "severity",
                    if status == TestStatus::Fails {
                        "fail"
                    } else {
                        "error"
                    }
                    .to_owned(),
                ),
                ("verdict", cell.verdict.name().to_owned()),
                ("finding", kind(cell).to_owned()),
            ];
            if let Some(rule) = record.rule(cell) {
                facts.push(("rule", rule.id.clone()));
                facts.push(("at", rule.origin.clone()));
                facts.push(("source", rule.source.clone()));
            }
            if let Some(cause) = cause(record, cell) {
                facts.push(("cause", cause.id.to_string()));
            }
            facts.push(("replay", replay(record, &cell.gateway, &cell.id)));
            facts.push(("details", details(record, cell)));
            diagnostics(out, &facts)
        }
    }
}

/// The name of a point; of several gateways, with the one it is about.
fn name(record: &Record, gateway: &str, id: &str) -> String {
    match record.gateways.len() {
        0 | 1 => escaped(id),
        _ => escaped(&format!("{gateway} {id}")),
    }
}

/// A name or a reason: in one line, and without what begins a directive.
fn escaped(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

/// The YAML block of a point.
fn diagnostics(out: &mut dyn Write, facts: &[(&str, String)]) -> std::io::Result<()> {
    writeln!(out, "  ---")?;
    for (name, text) in facts {
        match is_plain_block(text) {
            false => writeln!(out, "  {name}: {}", quoted(text))?,
            true => {
                // With the indentation named, lines may begin as they like.
                writeln!(out, "  {name}: |2-")?;
                for line in text.trim_end().split('\n') {
                    match line {
                        "" => writeln!(out)?,
                        line => writeln!(out, "    {line}")?,
                    }
                }
            }
        }
    }
    writeln!(out, "  ...")
}

/// Whether a text of several lines can stand as it is. One in which a line looks like the end of the block could end it
/// for a simple reader; it is quoted.
fn is_plain_block(text: &str) -> bool {
    text.contains('\n')
        && text.chars().all(
            |c| matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{2030}'..='\u{d7ff}'),
        )
        && !text.starts_with(['\n', ' '])
        && !text
            .lines()
            .any(|line| matches!(line.trim(), "..." | "---"))
}

/// A text as YAML's double-quoted scalar: JSON's string, with what YAML does not take for printable escaped as well.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' '..='~'
            | '\u{a0}'..='\u{2027}'
            | '\u{202a}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fefe}' => {
                out.push(character);
            }
            other => out.push_str(&match u32::from(other) {
                code @ ..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
        }
    }
    out.push('"');
    out
}
