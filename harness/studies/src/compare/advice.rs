//! What helps whom a change shuts out: derived from what B lets in, never invented.
//!
//! Another request: the cell of the same scenario and profile that B lets in and that differs least. Another configuration:
//! the same values under a profile of the same auth mode. An auth mode is never weakened by advice, and neither path nor
//! method is changed: that would be another wish.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::Value;

use super::cells::{Cell, Seen};
use super::change::Change;
use super::effect::Kind;
use super::input::ComparisonInput;
use super::model::Advice;
use contract::cell_id::CellId;
use contract::region::Combination;
use contract::scenario::model::Direction;
use record::ScenarioRecord;

/// At most so many ways out are told of each kind.
const MOST: usize = 3;

/// What helps, and how many of the callers who are shut out nothing helps. Where a record holds no requests, as those of a
/// survey do not, nobody knows what else could be sent.
pub(super) fn advise(world: &ComparisonInput<'_>, changes: &[&Change<'_>]) -> (Vec<Advice>, usize) {
    let shut: Vec<&Change<'_>> = changes
        .iter()
        .filter(|change| change.kind == Kind::ShutOut)
        .copied()
        .collect();
    if shut.is_empty() {
        return (Vec::new(), 0);
    }
    let mut helped = BTreeSet::new();
    let mut advice = requests(world, &shut, &mut helped);
    advice.extend(configurations(world, &shut, &mut helped));
    let helpless = shut
        .iter()
        .filter(|change| change.twin.after.request.is_some() && !helped.contains(change.id));
    let helpless = helpless.count();
    (advice, helpless)
}

/// A cell that B lets in.
#[derive(Debug, Clone, Copy)]
struct Open<'a> {
    id: &'a str,
    seen: &'a Seen,
}

/// What B lets in, by scenario and profile.
fn open<'a>(world: &ComparisonInput<'a>, scenario: &str) -> Vec<Open<'a>> {
    // Ids are in order, and a scenario's own id is the first text that they may begin with.
    let cells = world.b.cells.range(CellId::text(scenario, [])..);
    let cells = cells.take_while(|(id, _)| id.starts_with(scenario));
    let cells = cells.filter(|(id, _)| CellId::of(id).scenario() == scenario);
    let cells = cells.filter_map(|(id, cell)| match cell {
        Cell::Answered(seen) if world.texts.answer(seen).direction == Direction::Allow => {
            Some(Open { id, seen })
        }
        Cell::Answered(_) | Cell::NotApplicable(_) | Cell::NotAsked(_) | Cell::CouldNotRun(_) => {
            None
        }
    });
    cells.collect()
}

/// A way out: values to change by axis, and what that does to the request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    /// How many axes change, whether the body does, how many lines do and how long they are: the smallest comes first.
    size: (usize, bool, usize, usize),
    set: Vec<(usize, u16)>,
    /// The lines to send: the same value may stand for other lines under another profile.
    send: Vec<String>,
}

/// Cells that a way helps, by id, each with the cell that shows it.
type Helped<'a, 'b> = BTreeMap<&'a str, (&'b Change<'a>, Open<'b>)>;

fn requests<'a>(
    world: &ComparisonInput<'a>,
    shut: &[&Change<'a>],
    helped: &mut BTreeSet<&'a str>,
) -> Vec<Advice> {
    let mut scenarios: BTreeMap<&str, Vec<Open<'_>>> = BTreeMap::new();
    // Which cells each way helps, and the cell that shows it.
    let mut ways: BTreeMap<(&str, Step), Helped<'a, '_>> = BTreeMap::new();
    for change in shut {
        let name = change.scenario();
        let Some(scenario) = world.b.scenario(name) else {
            continue;
        };
        let open = scenarios.entry(name).or_insert_with(|| open(world, name));
        for (way, to) in nearest(world, scenario, change, open) {
            let cells = ways.entry((name, way)).or_default();
            cells.insert(change.id, (change, to));
        }
    }
    let mut advice = Vec::new();
    while advice.len() < MOST {
        let left = |cells: &Helped<'_, '_>| cells.keys().filter(|id| !helped.contains(*id)).count();
        let best = ways
            .iter()
            .filter(|(_, cells)| left(cells) > 0)
            .min_by_key(|((_, way), cells)| (Reverse(left(cells)), way));
        let Some(((name, way), cells)) = best else {
            break;
        };
        let count = left(cells);
        let example = cells.iter().find(|(id, _)| !helped.contains(*id));
        let example = example.map_or("", |(_, (_, to))| to.id);
        let request = |seen: &Seen| seen.request.map_or("", |place| world.texts.text(place));
        // Whom one way helps send different things now.
        let mut leave_out: Vec<String> = Vec::new();
        for (change, to) in cells.values() {
            let lines = Lines::between(request(change.twin.after), request(to.seen));
            for line in lines.gone {
                if !replaced(&line, &lines.new) && !leave_out.contains(&line) {
                    leave_out.push(line);
                }
            }
        }
        leave_out.sort();
        let (set, words) = described(world.b.scenario(name), &way.set);
        let now = Advice::Request {
            set,
            words,
            leave_out,
            send: way.send.clone(),
            cells: count,
            example: example.to_owned(),
        };
        helped.extend(cells.keys());
        // The same for another scenario is the same advice.
        let same = advice.iter_mut().find_map(|other| match (other, &now) {
            (
                Advice::Request {
                    leave_out,
                    send,
                    set,
                    cells,
                    ..
                },
                Advice::Request {
                    leave_out: more,
                    send: new,
                    set: now,
                    ..
                },
            ) if send == new && set == now => {
                leave_out.extend(more.iter().cloned());
                leave_out.sort();
                leave_out.dedup();
                Some(cells)
            }
            _ => None,
        });
        match same {
            Some(cells) => *cells += count,
            None => advice.push(now),
        }
    }
    advice
}

/// Whether a header line gives way to another of the same name: then it says enough to name the new one.
fn replaced(line: &str, new: &[String]) -> bool {
    let name = |line: &str| {
        line.split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    new.iter().any(|other| name(other) == name(line))
}

/// The cells that differ least from one that is shut out and are let in.
fn nearest<'a>(
    world: &ComparisonInput<'_>,
    scenario: &ScenarioRecord,
    change: &Change<'_>,
    open: &[Open<'a>],
) -> Vec<(Step, Open<'a>)> {
    let from = change.twin.after;
    let profile = scenario.profile_axis();
    let same_profile = |cell: &Combination| cell.get(profile) == from.combination.get(profile);
    let request = |seen: &Seen| seen.request.map_or("", |place| world.texts.text(place));
    let mut ways: Vec<(Step, Open<'a>)> = Vec::new();
    let mut least = usize::MAX;
    for to in open.iter().filter(|to| same_profile(&to.seen.combination)) {
        let pairs = from.combination.iter().zip(&to.seen.combination);
        let set = pairs.enumerate().filter(|(_, (old, new))| old != new);
        let set: Vec<(usize, u16)> = set.map(|(axis, (_, new))| (axis, *new)).collect();
        if set.len() > least {
            continue;
        }
        let lines = Lines::between(request(from), request(to.seen));
        // Another path is another wish; no difference at all is a step of a sequence.
        if lines.target || lines.is_empty() {
            continue;
        }
        least = set.len();
        let size = (set.len(), lines.body, lines.count(), lines.bytes());
        let send = lines.new;
        ways.push((Step { size, set, send }, *to));
    }
    ways.retain(|(way, _)| way.size.0 == least);
    ways
}

fn described(
    scenario: Option<&ScenarioRecord>,
    set: &[(usize, u16)],
) -> (IndexMap<String, String>, Vec<String>) {
    let mut values = IndexMap::new();
    let mut words = Vec::new();
    for (axis, value) in set {
        let axis = scenario.and_then(|scenario| scenario.axes.get(*axis));
        let value = axis.and_then(|axis| axis.values.get(usize::from(*value)));
        if let (Some(axis), Some(value)) = (axis, value) {
            values.insert(axis.name.clone(), value.id.clone());
            words.push(value.title.clone());
        }
    }
    (values, words)
}

/// In what two requests differ.
#[derive(Debug, Default)]
struct Lines {
    target: bool,
    body: bool,
    gone: Vec<String>,
    new: Vec<String>,
}

impl Lines {
    fn between(from: &str, to: &str) -> Self {
        let parts = |text: &str| -> (String, Vec<String>, String) {
            let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
            let mut lines = head.lines().map(str::to_owned);
            (
                lines.next().unwrap_or_default(),
                lines.collect(),
                body.to_owned(),
            )
        };
        let ((old_target, old, old_body), (new_target, new, new_body)) = (parts(from), parts(to));
        let without = |lines: &[String], others: &[String]| -> Vec<String> {
            let lines = lines.iter().filter(|line| !others.contains(line));
            lines.cloned().collect()
        };
        Self {
            target: old_target != new_target,
            body: old_body != new_body,
            gone: without(&old, &new),
            new: without(&new, &old),
        }
    }

    fn is_empty(&self) -> bool {
        !self.target && !self.body && self.gone.is_empty() && self.new.is_empty()
    }

    fn count(&self) -> usize {
        self.gone.len() + self.new.len()
    }

    fn bytes(&self) -> usize {
        self.new.iter().map(String::len).sum()
    }
}

/// A profile that is changed, the one that lets in, and whom that helps, each with a cell that shows it.
type Way<'a, 'b> = (&'b str, &'b str, BTreeMap<&'a str, &'b str>);

fn configurations<'a>(
    world: &ComparisonInput<'a>,
    shut: &[&Change<'a>],
    helped: &mut BTreeSet<&'a str>,
) -> Vec<Advice> {
    let elsewhere = by_key(world);
    let mut ways: BTreeMap<(&str, &str), BTreeMap<&'a str, &str>> = BTreeMap::new();
    for change in shut {
        let id = CellId::of(change.id);
        let (key, from) = (id.key(), id.profile());
        let Some(here) = world.profiles.known.get(from) else {
            continue;
        };
        for (to, id) in elsewhere.get(&key).into_iter().flatten() {
            let there = world.profiles.known.get(*to);
            // Whoever is kept out by a mode is not let in by another.
            if there.is_some_and(|there| there.mode == here.mode && *to != from) {
                let cells = ways.entry((from, to)).or_default();
                cells.entry(change.id).or_insert(id);
            }
        }
    }
    let mut ways: Vec<_> = ways.into_iter().collect();
    ways.sort_by_key(|(names, cells)| (Reverse(cells.len()), *names));
    // The same keys help under several profiles; one way out of a profile is enough.
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut by_keys: IndexMap<Vec<String>, Vec<Way<'_, '_>>> = IndexMap::new();
    for ((from, to), cells) in ways {
        let known = |profile: &str| world.profiles.known.get(profile);
        let (Some(here), Some(there)) = (known(from), known(to)) else {
            continue;
        };
        let set = settings(&here.config, &there.config);
        if !set.is_empty() && told.insert(from) {
            by_keys.entry(set).or_default().push((from, to, cells));
        }
    }
    let told = by_keys.into_iter().take(MOST).map(|(set, ways)| {
        let ids = ways.iter().flat_map(|(_, _, cells)| cells);
        let example = ids.clone().next().map_or("", |(_, id)| *id);
        helped.extend(ids.map(|(id, _)| *id));
        let profiles = ways.iter();
        let profiles = profiles.map(|(from, to, _)| ((*from).to_owned(), (*to).to_owned()));
        Advice::Configuration {
            profiles: profiles.collect(),
            set,
            cells: ways.iter().map(|(_, _, cells)| cells.len()).sum(),
            example: example.to_owned(),
        }
    });
    told.collect()
}

/// What B lets in by its values without the profile: profiles and ids.
fn by_key<'a>(world: &ComparisonInput<'a>) -> BTreeMap<String, Vec<(&'a str, &'a str)>> {
    let mut found: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for (id, cell) in &world.b.cells {
        if let Cell::Answered(seen) = cell
            && world.texts.answer(seen).direction == Direction::Allow
        {
            let cell = CellId::of(id);
            let same = found.entry(cell.key()).or_default();
            same.push((cell.profile(), id));
        }
    }
    found
}

/// The keys that `there` sets and `here` does not, or sets otherwise, with their values.
fn settings(here: &Value, there: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather("", Some(here), there, &mut found);
    found
}

fn gather(path: &str, here: Option<&Value>, there: &Value, found: &mut Vec<String>) {
    match there {
        Value::Object(map) => {
            for (key, value) in map {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                gather(&path, here.and_then(|here| here.get(key)), value, found);
            }
        }
        value if here != Some(value) => found.push(format!("{path} = {value}")),
        _ => {}
    }
}
