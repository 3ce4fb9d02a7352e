//! Scenario and profile files as they are written.

use std::collections::BTreeMap;

use contract::scenario::Problem;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
pub(super) struct ScenarioText<'a> {
    pub(super) schema: u32,
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) kind: &'a str,
    pub(super) request: &'a Map<String, Value>,
    pub(super) axes: UsedAxes<'a>,
    pub(super) exclude: Vec<ExcludeText>,
    pub(super) rule: Vec<RuleText>,
}

/// The axes of a scenario with the values that are asked.
pub(super) type UsedAxes<'a> = IndexMap<&'a str, Vec<String>>;

#[derive(Serialize)]
pub(super) struct ExcludeText {
    pub(super) when: Vec<IndexMap<String, Vec<String>>>,
    pub(super) reason: String,
}

#[derive(Serialize)]
pub(super) struct RuleText {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) when: Vec<IndexMap<String, Vec<String>>>,
    pub(super) expect: String,
    pub(super) source: String,
}

#[derive(Serialize)]
pub(super) struct ProfilesText {
    pub(super) schema: u32,
    pub(super) profile: Vec<ProfileText>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ProfileText {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) mode: String,
    pub(super) caller: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) no_control: Option<String>,
    pub(super) own_network: bool,
    pub(super) own_calls: Vec<String>,
    pub(super) launch: Vec<LaunchText>,
    pub(super) not_applicable: Vec<NotApplicableText>,
}

#[derive(Serialize)]
pub(super) struct NotApplicableText {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    pub(super) reason: String,
}

#[derive(Serialize)]
pub(super) struct LaunchText {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) config: Value,
    pub(super) unset: Vec<String>,
}

/// The text of a file.
pub(super) fn text(value: &impl Serialize) -> Result<String, Problem> {
    toml::to_string(value).map_err(|error| Problem::nowhere(error.to_string()))
}
