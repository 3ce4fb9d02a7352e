//! Causes: deviating cells folded into the smallest description of what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::events::{CellResult, Expected};
use crate::judge::{Deviation, Verdict};
use contract::region::{Combination, Conditions, minimize_among};

/// Where the observed answer differs from the accepted one although the outcome is right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// `file:line` of the accepted answer.
    pub snapshot: String,
    /// The accepted answer.
    pub accepted: String,
    /// The observed one.
    pub observed: String,
}

/// A group of cells that deviate in the same way, and exactly what they have in common.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Number in the run, from 1.
    pub id: usize,
    /// The gateway.
    pub gateway: String,
    /// Id of the scenario.
    pub scenario: String,
    /// Axis names and values that select exactly these cells among those that ran; empty for all of them.
    pub conditions: Conditions,
    /// The cells, in order: their places among the results.
    pub cells: Vec<usize>,
    /// Id of the rule that is broken; of several, where they share an answer that is not the accepted one.
    pub rule: String,
    /// The rule in one sentence; may be empty.
    pub title: String,
    /// `file:line` of the rule, or of the first of several.
    pub origin: String,
    /// On whose authority.
    pub source: String,
    /// The outcome that the rule asks for, or several where it asks by axis.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// `status error.type: message` of the first cell.
    pub answer: String,
    /// In which way they deviate.
    pub deviation: Deviation,
    /// Where the outcome is right and only the answer differs.
    pub difference: Option<Difference>,
    /// The known issue that says so.
    pub known_issue: Option<String>,
}

/// What all cells of a cause share.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    gateway: String,
    scenario: String,
    deviation: Deviation,
    rule: String,
    observed: String,
    answer: String,
    difference: Option<Difference>,
    known_issue: Option<String>,
}

/// Folds all deviating cells of a run. The result depends on the set of results only, not on their order.
///
/// What no known issue explains comes first, and in that the largest cause of the gravest kind: unexpected-allow,
/// unexpected-deny, wrong-denial, wrong-body.
pub fn causes(results: &[CellResult]) -> Vec<Cause> {
    let mut groups: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (place, result) in results.iter().enumerate() {
        if let Verdict::Deviates(deviation) | Verdict::Known(deviation) = &result.facts.verdict {
            let key = key(result, *deviation);
            groups.entry(key).or_default().push(place);
        }
    }
    // Combinations one after the other.
    let mut universes: BTreeMap<(&str, &str), Vec<u16>> = groups
        .keys()
        .map(|key| ((key.gateway.as_str(), key.scenario.as_str()), Vec::new()))
        .collect();
    let some = !universes.is_empty();
    for result in results.iter().filter(|result| some && ran(result)) {
        let place = (
            result.facts.gateway.as_str(),
            result.cell.scenario.id.as_str(),
        );
        if let Some(universe) = universes.get_mut(&place) {
            universe.extend(result.cell.combination());
        }
    }

    let mut causes = Vec::new();
    for (key, places) in &groups {
        let universe = &universes[&(key.gateway.as_str(), key.scenario.as_str())];
        let mut by_cell: Vec<(Combination, usize)> = places
            .iter()
            .map(|place| (results[*place].cell.combination(), *place))
            .collect();
        by_cell.sort_unstable();
        let cells: Vec<Combination> = by_cell.iter().map(|(cell, _)| cell.clone()).collect();
        let Some(first) = by_cell.first() else {
            continue;
        };
        let scenario = &results[first.1].cell.scenario;
        let universe = universe.chunks_exact(scenario.axes.len());
        for region in minimize_among(&cells, universe) {
            let of = |cell: &Combination| {
                let place = by_cell.binary_search_by(|(known, _)| known.cmp(cell));
                place.ok().map(|place| by_cell[place].1)
            };
            let cells: Vec<usize> = region.cells.iter().filter_map(of).collect();
            let expected = cells
                .iter()
                .filter_map(|place| results[*place].facts.expected.as_ref());
            let mut rules: BTreeMap<&str, &Expected> = BTreeMap::new();
            let mut outcomes: BTreeSet<&str> = BTreeSet::new();
            for expected in expected {
                rules.insert(&expected.rule, expected);
                outcomes.insert(&expected.outcome.id);
            }
            let expected = rules.values().next();
            let only = expected.filter(|_| rules.len() == 1);
            causes.push(Cause {
                id: 0,
                gateway: key.gateway.clone(),
                scenario: key.scenario.clone(),
                conditions: region.named(&**scenario),
                cells,
                rule: rules.keys().copied().collect::<Vec<_>>().join(", "),
                title: only
                    .map(|expected| expected.title.clone())
                    .unwrap_or_default(),
                origin: expected
                    .map(|expected| expected.origin.clone())
                    .unwrap_or_default(),
                source: only
                    .map(|expected| expected.source.clone())
                    .unwrap_or_default(),
                expected: outcomes.into_iter().collect::<Vec<_>>().join(" or "),
                observed: key.observed.clone(),
                answer: key.answer.clone(),
                deviation: key.deviation,
                difference: key.difference.clone(),
                known_issue: key.known_issue.clone(),
            });
        }
    }
    // No two causes share a cell, so that the first one tells them apart.
    let first = |cause: &Cause| {
        let place = cause.cells.first();
        place.map(|place| results[*place].cell.id())
    };
    causes.sort_by(|a, b| {
        let order = |cause: &Cause| {
            let known = cause.known_issue.clone();
            (
                cause.gateway.clone(),
                known.is_some(),
                known,
                cause.deviation,
            )
        };
        (order(a), b.cells.len(), &a.rule, first(a)).cmp(&(
            order(b),
            a.cells.len(),
            &b.rule,
            first(b),
        ))
    });
    for (index, cause) in causes.iter_mut().enumerate() {
        cause.id = index + 1;
    }
    causes
}

/// Whether there is an answer to say something about.
fn ran(result: &CellResult) -> bool {
    match result.facts.verdict {
        Verdict::NotApplicable(_) | Verdict::NotAsked(_) | Verdict::CouldNotRun(_) => false,
        Verdict::Conforms
        | Verdict::New
        | Verdict::Stale
        | Verdict::Deviates(_)
        | Verdict::Known(_) => true,
    }
}

fn key(result: &CellResult, deviation: Deviation) -> Key {
    let facts = &*result.facts;
    let observed = facts.observed.as_ref();
    Key {
        gateway: facts.gateway.clone(),
        scenario: result.cell.scenario.id.clone(),
        deviation,
        // An answer that is not the accepted one is one change, whatever rules its cells fall under.
        rule: match (&facts.difference, &facts.expected) {
            (None, Some(expected)) if facts.known_issue.is_none() => expected.rule.clone(),
            (Some(_), _) | (None, _) => String::new(),
        },
        observed: observed
            .map(|observed| observed.label())
            .unwrap_or_default(),
        answer: observed.map(answer_line).unwrap_or_default(),
        difference: facts.difference.clone(),
        known_issue: facts.known_issue.as_ref().map(|issue| issue.id.clone()),
    }
}

fn answer_line(observed: &crate::observe::Observation) -> String {
    let mut line = match observed.status {
        Some(status) => status.to_string(),
        None => observed.label(),
    };
    if let Some(kind) = &observed.error_type {
        line.push_str(&format!(" {kind}"));
    }
    if let Some(message) = &observed.message {
        line.push_str(&format!(": {message}"));
    }
    if let Some(calls) = observed.model_calls
        && calls != u32::from(observed.status == Some(200))
    {
        line.push_str(&format!(" (model calls: {calls})"));
    }
    if observed.tells_secret() {
        line.push_str(" (tells a secret of the launch)");
    }
    line
}
