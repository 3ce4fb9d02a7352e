//! The words of canaries, by number: each half of a word says which one it is, so that none has to be kept.
//!
//! A half is the number itself, encrypted: a Feistel network over its two digits in a base of [`BASE`], with a key that is made up
//! anew for each launch. So nobody can guess a word, and no two words share a half.

use std::hash::{BuildHasher as _, RandomState};

use base::secret::{CANARY_DIGITS, CANARY_PREFIX, CONSONANTS};

use super::canary::PIECE;

/// How many letters there are.
const LETTERS: u32 = CONSONANTS.len() as u32;
/// The letters of one side of a half.
const SIDE: usize = PIECE / 2;
/// How many values a side has.
const BASE: u32 = LETTERS.pow(SIDE as u32);
const ROUNDS: u8 = 6;

/// The words of one launch.
#[derive(Debug, Default)]
pub(super) struct Words(RandomState);

impl Words {
    /// The canary with a number.
    pub(super) fn canary(&self, number: u32) -> String {
        let mut canary = String::with_capacity(CANARY_PREFIX.len() + CANARY_DIGITS);
        canary.push_str(CANARY_PREFIX);
        for half in 0..CANARY_DIGITS / PIECE {
            let (mut left, mut right) = (number / BASE, number % BASE);
            for round in 0..ROUNDS {
                (left, right) = (right, (left + self.mix(half, round, right)) % BASE);
            }
            for side in [left, right] {
                let digits = (0..SIDE as u32)
                    .rev()
                    .map(|place| side / LETTERS.pow(place) % LETTERS);
                canary.extend(digits.map(|digit| char::from(CONSONANTS[digit as usize])));
            }
        }
        canary
    }

    /// The number of the canary that has this piece as its first or last half, forwards or backwards, among those below `end`.
    pub(super) fn number(&self, piece: &[u8; PIECE], end: u32) -> Option<u32> {
        let mut backwards = *piece;
        backwards.reverse();
        let pieces = [*piece, backwards];
        let mut halves =
            (0..CANARY_DIGITS / PIECE).flat_map(|half| pieces.map(|piece| (half, piece)));
        halves.find_map(|(half, piece)| self.decrypt(half, &piece).filter(|number| *number < end))
    }

    /// The number whose half this is; `None` where there is no such number.
    fn decrypt(&self, half: usize, piece: &[u8; PIECE]) -> Option<u32> {
        let mut sides = [0; 2];
        for (side, letters) in sides.iter_mut().zip(piece.chunks(SIDE)) {
            for letter in letters {
                let digit = CONSONANTS.iter().position(|known| known == letter)?;
                *side = *side * LETTERS + u32::try_from(digit).ok()?;
            }
        }
        let [mut left, mut right] = sides;
        for round in (0..ROUNDS).rev() {
            (left, right) = ((right + BASE - self.mix(half, round, left)) % BASE, left);
        }
        left.checked_mul(BASE)?.checked_add(right)
    }

    fn mix(&self, half: usize, round: u8, side: u32) -> u32 {
        (self.0.hash_one((half, round, side)) % u64::from(BASE)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(canary: &str) -> [[u8; PIECE]; 2] {
        let word = canary.strip_prefix(CANARY_PREFIX).unwrap().as_bytes();
        let halves = word.as_chunks::<PIECE>().0;
        [halves[0], halves[1]]
    }

    #[test]
    fn each_half_of_a_word_tells_its_number() {
        let words = Words::default();
        let end = 500;
        let mut known = std::collections::HashSet::new();
        for number in (0..end).chain([BASE, BASE + 1, u32::MAX]) {
            let canary = words.canary(number);
            assert_eq!(canary.len(), CANARY_PREFIX.len() + CANARY_DIGITS);
            for (place, mut half) in halves(&canary).into_iter().enumerate() {
                assert!(known.insert((place, half)), "{canary}");
                assert_eq!(words.decrypt(place, &half), Some(number));
                // Among few a piece of one is hardly ever also the half of another.
                let number = Some(number).filter(|number| *number < end);
                assert_eq!(words.number(&half, end), number);
                half.reverse();
                assert_eq!(words.number(&half, end), number);
            }
        }
    }

    #[test]
    fn what_was_never_said_is_no_canary() {
        let (words, others) = (Words::default(), Words::default());
        let known =
            |number: u32| halves(&others.canary(number)).map(|half| words.number(&half, 1000));
        // Of ten million words of another launch one may look like one of ours.
        let found = (0..1000).flat_map(known).flatten().count();
        assert!(found <= 1, "{found}");
        assert_eq!(words.number(&halves(&words.canary(7))[0], 7), None);
        assert_eq!(words.number(b"aaaaaaaa", u32::MAX), None);
    }
}
