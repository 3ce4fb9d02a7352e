//! The lines in which two texts differ: what makes one change of a text the same as another.

use similar::{ChangeTag, TextDiff};

/// The lines that differ, with a sign before each.
pub(super) fn changed_lines(a: &str, b: &str) -> String {
    let diff = TextDiff::from_lines(a, b);
    let lines = diff.iter_all_changes().filter_map(|change| {
        let mark = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        Some(format!("{mark}{}\n", change.value().trim_end()))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::changed_lines;

    #[test]
    fn only_what_differs_is_told() {
        assert_eq!(changed_lines("a\nb\nc\n", "a\nB\nc\n"), "-b\n+B\n");
    }
}
