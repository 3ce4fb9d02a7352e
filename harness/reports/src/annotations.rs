//! Workflow commands of GitHub: one annotation a cause or known issue, and before them what went wrong around the run.
//!
//! GitHub shows ten of a kind per step and drops the rest without a word, so that the tenth says how many there are
//! besides.

use std::io::Write;

use super::facts::{Facts, IssueOn};
use super::findings::{About, Excuse, Finding, in_repository, troubles};
use super::part::left_out;
use crate::words::replay;
use base::text::{count, one_line, visible};
use record::judge::{Severity, VerdictKind};
use record::{IssueRecord, Record, Results, ResultsError};

/// So many of a kind GitHub shows per step.
const SHOWN: usize = 10;

/// The kinds of annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Error,
    Warning,
    Notice,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

struct Annotation<'a> {
    kind: Kind,
    file: &'a str,
    line: Option<usize>,
    title: String,
    message: String,
}

/// Writes the report.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let record = results.head();
    let facts = Facts::gather(results)?;
    let around = troubles(record, &facts)
        .into_iter()
        .map(|message| Annotation {
            kind: Kind::Error,
            file: "",
            line: None,
            title: "clawgauge could not tell".to_owned(),
            message,
        });
    let findings = Finding::all(record, &facts);
    let found = findings.iter().filter_map(|finding| found(record, finding));
    let issues = facts.known_issues(record);
    let known = issues
        .iter()
        .filter(|issue| issue.cells.of(VerdictKind::Known) > 0);
    let known = known.map(|issue| known_issue(record, issue));
    let part = record.headline().map(|headline| Annotation {
        kind: Kind::Notice,
        file: "",
        line: None,
        title: headline,
        message: match left_out(record, SHOWN) {
            // A message must not be empty.
            lines if lines.is_empty() => record.ending().1,
            lines => lines.join("\n"),
        },
    });
    let around = around.chain(part);
    let all: Vec<Annotation<'_>> = around.chain(found).chain(known).collect();
    for kind in [Kind::Error, Kind::Warning, Kind::Notice] {
        let mine: Vec<_> = all.iter().filter(|one| one.kind == kind).collect();
        let shown = if mine.len() > SHOWN { SHOWN - 1 } else { SHOWN };
        for one in mine.iter().take(shown) {
            command(out, record, one)?;
        }
        let left = mine.len().saturating_sub(shown);
        if left > 0 {
            let more = Annotation {
                kind,
                file: "",
                line: None,
                title: format!("and {}", count(left, &format!("more {}", kind.name()))),
                message: "GitHub shows ten of a kind; the step summary and the record tell all"
                    .to_owned(),
            };
            command(out, record, &more)?;
        }
    }
    Ok(())
}

/// A finding that no known issue explains.
fn found<'a>(record: &Record, finding: &Finding<'a>) -> Option<Annotation<'a>> {
    let (kind, excuse) = match (finding.excuse, finding.severity) {
        (Some(Excuse::Known(_)), _) => return None,
        (Some(Excuse::AsInBaseline), _) => (Kind::Notice, "as in the baseline: "),
        (Some(Excuse::BelowSeverity), _) => (Kind::Notice, "less severe than asked for: "),
        (None, Severity::Blocker | Severity::Severe) => (Kind::Error, ""),
        (None, Severity::Shape) => (Kind::Warning, ""),
        (None, Severity::Cosmetic) => (Kind::Notice, ""),
    };
    let authority = match finding.about {
        About::Cause(cause) if !cause.source.is_empty() => format!(", by {}", cause.source),
        About::Cause(_) | About::Relation(_) | About::Stale(_) | About::New(_) => String::new(),
    };
    let lines = [
        finding.difference(),
        format!("{} on {}", finding.cells_words(record), finding.gateway),
        format!("rule {}{authority}", finding.rule),
        format!(
            "replay: {}",
            replay(record, finding.gateway, finding.example)
        ),
    ];
    Some(Annotation {
        kind,
        file: finding.file,
        line: finding.line,
        title: format!(
            "{excuse}{} ({}): {}",
            finding.kind(),
            finding.severity.name(),
            finding.amount()
        ),
        message: lines.map(|line| one_line(&line)).join("\n"),
    })
}

/// A notice an issue, however many causes it explains.
fn known_issue<'a>(record: &'a Record, issue: &IssueOn<'a>) -> Annotation<'a> {
    let told = record.known_issue(issue.id);
    let text = |text: fn(&IssueRecord) -> &String| told.map_or("", |issue| text(issue).as_str());
    let cells = count(issue.cells.of(VerdictKind::Known), "cell");
    let lines = [
        text(|issue| &issue.title).to_owned(),
        format!("{cells} on {}", issue.gateway),
        format!("means: {}", text(|issue| &issue.means)),
        format!("workaround: {}", text(|issue| &issue.workaround)),
    ];
    let kind = told.map_or("", |issue| issue.kind.name());
    Annotation {
        kind: Kind::Notice,
        file: text(|issue| &issue.file),
        line: None,
        title: format!("known issue {} ({kind})", issue.id),
        message: lines.map(|line| one_line(&line)).join("\n"),
    }
}

fn command(out: &mut dyn Write, record: &Record, one: &Annotation<'_>) -> std::io::Result<()> {
    let mut properties = Vec::new();
    // GitHub looks for the file in the caller's repository.
    let file = in_repository(record, one.file).filter(|_| !one.file.is_empty());
    if let Some(file) = file {
        properties.push(format!("file={}", property(&file)));
        properties.extend(one.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&one.title)));
    let name = one.kind.name();
    let message = data(&visible(&one.message, &['\n']));
    writeln!(out, "::{name} {}::{message}", properties.join(","))
}

/// What stands after the colons.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What stands in a property.
fn property(text: &str) -> String {
    data(&visible(text, &[]))
        .replace(':', "%3A")
        .replace(',', "%2C")
}
