//! The JSON Schema of everything that people and programs read and write, for editors and for consumers of records.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

use crate::project::ProjectFile;
use contract::cases::{Cases, CasesFile};
use contract::scenario::file_schemas;
use record::Record;
use studies::bisect::Bisection;
use studies::compare::Comparison;
use studies::coverage::{Coverage, CoverageChange};
use studies::explore::Exploration;
use studies::mutation::MutantReport;
use studies::passages::Passages;
use studies::routes::{Routes, RoutesChange};
use studies::survey::SurveyDocument;

/// One document; `$defs` holds a schema a kind of data file, `project` for `clawgauge.toml`, `record` for what a run
/// writes, `comparison` for what `compare` does, `bisection` for what `bisect` does, `coverage` and `coverage-change` for what
/// `coverage` does, `mutants` for what `mutants --gateway` does, `inventory` and `inventory-change` for what `routes` does,
/// `exploration` for what `explore` does, `cases` for `scenarios/cases.toml`, `map` for what `cases` makes
/// of it, and `survey` for the table that a survey makes.
pub fn json_schema() -> Value {
    let mut schemas = file_schemas();
    schemas.insert("project".to_owned(), schema_for!(ProjectFile).to_value());
    schemas.insert("cases".to_owned(), schema_for!(CasesFile).to_value());
    schemas.insert("map".to_owned(), written::<Cases>());
    schemas.insert("survey".to_owned(), written::<SurveyDocument>());
    schemas.insert("record".to_owned(), written::<Record>());
    schemas.insert("comparison".to_owned(), written::<Comparison>());
    schemas.insert("bisection".to_owned(), written::<Bisection>());
    schemas.insert("coverage".to_owned(), written::<Coverage>());
    schemas.insert("mutants".to_owned(), written::<MutantReport>());
    schemas.insert("coverage-change".to_owned(), written::<CoverageChange>());
    schemas.insert("docs".to_owned(), written::<Passages>());
    schemas.insert("exploration".to_owned(), written::<Exploration>());
    schemas.insert("inventory".to_owned(), written::<Routes>());
    schemas.insert("inventory-change".to_owned(), written::<RoutesChange>());
    // With an id each is a resource of its own, in which its references hold.
    for (name, schema) in &mut schemas {
        schema["$id"] = json!(name);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "clawgauge files",
        "description": "Files under scenarios/ and fixtures/, clawgauge.toml (project), what a run writes (record), what compare writes (comparison), what bisect writes (bisection), what coverage writes (coverage, coverage-change), what mutants of a release come to (mutants), the routes of a release (inventory, inventory-change), what explore finds (exploration), the map of questions (map), and the table of a survey (survey). Point an editor at the definition that fits the file.",
        "$defs": schemas,
    })
}

/// Of what clawgauge writes: a field that may be left out is not required.
fn written<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_every_file() {
        let schema = json_schema();
        for name in [
            "scenario",
            "axis",
            "cases",
            "outcomes",
            "profiles",
            "base",
            "known-issue",
            "relations",
            "releases",
            "survivors",
            "routes",
            "explore",
            "figures",
            "timings",
            "regions",
        ] {
            assert_eq!(schema["$defs"][name]["type"], "object", "{name}");
            assert_eq!(
                schema["$defs"][name]["additionalProperties"], false,
                "{name}"
            );
        }
    }
}
