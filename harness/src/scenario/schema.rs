//! The JSON Schema of the files, for editors.

use schemars::schema_for;
use serde_json::{Value, json};

use super::files::{AxisFile, OutcomesFile, ScenarioFile};
use super::profile::{Base, ProfileFile};

/// One JSON Schema document for all files: `$defs` holds `scenario`, `axis`, `outcomes`, `profile` and `base`.
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "clawgauge data files",
        "description": "Files under scenarios/ and fixtures/profiles/. Point an editor at the definition that fits the file.",
        "$defs": {
            "scenario": schema_for!(ScenarioFile),
            "axis": schema_for!(AxisFile),
            "outcomes": schema_for!(OutcomesFile),
            "profile": schema_for!(ProfileFile),
            "base": schema_for!(Base),
        },
    })
}
