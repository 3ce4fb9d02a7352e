//! Words that nobody can guess, made up anew for each launch and request; and how they are held so that no `Debug` shows them.

use std::collections::BTreeMap;

use rand::Rng as _;
pub use secrecy::{ExposeSecret, SecretString};

/// What the words begin with by which the model stand-in recognises a request.
pub const CANARY_PREFIX: &str = "canary-";
/// How many characters follow [`CANARY_PREFIX`].
pub const CANARY_DIGITS: usize = 16;

/// No vowels, so that no word of a language looks like a part of a canary, and nothing that is easily misread.
pub const CONSONANTS: &[u8] = b"bcdfghjkmnpqrstvwxyz23456789";
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A word that no other request carries.
pub fn new_canary() -> String {
    format!("{CANARY_PREFIX}{}", word(CONSONANTS, CANARY_DIGITS))
}

/// A word for the name of a session that nobody else has. It is no canary: a call of the model may name it.
pub fn new_session() -> String {
    format!("visit-{}", word(CONSONANTS, CANARY_DIGITS))
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

/// Secrets by name; none of them shows in `Debug`.
pub type Secrets = BTreeMap<String, SecretString>;

#[cfg(test)]
mod tests {
    use super::*;

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
