//! The decision table's proof: on every release each cell is matched by exactly one rule, and no rule is dead.

use std::collections::BTreeSet;

use super::model::Scenario;
use super::{Problem, Problems};
use crate::fold::fold;
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

/// Proves one scenario's decision table total and unambiguous.
///
/// # Errors
/// A problem for each gap, overlap and dead rule, naming the cells and the lines.
pub fn check_table(scenario: &Scenario) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let cells = scenario.combinations();
    let points = breakpoints(
        scenario.rules.iter().map(|rule| &rule.range),
        scenario.since.as_ref(),
    );
    let mut used = vec![false; scenario.rules.len()];
    let mut gaps: Vec<(Vec<Vec<u16>>, Vec<Version>)> = Vec::new();
    let mut overlaps: Vec<((usize, usize), Vec<Vec<u16>>, Vec<Version>)> = Vec::new();

    for release in &points {
        let mut gap = Vec::new();
        let mut overlap: std::collections::BTreeMap<(usize, usize), Vec<Vec<u16>>> =
            Default::default();
        for cell in &cells {
            let matching: Vec<usize> = scenario
                .rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| rule.holds(release, cell))
                .map(|(index, _)| index)
                .collect();
            for index in &matching {
                used[*index] = true;
            }
            match matching[..] {
                [] => gap.push(cell.clone()),
                [_] => {}
                [first, second, ..] => overlap
                    .entry((first, second))
                    .or_default()
                    .push(cell.clone()),
            }
        }
        if !gap.is_empty() {
            match gaps.iter_mut().find(|(known, _)| *known == gap) {
                Some((_, releases)) => releases.push(release.clone()),
                None => gaps.push((gap, vec![release.clone()])),
            }
        }
        for (pair, cells) in overlap {
            match overlaps
                .iter_mut()
                .find(|(known, known_cells, _)| *known == pair && *known_cells == cells)
            {
                Some((_, _, releases)) => releases.push(release.clone()),
                None => overlaps.push((pair, cells, vec![release.clone()])),
            }
        }
    }

    for (gap, releases) in gaps {
        let span = scenario.rules.last().map_or(0..0, |rule| rule.span.clone());
        problems.0.push(
            Problem::at(
                &scenario.file,
                span,
                format!("no rule speaks about {} {}", count(&gap), on(&releases)),
                "the last rule; one is missing",
            )
            .help(format!("uncovered:\n{}", describe(scenario, &gap, &cells))),
        );
    }
    for ((first, second), both, releases) in overlaps {
        let (first, second) = (&scenario.rules[first], &scenario.rules[second]);
        problems.0.push(
            Problem::at(
                &scenario.file,
                second.span.clone(),
                format!(
                    "rules `{}` and `{}` both speak about {} {}",
                    first.id,
                    second.id,
                    count(&both),
                    on(&releases)
                ),
                format!("the other one is at {}", first.origin),
            )
            .help(format!(
                "covered twice:\n{}",
                describe(scenario, &both, &cells)
            )),
        );
    }
    for (rule, used) in scenario.rules.iter().zip(used) {
        if !used {
            problems.0.push(
                Problem::at(
                    &scenario.file,
                    rule.span.clone(),
                    format!("rule `{}` speaks about no cell on any release", rule.id),
                    "a dead rule",
                )
                .help("its conditions or its range exclude every cell of the matrix; mend or remove it"),
            );
        }
    }
    problems.into_result(())
}

fn count(cells: &[Vec<u16>]) -> String {
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
fn describe(scenario: &Scenario, cells: &[Vec<u16>], all: &[Vec<u16>]) -> String {
    let mut lines: Vec<String> = fold(cells, all)
        .iter()
        .take(6)
        .map(|group| {
            let conditions: Vec<String> = group
                .conditions
                .iter()
                .map(|(axis, values)| {
                    let axis = &scenario.axes[*axis];
                    let names: Vec<&str> = values
                        .iter()
                        .map(|value| axis.values[usize::from(*value)].id.as_str())
                        .collect();
                    format!("{} = {}", axis.name, names.join(" | "))
                })
                .collect();
            let conditions = if conditions.is_empty() {
                "every cell".to_owned()
            } else {
                conditions.join(", ")
            };
            format!("  {conditions} ({})", count(&group.cells))
        })
        .collect();
    if let Some(cell) = cells.first() {
        lines.push(format!("  for example {}", scenario.cell_id(cell)));
    }
    lines.join("\n")
}
