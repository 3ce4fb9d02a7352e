//! On whose authority a rule stands, in parts that can be compared: documents, issues, advisories.

use std::collections::BTreeSet;

/// The parts of a rule's source: each document or sentence, and each public issue or advisory on its own.
pub(super) fn parts(source: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    for part in source.split(';') {
        let words = part
            .split([' ', ',', '(', ')'])
            .filter(|word| is_public(word));
        parts.extend(words.map(str::to_owned));
        // What is left when the issues are taken out.
        let rest: Vec<&str> = part
            .split(',')
            .map(str::trim)
            .filter(|piece| !is_public(piece))
            .collect();
        let rest = rest.join(", ");
        if !rest.is_empty() {
            parts.insert(rest);
        }
    }
    parts
}

/// Whether a word names an issue or an advisory.
fn is_public(word: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let issue = word
        .split_once('#')
        .is_some_and(|(project, rest)| !project.is_empty() && number(rest));
    issue || word.starts_with("GHSA-") || word.starts_with("CVE-")
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn documents_and_issues_stand_for_themselves() {
        let source =
            "docs/a.md (2026.9.6), how it is attributed; openclaw#119950, GHSA-3q9h-fq44-7qjh";
        let parts: Vec<String> = parts(source).into_iter().collect();
        assert_eq!(
            parts,
            [
                "GHSA-3q9h-fq44-7qjh",
                "docs/a.md (2026.9.6), how it is attributed",
                "openclaw#119950"
            ]
        );
    }
}
