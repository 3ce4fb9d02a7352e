//! The ledger: every call of the model, by the canaries that it carries.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::canary::{PIECE, find};
use super::words::Words;

/// So many calls that nothing explains are named; the others are counted.
const NAMED: usize = 5;
/// A name is cut to so many characters.
const NAME: usize = 80;

/// What has reached the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// All calls.
    pub calls: u32,
    /// Those that arrived before anybody was asked anything: they are no caller's.
    pub before: u32,
    /// Those that arrived later and carry no canary.
    pub unexplained: u32,
    /// Method and path of the first ones of these.
    pub places: Vec<String>,
}

/// Calls by canary.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    words: Words,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// How many canaries there are.
    canaries: u32,
    /// By number; those after the last one that has arrived are left out.
    counts: Vec<Counts>,
    /// The last call of each canary that is looked at more closely.
    watched: HashMap<u32, Option<Call>>,
    /// Method and path of calls that a gateway makes by itself.
    own: Vec<String>,
    tally: Tally,
}

/// How often a canary has arrived.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    /// As the user's last words.
    said: u32,
    /// Anywhere in a call.
    carried: u32,
}

/// What a call was about.
#[derive(Debug, Default)]
struct Call {
    model: String,
    canaries: BTreeSet<u32>,
}

impl Ledger {
    /// A new canary, and its number: a request with it is about to be sent.
    pub(super) fn new_canary(&self) -> (u32, String) {
        let mut entries = self.entries();
        let number = entries.canaries;
        entries.canaries += 1;
        drop(entries);
        (number, self.words.canary(number))
    }

    /// The gateway makes these calls by itself: method and path. Without anybody's words in them they are explained.
    pub(super) fn expect_own(&self, calls: &[String]) {
        self.entries().own = calls.to_vec();
    }

    /// A call has arrived: its method and path, all its bytes, the model that it asks for, and the canaries in the user's last words.
    ///
    /// What a conversation carries of earlier turns is no new call of theirs: where a canary was ever the last word, only
    /// that counts.
    pub(super) fn note(&self, place: &str, bytes: &[u8], model: &str, said: &[String]) {
        let mut entries = self.entries();
        let end = entries.canaries;
        let known = |piece: &[u8; PIECE]| self.words.number(piece, end);
        let mut found = find(bytes, &known);
        entries.tally.calls += 1;
        for canary in said {
            // A whole word is told by both of its halves.
            let mut numbers = find(canary.as_bytes(), &known).into_iter();
            if let Some(number) = numbers.find(|number| self.words.canary(*number) == *canary) {
                entries.counts_of(number).said += 1;
                found.insert(number);
            }
        }
        for number in &found {
            entries.counts_of(*number).carried += 1;
            if let Some(last) = entries.watched.get_mut(number) {
                *last = Some(Call {
                    model: model.to_owned(),
                    canaries: found.clone(),
                });
            }
        }
        tracing::trace!(place, model, said = ?said, carried = ?found, "the model was called");
        let own = entries.own.iter().any(|call| call == place);
        match (found.is_empty() && !own, entries.canaries == 0) {
            (false, _) => {}
            (true, true) => entries.tally.before += 1,
            (true, false) => {
                entries.tally.unexplained += 1;
                let place: String = place.chars().take(NAME).collect();
                let places = &mut entries.tally.places;
                if places.len() < NAMED && !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }

    /// How often a canary has reached the model.
    pub(super) fn calls(&self, number: u32) -> u32 {
        match self.entries().counts.get(number as usize) {
            Some(Counts { said: 0, carried }) => *carried,
            Some(Counts { said, .. }) => *said,
            None => 0,
        }
    }

    /// What a canary's calls were about is asked for later.
    pub(super) fn watch(&self, number: u32) {
        self.entries().watched.insert(number, None);
    }

    /// The model that was asked for when a watched canary came last, and whether one of `earlier` came along; `None` where it never came.
    pub(super) fn saw(&self, number: u32, earlier: &[u32]) -> Option<(String, bool)> {
        let entries = self.entries();
        let call = entries.watched.get(&number)?.as_ref()?;
        let came_along = earlier.iter().any(|other| call.canaries.contains(other));
        Some((call.model.clone(), came_along))
    }

    pub(super) fn tally(&self) -> Tally {
        self.entries().tally.clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn counts_of(&mut self, number: u32) -> &mut Counts {
        let place = number as usize;
        if self.counts.len() <= place {
            self.counts.resize(place + 1, Counts::default());
        }
        &mut self.counts[place]
    }
}
