//! Redaction: the one step that every text from a gateway passes before anything else sees it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Replaces a launch's secrets, plain or encoded, by their names.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    searcher: Option<AhoCorasick>,
    replacements: Vec<String>,
}

impl Redactor {
    /// Knows each secret plain, in upper and lower case, base64 (with and without padding, alone and as a Basic
    /// credential) and percent-encoded.
    pub fn new(secrets: &BTreeMap<String, String>) -> Self {
        Self::with_folder(secrets, "")
    }

    /// As [`Redactor::new`], and knows the folder of the launch, which is told as `[launch]`.
    pub fn with_folder(secrets: &BTreeMap<String, String>, folder: &str) -> Self {
        let secrets = secrets.iter();
        Self::build(
            secrets.map(|(name, secret)| (name.as_str(), secret.as_str())),
            folder,
        )
    }

    /// As [`Redactor::new`], for secrets of which several may have one name.
    pub fn of<'a>(secrets: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self::build(secrets, "")
    }

    fn build<'a>(secrets: impl Iterator<Item = (&'a str, &'a str)>, folder: &str) -> Self {
        let mut patterns: Vec<String> = Vec::new();
        let mut replacements = Vec::new();
        if !folder.is_empty() {
            patterns.push(folder.to_owned());
            replacements.push("[launch]".to_owned());
        }
        for (name, secret) in secrets.filter(|(_, secret)| !secret.is_empty()) {
            for form in forms(secret) {
                patterns.push(form);
                replacements.push(format!("[secret:{name}]"));
            }
        }
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .ok();
        Self {
            searcher,
            replacements,
        }
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.searcher {
            Some(searcher) if searcher.is_match(text) => {
                Cow::Owned(searcher.replace_all(text, &self.replacements))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// All shapes in which a secret is recognised.
fn forms(secret: &str) -> Vec<String> {
    let basic = format!("operator:{secret}");
    let mut forms = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
    ];
    for text in [secret, &basic] {
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            forms.push(engine.encode(text));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("the token Ab+9/xyz is wrong", "the token [secret:secret] is wrong")]
    #[case::upper("AB+9/XYZ", "[secret:secret]")]
    #[case::base64("QWIrOS94eXo=", "[secret:secret]")]
    #[case::basic("Basic b3BlcmF0b3I6QWIrOS94eXo=", "Basic [secret:secret]")]
    #[case::url("?token=Ab%2B9%2Fxyz&x", "?token=[secret:secret]&x")]
    #[case::innocent("Ab+9", "Ab+9")]
    fn redacts(#[case] text: &str, #[case] clean: &str) {
        let secrets = BTreeMap::from([("secret".to_owned(), "Ab+9/xyz".to_owned())]);
        assert_eq!(Redactor::new(&secrets).text(text), clean);
    }
}
