//! Words that nobody can guess, made up anew for each launch and request; and how they are held so that no `Debug` shows them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use rand::Rng as _;

/// What the words begin with by which the model stand-in recognises a request.
pub const CANARY_PREFIX: &str = "canary-";
/// How many characters follow [`CANARY_PREFIX`].
pub const CANARY_DIGITS: usize = 16;

/// No vowels, so that no word of a language looks like a part of a canary, and nothing that is easily misread.
const CONSONANTS: &[u8] = b"bcdfghjkmnpqrstvwxyz23456789";
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A word that no other request carries.
pub fn new_canary() -> String {
    format!("{CANARY_PREFIX}{}", word(CONSONANTS, CANARY_DIGITS))
}

/// Whether a canary's word may hold this byte.
pub fn is_canary_digit(byte: u8) -> bool {
    CONSONANTS.contains(&byte)
}

/// A secret nobody can guess, in mixed case so that changes of case show.
pub fn random_secret() -> String {
    format!("cG-{}", word(LETTERS, 36))
}

fn word(letters: &[u8], length: usize) -> String {
    // Seeded by the operating system, and fit for secrets.
    let mut random = rand::rng();
    (0..length)
        .map(|_| char::from(letters[random.random_range(..letters.len())]))
        .collect()
}

/// A secret that somebody has given.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Secrets by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}

impl Deref for Secrets {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Secrets {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let secrets: Secrets = [("token".to_owned(), "hunter2".to_owned())]
            .into_iter()
            .collect();
        let one = Secret::from("hunter2".to_owned());
        assert_eq!(format!("{secrets:?} {one:?}"), "[\"token\"] [secret]");
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(random_secret(), random_secret());
        assert!(
            new_canary()
                .bytes()
                .skip(CANARY_PREFIX.len())
                .all(is_canary_digit)
        );
    }
}
