//! Redaction: the one step that every text from a gateway passes before anything else sees it.
//!
//! A secret is found whole or as a piece, in either case, backwards, behind escapes of JSON, HTML and URLs, escaped again, and as
//! hexadecimal or base64. It has to be found before a text is cut; what a cut leaves of it is a piece.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::escapes::Layer;
use crate::secret::{ExposeSecret as _, Secrets};

/// So many characters of a secret are hidden by themselves; fewer say little about it.
const PIECE: usize = 12;
/// A secret that is shorter than this is only hidden whole: its pieces would be words.
const LONG: usize = 20;
/// A part of a secret, such as the value of a header line, is hidden by itself if it is as long as this.
const PART: usize = 9;
/// What stands for the folder of a launch.
const LAUNCH: &str = "[launch]";
/// So many times a text may be escaped.
const DEPTH: usize = 3;

/// Replaces a launch's secrets, plain or encoded, by their names.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Finds secrets; built once for a launch, and shared by all who hide them.
    searcher: Option<AhoCorasick>,
    replacements: Arc<[Replacement]>,
    /// Finds the folder of the launch.
    folder: Option<AhoCorasick>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Replacement {
    text: String,
    /// What stands around it may hold the rest of the secret.
    base64: bool,
    /// Whether it is of a secret that is no word.
    long: bool,
}

impl Redactor {
    /// Knows each secret by name. A clone costs nothing; to build one takes milliseconds for each secret.
    pub fn new(secrets: &Secrets) -> Self {
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut replacements = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |mut pattern: Vec<u8>, text: &str, base64, long| {
            pattern.make_ascii_lowercase();
            let replacement = Replacement {
                text: text.to_owned(),
                base64,
                long,
            };
            if seen.insert((pattern.clone(), replacement.clone())) {
                patterns.push(pattern);
                replacements.push(replacement);
            }
        };
        for (name, secret) in secrets {
            let secret = secret.expose_secret();
            if secret.is_empty() {
                continue;
            }
            let text = format!("[secret:{name}]");
            for part in parts(secret) {
                let long = part.chars().count() >= LONG;
                plain(&part).for_each(|pattern| add(pattern.into_bytes(), &text, false, long));
                encoded(&part).for_each(|pattern| add(pattern.into_bytes(), &text, true, long));
                // Of what is no text, such as `%a0` read as a byte, there is only the whole.
                let readings = readings(&part).into_iter();
                let bytes = readings.filter(|reading| std::str::from_utf8(reading).is_err());
                bytes.for_each(|reading| add(reading, &text, false, long));
            }
        }
        Self {
            searcher: searcher(&patterns),
            replacements: replacements.into(),
            folder: None,
        }
    }

    /// The same, and it knows the folder of the launch, which is told as `[launch]`.
    #[must_use]
    pub fn with_folder(mut self, folder: &str) -> Self {
        let folder = folder.to_ascii_lowercase();
        self.folder = (!folder.is_empty()).then(|| searcher(&[folder])).flatten();
        self
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.found(text);
        match found.is_empty() {
            true => Cow::Borrowed(text),
            false => {
                let named = found.into_iter().map(|(range, name, _)| (range, name));
                Cow::Owned(replaced(text, named.collect()))
            }
        }
    }

    /// Whether a text tells a secret, or a part of one, that is too long to be a word.
    pub fn tells(&self, text: &str) -> bool {
        self.found(text).into_iter().any(|(_, _, long)| long)
    }

    /// Where secrets are, the name of each, and whether it is too long to be a word.
    fn found(&self, text: &str) -> Vec<(Range<usize>, &str, bool)> {
        let mut found: Vec<(Range<usize>, &str, bool)> = Vec::new();
        if self.searcher.is_none() && self.folder.is_none() {
            return found;
        }
        let mut layer = Some(Layer::of(text.as_bytes()));
        for _ in 0..=DEPTH {
            let Some(this) = layer.take() else { break };
            let lower = this.bytes().to_ascii_lowercase();
            for one in self
                .searcher
                .iter()
                .flat_map(|all| all.find_overlapping_iter(&lower))
            {
                let replacement = &self.replacements[one.pattern().as_usize()];
                let range = match replacement.base64 {
                    true => run(this.bytes(), one.range()),
                    false => one.range(),
                };
                found.push((this.source(range), &replacement.text, replacement.long));
            }
            for one in self.folder.iter().flat_map(|all| all.find_iter(&lower)) {
                found.push((this.source(one.range()), LAUNCH, false));
            }
            layer = this.unescaped();
        }
        found
    }
}

/// Finds any of these texts, which are in lower case, in a text that is, too. A searcher that ignores case looks each of its
/// states up in a tree while it is built, and every launch builds one.
fn searcher(patterns: &[impl AsRef<[u8]>]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(patterns)
        .ok()
}

/// The text with each range replaced; of those that overlap, the longest gives its name to all.
fn replaced(text: &str, mut found: Vec<(Range<usize>, &str)>) -> String {
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut found = found.into_iter().peekable();
    while let Some((mut range, mut name)) = found.next() {
        let mut longest = range.len();
        while let Some((next, other)) = found.next_if(|(next, _)| next.start < range.end) {
            if next.len() > longest {
                (longest, name) = (next.len(), other);
            }
            range.end = range.end.max(next.end);
        }
        let start = text.floor_char_boundary(range.start).max(done);
        out.push_str(&text[done..start]);
        out.push_str(name);
        done = text.ceil_char_boundary(range.end);
    }
    out + &text[done..]
}

/// A secret and its parts: the value of a header line, what follows the scheme in it, the password in Basic credentials.
fn parts(secret: &str) -> Vec<String> {
    let mut parts = vec![secret.to_owned()];
    let value = secret.split_once(':').map(|(_, value)| value.trim());
    let value = value.unwrap_or(secret);
    let rest = value.split_once(' ').map(|(_, rest)| rest.trim());
    let decoded = STANDARD.decode(rest.unwrap_or(value)).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let password = decoded
        .as_ref()
        .and_then(|pair| Some(pair.split_once(':')?.1));
    let others = [Some(value), rest, decoded.as_deref(), password];
    let others = others
        .into_iter()
        .flatten()
        .filter(|part| part.len() >= PART);
    parts.extend(others.map(str::to_owned));
    for at in 0..parts.len() {
        let texts = readings(&parts[at]).into_iter();
        parts.extend(texts.filter_map(|reading| String::from_utf8(reading).ok()));
    }
    parts.retain(|part| !part.is_empty());
    parts.sort();
    parts.dedup();
    parts
}

/// What looks like an escape in a secret is read as one in a text, too: what it is then, level by level.
fn readings(secret: &str) -> Vec<Vec<u8>> {
    let mut readings = Vec::new();
    let mut layer = Layer::of(secret.as_bytes());
    for _ in 0..DEPTH {
        let Some(next) = layer.unescaped() else { break };
        readings.push(next.bytes().to_vec());
        layer = next;
    }
    readings
}

/// A secret as it is, with `+` for blanks as in a form, and as hexadecimal; and its pieces, backwards too.
fn plain(secret: &str) -> impl Iterator<Item = String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let form = secret.contains(' ').then(|| secret.replace(' ', "+"));
    let backwards: String = secret.chars().rev().collect();
    let length = secret.chars().count();
    let backwards = pieces(&backwards, length, PIECE);
    let pieces = pieces(secret, length, PIECE);
    let hex_pieces = pieces_of_hex(&hex, secret.len());
    [secret.to_owned(), hex]
        .into_iter()
        .chain(form)
        .chain(pieces)
        .chain(backwards)
        .chain(hex_pieces)
}

/// A secret in base64: alone, as a Basic and a Bearer credential, and within anything else.
fn encoded(secret: &str) -> impl Iterator<Item = String> {
    let whole = [
        secret.to_owned(),
        format!("operator:{secret}"),
        format!("Bearer {secret}"),
    ];
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let whole = whole
        .into_iter()
        .flat_map(move |text| engines.clone().map(|engine| engine.encode(&text)));
    // Wherever it begins in a text, these characters depend on it alone.
    let within = (0..3_usize).flat_map({
        let secret = secret.as_bytes().to_vec();
        move |before| {
            let bytes = [&[0; 2][..before], &secret[..]].concat();
            let (first, last) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
            [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|engine| {
                let text = engine.encode(&bytes);
                text.get(first..last).unwrap_or_default().to_owned()
            })
        }
    });
    let long = secret.chars().count();
    let within = within.flat_map(move |core| {
        let length = PIECE * 4 / 3;
        let whole = (core.len() >= length / 2).then(|| core.clone());
        whole.into_iter().chain(pieces(&core, long, length))
    });
    whole.chain(within)
}

/// All pieces of so many characters, if the secret is so long that they are no words.
fn pieces(text: &str, secret: usize, length: usize) -> Vec<String> {
    if secret < LONG {
        return Vec::new();
    }
    let characters: Vec<char> = text.chars().collect();
    characters
        .windows(length)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// As [`pieces`]; each begins with a byte's first digit.
fn pieces_of_hex(hex: &str, secret: usize) -> Vec<String> {
    pieces(hex, secret, PIECE * 2)
        .into_iter()
        .step_by(2)
        .collect()
}

/// The range with all characters of base64 around it.
fn run(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let before = bytes[..range.start]
        .iter()
        .rev()
        .take_while(|byte| is_digit(byte));
    let after = bytes[range.end..].iter();
    let after = after.take_while(|byte| is_digit(byte) || **byte == b'=');
    range.start - before.count()..range.end + after.count()
}

#[cfg(test)]
#[path = "redact/tests.rs"]
mod tests;
