//! Words that nobody can guess, made up anew for each launch and request.

/// What the words begin with by which the model stand-in recognises a request.
pub const CANARY_PREFIX: &str = "canary-";
/// How many hexadecimal digits follow [`CANARY_PREFIX`].
pub const CANARY_DIGITS: usize = 16;

/// A word that no other request carries.
pub fn new_canary() -> String {
    format!("{CANARY_PREFIX}{:016x}", fastrand::u64(..))
}

/// A secret nobody can guess, in mixed case so that changes of case show.
pub fn random_secret() -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let random: String = (0..36)
        .map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())]))
        .collect();
    format!("cG-{random}")
}
