//! Causes that are one: cells of several rules and scenarios that one condition explains, or that changed in the same lines.
//!
//! A condition explains cells if it selects exactly them among all that their rules decide, under the profiles under which they
//! deviate. So that cells which only happen to share a value are not taken for one, one of three must hold, too: in one of the rules
//! there are cells that do not meet it; or every cell that meets it and must be answered the same way deviates; or all of them
//! deviate from the same outcome to the same outcome, and the condition says more than that outcome.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use contract::region::Conditions;
use contract::request::{Written, written};
use contract::scenario::model::Kind;

use super::Deviation;
use crate::events::CellResult;

/// Method and path of the request, among the conditions on axes.
const REQUEST: &str = "request";
/// What is in the query of the request.
const QUERY: &str = "query";
/// Before the name of a header: its lines in the request, or that there are none.
const HEADER: &str = "header ";
/// The value of a header that a request does not have.
const NO_LINES: &str = "(none)";
/// A header is missed where one in so many requests has it.
const MISSED: usize = 10;
/// The outcome that the rule asks for.
const EXPECTED: &str = "expected";
/// How often the model must be called.
const MODEL_CALLS: &str = "model-calls";
/// So many axes of a cell are looked at: pairs of all that is known of it are tried, too.
const MOST_AXES: usize = 14;

/// Cells of one rule that deviate in one way.
#[derive(Debug)]
pub(super) struct Base {
    /// Causes of different gateways are never one.
    pub(super) gateway: String,
    /// In which way they deviate.
    pub(super) deviation: Deviation,
    /// Whether something may be one with it: not what a known issue explains.
    pub(super) open: bool,
    /// Scenario and rule; the rule is empty where its cells are those of several.
    pub(super) rule: (String, String),
    /// What was expected, and what was seen.
    pub(super) pair: (String, String),
    /// Places among the results.
    pub(super) cells: Vec<usize>,
}

/// Bases that are one cause, and the condition that explains them; it may be empty.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) bases: Vec<usize>,
    pub(super) by: Conditions,
}

/// One or two things that are known of a cell; the second is [`NONE`] where there is only one.
type Condition = (u32, u32);
const NONE: u32 = u32::MAX;

/// Joins what is one; every base is in exactly one group. `ran` holds the places of all cells that were answered.
pub(super) fn joined(bases: &[Base], results: &[CellResult], ran: &[usize]) -> Vec<Joined> {
    let open: Vec<usize> = (0..bases.len())
        .filter(|place| bases[*place].open)
        .collect();
    let mut groups = by_change(bases, results);
    if !groups.is_empty() {
        // A condition that explains all that changed in the same lines, and more, says more than the lines.
        let wider = by_condition(bases, &open, results, ran);
        let is_within = |group: &Joined, wide: &Joined| {
            group.bases.len() < wide.bases.len()
                && group.bases.iter().all(|base| wide.bases.contains(base))
        };
        groups.retain(|group| !wider.iter().any(|wide| is_within(group, wide)));
    }
    let taken: HashSet<usize> = groups
        .iter()
        .flat_map(|group| &group.bases)
        .copied()
        .collect();
    let open: Vec<usize> = open
        .into_iter()
        .filter(|place| !taken.contains(place))
        .collect();
    groups.extend(by_condition(bases, &open, results, ran));
    let taken: HashSet<usize> = groups
        .iter()
        .flat_map(|group| &group.bases)
        .copied()
        .collect();
    let alone = (0..bases.len()).filter(|place| !taken.contains(place));
    groups.extend(alone.map(|base| Joined {
        bases: vec![base],
        by: Vec::new(),
    }));
    groups
}

/// Cells that get what they may, and of which the accepted answers changed in the same lines.
fn by_change(bases: &[Base], results: &[CellResult]) -> Vec<Joined> {
    let mut known: HashMap<usize, String> = HashMap::new();
    let mut change = |place: &usize| {
        let facts = &results[*place].facts;
        let change = known.entry(Arc::as_ptr(facts) as usize);
        let text = change.or_insert_with(|| {
            let observed = facts.observed.as_ref().map(|seen| seen.answer.as_str());
            lines(
                facts.accepted.as_deref().unwrap_or_default(),
                observed.unwrap_or_default(),
            )
        });
        text.clone()
    };
    let mut alike: BTreeMap<(&str, Deviation, String), Vec<usize>> = BTreeMap::new();
    for (place, base) in bases.iter().enumerate() {
        let gets_what_it_may = matches!(
            base.deviation,
            Deviation::WrongBody | Deviation::WrongDenial
        );
        if !base.open || !gets_what_it_may {
            continue;
        }
        let changes: BTreeSet<String> = base.cells.iter().map(&mut change).collect();
        if let (1, Some(change)) = (changes.len(), changes.into_iter().next())
            && !change.is_empty()
        {
            let class = (base.gateway.as_str(), base.deviation, change);
            alike.entry(class).or_default().push(place);
        }
    }
    let several = alike.into_values().filter(|bases| bases.len() > 1);
    several
        .map(|bases| Joined {
            bases,
            by: Vec::new(),
        })
        .collect()
}

/// The lines of two answers that only one of them has; empty where nobody has accepted an answer.
fn lines(accepted: &str, observed: &str) -> String {
    if accepted.is_empty() {
        return String::new();
    }
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    // A comma says only that something follows.
    for line in accepted.lines() {
        *counts.entry(line.trim_end_matches(',')).or_default() -= 1;
    }
    for line in observed.lines() {
        *counts.entry(line.trim_end_matches(',')).or_default() += 1;
    }
    let changed = counts.iter().filter(|(_, count)| **count != 0);
    changed
        .map(|(line, count)| format!("{count:+} {line}\n"))
        .collect()
}

/// What is known of cells, by number.
#[derive(Debug, Default)]
struct Features {
    numbers: HashMap<(String, String), u32>,
    names: Vec<(String, String)>,
    /// Headers that enough requests have for their absence to mean something.
    usual: Vec<String>,
}

impl Features {
    fn new(results: &[CellResult], ran: &[usize]) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        let asked = ran.iter().map(|place| &results[*place].cell);
        for cell in asked.filter(|cell| cell.scenario.kind != Kind::Start) {
            for name in headers(&written(cell)).into_keys() {
                *counts.entry(name).or_default() += 1;
            }
        }
        let is_usual =
            |(name, count): (String, usize)| (count * MISSED >= ran.len()).then_some(name);
        let mut usual: Vec<String> = counts.into_iter().filter_map(is_usual).collect();
        usual.sort();
        Self {
            usual,
            ..Self::default()
        }
    }

    fn number(&mut self, name: &str, value: &str) -> u32 {
        let key = (name.to_owned(), value.to_owned());
        let next = u32::try_from(self.names.len()).unwrap_or(NONE);
        let number = *self.numbers.entry(key.clone()).or_insert(next);
        if number == next {
            self.names.push(key);
        }
        number
    }

    /// The values of a cell on its axes, its request, and what is expected.
    fn of(&mut self, result: &CellResult) -> Vec<u32> {
        let cell = &result.cell;
        let axes = cell.axes().take(MOST_AXES);
        let mut found: Vec<u32> = axes.map(|(axis, value)| self.number(axis, value)).collect();
        if cell.scenario.kind != Kind::Start {
            let request = written(cell);
            found.push(self.number(REQUEST, &format!("{} {}", request.method, request.path())));
            found.extend(request.query().map(|query| self.number(QUERY, query)));
            let mut headers = headers(&request);
            for name in &self.usual {
                let none = || NO_LINES.to_owned();
                headers.entry(name.clone()).or_insert_with(none);
            }
            let headers = headers.into_iter();
            found.extend(
                headers.map(|(name, lines)| self.number(&format!("{HEADER}{name}"), &lines)),
            );
        }
        if let Some(expected) = &result.facts.expected {
            let outcome = &expected.outcome;
            found.push(self.number(EXPECTED, &outcome.id));
            if outcome.model_calls > 0 {
                found.push(self.number(MODEL_CALLS, &outcome.model_calls.to_string()));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// In how many words a condition is said, and how far it is from the axes: less is better.
    fn rank(&self, condition: Condition) -> (usize, usize, Conditions) {
        let named = self.named(condition);
        let far = |name: &str| match name {
            EXPECTED | MODEL_CALLS => 3,
            QUERY => 2,
            REQUEST => 1,
            _ if name.starts_with(HEADER) => 2,
            _ => 0,
        };
        let distance = named.iter().map(|(name, _)| far(name)).sum();
        (named.len(), distance, named)
    }

    /// Whether a condition is about what is expected and nothing else.
    fn is_outcome(&self, condition: Condition) -> bool {
        let mut named = self.named(condition).into_iter();
        named.all(|(name, _)| [EXPECTED, MODEL_CALLS].contains(&name.as_str()))
    }

    fn named(&self, condition: Condition) -> Conditions {
        let parts = [condition.0, condition.1].into_iter();
        let parts = parts.filter_map(|part| self.names.get(part as usize));
        let mut named: Conditions = parts
            .map(|(name, value)| (name.clone(), vec![value.clone()]))
            .collect();
        named.sort();
        named
    }
}

/// The header lines of a request, by name.
fn headers(request: &Written) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in request
        .headers
        .iter()
        .filter_map(|line| line.split_once(':'))
    {
        let lines = headers.entry(name.trim().to_ascii_lowercase());
        let lines = lines.or_default();
        if !lines.is_empty() {
            lines.push_str(", ");
        }
        lines.push_str(value.trim());
    }
    headers
}

/// Each of the things that are known of a cell, and each pair of them.
fn conditions(features: &[u32]) -> impl Iterator<Item = Condition> {
    let singles = features.iter().map(|one| (*one, NONE));
    let pairs = features.iter().enumerate().flat_map(move |(place, one)| {
        let others = features[place + 1..].iter();
        others.map(move |other| (*one, *other))
    });
    singles.chain(pairs)
}

/// Cells that a rule decides under one profile: scenario, rule, profile.
type Share<'a> = (&'a str, &'a str, &'a str);

/// What is counted of a condition: the cells that meet it, by rule and by what must be answered.
#[derive(Debug, Default)]
struct Counts<'a> {
    rules: HashMap<Share<'a>, usize>,
    outcomes: HashMap<&'a str, usize>,
}

/// Cells that one condition explains.
fn by_condition(
    bases: &[Base],
    open: &[usize],
    results: &[CellResult],
    ran: &[usize],
) -> Vec<Joined> {
    let mut groups = Vec::new();
    let mut gateways: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for place in open {
        let gateway = bases[*place].gateway.as_str();
        gateways.entry(gateway).or_default().push(*place);
    }
    for (gateway, mine) in gateways.into_iter().filter(|(_, mine)| mine.len() > 1) {
        groups.extend(of_gateway(bases, gateway, &mine, results, ran));
    }
    groups
}

fn of_gateway(
    bases: &[Base],
    gateway: &str,
    mine: &[usize],
    results: &[CellResult],
    ran: &[usize],
) -> Vec<Joined> {
    let mut features = Features::new(results, ran);
    let mut candidates: BTreeMap<Condition, Vec<usize>> = BTreeMap::new();
    for place in mine {
        let mut shared: Option<Vec<u32>> = None;
        for cell in &bases[*place].cells {
            let own = features.of(&results[*cell]);
            match &mut shared {
                None => shared = Some(own),
                Some(shared) => shared.retain(|one| own.binary_search(one).is_ok()),
            }
        }
        for condition in conditions(&shared.unwrap_or_default()) {
            candidates.entry(condition).or_default().push(*place);
        }
    }
    candidates.retain(|_, bases| bases.len() > 1);
    if candidates.is_empty() {
        return Vec::new();
    }
    let useful = candidates.keys().flat_map(|(one, other)| [*one, *other]);
    let useful: HashSet<u32> = useful.collect();
    let rules: HashSet<(&str, &str)> = mine.iter().map(|place| rule(&bases[*place])).collect();
    let mut counts: HashMap<Condition, Counts<'_>> = HashMap::new();
    let mut all: HashMap<(&str, &str), usize> = HashMap::new();
    for place in ran {
        let result = &results[*place];
        let Some(expected) = result.facts.expected.as_ref() else {
            continue;
        };
        if result.facts.gateway != gateway {
            continue;
        }
        let (scenario, profile) = (result.cell.scenario.id.as_str(), result.cell.profile());
        let own = [(scenario, expected.rule.as_str()), (scenario, "")];
        let own: Vec<(&str, &str)> = own
            .into_iter()
            .filter(|rule| rules.contains(rule))
            .collect();
        for rule in &own {
            *all.entry(*rule).or_default() += 1;
        }
        let mut own_features = features.of(result);
        own_features.retain(|one| useful.contains(one));
        for condition in conditions(&own_features) {
            if !candidates.contains_key(&condition) {
                continue;
            }
            let counts = counts.entry(condition).or_default();
            for (scenario, rule) in &own {
                *counts.rules.entry((*scenario, *rule, profile)).or_default() += 1;
            }
            *counts.outcomes.entry(&expected.outcome.id).or_default() += 1;
        }
    }
    let mut options: Vec<(Vec<usize>, Condition)> = Vec::new();
    for (condition, places) in candidates {
        let counted = counts.remove(&condition).unwrap_or_default();
        let alone = features.is_outcome(condition);
        let sets = explained(bases, &places, &counted, &all, results, alone);
        options.extend(sets.into_iter().map(|set| (set, condition)));
    }
    // What explains the most comes first, then what is said in the fewest words.
    let order = |(set, condition): &(Vec<usize>, Condition)| {
        (std::cmp::Reverse(set.len()), features.rank(*condition))
    };
    options.sort_by_cached_key(order);
    let mut taken: HashSet<usize> = HashSet::new();
    let mut groups = Vec::new();
    for (mut set, condition) in options {
        set.retain(|place| !taken.contains(place));
        if set.len() < 2 {
            continue;
        }
        taken.extend(&set);
        groups.push(Joined {
            bases: set,
            by: features.named(condition),
        });
    }
    groups
}

fn rule(base: &Base) -> (&str, &str) {
    (&base.rule.0, &base.rule.1)
}

/// The cells of a base by what decides them.
fn shares<'a>(base: &'a Base, results: &'a [CellResult]) -> impl Iterator<Item = Share<'a>> {
    let (scenario, rule) = rule(base);
    let cells = base.cells.iter();
    cells.map(move |cell| (scenario, rule, results[*cell].cell.profile()))
}

/// Those of the bases that meet a condition which are one by it; `all` counts the cells of each rule. What is expected, `alone`, explains
/// only all cells of which it is expected.
fn explained(
    bases: &[Base],
    places: &[usize],
    counted: &Counts<'_>,
    all: &HashMap<(&str, &str), usize>,
    results: &[CellResult],
    alone: bool,
) -> Vec<Vec<usize>> {
    let mut deviating: BTreeMap<Share<'_>, usize> = BTreeMap::new();
    for share in places
        .iter()
        .flat_map(|place| shares(&bases[*place], results))
    {
        *deviating.entry(share).or_default() += 1;
    }
    let is_exact = |place: &&usize| {
        let mut shares = shares(&bases[**place], results);
        shares.all(|share| deviating.get(&share) == counted.rules.get(&share))
    };
    let exact: Vec<usize> = places.iter().filter(is_exact).copied().collect();
    let tells_apart = exact.iter().any(|place| {
        let rule = rule(&bases[*place]);
        let meets = counted
            .rules
            .iter()
            .filter(|((scenario, id, _), _)| (*scenario, *id) == rule);
        let meets: usize = meets.map(|(_, cells)| cells).sum();
        all.get(&rule).is_some_and(|cells| *cells > meets)
    });
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in exact.iter().flat_map(|place| &bases[*place].cells) {
        if let Some(expected) = &results[*cell].facts.expected {
            *asked.entry(&expected.outcome.id).or_default() += 1;
        }
    }
    let is_pure = asked
        .iter()
        .all(|(outcome, cells)| counted.outcomes.get(outcome) == Some(cells));
    if alone && !is_pure {
        return Vec::new();
    }
    let mut sets: BTreeMap<Option<&(String, String)>, Vec<usize>> = BTreeMap::new();
    for place in exact {
        let pair = (!is_pure && !tells_apart).then_some(&bases[place].pair);
        sets.entry(pair).or_default().push(place);
    }
    sets.into_values().filter(|set| set.len() > 1).collect()
}
