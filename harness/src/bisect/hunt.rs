//! One bisection as it goes on: what to test next, what was seen, and what follows from it. Pure.

use std::collections::BTreeMap;

use super::claims::{Claims, Label};
use super::question::{Question, QuestionError};
use super::search::{Class, Known, Probes, Search, Towards};
use super::sorter::{BAD, GOOD, Sorter, differing};
use super::tested::{Answer, Tested};
use crate::release::Version;
use crate::scenario::Catalogue;

/// One bisection as it goes on.
#[derive(Debug)]
pub struct Hunt {
    pub(super) question: Question,
    pub(super) claims: Claims,
    /// The releases from one end to the other.
    pub(super) line: Vec<Version>,
    pub(super) search: Search,
    pub(super) sorter: Option<Sorter>,
    pub(super) expect: Option<String>,
    pub(super) tested: BTreeMap<usize, Tested>,
    pub(super) sides: BTreeMap<usize, Result<Class, String>>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The release to test.
    pub test: Version,
    /// Releases that may be next, depending on what it answers.
    pub ahead: Vec<Version>,
}

/// An end that is not as it was called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndError {
    /// It does not tell.
    #[error("{release} is called {} and cannot be told: {why}", .called.name())]
    Untold {
        /// The release.
        release: Version,
        /// What it is called.
        called: Label,
        /// Why.
        why: String,
        /// Whether it did not install, start or stay up.
        gateway: bool,
    },
    /// Two ends that are called the same answer differently.
    #[error("{one} and {other} are both called {} and answer differently: {} and {}", .called.name(), .answers.0, .answers.1)]
    Apart {
        /// One of them.
        one: Version,
        /// The other.
        other: Version,
        /// What they are called.
        called: Label,
        /// What they answer.
        answers: (String, String),
    },
    /// A good and a bad end answer the same.
    #[error("{good} is called good and {bad} bad, and both answer {answer}")]
    Alike {
        /// The good end.
        good: Version,
        /// The bad end.
        bad: Version,
        /// What both answer.
        answer: String,
    },
    /// The good end breaks the contract and the bad end keeps it.
    #[error("{good} is called good and answers {}, which is not what the rule asks for; {bad} is called bad and answers {}, which is", .answers.0, .answers.1)]
    Swapped {
        /// The good end.
        good: Version,
        /// The bad end.
        bad: Version,
        /// What they answer.
        answers: (String, String),
    },
    /// An end does not answer what was said to be good, or does although it is called bad.
    #[error("{release} is called {} and answers {answer}; --expect says that {expect} is good", .called.name())]
    Unexpected {
        /// The release.
        release: Version,
        /// What it is called.
        called: Label,
        /// What it answers.
        answer: String,
        /// The outcome that is good.
        expect: String,
    },
}

impl EndError {
    /// The next thing to do.
    pub fn help(&self) -> String {
        match self {
            Self::Untold { .. } => "name a release beside it".to_owned(),
            Self::Apart { one, other, .. } => {
                format!("see where it changes: --between {one} {other}")
            }
            Self::Alike { good, bad, .. } => {
                let (older, newer) = (good.min(bad), good.max(bad));
                format!(
                    "name other releases, or look for what changed between them and changed back: --between {older} {newer}"
                )
            }
            Self::Swapped { good, bad, .. } => {
                let found = if good < bad { "a fix" } else { "a break" };
                format!("swap them, and {found} is found: --good {bad} --bad {good}")
            }
            Self::Unexpected { called, .. } => format!(
                "name another release, leave out --expect, or do not call it {}",
                called.name()
            ),
        }
    }

    /// 2 where what was said is wrong, 3 where a gateway did not install, start or stay up, 4 where it does not tell.
    pub fn code(&self) -> u8 {
        match self {
            Self::Untold { gateway: true, .. } => 3,
            Self::Untold { gateway: false, .. } => 4,
            Self::Apart { .. }
            | Self::Alike { .. }
            | Self::Swapped { .. }
            | Self::Unexpected { .. } => 2,
        }
    }
}

impl Hunt {
    /// Begins: `line` are the releases from one end to the other, or, where only one end is known, to where releases begin or
    /// end. `expect` is the outcome that is good, where the ends shall not decide.
    ///
    /// # Errors
    /// No cell can be asked of both ends.
    pub fn new(
        catalogue: &Catalogue,
        mut question: Question,
        claims: Claims,
        mut line: Vec<Version>,
        hints: bool,
        probes: Probes,
        expect: Option<String>,
    ) -> Result<Self, QuestionError> {
        let towards = claims.towards();
        let asked = |release: &Version| question.not_applicable(catalogue, release).is_none();
        match towards {
            Some(Towards::Earlier) => {
                let first = line.iter().position(asked).unwrap_or(line.len());
                line.drain(..first.min(line.len() - 1));
            }
            Some(Towards::Later) => {
                let last = line.iter().rposition(asked).unwrap_or(0);
                line.truncate(last + 1);
            }
            None => {}
        }
        question.narrow(catalogue, &line)?;
        let place = |version: &Version| line.iter().position(|other| other >= version);
        // What begins with the first release of the line, or before it, divides nothing.
        let inside = |place: &usize| *place > 0;
        let hints: Vec<usize> = match hints {
            true => {
                let hints = question.hints(catalogue);
                hints.iter().filter_map(place).filter(inside).collect()
            }
            false => Vec::new(),
        };
        let ends: Vec<usize> = claims
            .labels()
            .filter_map(|(version, _)| place(version))
            .collect();
        let search = Search::new(line.len(), ends.iter().copied(), hints, towards, probes);
        let mut hunt = Self {
            question,
            claims,
            search,
            sorter: None,
            expect,
            tested: BTreeMap::new(),
            sides: BTreeMap::new(),
            line,
        };
        for place in (0..hunt.line.len()).filter(|place| !ends.contains(place)) {
            let release = &hunt.line[place];
            if let Some(why) = hunt.question.not_applicable(catalogue, release) {
                let nothing = Tested::nothing(release.clone(), why, false);
                hunt.tested.insert(place, nothing);
            }
        }
        Ok(hunt)
    }

    /// What is asked, without the cells that cannot be.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The releases from one end to the other.
    pub fn line(&self) -> &[Version] {
        &self.line
    }

    /// What to test next: the ends first.
    pub fn next(&self) -> Option<Next> {
        if self.sorter.is_none() {
            let mut open = self.ends().map(|(place, _)| place);
            let mut open = open
                .by_ref()
                .filter(|place| !self.tested.contains_key(place));
            let test = open.next()?;
            return Some(Next {
                test: self.line[test].clone(),
                ahead: open.take(2).map(|place| self.line[place].clone()).collect(),
            });
        }
        let step = self.search.next()?;
        let ahead = step.ahead.iter();
        Some(Next {
            test: self.line[step.test].clone(),
            ahead: ahead.map(|place| self.line[*place].clone()).collect(),
        })
    }

    /// Takes in what was seen of a release; once all ends were seen, they are held against what they are called.
    ///
    /// # Errors
    /// An end is not as it was called.
    pub fn take(&mut self, tested: Tested) -> Result<(), EndError> {
        let Some(place) = self.place(&tested.release) else {
            return Ok(());
        };
        self.tested.insert(place, tested);
        if self.sorter.is_some() {
            let known = self.sort(place);
            self.search.answer(place, known);
            return Ok(());
        }
        if self
            .ends()
            .all(|(place, _)| self.tested.contains_key(&place))
        {
            self.sorter = Some(self.verified()?);
            let places: Vec<usize> = self.tested.keys().copied().collect();
            for place in places {
                let known = self.sort(place);
                self.search.learn(place, known);
            }
        }
        Ok(())
    }

    /// What a release is, in one word or a few, and what it answers.
    pub fn said(&self, release: &Version) -> String {
        let Some(place) = self.place(release) else {
            return String::new();
        };
        let Some(tested) = self.tested.get(&place) else {
            return String::new();
        };
        let answer = match &tested.trouble {
            Some(trouble) => trouble.why.clone(),
            None => digest(tested.answers.values()),
        };
        match self.sides.get(&place) {
            Some(Err(why)) => format!("cannot tell: {why}"),
            Some(Ok(class)) => match self.side_name(*class) {
                Some(name) => format!("{name}: {answer}"),
                None => answer,
            },
            None => answer,
        }
    }

    /// The word for a class, where classes are sides.
    pub(super) fn side_name(&self, class: Class) -> Option<&'static str> {
        let sides = self.sorter.as_ref().is_some_and(Sorter::has_sides);
        match class {
            GOOD if sides => Some("good"),
            BAD if sides => Some("bad"),
            _ => None,
        }
    }

    fn place(&self, release: &Version) -> Option<usize> {
        self.line.binary_search(release).ok()
    }

    pub(super) fn ends(&self) -> impl Iterator<Item = (usize, Label)> + '_ {
        self.claims
            .labels()
            .filter_map(|(version, label)| Some((self.place(version)?, label)))
    }

    fn sort(&mut self, place: usize) -> Known {
        let (Some(sorter), Some(tested)) = (&mut self.sorter, self.tested.get(&place)) else {
            return Known::Untested;
        };
        let side = sorter.sort(tested);
        let known = match &side {
            Ok(class) => Known::Answers(*class),
            Err(_) => Known::Untestable,
        };
        self.sides.insert(place, side);
        known
    }

    /// Holds the ends against what they are called; how to tell releases apart follows from what they answer.
    fn verified(&mut self) -> Result<Sorter, EndError> {
        let ends: Vec<(Tested, Label)> = self
            .ends()
            .filter_map(|(place, label)| Some((self.tested.get(&place)?.clone(), label)))
            .collect();
        for (end, called) in &ends {
            if let Some(trouble) = &end.trouble {
                return Err(EndError::Untold {
                    release: end.release.clone(),
                    called: *called,
                    why: trouble.why.clone(),
                    gateway: trouble.gateway,
                });
            }
        }
        if let Some(expect) = &self.expect {
            return verify_expected(&ends, expect);
        }
        let mut left_out = Vec::new();
        let good = agreed(&ends, Label::Good, &mut left_out)?;
        let bad = agreed(&ends, Label::Bad, &mut left_out)?;
        self.question.left_out.extend(left_out);
        match (good, bad) {
            (None, None) => Ok(Sorter::Any(Vec::new())),
            (Some(good), None) => Ok(Sorter::OnlyGood(good.answers)),
            (None, Some(bad)) => Ok(Sorter::only_bad(&bad.answers)),
            (Some(good), Some(bad)) => {
                let cells = differing(&good.answers, &bad.answers);
                let Some(cell) = cells.first() else {
                    return Err(EndError::Alike {
                        good: good.release.clone(),
                        bad: bad.release.clone(),
                        answer: digest(good.answers.values()),
                    });
                };
                let wrong = |end: &Tested| {
                    cells
                        .iter()
                        .find(|cell| {
                            end.answers
                                .get(*cell)
                                .is_some_and(|answer| !answer.conforms())
                        })
                        .cloned()
                };
                if let (Some(cell), None) = (wrong(good), wrong(bad)) {
                    return Err(EndError::Swapped {
                        good: good.release.clone(),
                        bad: bad.release.clone(),
                        answers: (line(good, &cell), line(bad, &cell)),
                    });
                }
                Sorter::both(&good.answers, &bad.answers).ok_or_else(|| EndError::Alike {
                    good: good.release.clone(),
                    bad: bad.release.clone(),
                    answer: line(good, cell),
                })
            }
        }
    }
}

/// What the ends that are called the same answer: cells on which they differ tell nothing and are left out, unless none would be
/// left.
fn agreed(
    ends: &[(Tested, Label)],
    called: Label,
    left_out: &mut Vec<(String, String)>,
) -> Result<Option<Tested>, EndError> {
    let mut same = ends.iter().filter(|(_, label)| *label == called);
    let Some((first, _)) = same.next() else {
        return Ok(None);
    };
    let mut agreed = first.clone();
    for (other, _) in same {
        let apart = differing(&agreed.answers, &other.answers);
        let Some(cell) = apart.first() else {
            continue;
        };
        let (one, two) = (&first.release, &other.release);
        if apart.len() == agreed.answers.len() {
            return Err(EndError::Apart {
                one: one.clone(),
                other: two.clone(),
                called,
                answers: (line(first, cell), line(other, cell)),
            });
        }
        agreed.answers.retain(|cell, _| !apart.contains(cell));
        let reason = format!(
            "{one} and {two} are both called {} and answer differently",
            called.name()
        );
        left_out.extend(apart.into_iter().map(|cell| (cell, reason.clone())));
    }
    Ok(Some(agreed))
}

fn verify_expected(ends: &[(Tested, Label)], expect: &str) -> Result<Sorter, EndError> {
    for (end, called) in ends {
        let other = end.answers.values().find(|answer| answer.key() != expect);
        let wrong = match (called, other) {
            (Label::Good, Some(other)) => Some(other.line.clone()),
            (Label::Bad, None) => Some(digest(end.answers.values())),
            (Label::Good, None) | (Label::Bad, Some(_)) | (Label::End, _) => None,
        };
        if let Some(answer) = wrong {
            return Err(EndError::Unexpected {
                release: end.release.clone(),
                called: *called,
                answer,
                expect: expect.to_owned(),
            });
        }
    }
    Ok(Sorter::Expect(expect.to_owned()))
}

fn line(tested: &Tested, cell: &str) -> String {
    let answer = tested.answers.get(cell);
    answer.map_or_else(String::new, |answer| answer.line.clone())
}

/// What several cells answer, in one line.
pub(super) fn digest<'a>(answers: impl Iterator<Item = &'a Answer>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for answer in answers {
        match counts.iter_mut().find(|(line, _)| *line == answer.line) {
            Some((_, count)) => *count += 1,
            None => counts.push((&answer.line, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match &counts[..] {
        [] => "nothing".to_owned(),
        [(line, _)] => (*line).to_owned(),
        [(line, count), rest @ ..] => {
            let others: usize = rest.iter().map(|(_, count)| count).sum();
            format!("{line} ({count} cells; {others} answer otherwise)")
        }
    }
}

#[cfg(test)]
mod tests;
