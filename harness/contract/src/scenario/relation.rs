//! Relations: what must hold between two cells of one run, whatever the rules say.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::model::Scenario;
use super::parse::{parse_toml, schema_version};
use super::{Problem, Problems, SourceFile};
use crate::cell_id::CellId;
use crate::region::Combination;
use base::nearest::advice;

/// What must hold between the first and the second cell of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Whoever is let in with the first is let in with the second.
    NoNarrower,
    /// Let in with both or with none.
    SameVerdict,
    /// The same answer.
    SameAnswer,
}

/// The relations.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelationsFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// The relations.
    relation: Vec<RelationTable>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RelationTable {
    /// Name of the relation.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// The relation in one sentence.
    title: String,
    /// What must hold.
    holds: Holds,
    /// The axis on which the cells of a pair differ; every scenario that has both values takes part.
    #[schemars(with = "Option<String>")]
    axis: Option<Spanned<String>>,
    /// Pairs of values of that axis.
    #[serde(default)]
    #[schemars(with = "Vec<(String, String)>")]
    pairs: Vec<(Spanned<String>, Spanned<String>)>,
    /// Values that other axes must have for a pair to count.
    #[serde(default)]
    when: BTreeMap<String, Vec<String>>,
    /// Pairs of cell ids.
    #[serde(default)]
    #[schemars(with = "Vec<(String, String)>")]
    cells: Vec<(Spanned<String>, Spanned<String>)>,
}

/// What must hold between two cells.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its name.
    pub id: String,
    /// The relation in one sentence.
    pub title: String,
    /// What must hold.
    pub holds: Holds,
    /// `file:line`.
    pub origin: String,
    /// Ids of the cells, pair by pair.
    pub pairs: Vec<(String, String)>,
}

/// Reads `scenarios/relations.toml` and finds the cells of each pair.
pub(super) fn relations(
    file: &SourceFile,
    scenarios: &[Arc<Scenario>],
) -> Result<Vec<Relation>, Problems> {
    let raw: RelationsFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    let relations = raw
        .relation
        .into_iter()
        .map(|table| resolve(file, table, scenarios, &mut problems))
        .collect();
    problems.into_result(relations)
}

fn resolve(
    file: &SourceFile,
    table: RelationTable,
    scenarios: &[Arc<Scenario>],
    problems: &mut Problems,
) -> Relation {
    let mut pairs = Vec::new();
    for (first, second) in &table.cells {
        for id in [first, second] {
            let name = CellId::of(id.get_ref()).scenario();
            let scenario = scenarios.iter().find(|scenario| scenario.id == name);
            let known = scenario.is_some_and(|scenario| has(scenario, id.get_ref()));
            if !known {
                problems.0.push(Problem::at(
                    file,
                    id.span(),
                    format!("there is no cell {}", id.get_ref()),
                    "this id",
                ));
            }
        }
        pairs.push((first.get_ref().clone(), second.get_ref().clone()));
    }
    if let Some(axis) = &table.axis {
        let having = scenarios.iter().filter(|scenario| {
            scenario
                .axes
                .iter()
                .any(|known| known.name == *axis.get_ref())
        });
        if having.clone().next().is_none() {
            let names = scenarios.iter().flat_map(|scenario| &scenario.axes);
            problems.0.push(
                Problem::at(
                    file,
                    axis.span(),
                    format!("no scenario has an axis `{}`", axis.get_ref()),
                    "this axis",
                )
                .help(advice(axis.get_ref(), names.map(|axis| axis.name.as_str()))),
            );
        }
        for (first, second) in &table.pairs {
            let before = pairs.len();
            for scenario in having.clone() {
                pairs.extend(pairs_of(
                    scenario,
                    axis.get_ref(),
                    first.get_ref(),
                    second.get_ref(),
                    &table.when,
                ));
            }
            if pairs.len() == before {
                problems.0.push(
                    Problem::at(
                        file,
                        first.span(),
                        format!(
                            "no two cells differ by `{}` and `{}` only",
                            first.get_ref(),
                            second.get_ref()
                        ),
                        "this pair",
                    )
                    .help("both must be values of the axis in one scenario"),
                );
            }
        }
    }
    Relation {
        origin: format!("{}:{}", file.name, file.line(table.id.span().start)),
        id: table.id.into_inner(),
        title: table.title,
        holds: table.holds,
        pairs,
    }
}

/// Whether a cell of a scenario has this id.
fn has(scenario: &Scenario, id: &str) -> bool {
    let mut parts = CellId::of(id).values();
    let places = scenario.axes.iter().map(|axis| {
        let (_, value) = parts.next().filter(|(name, _)| *name == axis.name)?;
        let place = axis.values.iter().position(|known| known.id == value)?;
        u16::try_from(place).ok()
    });
    let combination: Option<Combination> = places.collect();
    let there = combination.is_some_and(|cell| scenario.excluded(&cell).is_none());
    there && parts.next().is_none()
}

/// The cells of a scenario that have the first value, each with its neighbour that has the second.
fn pairs_of(
    scenario: &Scenario,
    axis: &str,
    first: &str,
    second: &str,
    when: &BTreeMap<String, Vec<String>>,
) -> Vec<(String, String)> {
    let Some(position) = scenario.axes.iter().position(|known| known.name == axis) else {
        return Vec::new();
    };
    let value = |name: &str| {
        let values = &scenario.axes[position].values;
        let index = values.iter().position(|value| value.id == name)?;
        u16::try_from(index).ok()
    };
    let (Some(first), Some(second)) = (value(first), value(second)) else {
        return Vec::new();
    };
    let meant = |cell: &Vec<u16>| {
        when.iter().all(|(axis, values)| {
            let place = scenario.axes.iter().position(|known| known.name == *axis);
            place.is_some_and(|place| {
                let value = &scenario.axes[place].values[usize::from(cell[place])].id;
                values.contains(value)
            })
        })
    };
    let numbers = scenario.having(position, usize::from(first));
    numbers
        .map(|number| scenario.combination(number))
        .filter(meant)
        .filter_map(|cell| {
            let mut other = cell.clone();
            other[position] = second;
            let there = scenario.excluded(&other).is_none();
            there.then(|| (scenario.cell_id(&cell), scenario.cell_id(&other)))
        })
        .collect()
}
