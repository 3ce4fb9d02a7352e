//! The JSON Schema of the data files.

use schemars::schema_for;
use serde_json::{Map, Value};

use super::explore::ExploreFile;
use super::figures::FiguresFile;
use super::files::{AxisFile, OutcomesFile, ScenarioFile};
use super::instrument::InstrumentFile;
use super::known_issue::KnownIssueFile;
use super::needs::ReleasesFile;
use super::profile::{Base, ProfilesFile};
use super::proxy::ProxiesFile;
use super::relation::RelationsFile;
use super::routes::RoutesFile;
use super::sender::SenderFile;
use super::survivors::SurvivorsFile;
use super::timings::TimingsFile;

/// A schema a kind of data file, by name.
pub fn file_schemas() -> Map<String, Value> {
    let schemas = [
        ("scenario", schema_for!(ScenarioFile)),
        ("axis", schema_for!(AxisFile)),
        ("known-issue", schema_for!(KnownIssueFile)),
        ("survivors", schema_for!(SurvivorsFile)),
        ("relations", schema_for!(RelationsFile)),
        ("releases", schema_for!(ReleasesFile)),
        ("outcomes", schema_for!(OutcomesFile)),
        ("profiles", schema_for!(ProfilesFile)),
        ("proxies", schema_for!(ProxiesFile)),
        ("base", schema_for!(Base)),
        ("sender", schema_for!(SenderFile)),
        ("figures", schema_for!(FiguresFile)),
        ("timings", schema_for!(TimingsFile)),
        ("explore", schema_for!(ExploreFile)),
        ("routes", schema_for!(RoutesFile)),
        ("regions", schema_for!(InstrumentFile)),
    ];
    let schemas = schemas.into_iter();
    schemas
        .map(|(name, schema)| (name.to_owned(), schema.to_value()))
        .collect()
}
