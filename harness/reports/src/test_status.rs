//! What a cell is in a report of tests: passed, failed, in error, or skipped and why. JUnit, CTRF and TAP say it in their
//! own words, and all take it from here.

use super::words::{conditions, seen as seen_words};
use crate::words::replay;
use base::text::{block, count, one_line};
use record::judge::VerdictKind;
use record::{CauseRecord, CellRecord, Ending, GateEffect, Record, RelationRecord};

/// What a cell does to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TestStatus {
    /// It is as it should be.
    Passes,
    /// It makes the run fail.
    Fails,
    /// It could not be asked, for reasons of its surroundings, or was not, and nobody said that it may be skipped.
    CouldNotRun,
    /// It cannot be asked of the release.
    NotApplicable,
    /// It was not asked, since the machine lacks something, as expected.
    NotAsked,
    /// It deviates as a known issue says.
    Known,
    /// It is not as it should be, as in the baseline.
    AsInBaseline,
    /// It is not as it should be, but less severe than what was asked for.
    BelowSeverity,
}

impl TestStatus {
    /// What a cell does to the run.
    pub(super) fn of(cell: &CellRecord) -> Self {
        match (cell.standing, cell.verdict) {
            (Some(GateEffect::Fails), _) => Self::Fails,
            (Some(GateEffect::AsInBaseline), _) => Self::AsInBaseline,
            (Some(GateEffect::BelowSeverity), _) => Self::BelowSeverity,
            (Some(GateEffect::ExpectedSkip), _) => Self::NotAsked,
            (None, VerdictKind::Conforms) => Self::Passes,
            (None, VerdictKind::Known) => Self::Known,
            (None, VerdictKind::NotApplicable) => Self::NotApplicable,
            (None, VerdictKind::NotAsked | VerdictKind::CouldNotRun) => Self::CouldNotRun,
            // A record without standings is never greener than its verdicts.
            (None, VerdictKind::Deviates | VerdictKind::Stale | VerdictKind::New) => Self::Fails,
        }
    }

    /// Why a cell that is neither passed nor red is excused.
    pub(super) fn excuse(self, record: &Record, cell: &CellRecord) -> Option<String> {
        let issue = || {
            let id = cell.known_issue.as_deref().unwrap_or_default();
            let title = record.known_issue(id).map(|issue| issue.title.as_str());
            format!("known issue {id}: {}", title.unwrap_or_default())
        };
        let excuse = match self {
            Self::Passes | Self::Fails | Self::CouldNotRun => return None,
            Self::NotApplicable => {
                format!(
                    "not applicable: {}",
                    cell.reason.as_deref().unwrap_or_default()
                )
            }
            Self::NotAsked => {
                format!("not asked: {}", cell.reason.as_deref().unwrap_or_default())
            }
            Self::Known => issue(),
            Self::AsInBaseline => format!("as in the baseline: {}", headline(record, cell)),
            Self::BelowSeverity => {
                format!("less severe than asked for: {}", headline(record, cell))
            }
        };
        Some(one_line(&excuse))
    }
}

/// What is wrong with a cell, in one word: the direction in which it deviates, or the verdict.
pub(super) fn kind(cell: &CellRecord) -> &'static str {
    match cell.direction {
        Some(direction) => direction.name(),
        None => cell.verdict.name(),
    }
}

/// What is wrong with a cell, in one line.
pub(super) fn headline(record: &Record, cell: &CellRecord) -> String {
    let seen = cell.observed.as_ref();
    let outcome = seen.and_then(|seen| seen.outcome.as_deref());
    let line = seen.map(|seen| seen.line()).unwrap_or_default();
    let issue = cell.known_issue.as_deref().unwrap_or_default();
    let mut text = match cell.verdict {
        VerdictKind::Deviates | VerdictKind::Known | VerdictKind::Conforms => {
            let expected = cell.expected.as_ref();
            let asked = expected.map_or("", |expected| expected.outcome.as_str());
            let status = expected.and_then(|expected| expected.status);
            let status = status.map(|status| format!(" ({status})"));
            let as_ruled = outcome == Some(asked);
            match as_ruled && cell.direction.is_some() {
                true => format!("{asked} as expected, but not the accepted answer: {line}"),
                false => format!(
                    "expected {asked}{}, observed {}",
                    status.unwrap_or_default(),
                    seen_words(outcome.unwrap_or_default(), &line)
                ),
            }
        }
        VerdictKind::Stale => {
            format!("as the rule says ({line}), although known issue {issue} says otherwise")
        }
        VerdictKind::New => format!("as the rule says ({line}), but no snapshot holds it yet"),
        VerdictKind::NotApplicable | VerdictKind::NotAsked | VerdictKind::CouldNotRun => {
            format!(
                "{}: {}",
                cell.verdict.name(),
                cell.reason.as_deref().unwrap_or_default()
            )
        }
    };
    if cell.verdict == VerdictKind::Known {
        text = format!("known issue {issue}: {text}");
    }
    let mut line = one_line(&text);
    if let Some(cause) = cause(record, cell) {
        line.push_str(&format!("; {}", one_line(&cause_words(record, cause))));
    }
    line
}

/// A cause in half a line.
fn cause_words(record: &Record, cause: &CauseRecord) -> String {
    let cells = count(cause.cells, "cell");
    format!(
        "cause {} ({cells}): {}",
        cause.id,
        conditions(record, cause)
    )
}

/// The cause of a cell.
pub(super) fn cause<'a>(record: &'a Record, cell: &CellRecord) -> Option<&'a CauseRecord> {
    let id = cell.cause?;
    // Causes are numbered from 1, in order.
    let guess = record.causes.get(id.wrapping_sub(1));
    guess
        .filter(|cause| cause.id == id)
        .or_else(|| record.causes.iter().find(|cause| cause.id == id))
}

/// Everything about a cell that is red: rule, source, request, expected and observed answer, the command that asks it
/// again.
pub(super) fn details(record: &Record, cell: &CellRecord) -> String {
    let mut lines = vec![
        format!("cell: {}", cell.id),
        format!("gateway: {}", cell.gateway),
    ];
    if let Some(rule) = record.rule(cell) {
        lines.push(format!("rule: {} ({})", rule.id, rule.origin));
        for (what, text) in [("  ", &rule.title), ("source: ", &rule.source)] {
            if !text.is_empty() {
                lines.push(format!("{what}{text}"));
            }
        }
    }
    if let Some(severity) = cell.severity {
        lines.push(format!("finding: {}, {}", kind(cell), severity.name()));
    }
    if let Some(cause) = cause(record, cell) {
        lines.push(cause_words(record, cause));
    }
    lines.push(format!(
        "replay: {}",
        replay(record, &cell.gateway, &cell.id)
    ));
    for (number, attempt) in (1..).zip(&cell.attempts) {
        lines.push(format!("attempt {number}: {}", one_line(attempt)));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    let expected = cell.expected.as_ref();
    let seen = cell.observed.as_ref();
    let parts = [
        ("request".to_owned(), record.request(cell)),
        (
            expected.map_or_else(String::new, |expected| {
                format!("expected: {}", expected.outcome)
            }),
            record.accepted(cell),
        ),
        (
            seen.map_or_else(String::new, |seen| {
                format!("observed: {}", one_line(&seen.line()))
            }),
            record.observed(cell),
        ),
        ("reason".to_owned(), cell.reason.as_deref()),
    ];
    for (heading, part) in parts {
        if let Some(part) = part {
            text.push_str(&format!("\n{heading}\n{}\n", block(part).trim_end()));
        } else if !heading.is_empty() && heading.contains(':') {
            text.push_str(&format!("\n{heading}\n"));
        }
    }
    text
}

/// What makes a run fail besides its cells: a report that says nothing of it would be greener than the exit code.
#[derive(Debug)]
pub(super) struct Besides<'a> {
    /// Relations between cells that do not hold.
    pub(super) relations: Vec<&'a RelationRecord>,
    /// Why the run did not end well, where neither a cell nor a relation says so.
    pub(super) ending: Option<String>,
}

impl<'a> Besides<'a> {
    /// What makes a run fail besides cells, of which so many are red.
    pub(super) fn of(record: &'a Record, red: usize) -> Self {
        let relations = record.relations.iter().filter(|relation| relation.failing);
        let relations: Vec<_> = relations.collect();
        let silent = red == 0 && relations.is_empty();
        let (ending, why) = record.ending();
        // Who was interrupted saw only a part, however red that is.
        let ending = match ending {
            Ending::Holds => None,
            Ending::Interrupted => Some(why),
            Ending::Broken | Ending::Gateway | Ending::Incomplete => silent.then_some(why),
        };
        Self { relations, ending }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.relations.len() + usize::from(self.ending.is_some())
    }
}

/// What is wrong with a relation, in one line.
pub(super) fn relation_headline(relation: &RelationRecord) -> String {
    let pairs = count(relation.unexplained, "pair");
    one_line(&format!(
        "{} does not hold for {pairs}: {}",
        relation.id, relation.title
    ))
}

/// Everything about a relation that does not hold.
pub(super) fn relation_details(relation: &RelationRecord) -> String {
    let (first, second) = &relation.example;
    block(&format!(
        "relation: {} ({})\ngateway: {}\nfor example:\n  {first}\n  {second}\n",
        relation.id, relation.origin, relation.gateway
    ))
}
