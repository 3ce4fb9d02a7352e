//! Causes, broken relations and known issues in Markdown.

use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};

use super::{MOST, Section, cells, escape, more};
use crate::facts::{Facts, IssueOn};
use crate::findings::{About, Excuse, Finding};
use crate::words::replay;
use crate::words::{also, conditions, seen};
use base::text::{block, count};
use record::judge::VerdictKind;
use record::{CauseRecord, DifferenceRecord, Record};

/// At most so many known issues are told: what an operator lives with is worth its lines.
const MOST_ISSUES: usize = 60;
/// At most so many lines of a difference are shown.
const MOST_LINES: usize = 14;

/// Findings under a heading, each a section of its own so that a cut falls between them.
pub(super) fn sections(record: &Record, findings: &[&Finding<'_>], heading: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut told = BTreeSet::new();
    for (number, finding) in findings.iter().take(MOST).enumerate() {
        let mut text = String::new();
        if number == 0 {
            text.push_str(&format!("### {heading}\n\n"));
        }
        // Each rule is told in full once.
        let first = told.insert(&finding.rule);
        let mark = format!("{}. ", number + 1);
        // What belongs to an item is indented as far as its text begins.
        let item =
            item(record, finding, first).replace("\n   ", &format!("\n{}", " ".repeat(mark.len())));
        text.push_str(&format!("{mark}{item}"));
        if number + 1 == MOST {
            text.push_str(&more(findings.len(), MOST));
        }
        sections.push(Section::new(
            format!("{} {}", heading.to_lowercase(), number + 1),
            text,
        ));
    }
    sections
}

/// At most so many other parts of a cause are named.
const MOST_PARTS: usize = 8;

fn item(record: &Record, finding: &Finding<'_>, first: bool) -> String {
    let on = match record.gateways.len() {
        0 | 1 => String::new(),
        _ => format!(" on {}", escape::code(finding.gateway)),
    };
    let mut text = format!("**{}** ({})", finding.kind(), finding.severity.name());
    match finding.about {
        About::Cause(cause) => {
            let cells = cells(cause.cells, cause.failing);
            text.push_str(&format!(
                ", {cells}{on}, cause {}: {} where {}\n",
                cause.id,
                escape::code(&cause.scenarios().join(", ")),
                escape::code(&conditions(record, cause)),
            ));
            text.push_str(&expectation(cause));
            for line in also(record, cause).iter().take(MOST_PARTS) {
                text.push_str(&format!("   - also {}\n", escape::text(line)));
            }
            if let Some(more @ 1..) = cause.also.len().checked_sub(MOST_PARTS) {
                text.push_str(&format!("   - and {more} more parts\n"));
            }
            text.push_str(&rule(cause, first));
        }
        About::Relation(relation) => {
            text.push_str(&format!(
                ", {}{on}: {} ({}, {})\n   - between {}\n   - and {}\n",
                count(relation.unexplained, "pair"),
                escape::text(&relation.title),
                escape::code(&relation.id),
                escape::code(&relation.origin),
                escape::code(&relation.example.0),
                escape::code(&relation.example.1),
            ));
        }
        About::Stale(issue) => {
            text.push_str(&format!(
                ", {}{on}: as the rules say, although known issue {} says otherwise\n",
                count(finding.cells, "cell"),
                escape::code(issue),
            ));
        }
        About::New(scenario) => {
            text.push_str(&format!(
                ", {}{on} of {}: as the rules say, but no snapshot holds them yet\n",
                count(finding.cells, "cell"),
                escape::code(scenario),
            ));
        }
    }
    match finding.excuse {
        None => {}
        Some(Excuse::Known(issue)) => {
            text.push_str(&format!("   - known issue {}\n", escape::code(issue)));
        }
        Some(Excuse::AsInBaseline) => text.push_str("   - as in the baseline\n"),
        Some(Excuse::BelowSeverity) => text.push_str("   - less severe than what was asked for\n"),
    }
    let command = replay(record, finding.gateway, finding.example);
    text.push_str(&format!("   - replay: {}\n", escape::code(&command)));
    text
}

fn expectation(cause: &CauseRecord) -> String {
    match &cause.difference {
        None => format!(
            "   - expected {}, observed {}\n",
            escape::code(&cause.expected),
            escape::code(&seen(&cause.observed, &cause.answer))
        ),
        Some(difference) => format!(
            "   - {}, but not the accepted answer ({}):\n\n{}\n",
            escape::code(&cause.observed),
            escape::code(&difference.snapshot),
            escape::fenced(&diff(difference), "diff", "     "),
        ),
    }
}

fn rule(cause: &CauseRecord, first: bool) -> String {
    let mut text = format!("   - rule {}", escape::code(&cause.rule));
    if !first {
        text.push_str(", as above\n");
        return text;
    }
    text.push_str(&format!(" ({})", escape::code(&cause.origin)));
    if !cause.title.is_empty() {
        text.push_str(&format!(": {}", escape::text(&cause.title)));
    }
    text.push('\n');
    if !cause.source.is_empty() {
        text.push_str(&format!("   - source: {}\n", escape::text(&cause.source)));
    }
    text
}

/// The lines in which an answer differs from the accepted one.
fn diff(difference: &DifferenceRecord) -> String {
    let (accepted, observed) = (block(&difference.accepted), block(&difference.observed));
    let diff = TextDiff::from_lines(&accepted, &observed);
    let changes = diff.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => return None,
        };
        Some(format!("{sign} {}\n", change.value().trim_end()))
    });
    let lines: Vec<String> = changes.collect();
    let mut text: String = lines.iter().take(MOST_LINES).map(String::as_str).collect();
    if lines.len() > MOST_LINES {
        text.push_str(&format!("… {} more lines\n", lines.len() - MOST_LINES));
    }
    text
}

/// What known issues explain, and what to do about it.
pub(super) fn issues(record: &Record, facts: &Facts, known: &[&Finding<'_>]) -> Option<Section> {
    if facts.issues.is_empty() {
        return None;
    }
    let issues = facts.known_issues(record);
    let security = issues.iter().filter(|issue| issue.security).count();
    let mut text = format!("### {}", count(issues.len(), "known issue"));
    if security > 0 {
        text.push_str(&format!(", {security} of them about security"));
    }
    text.push_str("\n\n");
    for IssueOn {
        gateway, id, cells, ..
    } in issues.iter().take(MOST_ISSUES)
    {
        let on = match record.gateways.len() {
            0 | 1 => String::new(),
            _ => format!(" on {}", escape::code(gateway)),
        };
        let issue = record.known_issue(id);
        let kind = issue.map_or("", |issue| issue.kind.name());
        let title = issue.map_or("", |issue| issue.title.as_str());
        text.push_str(&format!(
            "- **{}** ({kind}), {}{on}: {}\n",
            escape::text(id),
            count(cells.of(VerdictKind::Known), "cell"),
            escape::text(title)
        ));
        let stale = cells.of(VerdictKind::Stale);
        if stale > 0 {
            let stale = count(stale, "cell");
            text.push_str(&format!("  - stale: {stale} as they should be\n"));
        }
        let mine = known.iter().filter(|finding| {
            finding.gateway == *gateway && finding.excuse == Some(Excuse::Known(id))
        });
        let worst = mine.map(|finding| (finding.severity, finding.kind())).max();
        if let Some((severity, kind)) = worst {
            text.push_str(&format!("  - at worst {kind} ({})\n", severity.name()));
        }
        let Some(issue) = issue else { continue };
        let lines = [
            ("means", &issue.means),
            ("workaround", &issue.workaround),
            ("releases", &issue.releases),
            ("the bytes say", &issue.bytes_say),
            ("upstream", &issue.upstream),
        ];
        for (what, line) in lines.iter().filter(|(_, line)| !line.is_empty()) {
            text.push_str(&format!("  - {what}: {}\n", escape::text(line)));
        }
        if !issue.url.is_empty() {
            text.push_str(&format!("  - {}\n", escape::link(&issue.url)));
        }
    }
    text.push_str(&more(issues.len(), MOST_ISSUES));
    Some(Section::new("known issues", text))
}
