//! What an exploration found: for a terminal, and as Markdown.

use std::fmt::Write as _;

use base::text::{count, duration, one_line};
use studies::explore::{Exploration, Finding};

use crate::Paint;

/// So many findings are shown in full; `--all` shows the rest, too.
const MOST: usize = 12;
/// So many other things that are wrong with the same cells are shown.
const ALSO: usize = 3;

/// What it comes to, in one line.
fn summary(found: &Exploration) -> String {
    let new = found
        .findings
        .iter()
        .filter(|finding| finding.is_new())
        .count();
    let head = match new {
        0 => "nothing new".to_owned(),
        _ => count(new, "finding"),
    };
    let known = match found.findings.len() - new {
        0 => String::new(),
        known => format!(", {known} known or not shown again"),
    };
    let tried = found.launches.len() - found.earlier;
    format!(
        "{} ({}): {head}{known}; {} tried, {} started, {} in {}, seed {}, held against {}",
        found.gateway,
        found.version,
        count(tried, "launch"),
        found.started,
        count(found.answered, "answer"),
        duration(std::time::Duration::from_secs(found.seconds)),
        found.seed,
        found.against,
    )
}

/// What a finding is about, in one line.
fn head(finding: &Finding) -> String {
    let by = match finding.by.is_empty() {
        true => "everywhere".to_owned(),
        false => finding.by.join("  "),
    };
    let what = finding
        .deviation
        .map_or("broken law", |deviation| deviation.name());
    format!("{what}  {by}")
}

/// The lines below it.
fn lines(finding: &Finding) -> Vec<String> {
    let expected = match finding.expected.as_str() {
        "" => String::new(),
        expected => format!("expected {expected}, "),
    };
    let mut lines = vec![format!(
        "{expected}got {}{}",
        finding.observed,
        match finding.answer.is_empty() {
            true => String::new(),
            false => format!(": {}", one_line(&finding.answer)),
        }
    )];
    for broken in &finding.broken {
        lines.push(format!("against: {broken}"));
    }
    let place = format!(
        "{} in {}",
        count(finding.cells, "cell"),
        count(finding.launches, "launch")
    );
    let again = match finding.again {
        Some(true) => "; shown again on a fresh launch",
        Some(false) => "; not shown again on a fresh launch",
        None => "; not tried again",
    };
    let exceptions = match finding.exceptions {
        0 => String::new(),
        some => format!("; {} like these are right", count(some, "cell")),
    };
    lines.push(format!("{place}{again}{exceptions}"));
    if !finding.like.is_empty() {
        lines.push(format!("known: {}", finding.like.join(", ")));
    }
    if !finding.configuration.is_empty() {
        lines.push(format!(
            "configuration: {}",
            one_line(&finding.configuration.join(", "))
        ));
    }
    lines.push(format!("cell: {}", finding.example));
    for also in finding.also.iter().take(ALSO) {
        lines.push(format!("also: {}", one_line(also)));
    }
    if finding.also.len() > ALSO {
        let more = count(finding.also.len() - ALSO, "more line");
        lines.push(format!("also: {more}, in --format json"));
    }
    lines
}

/// The findings, the most severe first, for a terminal.
pub fn explore_text(found: &Exploration, all: bool, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.bold(&summary(found)));
    let most = if all { usize::MAX } else { MOST };
    for finding in found.findings.iter().take(most) {
        let number = format!("{:>3}  {}", finding.id, finding.severity.name());
        let number = match finding.is_new() {
            true => paint.bad(&number),
            false => paint.dim(&number),
        };
        let _ = writeln!(out, "\n{number}  {}", head(finding));
        for line in lines(finding) {
            let _ = writeln!(out, "     {line}");
        }
    }
    let left = found.findings.len().saturating_sub(most);
    if left > 0 {
        let _ = writeln!(
            out,
            "\nand {}: --all shows them",
            count(left, "more finding")
        );
    }
    if let Some(first) = found.not_judged.first() {
        let _ = writeln!(
            out,
            "\n{} not judged: {} answered them in a way that has no name, such as {}",
            count(found.not_judged.len(), "request"),
            found.against,
            one_line(first)
        );
    }
    for why in found.not_asked.iter().take(MOST) {
        let _ = writeln!(out, "{} {}", paint.warn("no answer:"), one_line(why));
    }
    if !found.findings.is_empty() {
        out.push_str("\nnext: --corpus DIR keeps scenario files that show them; in that folder\n");
        out.push_str("  clawgauge run CELL --gateway REF\n");
        out.push_str("  clawgauge repro CELL --gateway REF\n");
    }
    out
}

/// The findings as a page to paste.
pub fn explore_markdown(found: &Exploration) -> String {
    let mut out = format!(
        "# What exploring {} found\n\n{}\n",
        found.gateway,
        summary(found)
    );
    for finding in &found.findings {
        let _ = writeln!(
            out,
            "\n## {}. {} ({})\n",
            finding.id,
            head(finding),
            finding.severity.name()
        );
        for line in lines(finding) {
            let _ = writeln!(out, "- {line}");
        }
        if !finding.request.is_empty() {
            let _ = writeln!(out, "\n```http\n{}\n```", finding.request.trim_end());
        }
    }
    out
}
