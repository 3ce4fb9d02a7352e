//! The JSON Schema of the files, for editors.

use schemars::schema_for;
use serde_json::{Value, json};

use super::files::{AxisFile, OutcomesFile, ScenarioFile};
use super::known_issue::KnownIssueFile;
use super::needs::ReleasesFile;
use super::profile::{Base, ProfilesFile};
use super::relation::RelationsFile;
use super::survivors::SurvivorsFile;

/// One JSON Schema document for all files: `$defs` holds `scenario`, `axis`, `known-issue`, `outcomes`, `profiles`, `base` and `project`.
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "clawgauge data files",
        "description": "Files under scenarios/ and fixtures/, and clawgauge.toml (project). Point an editor at the definition that fits the file.",
        "$defs": {
            "scenario": schema_for!(ScenarioFile),
            "axis": schema_for!(AxisFile),
            "known-issue": schema_for!(KnownIssueFile),
            "survivors": schema_for!(SurvivorsFile),
            "relations": schema_for!(RelationsFile),
            "releases": schema_for!(ReleasesFile),
            "outcomes": schema_for!(OutcomesFile),
            "profiles": schema_for!(ProfilesFile),
            "base": schema_for!(Base),
            "project": schema_for!(crate::project::ProjectFile),
        },
    })
}
