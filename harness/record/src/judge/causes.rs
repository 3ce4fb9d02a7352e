//! Causes: deviating cells folded into the smallest description of what they have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::KeptResult;
use crate::events::Expected;
use crate::judge::{Deviation, Verdict};
use contract::region::{Combination, Conditions, minimize_conditions};

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
    /// Ids of the cells, in order.
    pub cells: Vec<String>,
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
pub fn causes<'a>(results: impl IntoIterator<Item = &'a KeptResult>) -> Vec<Cause> {
    let mut universes: BTreeMap<(String, String), Vec<Combination>> = BTreeMap::new();
    let mut groups: BTreeMap<Key, Vec<&KeptResult>> = BTreeMap::new();
    for result in results {
        let universe = universes
            .entry((
                result.facts.gateway.clone(),
                result.cell.scenario.id.clone(),
            ))
            .or_default();
        match &result.facts.verdict {
            Verdict::NotApplicable(_) | Verdict::CouldNotRun(_) => continue,
            Verdict::Conforms | Verdict::New | Verdict::Stale => {
                universe.push(result.cell.combination.clone());
            }
            Verdict::Deviates(deviation) | Verdict::Known(deviation) => {
                universe.push(result.cell.combination.clone());
                groups
                    .entry(key(result, *deviation))
                    .or_default()
                    .push(result);
            }
        }
    }

    let mut causes = Vec::new();
    for (key, results) in groups {
        let universe = &universes[&(key.gateway.clone(), key.scenario.clone())];
        let cells: Vec<Combination> = results
            .iter()
            .map(|result| result.cell.combination.clone())
            .collect();
        let Some(first) = results.first() else {
            continue;
        };
        let scenario = Arc::clone(&first.cell.scenario);
        for region in minimize_conditions(&cells, universe) {
            let rules: BTreeMap<&str, &Expected> = results
                .iter()
                .filter(|result| region.cells.binary_search(&result.cell.combination).is_ok())
                .filter_map(|result| result.facts.expected.as_ref())
                .map(|expected| (expected.rule.as_str(), expected))
                .collect();
            let outcomes: BTreeSet<&str> = results
                .iter()
                .filter(|result| region.cells.binary_search(&result.cell.combination).is_ok())
                .filter_map(|result| result.facts.expected.as_ref())
                .map(|expected| expected.outcome.id.as_str())
                .collect();
            let expected = rules.values().next();
            let only = expected.filter(|_| rules.len() == 1);
            causes.push(Cause {
                id: 0,
                gateway: key.gateway.clone(),
                scenario: key.scenario.clone(),
                conditions: region.named(&*scenario),
                cells: region
                    .cells
                    .iter()
                    .map(|cell| scenario.cell_id(cell))
                    .collect(),
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
        (order(a), b.cells.len(), &a.rule, &a.cells).cmp(&(
            order(b),
            a.cells.len(),
            &b.rule,
            &b.cells,
        ))
    });
    for (index, cause) in causes.iter_mut().enumerate() {
        cause.id = index + 1;
    }
    causes
}

fn key(result: &KeptResult, deviation: Deviation) -> Key {
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
    line
}
