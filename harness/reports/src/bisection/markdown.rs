//! What a bisection found, as Markdown for an issue.

use std::fmt::Write as _;

use super::{answered, assumed, nothing, scope, summary, why, words};
use crate::markdown::escape::{code, code_cell, link, text};
use studies::bisect::Bisection;

/// What was found, as Markdown.
pub fn bisection_markdown(found: &Bisection) -> String {
    let mut out = format!("## {}\n\n", code(&found.subject));
    if !found.title.is_empty() {
        let _ = writeln!(out, "{}\n", text(&found.title));
    }
    let _ = writeln!(out, "{}.\n", text(&scope(found)));
    for change in &found.changes {
        let (head, before, after) = words(found, change);
        let _ = writeln!(
            out,
            "### {}\n\n| | release | published | integrity |\n|---|---|---|---|",
            text(&head)
        );
        for (word, name) in [(before, &change.before), (after, &change.after)] {
            let release = found.release(name);
            let published = release.and_then(|release| release.published);
            let published = published.map(|time| time.strftime("%Y-%m-%d").to_string());
            let integrity = release.and_then(|release| release.integrity.as_deref());
            let _ = writeln!(
                out,
                "| {word} | {name} | {} | {} |",
                published.unwrap_or_default(),
                integrity.map(code_cell).unwrap_or_default()
            );
        }
        out.push('\n');
        for name in &change.first[..change.first.len() - 1] {
            let _ = writeln!(out, "- {}", text(&why(found, name)));
        }
        for group in &change.cells {
            if found.cells.len() > 1 {
                let _ = writeln!(
                    out,
                    "- {} cells, for example {}:",
                    group.cells,
                    code(&group.example)
                );
            }
            for (name, answer) in [
                (&change.before, &group.before),
                (&change.after, &group.after),
            ] {
                let _ = writeln!(out, "- {name}: {}", text(&answered(answer)));
            }
        }
        for issue in &change.known_issues {
            let _ = writeln!(
                out,
                "- known issue {}: {} {}",
                code(&issue.id),
                text(&issue.title),
                link(&issue.url)
            );
        }
        let _ = writeln!(out, "- a script that shows it: {}\n", code(&change.repro));
    }
    if found.changes.is_empty() {
        let _ = writeln!(out, "{}.\n", text(&nothing(found)));
    }
    out.push_str("| release | side | answer |\n|---|---|---|\n");
    for release in &found.tested {
        let side = match &release.why {
            Some(_) => "cannot tell",
            None => release.side.unwrap_or_default(),
        };
        let _ = writeln!(
            out,
            "| {} | {side} | {} |",
            release.release,
            text(&summary(release))
        );
    }
    if let Some(assumed) = assumed(found) {
        let _ = write!(out, "\n{}.\n", text(&assumed));
    }
    out
}
