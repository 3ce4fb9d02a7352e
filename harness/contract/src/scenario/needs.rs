//! What some releases need that they do not bring along.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::parse::{parse_range, parse_toml, schema_version};
use super::{Problems, SourceFile};
use crate::release::Need;

/// Releases that need help to run as they were meant to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleasesFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// What is installed beside a release.
    #[serde(default)]
    needs: Vec<NeedsTable>,
}

/// Packages that are installed beside some releases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NeedsTable {
    /// First release that needs them.
    #[schemars(with = "Option<String>")]
    since: Option<Spanned<String>>,
    /// First release that no longer needs them.
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
    /// The packages, as npm takes them: name@version.
    packages: Vec<String>,
    /// Why.
    reason: String,
}

/// Reads `fixtures/releases.toml`.
pub(super) fn needs(file: &SourceFile) -> Result<Vec<Need>, Problems> {
    let raw: ReleasesFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    let needs = raw
        .needs
        .into_iter()
        .map(|table| Need {
            range: parse_range(
                file,
                table.since.as_ref(),
                table.until.as_ref(),
                &mut problems,
            ),
            packages: table.packages,
            reason: table.reason,
        })
        .collect();
    problems.into_result(needs)
}
