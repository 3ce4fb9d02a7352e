//! Finding canaries in bytes of any kind: plain, in another case, percent-encoded, base64, hexadecimal, behind escapes,
//! backwards, and cut to the first or last half of the word.

use std::collections::BTreeSet;

use base::escapes::Layer;
use base::secret::{CANARY_DIGITS, CANARY_PREFIX, is_canary_digit};

/// Half a canary's word: so much of it is enough to know it by.
pub(super) const PIECE: usize = CANARY_DIGITS / 2;
/// An encoding within an encoding is still read.
const DEPTH: u32 = 2;
/// Fewer characters of base64 hold no piece.
const MIN_BASE64: usize = (PIECE * 4).div_ceil(3);
/// Fewer hexadecimal digits hold no piece.
const MIN_HEX: usize = PIECE * 2;

/// Which canary a piece belongs to, by its number.
pub(super) trait Known: Fn(&[u8; PIECE]) -> Option<u32> {}

impl<T: Fn(&[u8; PIECE]) -> Option<u32>> Known for T {}

/// The numbers of all canaries that are found in these bytes.
pub(super) fn find(bytes: &[u8], known: &impl Known) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    search(bytes, DEPTH, known, &mut found);
    found
}

fn search(bytes: &[u8], depth: u32, known: &impl Known, found: &mut BTreeSet<u32>) {
    scan(bytes, known, found);
    if depth == 0 {
        return;
    }
    if let Some(text) = Layer::of(bytes).unescaped() {
        search(text.bytes(), depth - 1, known, found);
    }
    for run in bytes.split(|byte| sextet(*byte).is_none()) {
        // Where the text before it runs into it, the groups of four begin elsewhere.
        for start in 0..4 {
            if run.len() >= start + MIN_BASE64 {
                search(&base64(&run[start..]), depth - 1, known, found);
            }
        }
    }
    for run in bytes.split(|byte| !byte.is_ascii_hexdigit()) {
        for start in 0..2 {
            if run.len() >= start + MIN_HEX {
                search(&hex(&run[start..]), depth - 1, known, found);
            }
        }
    }
}

/// Pieces that stand in the bytes as they are, in whatever case.
fn scan(bytes: &[u8], known: &impl Known, found: &mut BTreeSet<u32>) {
    let mut piece = [0; PIECE];
    let mut length = 0;
    for byte in bytes {
        let byte = byte.to_ascii_lowercase();
        // Canaries have no vowels, so that nearly no other word gets this far.
        if !is_canary_digit(byte) {
            length = 0;
            continue;
        }
        piece.rotate_left(1);
        piece[PIECE - 1] = byte;
        length += 1;
        if length >= PIECE
            && let Some(number) = known(&piece)
        {
            found.insert(number);
        }
    }
}

/// The last canary in a text, if one is there in plain.
pub(super) fn last_in(text: &str) -> Option<&str> {
    let start = text.rfind(CANARY_PREFIX)?;
    let canary = text.get(start..start + CANARY_PREFIX.len() + CANARY_DIGITS)?;
    let word = &canary[CANARY_PREFIX.len()..];
    word.bytes().all(is_canary_digit).then_some(canary)
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// The bytes that pairs of hexadecimal digits stand for; nothing where a character is none.
fn hex(digits: &[u8]) -> Vec<u8> {
    let pairs = digits.as_chunks::<2>().0.iter();
    let bytes = pairs.map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?));
    bytes.collect::<Option<_>>().unwrap_or_default()
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Base64 of both alphabets, up to where it ends; a last group that is not whole counts as far as it goes.
fn base64(digits: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits.iter().map_while(|byte| sextet(*byte)) {
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const CANARY: &str = "canary-bcdfghjkmnpqrstv";

    #[rstest]
    #[case::plain("ping canary-bcdfghjkmnpqrstv.", true)]
    #[case::upper_case("PING CANARY-BCDFGHJKMNPQRSTV", true)]
    #[case::first_half("bcdfghjk", true)]
    #[case::last_half("xx mnpqrstv", true)]
    #[case::less("npqrstv", false)]
    #[case::backwards("vtsrqpnmkjhgfdcb-yranac gnip", true)]
    #[case::percent("%63%61%6e%61%72%79-%62%63%64%66%67%68%6a%6b", true)]
    #[case::percent_twice("%2562%2563%2564%2566%2567%2568%256a%256b", true)]
    #[case::json_escape(r"b\u0063dfghj\u006B", true)]
    #[case::base64("cGluZyBjYW5hcnktYmNkZmdoamttbnBxcnN0dg==", true)]
    #[case::base64_after_other_text("text=xcGluZyBjYW5hcnktYmNkZmdoamttbnBxcnN0dg", true)]
    #[case::base64_twice("Y0dsdVp5QmpZVzVoY25rdFltTmtabWRvYW10dGJuQnhjbk4wZGc9PQ==", true)]
    #[case::hexadecimal("6263646667686a6b6d6e707172737476", true)]
    #[case::hexadecimal_upper_case("00:6D6E707172737476", true)]
    #[case::another_canary("canary-22223333zzzzwwww", false)]
    fn canaries_are_found(#[case] text: &str, #[case] found: bool) {
        let words = ["9999888877776666", "bcdfghjkmnpqrstv"];
        let known = |piece: &[u8; PIECE]| {
            let forwards = String::from_utf8(piece.to_vec()).unwrap();
            let backwards: String = forwards.chars().rev().collect();
            let is_half =
                |word: &str, piece: &str| word[..PIECE] == *piece || word[PIECE..] == *piece;
            let has = |word: &&str| is_half(word, &forwards) || is_half(word, &backwards);
            let number = words.iter().position(has)?;
            u32::try_from(number).ok()
        };
        let expected: BTreeSet<u32> = found.then_some(1).into_iter().collect();
        assert_eq!(find(text.as_bytes(), &known), expected);
    }

    #[test]
    fn the_last_canary_of_a_text_counts() {
        assert_eq!(
            last_in("canary-9999888877776666 canary-bcdfghjkmnpqrstv"),
            Some(CANARY)
        );
        assert_eq!(last_in("canary-short"), None);
        assert_eq!(last_in("no canary at all"), None);
    }
}
