//! What has been measured of releases beyond what a run of them says: `fixtures/figures.toml`.
//!
//! Nothing is judged by it, so it is no part of what a record is judged by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::parse::{parse_toml, schema_version};
use super::{Problem, Problems, SourceFile};
use crate::release::Version;

/// What has been measured of releases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FiguresFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// The releases.
    #[serde(default)]
    release: Vec<Measured>,
}

/// What has been measured of a release: how far a GO of it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Measured {
    /// The release.
    pub version: String,
    /// On which day, `YYYY-MM-DD`.
    pub on: String,
    /// What `clawgauge routes` found.
    pub routes: Option<RouteFigures>,
    /// What `clawgauge coverage` counted.
    pub coverage: Option<CoverageFigures>,
    /// What `clawgauge mutants` found.
    pub mutants: Option<MutantFigures>,
    /// What `clawgauge explore` tried.
    pub explored: Option<ExploredFigures>,
}

/// Routes that a release names in its code and documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouteFigures {
    /// How many answer.
    pub answering: usize,
    /// Of these, those that no scenario asks and the public list does not know.
    pub new: usize,
    /// Those that let in whom they must not, or tell too much.
    pub open: usize,
}

/// Code that decides about access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CoverageFigures {
    /// Branches that a cell reaches.
    pub branches: usize,
    /// All branches.
    pub of_branches: usize,
    /// Functions that a cell reaches.
    pub functions: usize,
    /// All functions.
    pub of_functions: usize,
}

/// Faults put into that code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MutantFigures {
    /// How many were tried, taken at random.
    pub tried: usize,
    /// Of these, how many a cell or a start reaches, without those of which `scenarios/survivors.toml` says that nobody could tell.
    pub reached: usize,
    /// Of these, how many are noticed.
    pub noticed: usize,
}

/// Configurations and requests that no scenario knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExploredFigures {
    /// Launches that were tried.
    pub launches: usize,
    /// Requests that were answered.
    pub answers: usize,
    /// What was found that nothing known resembles.
    pub findings: usize,
}

/// Reads `fixtures/figures.toml`.
pub(super) fn figures(file: &SourceFile) -> Result<Vec<Measured>, Problems> {
    let raw: FiguresFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    for measured in &raw.release {
        if let Err(error) = measured.version.parse::<Version>() {
            problems
                .0
                .push(Problem::nowhere(format!("{}: {error}", file.name)));
        }
    }
    problems.into_result(raw.release)
}
