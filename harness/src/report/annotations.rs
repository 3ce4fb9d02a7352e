//! Workflow commands of GitHub: one annotation a cause, and before them what went wrong around the run.
//!
//! GitHub shows ten of a kind per step and drops the rest without a word, so that the tenth says how many there are
//! besides.

use std::io::Write;

use super::facts::Facts;
use super::findings::{About, Excuse, Finding, troubles};
use super::text::{count, one_line};
use crate::judge::Severity;
use crate::record::{Record, Results, ResultsError};

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
    let found = findings.iter().map(|finding| annotation(record, finding));
    let all: Vec<Annotation<'_>> = around.chain(found).collect();
    for kind in [Kind::Error, Kind::Warning, Kind::Notice] {
        let mine: Vec<_> = all.iter().filter(|one| one.kind == kind).collect();
        let shown = if mine.len() > SHOWN { SHOWN - 1 } else { SHOWN };
        for one in mine.iter().take(shown) {
            command(out, one)?;
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
            command(out, &more)?;
        }
    }
    Ok(())
}

fn annotation<'a>(record: &Record, finding: &Finding<'a>) -> Annotation<'a> {
    let kind = match (finding.excuse, finding.severity) {
        (Some(Excuse::Known(_) | Excuse::AsInBaseline | Excuse::BelowSeverity), _) => Kind::Notice,
        (None, Severity::Blocker) => Kind::Error,
        (None, Severity::Shape) => Kind::Warning,
        (None, Severity::Cosmetic) => Kind::Notice,
    };
    let excuse = match finding.excuse {
        None => String::new(),
        Some(Excuse::Known(issue)) => format!("known issue {issue}: "),
        Some(Excuse::AsInBaseline) => "as in the baseline: ".to_owned(),
        Some(Excuse::BelowSeverity) => "less grave than asked for: ".to_owned(),
    };
    let authority = match finding.about {
        About::Cause(cause) if !cause.source.is_empty() => format!("; source: {}", cause.source),
        About::Cause(_) | About::Relation(_) | About::Stale(_) | About::New(_) => String::new(),
    };
    let message = format!(
        "{}; {}; rule {}{}; on {}; for example {}",
        finding.difference(),
        finding.cells_words(record),
        finding.rule,
        one_line(&authority),
        finding.gateway,
        finding.example,
    );
    Annotation {
        kind,
        file: finding.file,
        line: finding.line,
        title: one_line(&format!(
            "{excuse}{} ({})",
            finding.kind(),
            finding.severity.name()
        )),
        message,
    }
}

fn command(out: &mut dyn Write, one: &Annotation<'_>) -> std::io::Result<()> {
    let mut properties = Vec::new();
    if !one.file.is_empty() {
        properties.push(format!("file={}", property(one.file)));
    }
    if let Some(line) = one.line {
        properties.push(format!("line={line}"));
    }
    properties.push(format!("title={}", property(&one.title)));
    let name = one.kind.name();
    let message = data(&visible_line(&one.message));
    writeln!(out, "::{name} {}::{message}", properties.join(","))
}

/// All of a message in one line; what others wrote in it was cut before.
fn visible_line(text: &str) -> String {
    super::text::visible(text, &[])
}

/// What stands after the colons.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What stands in a property.
fn property(text: &str) -> String {
    data(&visible_line(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}
