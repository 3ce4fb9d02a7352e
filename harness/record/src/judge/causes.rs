//! Causes: deviating cells folded into the smallest description of what they have in common.
//!
//! Cells are folded within what one rule says: the conditions of a cause are those that tell its cells from the others that its
//! rule decides. What one condition explains in several rules is one cause, see [`joined`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::joined::{Base, joined};
use super::{Deviation, Severity, Verdict};
use crate::events::{CellResult, Expected};
use crate::observe::Observation;
use contract::region::{Combination, Conditions, Region, minimize_among};
use contract::request::{Written, written};
use contract::scenario::Privilege;

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

/// Cells that deviate for one reason.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Number in the run, from 1.
    pub id: usize,
    /// The gateway.
    pub gateway: String,
    /// The condition that explains the cells of several parts; may be empty.
    pub by: Conditions,
    /// The cells, in order: their places among the results.
    pub cells: Vec<usize>,
    /// The cells by what their rules say: those that deviate in the worst way first, and of these the largest part. There is at
    /// least one.
    pub parts: Vec<CausePart>,
    /// In which way they deviate; of several ways the worst.
    pub deviation: Deviation,
    /// How severe the worst of them is.
    pub severity: Severity,
    /// The known issue that says so.
    pub known_issue: Option<String>,
}

/// Cells of a cause that one rule decides and that got the same answer.
#[derive(Debug, Clone, Default)]
pub struct CausePart {
    /// Id of the scenario.
    pub scenario: String,
    /// Axis names and values that select exactly these cells among those that the rule decides and that ran; empty for all of them.
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
    /// In which way they deviate; nothing where there are no cells.
    pub deviation: Option<Deviation>,
    /// What was seen.
    pub observed: String,
    /// `status error.type: message` of the first cell.
    pub answer: String,
    /// Where the outcome is right and only the answer differs.
    pub difference: Option<Difference>,
}

/// What all cells of a part share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    gateway: String,
    scenario: String,
    deviation: Deviation,
    rule: String,
    observed: String,
    answer: String,
    difference: Option<Difference>,
    known_issue: Option<String>,
    /// How the requests carry the secret, if only some of a rule's cells are let in by it.
    way_in: String,
}

impl Key {
    /// What cells share that are one cause by what one rule says.
    fn without_answer(&self) -> Self {
        let status = self.answer.split([' ', ':']).next().unwrap_or_default();
        let answer = match (self.deviation, &self.known_issue) {
            (Deviation::UnexpectedAllow, None) => "",
            (Deviation::UnexpectedDeny, None) => status,
            _ => return self.clone(),
        };
        Self {
            observed: String::new(),
            answer: answer.to_owned(),
            difference: None,
            ..self.clone()
        }
    }
}

/// Whose cells a fold must tell from each other: gateway, scenario, and rule, which is empty where all rules count.
type Place<'a> = (&'a str, &'a str, &'a str);

/// Folds all deviating cells of a run. The result depends on the set of results only, not on their order.
///
/// What no known issue explains comes first, and in that the most severe; of these, what grants the most.
pub fn causes(results: &[CellResult]) -> Vec<Cause> {
    let mut groups: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (place, result) in results.iter().enumerate() {
        if let Verdict::Deviates(deviation) | Verdict::Known(deviation) = &result.facts.verdict {
            let key = key(result, *deviation);
            groups.entry(key).or_default().push(place);
        }
    }
    if groups.is_empty() {
        return Vec::new();
    }
    let ran: Vec<usize> = (0..results.len())
        .filter(|place| ran(&results[*place]))
        .collect();
    let universes = universes(&groups, results, &ran);
    let groups = by_way_in(&groups, results, &universes);
    let mut parts: Vec<Vec<CausePart>> = Vec::new();
    let mut bases: Vec<Base> = Vec::new();
    // What one rule says is one cause, whatever the answers: of denials, with the same status.
    let mut by_rule: BTreeMap<Key, Vec<CausePart>> = BTreeMap::new();
    for (key, places) in &groups {
        let universe = &universes[&place_of(key)];
        let found = by_rule.entry(key.without_answer()).or_default();
        found.extend(regions(key, places, universe, results));
    }
    for (key, mut found) in by_rule {
        found.sort_by_key(|part| (Reverse(part.cells.len()), part.cells.first().copied()));
        let cells = found.iter().flat_map(|part| part.cells.iter().copied());
        let words = |text: fn(&CausePart) -> &String| {
            let texts: BTreeSet<&str> = found.iter().map(|part| text(part).as_str()).collect();
            texts.into_iter().collect::<Vec<_>>().join(" or ")
        };
        bases.push(Base {
            gateway: key.gateway.clone(),
            deviation: key.deviation,
            open: key.known_issue.is_none(),
            pair: (words(|part| &part.expected), words(|part| &part.observed)),
            rule: (key.scenario, key.rule),
            cells: cells.collect(),
        });
        parts.push(found);
    }
    let known: Vec<Option<String>> = bases
        .iter()
        .map(|base| {
            let issue = results[base.cells[0]].facts.known_issue.as_ref();
            issue.map(|issue| issue.id.clone())
        })
        .collect();
    let mut causes: Vec<Cause> = joined(&bases, results, &ran)
        .into_iter()
        .map(|group| {
            let gateway = bases[group.bases[0]].gateway.clone();
            let deviations = group.bases.iter().map(|base| bases[*base].deviation);
            let deviation = deviations.min().unwrap_or(Deviation::UnexpectedAllow);
            let known_issue = known[group.bases[0]].clone();
            let own = group.bases.iter();
            let own = own.flat_map(|base| std::mem::take(&mut parts[*base]));
            let parts = merged(own.collect(), &group.by);
            let mut cells: Vec<usize> = parts.iter().flat_map(|part| part.cells.clone()).collect();
            cells.sort_unstable();
            let worst = cells
                .iter()
                .filter_map(|cell| results[*cell].facts.severity);
            Cause {
                id: 0,
                gateway,
                severity: worst.max().unwrap_or_default(),
                by: group.by,
                cells,
                parts,
                deviation,
                known_issue,
            }
        })
        .collect();
    causes.sort_by_cached_key(|cause| {
        let seen = |cell: &usize| results[*cell].facts.observed.as_ref();
        let granted = cause.cells.iter().filter_map(seen).map(|seen| seen.grants);
        // Only where more is granted than the rule says does it matter how much.
        let granted = granted
            .max()
            .filter(|_| cause.deviation == Deviation::UnexpectedAllow);
        (
            (cause.gateway.clone(), cause.known_issue.is_some()),
            cause.known_issue.clone(),
            (Reverse(cause.severity), cause.deviation),
            Reverse(granted.unwrap_or(Privilege::None)),
            Reverse(cause.cells.len()),
            cause.parts[0].rule.clone(),
            // No two causes share a cell, so that the first one tells them apart.
            results[cause.cells[0]].cell.id(),
        )
    });
    for (index, cause) in causes.iter_mut().enumerate() {
        cause.id = index + 1;
    }
    causes
}

fn place_of(key: &Key) -> Place<'_> {
    (&key.gateway, &key.scenario, &key.rule)
}

/// The cells that ran, by whose cells a fold must tell from each other.
fn universes<'a>(
    groups: &'a BTreeMap<Key, Vec<usize>>,
    results: &'a [CellResult],
    ran: &[usize],
) -> BTreeMap<Place<'a>, Vec<u16>> {
    let mut universes: BTreeMap<Place<'a>, Vec<u16>> = groups
        .keys()
        .map(|key| (place_of(key), Vec::new()))
        .collect();
    for result in ran.iter().map(|place| &results[*place]) {
        let rule = result.facts.expected.as_ref();
        let rule = rule.map_or("", |expected| &expected.rule);
        let (gateway, scenario) = (&result.facts.gateway, &result.cell.scenario.id);
        for rule in [rule, ""] {
            if let Some(universe) = universes.get_mut(&(gateway, scenario, rule)) {
                universe.extend(result.cell.combination());
            }
            if rule.is_empty() {
                break;
            }
        }
    }
    universes
}

/// The groups, where only some of a rule's cells are let in, and all of these carry a secret: a secret that is accepted in another
/// form is another way in.
fn by_way_in(
    groups: &BTreeMap<Key, Vec<usize>>,
    results: &[CellResult],
    universes: &BTreeMap<Place<'_>, Vec<u16>>,
) -> BTreeMap<Key, Vec<usize>> {
    let mut split: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (key, places) in groups {
        let axes = results[places[0]].cell.scenario.axes.len();
        let some = universes[&place_of(key)].len() > places.len() * axes;
        let others = key.known_issue.is_some() || key.deviation != Deviation::UnexpectedAllow;
        let mut ways: Vec<(usize, BTreeSet<String>)> = Vec::new();
        if some && !others {
            let way = |place: &usize| (*place, ways_in(&written(&results[*place].cell)));
            ways.extend(places.iter().map(way));
        }
        if ways.iter().any(|(_, ways)| ways.is_empty()) {
            ways.clear();
        }
        if ways.is_empty() {
            split.insert(key.clone(), places.clone());
        }
        // What most of them have in common comes first: a request may carry several.
        while !ways.is_empty() {
            let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
            for way in ways.iter().flat_map(|(_, ways)| ways) {
                *counts.entry(way).or_default() += 1;
            }
            let most = counts
                .iter()
                .max_by_key(|(way, cells)| (**cells, Reverse(*way)));
            let way = most.map_or_else(String::new, |(way, _)| (*way).clone());
            let (mine, rest) = ways.into_iter().partition(|(_, ways)| ways.contains(&way));
            ways = rest;
            let mine: Vec<(usize, BTreeSet<String>)> = mine;
            let key = Key {
                way_in: way,
                ..key.clone()
            };
            split.insert(key, mine.into_iter().map(|(place, _)| place).collect());
        }
    }
    split
}

/// How a request carries a secret: the header lines, the query, or that it is in the body.
fn ways_in(request: &Written) -> BTreeSet<String> {
    let holds = |text: &str| {
        let mut names = text.split("${").skip(1);
        names.any(|rest| {
            let name = rest.split(['}', '|']).next().unwrap_or_default();
            !["canary", "port", contract::request::SESSION].contains(&name)
        })
    };
    let lines = request.headers.iter().map(String::as_str);
    let lines = lines.chain(request.query());
    let lines = lines.filter(|line| holds(line));
    let mut ways: BTreeSet<String> = lines.map(|line| line.trim().to_ascii_lowercase()).collect();
    if holds(&request.body) {
        ways.insert("body".to_owned());
    }
    ways
}

/// The regions of one group.
fn regions(
    key: &Key,
    places: &[usize],
    universe: &[u16],
    results: &[CellResult],
) -> Vec<CausePart> {
    let mut by_cell: Vec<(Combination, usize)> = places
        .iter()
        .map(|place| (results[*place].cell.combination(), *place))
        .collect();
    by_cell.sort_unstable();
    let cells: Vec<Combination> = by_cell.iter().map(|(cell, _)| cell.clone()).collect();
    let axes = results[places[0]].cell.scenario.axes.len();
    let universe = universe.chunks_exact(axes);
    let of = |cell: &Combination| {
        let place = by_cell.binary_search_by(|(known, _)| known.cmp(cell));
        place.ok().map(|place| by_cell[place].1)
    };
    let regions = match cells.len() == universe.len() {
        // All that the rule decides, in however many boxes that is.
        true => vec![Region {
            conditions: Vec::new(),
            cells,
        }],
        false => minimize_among(&cells, universe),
    };
    let parts = regions.into_iter().map(|region| {
        let cells: Vec<usize> = region.cells.iter().filter_map(of).collect();
        part(key, region, cells, results)
    });
    parts.filter(|part| !part.cells.is_empty()).collect()
}

fn part(key: &Key, region: Region, cells: Vec<usize>, results: &[CellResult]) -> CausePart {
    let scenario = &results[cells[0]].cell.scenario;
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
    let text = |expected: Option<&&Expected>, text: fn(&Expected) -> &String| {
        expected
            .map(|expected| text(expected).clone())
            .unwrap_or_default()
    };
    CausePart {
        scenario: key.scenario.clone(),
        conditions: region.named(&**scenario),
        rule: rules.keys().copied().collect::<Vec<_>>().join(", "),
        title: text(only, |expected| &expected.title),
        origin: text(expected, |expected| &expected.origin),
        source: text(only, |expected| &expected.source),
        expected: outcomes.into_iter().collect::<Vec<_>>().join(" or "),
        deviation: Some(key.deviation),
        observed: key.observed.clone(),
        answer: key.answer.clone(),
        difference: key.difference.clone(),
        cells,
    }
}

/// Parts of one rule that got the same answer as one part, if one condition explains them all; the worst and largest first.
fn merged(parts: Vec<CausePart>, by: &Conditions) -> Vec<CausePart> {
    let mut merged: Vec<CausePart> = Vec::new();
    for part in parts {
        let alike = |other: &&mut CausePart| {
            !by.is_empty()
                && (&other.scenario, &other.rule) == (&part.scenario, &part.rule)
                && (&other.observed, &other.answer) == (&part.observed, &part.answer)
                && other.deviation == part.deviation
                && other.difference == part.difference
        };
        match merged.iter_mut().find(alike) {
            Some(other) => {
                other.cells.extend(&part.cells);
                other.cells.sort_unstable();
                other.conditions.clone_from(by);
                if other.expected != part.expected {
                    let both: BTreeSet<&str> = other
                        .expected
                        .split(" or ")
                        .chain(part.expected.split(" or "))
                        .collect();
                    other.expected = both.into_iter().collect::<Vec<_>>().join(" or ");
                }
            }
            None => merged.push(part),
        }
    }
    merged.sort_by_key(|part| {
        let first = part.cells.first().copied();
        (part.deviation, Reverse(part.cells.len()), first)
    });
    merged
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
        way_in: String::new(),
    }
}

fn answer_line(observed: &Observation) -> String {
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
    if observed.shows_anothers_words() {
        line.push_str(" (shows words of another request)");
    }
    if observed.goes_on_with_earlier_words() {
        line.push_str(" (the model was sent words of an earlier request)");
    }
    line
}

#[cfg(test)]
mod tests;
