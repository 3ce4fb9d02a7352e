//! The cells of a snapshot with the answer of each. Keys of a matrix have nearly everything in common, and many are kept as
//! an automaton: a million of them take some megabytes.

use std::collections::BTreeMap;
use std::fmt;

use fst::{IntoStreamer as _, Map, MapBuilder, Streamer as _};

use super::Answer;

/// From so many cells on, keys are an automaton: what it needs to be built takes a megabyte.
const MANY: usize = 1000;

/// Cell keys (ids without scenario and profile) in order, each with its answer.
#[derive(Clone, Default)]
pub struct SnapshotCells {
    places: Places,
    answers: Vec<Answer>,
}

/// Keys in strict order, each with the place of its answer.
#[derive(Clone)]
enum Places {
    Few(Vec<(Box<str>, usize)>),
    Many(Map<Vec<u8>>),
}

impl Default for Places {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl SnapshotCells {
    /// Of keys in strict order, each with the place of its answer; `None` where they are not in order.
    pub(super) fn in_order<'a>(
        cells: impl IntoIterator<Item = (&'a str, usize)>,
        answers: Vec<Answer>,
    ) -> Option<Self> {
        let mut cells = cells.into_iter();
        let few: Vec<(&str, usize)> = (&mut cells).take(MANY).collect();
        if few.len() < MANY {
            let sorted = few.is_sorted_by(|(one, _), (next, _)| one < next);
            let few = few.into_iter().map(|(key, answer)| (key.into(), answer));
            let places = Places::Few(few.collect());
            return sorted.then_some(Self { places, answers });
        }
        let mut places = MapBuilder::memory();
        for (key, answer) in few.into_iter().chain(cells) {
            places.insert(key, answer as u64).ok()?;
        }
        Some(Self {
            places: Places::Many(places.into_map()),
            answers,
        })
    }

    /// The answer of a cell.
    pub fn get(&self, key: &str) -> Option<&Answer> {
        let place = match &self.places {
            Places::Few(places) => {
                places[places
                    .binary_search_by(|(known, _)| (**known).cmp(key))
                    .ok()?]
                .1
            }
            Places::Many(places) => usize::try_from(places.get(key)?).ok()?,
        };
        self.answers.get(place)
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        match &self.places {
            Places::Few(places) => places.len(),
            Places::Many(places) => places.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The answers of all cells; one that many have is there once or a few times.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// All cells, by key.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (String, &Answer)> + '_> {
        match &self.places {
            Places::Few(places) => Box::new(
                places
                    .iter()
                    .filter_map(|(key, place)| Some((key.to_string(), self.answers.get(*place)?))),
            ),
            Places::Many(places) => {
                let mut places = places.into_stream();
                Box::new(std::iter::from_fn(move || {
                    let (key, place) = places.next()?;
                    let key = String::from_utf8_lossy(key).into_owned();
                    Some((key, self.answers.get(usize::try_from(place).ok()?)?))
                }))
            }
        }
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
