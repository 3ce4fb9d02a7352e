//! The search, apart from what is searched: a line of releases, what is known of each, and which to test next. Pure.
//!
//! Nobody promises that an answer changes only once. [`Search::next`] halves every stretch whose two ends are known to answer
//! differently; whether it also looks into stretches whose ends agree is the caller's choice ([`Probes`]).

use std::collections::BTreeSet;

/// An answer, as a number: equal numbers, equal answers.
pub(super) type Class = usize;

/// What is known of one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was not asked.
    Untested,
    /// It answers this.
    Answers(Class),
    /// It was asked or tried, and does not tell.
    Untestable,
}

/// Which way to go from the one release that is known, to find one that answers otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Towards {
    /// To earlier releases.
    Earlier,
    /// To later ones.
    Later,
}

/// How many releases to try where both ends of a stretch answer the same, once no hint is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probes {
    /// None: one change between two ends that differ is all that is looked for.
    None,
    /// So many at most, and none once a change is known.
    UntilAChange(usize),
    /// So many, whatever is known.
    Exactly(usize),
}

/// Two neighbours among the releases that answered, and they answer differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The last release with the answer before.
    pub(super) before: usize,
    /// The first release that is known to have the answer after.
    pub(super) after: usize,
    /// Those between them, of which nothing is known: the change may be on any of them.
    pub(super) unclear: Vec<usize>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The release to test.
    pub(super) test: usize,
    /// Those that may be next, depending on what it answers; at most two, none of them `test`.
    pub(super) ahead: Vec<usize>,
}

/// A line of releases, what is known of each, and what is looked for.
#[derive(Debug, Clone)]
pub(super) struct Search {
    known: Vec<Known>,
    ends: Vec<usize>,
    hints: Vec<usize>,
    towards: Option<Towards>,
    probes: Probes,
}

impl Search {
    /// A line of `length` releases. `ends` are tested before any other. `hints` are releases with which, as somebody says, a new
    /// answer may begin: they only decide what is tried first. What lies outside the ends is touched only in the direction
    /// of `towards`.
    ///
    /// Positions that are not on the line are ignored.
    pub(super) fn new(
        length: usize,
        ends: impl IntoIterator<Item = usize>,
        hints: impl IntoIterator<Item = usize>,
        towards: Option<Towards>,
        probes: Probes,
    ) -> Self {
        let on_the_line = |place: &usize| *place < length;
        Self {
            known: vec![Known::Untested; length],
            ends: ends.into_iter().filter(on_the_line).collect(),
            hints: hints
                .into_iter()
                .filter(on_the_line)
                .collect::<BTreeSet<usize>>()
                .into_iter()
                .collect(),
            towards,
            probes,
        }
    }

    /// Takes in what is known of a release.
    pub(super) fn learn(&mut self, place: usize, known: Known) {
        if let Some(slot) = self.known.get_mut(place) {
            *slot = known;
        }
    }

    /// What to test next; `None` where the search is over.
    pub(super) fn next(&self) -> Option<Step> {
        let (test, _) = self.choose()?;
        let [before, after] = self.neighbours(test);
        let mut classes: BTreeSet<Class> = before.into_iter().chain(after).collect();
        if classes.len() < 2 {
            let others = self.answered().map(|(_, class)| class + 1);
            classes.insert(others.max().unwrap_or(0));
        }
        let mut ahead = BTreeSet::new();
        for class in classes {
            let mut then = self.clone();
            then.answer(test, Known::Answers(class));
            ahead.extend(then.choose().map(|(place, _)| place));
        }
        Some(Step {
            test,
            ahead: ahead.into_iter().take(2).collect(),
        })
    }

    /// Takes in what a release that [`Search::next`] chose has answered.
    pub(super) fn answer(&mut self, place: usize, known: Known) {
        if self.choose() == Some((place, true)) {
            match &mut self.probes {
                Probes::None => {}
                Probes::UntilAChange(left) | Probes::Exactly(left) => {
                    *left = left.saturating_sub(1)
                }
            }
        }
        self.learn(place, known);
    }

    /// Where the answer changes, in the order of the line.
    pub(super) fn changes(&self) -> Vec<Change> {
        let answered: Vec<(usize, Class)> = self.answered().collect();
        answered
            .windows(2)
            .filter(|pair| pair[0].1 != pair[1].1)
            .map(|pair| Change {
                before: pair[0].0,
                after: pair[1].0,
                unclear: (pair[0].0 + 1..pair[1].0).collect(),
            })
            .collect()
    }

    /// Releases between two others that answer the same, and of which nothing is known.
    pub(super) fn assumed(&self) -> Vec<usize> {
        self.quiet_stretches()
            .flat_map(|(from, to)| self.untested(from, to))
            .collect()
    }

    fn answered(&self) -> impl Iterator<Item = (usize, Class)> + '_ {
        self.known
            .iter()
            .enumerate()
            .filter_map(|(place, known)| match known {
                Known::Answers(class) => Some((place, *class)),
                Known::Untested | Known::Untestable => None,
            })
    }

    /// The nearest answers on both sides.
    fn neighbours(&self, place: usize) -> [Option<Class>; 2] {
        let before = self.answered().take_while(|(at, _)| *at < place).last();
        let after = self.answered().find(|(at, _)| *at > place);
        [
            before.map(|(_, class)| class),
            after.map(|(_, class)| class),
        ]
    }

    fn untested(&self, from: usize, to: usize) -> impl Iterator<Item = usize> + '_ {
        (from + 1..to).filter(|place| self.known[*place] == Known::Untested)
    }

    /// Stretches between neighbouring answers that are the same.
    fn quiet_stretches(&self) -> impl Iterator<Item = (usize, usize)> {
        let answered: Vec<(usize, Class)> = self.answered().collect();
        let quiet = answered.windows(2).filter(|pair| pair[0].1 == pair[1].1);
        let places: Vec<(usize, usize)> = quiet.map(|pair| (pair[0].0, pair[1].0)).collect();
        places.into_iter()
    }

    /// The release to test, and whether that uses up a probe.
    fn choose(&self) -> Option<(usize, bool)> {
        let end = self
            .ends
            .iter()
            .find(|end| self.known[**end] == Known::Untested);
        end.copied()
            .or_else(|| self.halve_a_change())
            .or_else(|| self.outwards())
            .or_else(|| self.where_hints_point())
            .map(|place| (place, false))
            .or_else(|| self.probe_the_quiet().map(|place| (place, true)))
    }

    /// Halves the first stretch with a change in it.
    fn halve_a_change(&self) -> Option<usize> {
        self.changes().iter().find_map(|change| {
            let (from, to) = (change.before, change.after);
            self.hint(from, to).or_else(|| self.middle(from, to))
        })
    }

    /// Steps of 1, 2, 4, ... away from the only answer there is, until another one is found.
    fn outwards(&self) -> Option<usize> {
        let towards = self.towards?;
        if !self.changes().is_empty() {
            return None;
        }
        let first = self.answered().next()?.0;
        let last = self.answered().last()?.0;
        let reach = (last - first).max(1);
        let steps = match towards {
            Towards::Later => {
                let target = last.saturating_add(reach).min(self.known.len() - 1);
                (last + 1..=target)
                    .rev()
                    .chain(target + 1..self.known.len())
                    .collect::<Vec<_>>()
            }
            Towards::Earlier => {
                let target = first.saturating_sub(reach);
                (target..first).chain((0..target).rev()).collect()
            }
        };
        steps
            .into_iter()
            .find(|place| self.known[*place] == Known::Untested)
    }

    /// Of each part between two hints one release, where the answers around it are the same.
    fn where_hints_point(&self) -> Option<usize> {
        if self.probes == Probes::None {
            return None;
        }
        let quiet: Vec<(usize, usize)> = self.quiet_stretches().collect();
        let ends = self.hints.iter().skip(1).copied().chain([self.known.len()]);
        self.hints.iter().zip(ends).find_map(|(from, to)| {
            let part = *from..to;
            let answered = |place: usize| matches!(self.known[place], Known::Answers(_));
            let seen = |place: usize| answered(place) && !self.ends.contains(&place);
            if answered(*from) || part.clone().any(seen) {
                return None;
            }
            part.into_iter().find(|place| {
                let inside = |(from, to): &(usize, usize)| from < place && place < to;
                self.known[*place] == Known::Untested && quiet.iter().any(inside)
            })
        })
    }

    /// The middle of the largest run of untested releases between two answers that are the same.
    fn probe_the_quiet(&self) -> Option<usize> {
        let left = match self.probes {
            Probes::None => 0,
            Probes::UntilAChange(_) if !self.changes().is_empty() => 0,
            Probes::UntilAChange(left) | Probes::Exactly(left) => left,
        };
        if left == 0 {
            return None;
        }
        let runs = self
            .quiet_stretches()
            .flat_map(|(from, to)| self.runs(from, to));
        let largest = runs.reduce(|best, run| {
            if run.1 - run.0 > best.1 - best.0 {
                run
            } else {
                best
            }
        });
        largest.map(|(first, last)| first.midpoint(last))
    }

    /// A release beside a hint, in a stretch with a change in it: the one that halves it best.
    fn hint(&self, from: usize, to: usize) -> Option<usize> {
        let middle = from.midpoint(to);
        let beside = self
            .hints
            .iter()
            .flat_map(|hint| [hint.saturating_sub(1), *hint]);
        beside
            .filter(|place| from < *place && *place < to && self.known[*place] == Known::Untested)
            .min_by_key(|place| place.abs_diff(middle))
    }

    /// Runs of untested releases between two places, by first and last.
    fn runs(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for place in self.untested(from, to) {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == place => *last = place,
                _ => runs.push((place, place)),
            }
        }
        runs
    }

    /// The untested release closest to the middle of a stretch that keeps its distance from those that could not be tested:
    /// they come in groups, so the distance doubles with each. It is one of the middle third, so that every answer cuts the
    /// stretch by a third at least.
    fn middle(&self, from: usize, to: usize) -> Option<usize> {
        let candidates: Vec<usize> = self.untested(from, to).collect();
        let holes: Vec<usize> = (from + 1..to)
            .filter(|place| self.known[*place] == Known::Untestable)
            .collect();
        let middle = candidates.get(candidates.len().checked_sub(1)? / 2)?;
        let third = candidates.len() / 3;
        let candidates = &candidates[third..candidates.len() - third];
        let distance = |place: usize| {
            let distances = holes.iter().map(|hole| hole.abs_diff(place));
            distances.min().unwrap_or(usize::MAX)
        };
        let wanted = 1usize
            .checked_shl(u32::try_from(holes.len()).ok()?)
            .unwrap_or(usize::MAX);
        let far = candidates
            .iter()
            .filter(|place| distance(**place) >= wanted);
        let balanced = far.min_by_key(|place| place.abs_diff(*middle));
        let farthest = || candidates.iter().max_by_key(|place| distance(**place));
        balanced.or_else(farthest).copied()
    }
}

#[cfg(test)]
mod tests;
