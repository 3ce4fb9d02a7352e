//! The step summary of a GitHub workflow: the Markdown report, within what GitHub takes.
//!
//! GitHub drops a summary of more than 1 MiB as a whole, and other commands of the step may have written to it before.

use std::io::Write;

use super::markdown::{Section, sections};
use base::text::count;
use record::{Results, ResultsError};

/// How long a step's summary may get.
pub(super) const LIMIT: usize = 1024 * 1024;

/// Writes as much as fits into `room` bytes.
///
/// # Errors
/// Not even the verdict fits, besides what writing brings.
pub(super) fn write(
    results: &Results<'_>,
    room: usize,
    out: &mut dyn Write,
) -> Result<(), ResultsError> {
    let text = fit(&sections(results)?, room).ok_or_else(|| {
        std::io::Error::other("a step summary may have 1 MiB, and this one has no room left")
    })?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// The sections that fit, and a line that says what does not.
fn fit(sections: &[Section], room: usize) -> Option<String> {
    let heading = "## clawgauge\n\n";
    for told in (1..=sections.len()).rev() {
        let mut text = heading.to_owned();
        text.extend(sections[..told].iter().map(|section| section.text.as_str()));
        if let Some(first) = sections.get(told) {
            let left = count(sections.len() - told, "part");
            text.push_str(&format!(
                "Left out for want of room: {left}, from {} on. The record holds everything.\n\n",
                first.name
            ));
        }
        if text.len() <= room {
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::fit;
    use crate::markdown::Section;

    #[test]
    fn what_does_not_fit_is_named() {
        let section = |name: &str, length: usize| Section {
            name: name.to_owned(),
            text: format!("{}\n\n", "x".repeat(length)),
        };
        let sections = [section("a", 10), section("b", 500), section("c", 10)];
        let whole = fit(&sections, 1000).unwrap();
        assert!(!whole.contains("Left out"));
        let cut = fit(&sections, 300).unwrap();
        assert!(cut.contains("Left out for want of room: 2 parts, from b on."));
        assert!(cut.len() <= 300);
        assert_eq!(fit(&sections, 50), None);
    }
}
