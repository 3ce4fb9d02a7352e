//! One bisection as it goes on: what to test next, what was seen, and what follows from it. Pure.

use std::collections::BTreeMap;

use super::bounds::{Bounds, Label};
use super::classifier::{BAD, Classifier, GOOD};
use super::endpoints::{EndError, verify};
use super::question::{Question, QuestionError};
use super::search::{Class, Known, Probes, Search, Towards};
use super::tested::{Tested, digest};
use contract::release::Version;
use contract::scenario::Catalogue;

/// One bisection as it goes on.
#[derive(Debug)]
pub struct Hunt {
    pub(super) question: Question,
    pub(super) bounds: Bounds,
    /// The releases from one end to the other.
    pub(super) line: Vec<Version>,
    pub(super) search: Search,
    pub(super) classifier: Option<Classifier>,
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

impl Hunt {
    /// Begins: `line` are the releases from one end to the other, or, where only one end is known, to where releases begin or
    /// end. `expect` is the outcome that is good, where the ends shall not decide.
    ///
    /// # Errors
    /// No cell can be asked of both ends.
    pub fn new(
        catalogue: &Catalogue,
        mut question: Question,
        bounds: Bounds,
        mut line: Vec<Version>,
        hints: bool,
        probes: Probes,
        expect: Option<String>,
    ) -> Result<Self, QuestionError> {
        let towards = bounds.towards();
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
        let ends: Vec<usize> = bounds
            .labels()
            .filter_map(|(version, _)| place(version))
            .collect();
        let search = Search::new(line.len(), ends.iter().copied(), hints, towards, probes);
        let mut hunt = Self {
            question,
            bounds,
            search,
            classifier: None,
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
        if self.classifier.is_none() {
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
        if self.classifier.is_some() {
            let known = self.sort(place);
            self.search.answer(place, known);
            return Ok(());
        }
        if self
            .ends()
            .all(|(place, _)| self.tested.contains_key(&place))
        {
            let ends: Vec<(Tested, Label)> = self
                .ends()
                .filter_map(|(place, label)| Some((self.tested.get(&place)?.clone(), label)))
                .collect();
            let left_out = &mut self.question.left_out;
            self.classifier = Some(verify(&ends, self.expect.as_deref(), left_out)?);
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
        let sides = self.classifier.as_ref().is_some_and(Classifier::has_sides);
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
        self.bounds
            .labels()
            .filter_map(|(version, label)| Some((self.place(version)?, label)))
    }

    fn sort(&mut self, place: usize) -> Known {
        let (Some(classifier), Some(tested)) = (&mut self.classifier, self.tested.get(&place))
        else {
            return Known::Untested;
        };
        let side = classifier.sort(tested);
        let known = match &side {
            Ok(class) => Known::Answers(*class),
            Err(_) => Known::Untestable,
        };
        self.sides.insert(place, side);
        known
    }
}

#[cfg(test)]
mod tests;
