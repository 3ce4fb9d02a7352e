//! The cells of a snapshot with the answer of each. Keys of a matrix have nearly everything in common, and are kept as an
//! automaton: a million of them take some megabytes.

use std::collections::BTreeMap;
use std::fmt;

use fst::{IntoStreamer as _, Map, MapBuilder, Streamer as _};

use super::Answer;

/// Cell keys (ids without scenario and profile) in order, each with its answer.
#[derive(Clone, Default)]
pub struct SnapshotCells {
    places: Map<Vec<u8>>,
    answers: Vec<Answer>,
}

impl SnapshotCells {
    /// Of keys in strict order, each with the place of its answer; `None` where they are not in order.
    pub(super) fn in_order<'a>(
        cells: impl IntoIterator<Item = (&'a str, usize)>,
        answers: Vec<Answer>,
    ) -> Option<Self> {
        let mut places = MapBuilder::memory();
        for (key, answer) in cells {
            places.insert(key, answer as u64).ok()?;
        }
        let places = places.into_map();
        Some(Self { places, answers })
    }

    /// The answer of a cell.
    pub fn get(&self, key: &str) -> Option<&Answer> {
        self.answer(self.places.get(key)?)
    }

    fn answer(&self, place: u64) -> Option<&Answer> {
        self.answers.get(usize::try_from(place).ok()?)
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The answers of all cells; one that many have is there once or a few times.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// All cells, by key.
    pub fn iter(&self) -> impl Iterator<Item = (String, &Answer)> {
        let mut places = self.places.into_stream();
        std::iter::from_fn(move || {
            let (key, place) = places.next()?;
            let key = String::from_utf8_lossy(key).into_owned();
            Some((key, self.answer(place)?))
        })
    }
}

impl FromIterator<(String, Answer)> for SnapshotCells {
    fn from_iter<T: IntoIterator<Item = (String, Answer)>>(cells: T) -> Self {
        let mut answers: Vec<Answer> = Vec::new();
        let mut places = BTreeMap::new();
        for (key, answer) in cells {
            let known = answers.iter().position(|known| *known == answer);
            let place = known.unwrap_or_else(|| {
                answers.push(answer);
                answers.len() - 1
            });
            places.insert(key, place);
        }
        let places = places.iter().map(|(key, place)| (key.as_str(), *place));
        Self::in_order(places, answers).unwrap_or_default()
    }
}

impl PartialEq for SnapshotCells {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for SnapshotCells {}

impl fmt::Debug for SnapshotCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
