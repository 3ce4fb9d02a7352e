//! Which side a release is on: good, bad, or not to be told. What is good and bad is what the verified ends answer.
//!
//! Of several cells one bad one makes a release bad: a break is there with the first of them, a fix with the last.

use std::collections::{BTreeMap, BTreeSet};

use super::search::Class;
use super::tested::{Answer, Tested};

/// The side of good releases.
pub(super) const GOOD: Class = 0;
/// The side of bad ones.
pub(super) const BAD: Class = 1;

type Answers = BTreeMap<String, Answer>;

/// How releases are told apart.
#[derive(Debug, Clone)]
pub(super) enum Classifier {
    /// No side is named: whoever answers otherwise is another class.
    Any(Vec<Answers>),
    /// As the good end, as the bad end, or neither. Only these cells differ between the two.
    Both {
        good: Answers,
        bad: Answers,
        cells: BTreeSet<String>,
    },
    /// Whoever does not answer as the good ends is bad.
    OnlyGood(Answers),
    /// Whoever answers none of these cells as the bad ends is good.
    OnlyBad(Answers, BTreeSet<String>),
    /// Whoever does not answer with this outcome is bad.
    Expect(String),
}

/// Cells that two releases answer differently.
pub(super) fn differing(one: &Answers, other: &Answers) -> BTreeSet<String> {
    one.iter()
        .filter(|(cell, answer)| other.get(*cell).is_some_and(|other| !other.same(answer)))
        .map(|(cell, _)| cell.clone())
        .collect()
}

impl Classifier {
    /// By what a good and a bad release answer; `None` where that is the same.
    pub(super) fn both(good: &Answers, bad: &Answers) -> Option<Self> {
        let cells = differing(good, bad);
        (!cells.is_empty()).then(|| Self::Both {
            good: good.clone(),
            bad: bad.clone(),
            cells,
        })
    }

    /// By what bad releases answer to the cells that do not conform there, or to all where all do.
    pub(super) fn only_bad(bad: &Answers) -> Self {
        let wrong: BTreeSet<String> = bad
            .iter()
            .filter(|(_, answer)| !answer.conforms())
            .map(|(cell, _)| cell.clone())
            .collect();
        let cells = match wrong.is_empty() {
            true => bad.keys().cloned().collect(),
            false => wrong,
        };
        Self::OnlyBad(bad.clone(), cells)
    }

    /// Whether classes are good and bad.
    pub(super) fn has_sides(&self) -> bool {
        !matches!(self, Self::Any(_))
    }

    /// The side of a release, or why it is on none.
    pub(super) fn sort(&mut self, tested: &Tested) -> Result<Class, String> {
        let trouble = || match &tested.trouble {
            Some(trouble) => Err(trouble.why.clone()),
            None => Ok(()),
        };
        let answers = &tested.answers;
        let like = |cell: &str, side: &Answers| match (answers.get(cell), side.get(cell)) {
            (Some(answer), Some(other)) => answer.same(other),
            _ => false,
        };
        match self {
            Self::Any(seen) => {
                trouble()?;
                let same = |other: &Answers| differing(other, answers).is_empty();
                let place = seen.iter().position(same);
                Ok(place.unwrap_or_else(|| {
                    seen.push(answers.clone());
                    seen.len() - 1
                }))
            }
            Self::Both { good, bad, cells } => {
                if cells.iter().any(|cell| like(cell, bad)) {
                    return Ok(BAD);
                }
                trouble()?;
                let mut other = cells.iter().filter(|cell| !like(cell, good));
                match other.next() {
                    None => Ok(GOOD),
                    Some(cell) => Err(format!(
                        "it answers neither as the good nor as the bad end: {}",
                        answers.get(cell).map_or_else(String::new, Answer::line)
                    )),
                }
            }
            Self::OnlyGood(good) => {
                if !differing(good, answers).is_empty() {
                    return Ok(BAD);
                }
                trouble().map(|()| GOOD)
            }
            Self::OnlyBad(bad, cells) => {
                if cells.iter().any(|cell| like(cell, bad)) {
                    return Ok(BAD);
                }
                trouble().map(|()| GOOD)
            }
            Self::Expect(outcome) => {
                if answers.values().any(|answer| !answer.fits(outcome)) {
                    return Ok(BAD);
                }
                trouble().map(|()| GOOD)
            }
        }
    }
}
