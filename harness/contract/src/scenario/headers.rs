//! The header lines of answers: which are judged, and what is asked of them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of one header of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderRule {
    /// Nothing; its value is part of the answer, so that snapshots hold it.
    Shown,
    /// Nothing; its value is part of the answer, and a client acts on it: a denial that has lost it is severe.
    Needed,
    /// Nothing; part of the answer is which of these texts its value holds, in their order.
    Parts(Vec<String>),
    /// Nothing; it is no part of the answer.
    Free,
    /// It must be there; its value is part of the answer.
    Present,
    /// It must not be there.
    Absent,
    /// It must be there once, with this value.
    Is(String),
}

impl HeaderRule {
    /// What of a value is part of the answer.
    pub fn part_of(&self, value: String) -> String {
        let Self::Parts(texts) = self else {
            return value;
        };
        let held = texts.iter().map(String::as_str);
        let held: Vec<&str> = held.filter(|text| value.contains(text)).collect();
        held.join("; ")
    }
}

/// Rules by the name of a header in small letters; a name that ends with `*` stands for all that begin so.
///
/// A header without a rule is part of the answer by its name alone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
pub struct Headers(IndexMap<String, HeaderRule>);

impl Headers {
    /// The rule for a header, whose name is in small letters, and its place in the file.
    pub fn rule(&self, name: &str) -> Option<(usize, &HeaderRule)> {
        let begins = |pattern: &str| {
            let stem = pattern.strip_suffix('*');
            stem.is_some_and(|stem| name.starts_with(stem))
        };
        let exact = self.0.get_full(name);
        let rule = exact.or_else(|| {
            let place = self.0.keys().position(|pattern| begins(pattern))?;
            self.0
                .get_index(place)
                .map(|(name, rule)| (place, name, rule))
        });
        rule.map(|(place, _, rule)| (place, rule))
    }

    /// The headers that have a rule, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderRule)> {
        self.0.iter().map(|(name, rule)| (name.as_str(), rule))
    }

    /// These rules, with those of an outcome instead where it has its own.
    pub(super) fn with(&self, own: &Self) -> Self {
        let mut all = self.clone();
        all.0.extend(own.0.clone());
        all
    }

    /// Whether no answer keeps both these rules and those.
    pub(super) fn exclude(&self, other: &Self) -> bool {
        self.0.iter().any(|(name, rule)| {
            let other = other.rule(name).map(|(_, rule)| rule);
            match (rule, other) {
                (HeaderRule::Is(one), Some(HeaderRule::Is(two))) => one != two,
                (HeaderRule::Is(_) | HeaderRule::Present, Some(HeaderRule::Absent))
                | (HeaderRule::Absent, Some(HeaderRule::Is(_) | HeaderRule::Present)) => true,
                _ => false,
            }
        })
    }

    /// Whether the header lines of an answer keep the rules; `values` is by name in small letters.
    pub fn kept_by(&self, values: &IndexMap<String, Vec<String>>) -> bool {
        let there = values.iter().all(|(name, values)| match self.rule(name) {
            Some((_, HeaderRule::Absent)) => false,
            Some((_, HeaderRule::Is(value))) => values == std::slice::from_ref(value),
            _ => true,
        });
        let must = |rule: &HeaderRule| matches!(rule, HeaderRule::Is(_) | HeaderRule::Present);
        let missing =
            |(name, rule): &(&str, &HeaderRule)| must(rule) && !values.contains_key(*name);
        there && !self.iter().any(|one| missing(&one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn headers() -> Headers {
        let text = r#"
            allow = "shown"
            date = "free"
            x-content-type-options = { is = "nosniff" }
            "access-control-*" = "absent"
            access-control-max-age = "free"
        "#;
        toml::from_str(text).expect("they can be read")
    }

    #[rstest]
    #[case::as_asked(&[("x-content-type-options", "nosniff")], true)]
    #[case::others_do_not_matter(&[("x-content-type-options", "nosniff"), ("allow", "GET"), ("etag", "1")], true)]
    #[case::missing(&[], false)]
    #[case::another_value(&[("x-content-type-options", "sniff")], false)]
    #[case::what_begins_so(&[("x-content-type-options", "nosniff"), ("access-control-allow-origin", "*")], false)]
    #[case::the_name_itself_comes_first(&[("x-content-type-options", "nosniff"), ("access-control-max-age", "600")], true)]
    fn rules(#[case] lines: &[(&str, &str)], #[case] kept: bool) {
        let values = lines.iter();
        let values = values.map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]));
        assert_eq!(headers().kept_by(&values.collect()), kept);
    }

    #[rstest]
    #[case::both(
        "script-src 'self' 'sha256-x'; frame-ancestors 'none'",
        "frame-ancestors 'none'; script-src 'self'"
    )]
    #[case::one("script-src 'self'", "script-src 'self'")]
    #[case::none("default-src *", "")]
    fn parts(#[case] value: &str, #[case] part: &str) {
        let texts = ["frame-ancestors 'none'", "script-src 'self'"];
        let rule = HeaderRule::Parts(texts.map(str::to_owned).to_vec());
        assert_eq!(rule.part_of(value.to_owned()), part);
    }

    #[test]
    fn one_value_means_one_line() {
        let twice = vec!["nosniff".to_owned(), "nosniff".to_owned()];
        let values = IndexMap::from([("x-content-type-options".to_owned(), twice)]);
        assert!(!headers().kept_by(&values));
    }
}
