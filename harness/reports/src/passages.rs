//! What must be read again in the documentation of a release, as text for a terminal.

use std::fmt::Write as _;

use base::text::count;
use studies::passages::{Fate, Finding, Passages};

use crate::Paint;

/// The findings, with what must be read again first.
pub fn passages_text(passages: &Passages, paint: Paint) -> String {
    let head = match passages.read_again {
        0 => paint.good(&format!(
            "Nothing to read again: what {} of {} rules cite is the same in {}",
            passages.citing, passages.rules, passages.release
        )),
        again => paint.warn(&format!(
            "Read again for {}: {} of {} that cite its documentation",
            passages.release,
            count(again, "rule"),
            passages.citing
        )),
    };
    let mut text = format!("{head}\n");
    let (same, other): (Vec<&Finding>, Vec<&Finding>) =
        (passages.documents.iter()).partition(|document| document.fate == Fate::Unchanged);
    for document in other {
        let _ = writeln!(
            text,
            "\n{} as of {}: {}",
            document.path,
            document.cited,
            fate(document)
        );
        for section in &document.sections {
            let _ = writeln!(
                text,
                "  {:<50} +{} -{}",
                section.heading, section.added, section.removed
            );
        }
        for rule in &document.read_again {
            let passage = match rule.passage.as_str() {
                "" => String::new(),
                passage => format!(": {passage}"),
            };
            let _ = writeln!(
                text,
                "  read again {} ({}){passage}",
                rule.rule, rule.origin
            );
        }
        if document.unaffected > 0 {
            let others = count(document.unaffected, "rule");
            let line = format!("  {others} cite sections that did not change");
            let _ = writeln!(text, "{}", paint.dim(&line));
        }
    }
    if !same.is_empty() {
        text.push('\n');
    }
    for document in same {
        let rules = count(document.unaffected, "rule");
        let line = format!(
            "{} as of {}: unchanged, {rules}",
            document.path, document.cited
        );
        let _ = writeln!(text, "{}", paint.dim(&line));
    }
    text
}

fn fate(document: &Finding) -> String {
    match document.fate {
        Fate::Unchanged => "unchanged".to_owned(),
        Fate::Changed => format!("{} changed", count(document.sections.len(), "section")),
        Fate::Gone => "the release does not ship it".to_owned(),
        Fate::Unknown => format!("not known: {}", document.why.as_deref().unwrap_or_default()),
    }
}
