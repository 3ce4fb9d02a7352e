//! A line NAME=VALUE for each thing that later steps of a pipeline may want to know: counts, broken rules, known issues.

use std::collections::BTreeSet;
use std::io::Write;

use super::facts::Facts;
use super::findings::Finding;
use base::text::one_line;
use record::judge::VerdictKind;
use record::{Results, ResultsError};

/// Writes the report.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let record = results.head();
    let facts = Facts::gather(results)?;
    let findings = Finding::all(record, &facts);
    let open = findings.iter().filter(|finding| finding.excuse.is_none());
    let seen = facts.known_issues(record);
    let seen = seen
        .iter()
        .filter(|issue| issue.cells.of(VerdictKind::Known) > 0);
    let summary = &record.summary;
    let counts = [
        ("selected", summary.selected),
        ("cells", summary.ran()),
        ("failing", summary.failing),
        ("conforms", summary.conforms),
        ("deviates", summary.deviates),
        ("known", summary.known),
        ("stale", summary.stale),
        ("new", summary.new),
        ("not-applicable", summary.not_applicable),
        ("not-asked", summary.not_asked),
        ("expected-skips", summary.expected_skips),
        ("could-not-run", summary.could_not_run),
    ];
    for (name, count) in counts {
        writeln!(out, "{name}={count}")?;
    }
    let names = [
        ("broken-rules", words(open.map(|finding| &*finding.rule))),
        ("known-issues", words(seen.map(|issue| issue.id))),
    ];
    for (name, words) in names {
        writeln!(out, "{name}={words}")?;
    }
    Ok(())
}

/// Each once, in order, with blanks between: no name has one.
fn words<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    let names: Vec<String> = names.into_iter().map(one_line).collect();
    names.join(" ")
}
