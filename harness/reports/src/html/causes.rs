//! Causes and broken relations as the page shows them without JavaScript.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use similar::{ChangeTag, TextDiff};

use crate::words::also;
use record::judge::{Deviation, Severity};
use record::region::pairs;
use record::{CauseRecord, Record, RelationRecord};

/// At most so many lines of a difference are shown; the cell's details show all.
const MAX_DIFF: usize = 16;
/// Longer texts are cut in the summary; the cell's details show all.
const LONG: usize = 600;
/// What is left as it is in the part of a link that names a cell.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'=')
    .remove(b'/');

/// A cause.
#[derive(Debug)]
pub(super) struct CauseView {
    pub(super) id: usize,
    pub(super) gateway: Option<String>,
    pub(super) scenario: String,
    /// Its other parts.
    pub(super) also: Vec<String>,
    pub(super) direction: &'static str,
    pub(super) meaning: &'static str,
    pub(super) severity: Severity,
    pub(super) cells: usize,
    pub(super) failing: usize,
    pub(super) conditions: Vec<(String, String)>,
    pub(super) expected: String,
    pub(super) answer: String,
    pub(super) rule: String,
    pub(super) title: String,
    pub(super) origin: String,
    pub(super) source: String,
    pub(super) snapshot: Option<String>,
    pub(super) diff: Vec<DiffLine>,
    pub(super) href: String,
    pub(super) issue: Option<String>,
}

/// A line of a difference.
#[derive(Debug)]
pub(super) struct DiffLine {
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) text: String,
}

impl CauseView {
    pub(super) fn new(record: &Record, several: bool, cause: &CauseRecord) -> Self {
        let scenario = record.scenario(&cause.scenario);
        let conditions = match cause.by.is_empty() {
            true => &cause.conditions,
            false => &cause.by,
        };
        let conditions = pairs(scenario, conditions);
        let conditions = conditions.map(|(axis, values)| (axis.to_owned(), cut(&values)));
        let difference = cause.difference.as_ref();
        Self {
            id: cause.id,
            gateway: several.then(|| cause.gateway.clone()),
            scenario: cut(&cause.scenarios().join(", ")),
            also: also(record, cause).iter().map(|line| cut(line)).collect(),
            direction: cause.direction.name(),
            meaning: meaning(cause.direction),
            severity: cause.severity,
            cells: cause.cells,
            failing: cause.failing,
            conditions: conditions.collect(),
            expected: cut(&cause.expected),
            answer: cut(&cause.answer),
            rule: cause.rule.clone(),
            title: cut(&cause.title),
            origin: cause.origin.clone(),
            source: cut(&cause.source),
            snapshot: difference.map(|it| it.snapshot.clone()),
            diff: difference.map_or_else(Vec::new, |it| diff(&it.accepted, &it.observed)),
            href: href(&cause.gateway, &cause.example),
            issue: cause.known_issue.clone(),
        }
    }

    /// Its cells that a baseline or the severity asked for excuses.
    pub(super) fn excused(&self) -> usize {
        self.cells.saturating_sub(self.failing)
    }
}

/// A relation that does not hold.
#[derive(Debug)]
pub(super) struct RelationView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) origin: String,
    pub(super) gateway: Option<String>,
    pub(super) unexplained: usize,
    pub(super) explained: usize,
    pub(super) cells: [(String, String); 2],
}

impl RelationView {
    pub(super) fn new(several: bool, relation: &RelationRecord) -> Self {
        let cell = |id: &str| (href(&relation.gateway, id), id.to_owned());
        Self {
            id: relation.id.clone(),
            title: cut(&relation.title),
            origin: relation.origin.clone(),
            gateway: several.then(|| relation.gateway.clone()),
            unexplained: relation.unexplained,
            explained: relation.explained,
            cells: [cell(&relation.example.0), cell(&relation.example.1)],
        }
    }
}

fn meaning(deviation: Deviation) -> &'static str {
    match deviation {
        Deviation::UnexpectedAllow => "let in or given more than the rule says",
        Deviation::UnexpectedDeny => "denied or given less than the rule says",
        Deviation::WrongDenial => "refused, but for another reason or in another shape",
        Deviation::WrongBody => "let in, but the answer is another",
    }
}

/// The address of a cell in the page; the script reads it back.
pub(super) fn href(gateway: &str, cell: &str) -> String {
    let gateway = utf8_percent_encode(gateway, NON_ALPHANUMERIC);
    format!("#{gateway}/{}", utf8_percent_encode(cell, PLAIN))
}

/// A text of bearable length.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONG) {
        None => text.to_owned(),
        Some((place, _)) => format!("{} … ({} bytes in all)", &text[..place], text.len()),
    }
}

fn diff(accepted: &str, observed: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(accepted, observed);
    let mut lines = Vec::new();
    for change in diff.iter_all_changes() {
        let (class, sign) = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => ("minus", "−"),
            ChangeTag::Insert => ("plus", "+"),
        };
        if lines.len() == MAX_DIFF {
            lines.push(DiffLine {
                class: "more",
                sign: " ",
                text: "…".to_owned(),
            });
            break;
        }
        lines.push(DiffLine {
            class,
            sign,
            text: cut(change.value().trim_end()),
        });
    }
    lines
}
