//! Which release answers like this: every release's contract and known issues against what was seen. Pure.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;

use super::Capabilities;
use contract::plan::Cell;
use contract::release::Version;
use contract::scenario::model::Outcome;
use contract::scenario::{Catalogue, KnownIssue, breakpoints};
use record::observe::Observation;

/// The releases that answer most like what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// Ranges in order: the first release, and the first that no longer answers so.
    pub ranges: Vec<(Version, Option<Version>)>,
    /// Answers that none of them gives.
    pub unlike: usize,
    /// Answers in all.
    pub answers: usize,
    /// The newest of these releases whose contract is known.
    pub judged: Version,
    /// Whether every release answers so: then nothing is known.
    pub any: bool,
}

impl fmt::Display for Likeness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self.ranges.iter().map(|(since, until)| match until {
            Some(until) => format!("{since} up to before {until}"),
            None => format!("{since} and later"),
        });
        formatter.write_str(&ranges.collect::<Vec<_>>().join(", or "))
    }
}

/// Compares with every release at which anything changes; `newest` is the newest whose contract is known.
///
/// A known issue is heeded here even after its day: what a release answers does not expire.
pub fn infer(
    catalogue: &Catalogue,
    answers: &[(&Cell, &Observation)],
    capabilities: &Capabilities,
    newest: &Version,
) -> Likeness {
    let releases = releases(catalogue, answers);
    let unlike: Vec<usize> = releases
        .iter()
        .map(|release| {
            let differs = |(cell, seen): &&(&Cell, &Observation)| {
                let says = says(catalogue, cell, release);
                // What a release answers before its scenario's contract begins, nobody knows.
                let is_known = (cell.scenario.since.as_ref()).is_none_or(|since| since <= release);
                is_known
                    && !capabilities.answers_for(says, seen)
                    && says.map(|outcome| outcome.id.as_str()) != seen.outcome.as_deref()
            };
            answers.iter().filter(differs).count()
        })
        .collect();
    let least = unlike.iter().min().copied().unwrap_or(0);
    let mut ranges: Vec<(Version, Option<Version>)> = Vec::new();
    let mut last_of_range = Version::earliest();
    for (index, release) in releases.iter().enumerate() {
        if unlike[index] != least {
            continue;
        }
        let until = releases.get(index + 1).cloned();
        last_of_range = release.clone();
        match ranges.last_mut() {
            Some((_, end)) if end.as_ref() == Some(release) => *end = until,
            Some(_) | None => ranges.push((release.clone(), until)),
        }
    }
    let open_ended = ranges.last().is_some_and(|(_, until)| until.is_none());
    let judged = match open_ended || ranges.is_empty() {
        true => last_of_range.max(newest.clone()),
        false => last_of_range,
    };
    Likeness {
        any: unlike.iter().all(|count| *count == least),
        ranges,
        unlike: least,
        answers: answers.len(),
        judged,
    }
}

/// The releases at which any rule or known issue begins or ends, from the first that a scenario with an answer knows.
fn releases(catalogue: &Catalogue, answers: &[(&Cell, &Observation)]) -> Vec<Version> {
    let floor = answers
        .iter()
        .filter_map(|(cell, _)| cell.scenario.since.as_ref());
    let floor = floor.min().cloned();
    let rules = catalogue
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.rules);
    let issues = catalogue
        .known_issues
        .iter()
        .flat_map(|issue| &issue.affects);
    let ranges = rules
        .map(|rule| &rule.range)
        .chain(issues.map(|part| &part.range));
    let points: BTreeSet<Version> = breakpoints(ranges, floor.as_ref());
    points.into_iter().collect()
}

/// What a release answers to a cell: as a known issue says, else as its rule says.
fn says<'a>(catalogue: &'a Catalogue, cell: &'a Cell, release: &Version) -> Option<&'a Outcome> {
    let issue = cell
        .known(catalogue, release, Date::MIN)
        .map(|(_, outcome)| &**outcome);
    issue.or_else(|| cell.expected(release).map(|outcome| &**outcome))
}

/// The known issues of any release by which a cell would answer as it was seen to.
pub(super) fn resembles<'a>(
    catalogue: &'a Catalogue,
    cell: &Cell,
    seen: &Observation,
) -> Vec<&'a KnownIssue> {
    let says = |issue: &&KnownIssue| {
        issue.affects.iter().any(|part| {
            part.scenario == cell.scenario.id
                && part
                    .when
                    .iter()
                    .any(|when| when.matches(&cell.combination()))
                && part
                    .observed
                    .of(&cell.combination())
                    .map(|outcome| outcome.id.as_str())
                    == seen.outcome.as_deref()
        })
    };
    let issues = catalogue.known_issues.iter().map(|issue| &**issue);
    issues.filter(says).collect()
}
