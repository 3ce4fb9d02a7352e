//! The ledger: every call of the model, by the canaries that it carries.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::canary::Pieces;

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
pub(super) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    positions: HashMap<String, usize>,
    canaries: Vec<Counts>,
    pieces: Pieces,
    /// The last call of each canary that is looked at more closely.
    watched: HashMap<usize, Option<Call>>,
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
    canaries: BTreeSet<usize>,
}

impl Ledger {
    /// A request with this canary is about to be sent.
    pub(super) fn expect(&self, canary: &str) {
        let mut entries = self.entries();
        let position = entries.canaries.len();
        entries.canaries.push(Counts::default());
        entries.pieces.add(canary, position);
        entries.positions.insert(canary.to_owned(), position);
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
        let mut found = entries.pieces.find(bytes);
        entries.tally.calls += 1;
        for canary in said {
            if let Some(position) = entries.positions.get(canary).copied() {
                entries.canaries[position].said += 1;
                found.insert(position);
            }
        }
        for position in &found {
            entries.canaries[*position].carried += 1;
            if let Some(last) = entries.watched.get_mut(position) {
                *last = Some(Call {
                    model: model.to_owned(),
                    canaries: found.clone(),
                });
            }
        }
        let own = entries.own.iter().any(|call| call == place);
        match (found.is_empty() && !own, entries.canaries.is_empty()) {
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
    pub(super) fn calls(&self, canary: &str) -> u32 {
        let entries = self.entries();
        let position = entries.positions.get(canary);
        match position.map(|position| entries.canaries[*position]) {
            Some(Counts { said: 0, carried }) => carried,
            Some(Counts { said, .. }) => said,
            None => 0,
        }
    }

    /// What a canary's calls were about is asked for later.
    pub(super) fn watch(&self, canary: &str) {
        let mut entries = self.entries();
        if let Some(position) = entries.positions.get(canary).copied() {
            entries.watched.insert(position, None);
        }
    }

    /// The model that was asked for when a watched canary came last, and whether one of `earlier` came along; `None` where it never came.
    pub(super) fn saw(&self, canary: &str, earlier: &[String]) -> Option<(String, bool)> {
        let entries = self.entries();
        let position = entries.positions.get(canary)?;
        let call = entries.watched.get(position)?.as_ref()?;
        let came_along = |canary: &String| {
            let position = entries.positions.get(canary);
            position.is_some_and(|position| call.canaries.contains(position))
        };
        Some((call.model.clone(), earlier.iter().any(came_along)))
    }

    pub(super) fn tally(&self) -> Tally {
        self.entries().tally.clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
