//! Seeded faults that no scenario shows, and mutants of releases that nobody could tell from the release, each with the reason.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::parse::{parse_toml, schema_version};
use super::{Problems, SourceFile};

/// Seeded faults that no scenario shows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SurvivorsFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// The faults.
    #[serde(default)]
    survivor: Vec<Survivor>,
    /// Mutants of releases.
    #[serde(default)]
    mutant: Vec<KnownMutant>,
}

/// A seeded fault that no scenario shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Survivor {
    /// Name of the fault.
    pub fault: String,
    /// Why no scenario shows it.
    pub reason: String,
}

/// A mutant of a release that survives, and was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownMutant {
    /// What it is known by, as `clawgauge mutants --gateway` prints it.
    pub id: String,
    /// Why no caller could tell; where one could, why no cell asks.
    pub reason: String,
    /// Whether a caller could tell it from the release: it counts as survived then.
    #[serde(default)]
    pub observable: bool,
}

/// Reads `scenarios/survivors.toml`.
pub(super) fn survivors(file: &SourceFile) -> Result<(Vec<Survivor>, Vec<KnownMutant>), Problems> {
    let raw: SurvivorsFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    problems.into_result((raw.survivor, raw.mutant))
}
