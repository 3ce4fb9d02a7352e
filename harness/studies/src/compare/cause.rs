//! Causes: cells that changed for one reason, wherever they are, folded within each scenario.
//!
//! What makes two changes one: the known issue that both are; the rule's authority and the answer that it brought; or,
//! where no rule speaks about it, the lines of the answer that differ. A cause that shares any of these with another is
//! the same cause, so that one change of the contract is told once for all routes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::advice::advise;
use super::authority::parts;
use super::cells::{Cells, Seen, Texts};
use super::change::Change;
use super::effect::{ChangeSeverity, ContractEffect, Kind};
use super::input::ComparisonInput;
use super::lines::changed_lines;
use super::model::{AnswerRecord, Cause, Difference, IssueRef, Place, RuleChange};
use contract::region::{Combination, minimize_among};
use contract::release::Version;
use record::RuleRecord;
use record::region::{terse, titles};
use record::sameness::{RecordedAnswer, shape};

impl ComparisonInput<'_> {
    /// Whether A is the later release: then it is A's contract that announces what is different.
    fn a_is_later(&self) -> bool {
        let version = |cells: &Cells<'_>| cells.side.version.as_deref()?.parse::<Version>().ok();
        matches!((version(self.a), version(self.b)), (Some(a), Some(b)) if a > b)
    }

    fn rule(&self, side: &Cells<'_>, change: &Change<'_>, seen: &Seen) -> Option<RuleRecord> {
        let (rule, _) = seen.rule?;
        side.rule(change.scenario(), self.texts.text(rule)).cloned()
    }

    fn known_issue(&self, change: &Change<'_>) -> Option<&str> {
        let seen = match change.bearing {
            ContractEffect::Breaks | ContractEffect::StillBreaks => change.twin.after,
            ContractEffect::Fixes => change.twin.before,
            ContractEffect::ContractChanged | ContractEffect::BothConform => return None,
        };
        seen.known_issue.map(|issue| self.texts.text(issue))
    }

    /// What a change shares with others that are the same change.
    fn marks(&self, change: &Change<'_>, diffs: &mut Diffs) -> BTreeSet<String> {
        let (before, after) = (change.twin.before, change.twin.after);
        if let Some(issue) = self.known_issue(change) {
            return BTreeSet::from([format!("issue {issue}")]);
        }
        let by_rule = |side: &Cells<'_>, seen: &Seen, kind: &str| -> BTreeSet<String> {
            let answer = self.texts.answer(seen);
            let line = answer.line();
            let label = answer.outcome.as_deref().unwrap_or(&line);
            let source = self.rule(side, change, seen).map(|rule| rule.source);
            let parts = parts(source.as_deref().unwrap_or_default());
            parts
                .into_iter()
                .map(|part| format!("{kind} {label} {part}"))
                .collect()
        };
        let kind = format!("{:?}", change.kind);
        let mut marks = match change.bearing {
            ContractEffect::ContractChanged if self.a_is_later() => by_rule(self.a, before, ""),
            ContractEffect::ContractChanged => by_rule(self.b, after, ""),
            ContractEffect::Breaks if change.weight == ChangeSeverity::Blocker => {
                by_rule(self.b, after, &kind)
            }
            ContractEffect::Fixes => by_rule(self.a, before, &kind),
            ContractEffect::Breaks | ContractEffect::StillBreaks | ContractEffect::BothConform => {
                BTreeSet::new()
            }
        };
        if marks.is_empty() {
            let by_shape = matches!(
                change.weight,
                ChangeSeverity::Severe | ChangeSeverity::Shape
            );
            marks.insert(diffs.lines(before, after, by_shape, self.texts));
        }
        marks
    }
}

/// The lines in which two answers differ, each pair looked at once.
#[derive(Debug, Default)]
struct Diffs {
    lines: BTreeMap<(usize, usize, bool), String>,
}

impl Diffs {
    /// Lines of the shapes where these are what changed: a field that came to each of several answers is one change.
    fn lines(&mut self, a: &Seen, b: &Seen, by_shape: bool, texts: &Texts) -> String {
        let places = (a.answer, b.answer, by_shape);
        let lines = self.lines.entry(places).or_insert_with(|| {
            let (a, b) = (&texts.answer(a).text, &texts.answer(b).text);
            let shapes = match by_shape {
                true => changed_lines(&shape(a), &shape(b)),
                false => String::new(),
            };
            match shapes.is_empty() {
                true => changed_lines(a, b),
                false => shapes,
            }
        });
        lines.clone()
    }
}

/// All changes as causes, the gravest first.
pub(super) fn causes(world: &ComparisonInput<'_>, changes: &[Change<'_>]) -> Vec<Cause> {
    let mut diffs = Diffs::default();
    let mut groups: BTreeMap<(ChangeSeverity, ContractEffect, BTreeSet<String>), Vec<&Change<'_>>> =
        BTreeMap::new();
    for change in changes {
        let marks = world.marks(change, &mut diffs);
        let key = (change.weight, change.bearing, marks);
        groups.entry(key).or_default().push(change);
    }
    let threads = threads(groups).into_iter();
    let mut causes: Vec<Cause> = threads.map(|changes| cause(world, changes)).collect();
    causes.sort_by(|a, b| {
        // Who is wrongly in is more urgent than who is wrongly out.
        let key = |cause: &Cause| {
            let more = [Kind::LetIn, Kind::GrantedMore];
            let let_in = more.iter().any(|kind| cause.kinds.contains_key(kind));
            let urgent = cause.weight == ChangeSeverity::Blocker && let_in;
            (
                cause.weight,
                !urgent,
                Reverse(cause.cells),
                cause.example.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    for (number, cause) in (1..).zip(&mut causes) {
        cause.id = number;
    }
    causes
}

/// Groups that share a mark become one.
fn threads<'a>(
    groups: BTreeMap<(ChangeSeverity, ContractEffect, BTreeSet<String>), Vec<&'a Change<'a>>>,
) -> Vec<Vec<&'a Change<'a>>> {
    let mut threads: Vec<Vec<&Change<'_>>> = Vec::new();
    let mut marked: BTreeMap<(ChangeSeverity, ContractEffect, String), usize> = BTreeMap::new();
    for ((weight, bearing, marks), changes) in groups {
        let known: BTreeSet<usize> = marks
            .iter()
            .filter_map(|mark| marked.get(&(weight, bearing, mark.clone())).copied())
            .collect();
        let mut known = known.into_iter();
        let home = known.next().unwrap_or_else(|| {
            threads.push(Vec::new());
            threads.len() - 1
        });
        // A group may join two that had nothing in common before.
        for other in known {
            let moved = std::mem::take(&mut threads[other]);
            threads[home].extend(moved);
            for place in marked.values_mut().filter(|place| **place == other) {
                *place = home;
            }
        }
        threads[home].extend(changes);
        for mark in marks {
            marked.insert((weight, bearing, mark), home);
        }
    }
    threads.retain(|thread| !thread.is_empty());
    for thread in &mut threads {
        thread.sort_by_key(|change| change.id);
    }
    threads
}

fn cause(world: &ComparisonInput<'_>, changes: Vec<&Change<'_>>) -> Cause {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut rules: BTreeSet<RuleChange> = BTreeSet::new();
    let mut by_scenario: BTreeMap<&str, Vec<&Change<'_>>> = BTreeMap::new();
    for change in &changes {
        *kinds.entry(change.kind).or_default() += 1;
        by_scenario
            .entry(change.scenario())
            .or_default()
            .push(change);
        rules.extend(rule_change(world, change));
    }
    let mut places: Vec<Place> = by_scenario
        .iter()
        .flat_map(|(scenario, changes)| places(world, scenario, changes))
        .collect();
    places.sort_by(|a, b| (Reverse(a.cells), &a.example).cmp(&(Reverse(b.cells), &b.example)));
    let mut kinds: Vec<(Kind, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, cells)| (Reverse(*cells), *kind));
    // What shows it best is a caller who was let in or shut out.
    let example = changes.iter().min_by_key(|change| {
        let scenario = change.scenario();
        let beside = by_scenario.get(scenario).map_or(0, Vec::len);
        let combination = &change.twin.after.combination;
        (change.kind, Reverse(beside), scenario, combination)
    });
    let example = example.copied();
    let known = example.and_then(|change| world.known_issue(change));
    let (advice, beyond_advice) = advise(world, &changes);
    let (weight, bearing) = example.map_or(
        (ChangeSeverity::Cosmetic, ContractEffect::BothConform),
        |change| (change.weight, change.bearing),
    );
    let by_text = matches!(
        bearing,
        ContractEffect::BothConform | ContractEffect::StillBreaks
    ) || matches!(
        weight,
        ChangeSeverity::Severe | ChangeSeverity::Shape | ChangeSeverity::Cosmetic
    );
    Cause {
        id: 0,
        weight,
        bearing,
        cells: changes.len(),
        kinds: kinds.into_iter().collect(),
        before: answers(world, changes.iter().map(|change| change.twin.before)),
        after: answers(world, changes.iter().map(|change| change.twin.after)),
        places,
        rules: rules.into_iter().collect(),
        known_issue: known.and_then(|id| issue(world, bearing, id)),
        difference: example.filter(|_| by_text).map(|change| {
            let text = |seen: &Seen| world.texts.answer(seen).text.to_string();
            Difference {
                a: text(change.twin.before),
                b: text(change.twin.after),
            }
        }),
        advice,
        beyond_advice,
        example: example.map_or_else(String::new, |change| change.id.to_owned()),
    }
}

fn rule_change(world: &ComparisonInput<'_>, change: &Change<'_>) -> Option<RuleChange> {
    let before = world.rule(world.a, change, change.twin.before);
    let after = world.rule(world.b, change, change.twin.after)?;
    Some(RuleChange {
        scenario: change.scenario().to_owned(),
        a: before.map(|rule| rule.id),
        b: Some(after.id),
        title: after.title,
        source: after.source,
        origin: after.origin,
    })
}

fn issue(world: &ComparisonInput<'_>, bearing: ContractEffect, id: &str) -> Option<IssueRef> {
    let side = match bearing {
        ContractEffect::Fixes => world.a,
        ContractEffect::Breaks
        | ContractEffect::StillBreaks
        | ContractEffect::ContractChanged
        | ContractEffect::BothConform => world.b,
    };
    let issue = side.issue(id)?;
    Some(IssueRef {
        id: issue.id.clone(),
        url: issue.url.clone(),
        title: issue.title.clone(),
        kind: issue.kind,
        releases: issue.releases.clone(),
        means: issue.means.clone(),
        workaround: issue.workaround.clone(),
    })
}

/// The distinct answers, the most frequent first.
fn answers<'a>(
    world: &ComparisonInput<'a>,
    seen: impl Iterator<Item = &'a Seen>,
) -> Vec<AnswerRecord> {
    let mut counts: BTreeMap<(&Option<String>, String), (usize, &RecordedAnswer)> = BTreeMap::new();
    for seen in seen {
        let answer = world.texts.answer(seen);
        let count = counts.entry((&answer.outcome, answer.line()));
        count.or_insert((0, answer)).0 += 1;
    }
    let mut answers: Vec<AnswerRecord> = counts
        .into_iter()
        .map(|((_, line), (cells, answer))| AnswerRecord {
            outcome: answer.outcome.clone(),
            direction: answer.direction,
            status: answer.status,
            error_type: answer.error_type.clone(),
            message: answer.message.clone(),
            line,
            cells,
        })
        .collect();
    answers.sort_by(|a, b| (Reverse(a.cells), &a.line).cmp(&(Reverse(b.cells), &b.line)));
    answers
}

fn places(world: &ComparisonInput<'_>, id: &str, changes: &[&Change<'_>]) -> Vec<Place> {
    let Some(scenario) = world.b.scenario(id) else {
        return Vec::new();
    };
    let by_cell: BTreeMap<&Combination, &str> = changes
        .iter()
        .map(|change| (&change.twin.after.combination, change.id))
        .collect();
    let cells: Vec<Combination> = by_cell.keys().map(|cell| (*cell).clone()).collect();
    let regions = minimize_among(&cells, world.universes.of(id)).into_iter();
    let places = regions.map(|region| {
        let conditions: IndexMap<_, _> = region.named(scenario).into_iter().collect();
        let first = region.cells.first().and_then(|cell| by_cell.get(cell));
        Place {
            scenario: id.to_owned(),
            who: titles(scenario, &conditions),
            short: terse(Some(scenario), &conditions),
            conditions,
            cells: region.cells.len(),
            example: first.map_or_else(String::new, |id| (*id).to_owned()),
        }
    });
    places.collect()
}
