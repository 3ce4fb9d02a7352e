//! Markdown, for an issue or a chat: the verdict first, then causes, known issues, counts. Bounded, whatever the run.

pub(super) mod escape;
mod findings;
mod matrices;
mod tables;

use std::io::Write;

use super::facts::Facts;
use super::findings::{Excuse, Finding, troubles};
use super::part::left_out;
use base::text::count;
use record::{Ending, Record, Results, ResultsError};

/// At most so many findings, issues, reasons and rows of each table are told.
const MOST: usize = 20;

/// A part of the report that can be left out.
#[derive(Debug)]
pub(super) struct Section {
    /// What is in it, for the line that says it was left out.
    pub(super) name: String,
    /// Its Markdown, with a blank line at its end.
    pub(super) text: String,
}

impl Section {
    fn new(name: impl Into<String>, text: String) -> Self {
        let name = name.into();
        let text = format!("{}\n\n", text.trim_end());
        Self { name, text }
    }
}

/// Writes the report.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let text: String = sections(results)?
        .into_iter()
        .map(|section| section.text)
        .collect();
    writeln!(out, "{}", text.trim_end())?;
    Ok(())
}

/// The parts of the report, the most important first.
pub(super) fn sections(results: &Results<'_>) -> Result<Vec<Section>, ResultsError> {
    let record = results.head();
    let facts = Facts::gather(results)?;
    let all = Finding::all(record, &facts);
    let (open, excused): (Vec<_>, Vec<_>) =
        all.iter().partition(|finding| finding.excuse.is_none());
    let (known, excused): (Vec<&Finding<'_>>, Vec<_>) = excused
        .into_iter()
        .partition(|finding| matches!(finding.excuse, Some(Excuse::Known(_))));
    let mut sections = vec![Section::new("the verdict", verdict(record))];
    sections.extend(around(record, &facts));
    sections.extend(findings::sections(record, &open, "What is broken"));
    sections.extend(findings::issues(record, &facts, &known));
    sections.extend(matrices::sections(results, &facts)?);
    sections.extend(findings::sections(record, &excused, "Excused"));
    sections.extend(not_asked(record));
    sections.push(tables::gateways(record));
    sections.push(tables::scenarios(record, &facts));
    sections.extend(tables::reasons(record, &facts));
    sections.push(tables::foot(record));
    Ok(sections)
}

/// The verdict in one line, and the counts.
fn verdict(record: &Record) -> String {
    let (ending, why) = record.ending();
    let word = match ending {
        Ending::Holds => "Go",
        Ending::Broken => "No go",
        Ending::Gateway | Ending::Incomplete | Ending::Interrupted => "Could not tell",
    };
    let on = record.gateways.iter().take(MOST);
    let mut on: Vec<String> = on.map(|gateway| escape::code(&gateway.reference)).collect();
    if record.gateways.len() > MOST {
        on.push(format!("{} more", record.gateways.len() - MOST));
    }
    let on = match on.is_empty() {
        true => "no gateway".to_owned(),
        false => on.join(", "),
    };
    let headline = record.headline();
    let headline = headline.map(|headline| format!("**{}**\n\n", escape::text(&headline)));
    format!(
        "{}**{word}** for {on}: {} (exit code {})\n\n{}",
        headline.unwrap_or_default(),
        escape::text(&why),
        ending.code(),
        tables::counts(&record.summary)
    )
}

/// What was not asked, beside what has a reason of its own.
fn not_asked(record: &Record) -> Option<Section> {
    let lines = left_out(record, MOST);
    let lines = lines.iter();
    let lines: String = lines
        .map(|line| format!("- {}\n", escape::text(line)))
        .collect();
    let text = format!("### Not asked\n\n{lines}");
    (!lines.is_empty()).then(|| Section::new("what was not asked", text))
}

/// What went wrong around the run: without it the rest says little.
fn around(record: &Record, facts: &Facts) -> Option<Section> {
    let troubles = troubles(record, facts);
    if troubles.is_empty() {
        return None;
    }
    let mut text = "### What went wrong around the run\n\n".to_owned();
    for trouble in troubles.iter().take(MOST) {
        text.push_str(&format!("- {}\n", escape::text(trouble)));
    }
    text.push_str(&more(troubles.len(), MOST));
    Some(Section::new("what went wrong around the run", text))
}

/// The line that says how many of a list are not told.
fn more(length: usize, most: usize) -> String {
    match length.saturating_sub(most) {
        0 => String::new(),
        left => format!("\nand {left} more, which the record holds\n"),
    }
}

/// A count of cells, with how many of them are excused.
fn cells(cells: usize, failing: usize) -> String {
    let text = count(cells, "cell");
    match cells.saturating_sub(failing) {
        0 => text,
        excused if excused == cells => text,
        excused => format!("{text}, {excused} of them excused"),
    }
}
