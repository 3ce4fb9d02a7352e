//! Seeded faults that no scenario shows, each with the reason why that is accepted.

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

/// Reads `scenarios/survivors.toml`.
pub(super) fn survivors(file: &SourceFile) -> Result<Vec<Survivor>, Problems> {
    let raw: SurvivorsFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    problems.into_result(raw.survivor)
}
