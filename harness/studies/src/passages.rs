//! Which passages of the documentation that rules cite changed between two releases: what must be read again.
//!
//! A rule cites as `docs/gateway/health.md (2026.9.6), probes`: a file that a release ships, and where in it. Pure: the texts are
//! given.

use std::collections::BTreeMap;

use contract::release::Version;
use contract::scenario::Catalogue;
use schemars::JsonSchema;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Name and version of the document.
pub const SCHEMA: &str = "clawgauge.docs/1";
/// What stands before the first heading.
const BEGINNING: &str = "(before the first heading)";
/// Shorter words say little about where a passage is.
const MIN_WORD: usize = 4;

/// A rule that cites a passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Citing {
    /// `scenario/rule`.
    pub rule: String,
    /// `file:line` of the rule.
    pub origin: String,
    /// Where in the document, in the rule's words; may be empty.
    pub passage: String,
}

/// A file of the documentation as of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    /// Its path in the package.
    pub path: String,
    /// The release whose file was read when the rules were written.
    pub cited: Version,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Not a line of it changed.
    Unchanged,
    /// Some sections changed.
    Changed,
    /// The release does not ship it.
    Gone,
    /// One of the two could not be read.
    Unknown,
}

/// A section that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}

/// A document, what became of it, and what that means for the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Its path in the package.
    pub path: String,
    /// The release whose file was read when the rules were written.
    pub cited: String,
    /// What became of it.
    pub fate: Fate,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Sections that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// Rules that must be read again: what they cite changed, or nobody can tell that it did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read_again: Vec<Citing>,
    /// Rules whose passage is as it was.
    pub unaffected: usize,
}

/// All documents that rules cite, against one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Passages {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The release.
    pub release: String,
    /// Rules of the contract.
    pub rules: usize,
    /// Those that cite a file of the documentation.
    pub citing: usize,
    /// Those of them that must be read again.
    pub read_again: usize,
    /// One a document and release that is cited.
    pub documents: Vec<Finding>,
}

/// What every rule that holds for a release cites.
pub fn cited(catalogue: &Catalogue, release: &Version) -> BTreeMap<Document, Vec<Citing>> {
    let mut documents: BTreeMap<Document, Vec<Citing>> = BTreeMap::new();
    for scenario in &catalogue.scenarios {
        for rule in scenario
            .rules
            .iter()
            .filter(|rule| rule.range.contains(release))
        {
            for (document, passage) in citations(&rule.source) {
                documents.entry(document).or_default().push(Citing {
                    rule: format!("{}/{}", scenario.id, rule.id),
                    origin: rule.origin.clone(),
                    passage,
                });
            }
        }
    }
    documents
}

/// The documents in a source, each with the place in it: `docs/A.md (RELEASE), PLACE; (RELEASE), PLACE; docs/B.md ...`.
fn citations(source: &str) -> Vec<(Document, String)> {
    let mut found = Vec::new();
    let mut path = "";
    for part in source.split(';').map(str::trim) {
        let Some((before, rest)) = part.split_once('(') else {
            path = "";
            continue;
        };
        if before.starts_with("docs/") {
            path = before.trim();
        } else if !before.is_empty() {
            path = "";
        }
        let release = rest.split_once(')').map(|(release, place)| {
            let place = place.trim_start_matches([',', ':', ' ']);
            (release.parse::<Version>(), place)
        });
        if let (Some((Ok(cited), place)), false) = (release, path.is_empty()) {
            let document = Document {
                path: path.to_owned(),
                cited,
            };
            found.push((document, place.to_owned()));
        }
    }
    found
}

/// What became of a document, given the text that was cited and that of the release; an error says why one is not known.
pub fn finding(
    document: &Document,
    citing: Vec<Citing>,
    texts: Result<(String, Option<String>), String>,
) -> Finding {
    let of = |fate, why, sections: Vec<Section>, read_again: Vec<Citing>, all: usize| Finding {
        path: document.path.clone(),
        cited: document.cited.to_string(),
        fate,
        why,
        sections,
        unaffected: all - read_again.len(),
        read_again,
    };
    let all = citing.len();
    match texts {
        Err(why) => of(Fate::Unknown, Some(why), Vec::new(), citing, all),
        Ok((_, None)) => of(Fate::Gone, None, Vec::new(), citing, all),
        Ok((before, Some(now))) => {
            let headings: Vec<String> = sections(&before)
                .into_keys()
                .map(|(name, _)| name)
                .collect();
            let changed = changes(&before, &now);
            let fate = match changed.is_empty() {
                true => Fate::Unchanged,
                false => Fate::Changed,
            };
            let must = |one: &Citing| is_touched(&one.passage, &headings, &changed);
            let read_again = citing.into_iter().filter(must).collect();
            of(fate, None, changed, read_again, all)
        }
    }
}

/// All findings for a release.
pub fn passages(catalogue: &Catalogue, release: &Version, documents: Vec<Finding>) -> Passages {
    let rules = catalogue
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.rules);
    let rules: Vec<_> = rules.filter(|rule| rule.range.contains(release)).collect();
    let citing = rules
        .iter()
        .filter(|rule| !citations(&rule.source).is_empty());
    let mut again: Vec<&str> = documents
        .iter()
        .flat_map(|document| document.read_again.iter().map(|one| one.rule.as_str()))
        .collect();
    again.sort_unstable();
    again.dedup();
    Passages {
        schema: SCHEMA,
        release: release.to_string(),
        rules: rules.len(),
        citing: citing.count(),
        read_again: again.len(),
        documents,
    }
}

/// Whether a passage may have changed. Where its words name no section, any change counts.
fn is_touched(passage: &str, headings: &[String], changed: &[Section]) -> bool {
    if changed.is_empty() {
        return false;
    }
    let named: Vec<&String> = headings
        .iter()
        .filter(|heading| names(passage, heading))
        .collect();
    let is_changed = |heading: &String| changed.iter().any(|section| section.heading == *heading);
    named.is_empty() || named.into_iter().any(is_changed)
}

/// Whether a passage names a section: all words of the heading that say something are in it.
fn names(passage: &str, heading: &str) -> bool {
    let passage = words(passage);
    let heading = words(heading);
    !heading.is_empty() && heading.iter().all(|word| passage.contains(word))
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| word.len() >= MIN_WORD);
    words.map(str::to_lowercase).collect()
}

/// The sections by heading, and by how many of the same heading came before.
fn sections(text: &str) -> BTreeMap<(String, usize), String> {
    let mut found: BTreeMap<(String, usize), String> = BTreeMap::new();
    let mut key = (BEGINNING.to_owned(), 0);
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if !in_code && heading.len() < line.len() && heading.starts_with(' ') {
            let name = heading.trim().to_owned();
            let same = found.keys().filter(|(known, _)| *known == name).count();
            key = (name, same);
        }
        let section = found.entry(key.clone()).or_default();
        section.push_str(line.trim_end());
        section.push('\n');
    }
    found
}

/// Sections that are not as they were, the new and the vanished among them.
fn changes(before: &str, now: &str) -> Vec<Section> {
    let (before, now) = (sections(before), sections(now));
    let mut keys: Vec<&(String, usize)> = before.keys().chain(now.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let changed = keys.into_iter().filter_map(|key| {
        let text = |of: &BTreeMap<_, String>| of.get(key).cloned().unwrap_or_default();
        let (old, new) = (text(&before), text(&now));
        let diff = TextDiff::from_lines(&old, &new);
        let count = |tag| {
            let changes = diff.iter_all_changes();
            changes.filter(move |change| change.tag() == tag && !change.value().trim().is_empty())
        };
        let (added, removed) = (
            count(ChangeTag::Insert).count(),
            count(ChangeTag::Delete).count(),
        );
        (added + removed > 0).then(|| Section {
            heading: key.0.clone(),
            added,
            removed,
        })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::one("docs/a.md (2026.9.6), the part", &[("docs/a.md", "2026.9.6", "the part")])]
    #[case::two_releases("docs/a.md (2026.9.6): x, y; (2026.3.28), z", &[("docs/a.md", "2026.9.6", "x, y"), ("docs/a.md", "2026.3.28", "z")])]
    #[case::with_an_issue("docs/a.md (2026.9.6); openclaw#1", &[("docs/a.md", "2026.9.6", "")])]
    #[case::two_files("docs/a.md (2026.9.6), x; docs/b.md (2026.7.1), y", &[("docs/a.md", "2026.9.6", "x"), ("docs/b.md", "2026.7.1", "y")])]
    #[case::not_of_a_file("openclaw#1 (2026.9.6); (2026.3.28), z", &[])]
    #[case::seen("seen on 2026.3.24", &[])]
    fn sources_are_read(#[case] source: &str, #[case] expected: &[(&str, &str, &str)]) {
        let found = citations(source);
        let found: Vec<_> = found
            .iter()
            .map(|(document, place)| {
                (
                    document.path.as_str(),
                    document.cited.to_string(),
                    place.as_str(),
                )
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, release, place)| (*path, (*release).to_owned(), *place))
            .collect();
        assert_eq!(found, expected);
    }

    const BEFORE: &str =
        "intro\n# Rate limits\nten\n```sh\n# no heading\n```\n## Trusted proxies\nlist\n";

    #[rstest]
    #[case::same(BEFORE.to_owned(), "rate limits", Fate::Unchanged, 0)]
    #[case::blanks(BEFORE.replace("ten\n", "ten  \n\n"), "rate limits", Fate::Unchanged, 0)]
    #[case::cited_section(BEFORE.replace("ten", "twenty"), "rate limits: ten", Fate::Changed, 1)]
    #[case::other_section(BEFORE.replace("list", "lists"), "rate limits: ten", Fate::Changed, 0)]
    #[case::code(BEFORE.replace("# no heading", "# another"), "rate limits", Fate::Changed, 1)]
    #[case::no_section_named(BEFORE.replace("list", "lists"), "where ten is said", Fate::Changed, 1)]
    #[case::section_gone(BEFORE.replace("# Rate limits", "# Limits"), "rate limits", Fate::Changed, 1)]
    fn what_changed(
        #[case] now: String,
        #[case] passage: &str,
        #[case] fate: Fate,
        #[case] read_again: usize,
    ) {
        let found = found(passage, Ok((BEFORE.to_owned(), Some(now))));
        assert_eq!(
            (found.fate, found.read_again.len()),
            (fate, read_again),
            "{found:?}"
        );
        assert_eq!(found.unaffected, 1 - read_again);
    }

    fn found(passage: &str, texts: Result<(String, Option<String>), String>) -> Finding {
        let document = Document {
            path: "docs/a.md".to_owned(),
            cited: "2026.9.6".parse().unwrap(),
        };
        let citing = Citing {
            rule: "s/r".to_owned(),
            origin: "s.toml:1".to_owned(),
            passage: passage.to_owned(),
        };
        finding(&document, vec![citing], texts)
    }

    #[test]
    fn what_is_not_there_must_be_read_again() {
        let gone = found("x", Ok((BEFORE.to_owned(), None)));
        assert_eq!((gone.fate, gone.read_again.len()), (Fate::Gone, 1));
        let unknown = found("x", Err("it is not installed".to_owned()));
        assert_eq!((unknown.fate, unknown.read_again.len()), (Fate::Unknown, 1));
    }
}
