//! `clawgauge check`: the scenario files alone.

use super::output::{Failure, Output};
use crate::plan::cells;
use crate::scenario::model::Direction;
use crate::scenario::{Catalogue, Problem, Problems};
use crate::snapshots::{Snapshots, contract_since};

/// Checks snapshots against rules; files and tables were checked when they were loaded.
pub(super) fn check(catalogue: &Catalogue, output: &Output) -> Result<u8, Failure> {
    let snapshots = Snapshots::load(&catalogue.root)?;
    let mut problems = Problems::default();
    for snapshot in snapshots.iter() {
        let path = snapshot.path();
        let Some(scenario) = catalogue
            .scenarios
            .iter()
            .find(|scenario| scenario.id == snapshot.scenario)
        else {
            problems.0.push(
                Problem::nowhere(format!(
                    "{path}: there is no scenario {}",
                    snapshot.scenario
                ))
                .help("remove the file"),
            );
            continue;
        };
        let contract = contract_since(scenario, &snapshot.profile, &snapshot.since);
        let mut left: std::collections::BTreeMap<_, _> = snapshot.cells.iter().collect();
        for cell in cells(catalogue)
            .filter(|cell| cell.scenario.id == scenario.id && cell.profile == snapshot.profile)
        {
            let Some(answer) = left.remove(&cell.key()) else {
                continue;
            };
            let (Some(rule), Some(expected)) =
                (cell.rule(&snapshot.since), cell.expected(&snapshot.since))
            else {
                continue;
            };
            if answer.outcome != expected.id {
                let worse = match (answer.direction(catalogue), expected.direction) {
                    (Direction::Allow, Direction::Deny) => ", and lets in whom the rule refuses",
                    (Direction::Deny, Direction::Allow) => ", and refuses whom the rule lets in",
                    (Direction::Allow, Direction::Allow) | (Direction::Deny, Direction::Deny) => "",
                };
                problems.0.push(
                    Problem::at(
                        &scenario.file,
                        rule.span.clone(),
                        format!(
                            "{path}:{} accepts {} for {}, the rule expects {}{worse}",
                            answer.line, answer.outcome, cell.id, expected.id
                        ),
                        "this rule",
                    )
                    .help("mend the rule, or run the release and accept its answers"),
                );
            }
        }
        if let Some((key, _)) = left.first_key_value() {
            problems.0.push(
                Problem::nowhere(format!(
                    "{path} holds {} cells that the scenario has not, the first is {key}",
                    left.len()
                ))
                .help(format!(
                    "run a release since {contract} and accept its answers"
                )),
            );
        }
    }
    problems.into_result(())?;
    let rules: usize = catalogue
        .scenarios
        .iter()
        .map(|scenario| scenario.rules.len())
        .sum();
    output.result(&format!(
        "{} scenario{}, {} cells, {rules} rules: every cell is decided by exactly one rule on every release\n{} snapshots agree with the rules\n",
        catalogue.scenarios.len(),
        if catalogue.scenarios.len() == 1 { "" } else { "s" },
        cells(catalogue).count(),
        snapshots.iter().count(),
    ))
}
