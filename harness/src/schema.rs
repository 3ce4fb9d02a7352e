//! The JSON Schema of everything that people and programs read and write, for editors and for consumers of records.

use schemars::schema_for;
use serde_json::{Value, json};

use crate::compare::Comparison;
use crate::project::ProjectFile;
use crate::record::Record;
use crate::scenario::file_schemas;
use crate::survey::SurveyDocument;

/// One document; `$defs` holds a schema a kind of data file, `project` for `clawgauge.toml`, `record` for what a run
/// writes, `comparison` for what `compare` does, and `survey` for the table that a survey makes.
pub fn json_schema() -> Value {
    let mut schemas = file_schemas();
    schemas.insert("project".to_owned(), schema_for!(ProjectFile).to_value());
    schemas.insert("survey".to_owned(), schema_for!(SurveyDocument).to_value());
    schemas.insert("record".to_owned(), schema_for!(Record).to_value());
    let comparison = schema_for!(Comparison).to_value();
    schemas.insert("comparison".to_owned(), comparison);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "clawgauge files",
        "description": "Files under scenarios/ and fixtures/, clawgauge.toml (project), what a run writes (record), what compare writes (comparison), and the table of a survey (survey). Point an editor at the definition that fits the file.",
        "$defs": schemas,
    })
}
