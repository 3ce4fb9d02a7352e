//! The decision table's proof: on every release each cell is matched by exactly one rule, and no rule is dead.

use std::collections::{BTreeMap, BTreeSet};

use super::model::Scenario;
use super::{Problem, Problems};
use crate::region::{Combination, minimize_conditions};
use crate::release::{Version, VersionRange};

/// The releases at which something changes: every bound of the ranges that lies at or after `floor`, and `floor`.
///
/// Between two neighbours of this list nothing changes, so what holds at each of them holds for every release.
pub fn breakpoints<'a>(
    ranges: impl IntoIterator<Item = &'a VersionRange>,
    floor: Option<&Version>,
) -> BTreeSet<Version> {
    let lowest = floor.cloned().unwrap_or_else(Version::earliest);
    let mut points = BTreeSet::from([lowest.clone()]);
    for range in ranges {
        points.extend(
            range
                .since
                .iter()
                .chain(&range.until)
                .filter(|point| **point >= lowest)
                .cloned(),
        );
    }
    points
}

/// What can be wrong with the decision of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Flaw {
    /// No rule speaks about it.
    Gap,
    /// Two rules do, by position.
    Overlap(usize, usize),
}

/// Proves one scenario's decision table total and unambiguous.
///
/// # Errors
/// A problem for each gap, overlap and dead rule, naming the cells and the lines.
pub fn check_table(scenario: &Scenario) -> Result<(), Problems> {
    let ranges = scenario.rules.iter().map(|rule| &rule.range);
    let mut used = vec![false; scenario.rules.len()];
    // The same cells with the same flaw are one problem, however many releases it shows on.
    let mut flaws: BTreeMap<(Flaw, Vec<Combination>), Vec<Version>> = BTreeMap::new();
    let cells: Vec<Combination> = scenario.combinations().collect();
    for release in breakpoints(ranges, scenario.since.as_ref()) {
        let mut found: BTreeMap<Flaw, Vec<Combination>> = BTreeMap::new();
        for cell in &cells {
            let rules = scenario.rules.iter().enumerate();
            let matching: Vec<usize> = rules
                .filter(|(_, rule)| rule.holds(&release, cell))
                .map(|(index, _)| index)
                .collect();
            matching.iter().for_each(|index| used[*index] = true);
            let flaw = match matching[..] {
                [] => Flaw::Gap,
                [_] => continue,
                [first, second, ..] => Flaw::Overlap(first, second),
            };
            found.entry(flaw).or_default().push(cell.clone());
        }
        for flaw in found {
            flaws.entry(flaw).or_default().push(release.clone());
        }
    }
    let mut problems = Problems::default();
    for ((flaw, flawed), releases) in flaws {
        problems
            .0
            .push(problem(scenario, flaw, &flawed, &cells, &releases));
    }
    for (rule, _) in scenario.rules.iter().zip(used).filter(|(_, used)| !used) {
        let message = format!("rule `{}` speaks about no cell on any release", rule.id);
        problems.0.push(
            Problem::at(&scenario.file, rule.span.clone(), message, "a dead rule").help(
                "its conditions or its range exclude every cell of the matrix; mend or remove it",
            ),
        );
    }
    problems.into_result(())
}

fn problem(
    scenario: &Scenario,
    flaw: Flaw,
    flawed: &[Combination],
    all: &[Combination],
    releases: &[Version],
) -> Problem {
    let (which, when) = (count(flawed), on(releases));
    let cells = describe(scenario, flawed, all);
    match flaw {
        Flaw::Gap => {
            let span = scenario.rules.last().map_or(0..0, |rule| rule.span.clone());
            let message = format!("no rule speaks about {which} {when}");
            Problem::at(
                &scenario.file,
                span,
                message,
                "the last rule; one is missing",
            )
            .help(format!("uncovered:\n{cells}"))
        }
        Flaw::Overlap(first, second) => {
            let (first, second) = (&scenario.rules[first], &scenario.rules[second]);
            let ids = format!("rules `{}` and `{}`", first.id, second.id);
            let message = format!("{ids} both speak about {which} {when}");
            let label = format!("the other one is at {}", first.origin);
            Problem::at(&scenario.file, second.span.clone(), message, label)
                .help(format!("covered twice:\n{cells}"))
        }
    }
}

fn count(cells: &[Combination]) -> String {
    format!(
        "{} cell{}",
        cells.len(),
        if cells.len() == 1 { "" } else { "s" }
    )
}

fn on(releases: &[Version]) -> String {
    let names: Vec<String> = releases.iter().map(ToString::to_string).collect();
    format!("on {}", names.join(", "))
}

/// The cells in words: boxes over the axes, and the id of one of them.
fn describe(scenario: &Scenario, cells: &[Combination], all: &[Combination]) -> String {
    let mut lines: Vec<String> = minimize_conditions(cells, all)
        .iter()
        .take(6)
        .map(|region| {
            let conditions = region.named(scenario).into_iter();
            let conditions: Vec<String> = conditions
                .map(|(axis, values)| format!("{axis} = {}", values.join(" | ")))
                .collect();
            let conditions = if conditions.is_empty() {
                "every cell".to_owned()
            } else {
                conditions.join(", ")
            };
            format!("  {conditions} ({})", count(&region.cells))
        })
        .collect();
    if let Some(cell) = cells.first() {
        lines.push(format!("  for example {}", scenario.cell_id(cell)));
    }
    lines.join("\n")
}
