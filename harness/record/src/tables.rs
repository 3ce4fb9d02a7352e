//! What cells refer to: scenarios, rules, known issues, requests, answers. With them a record is enough for every report.

use std::collections::BTreeSet;

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use super::{CellRecord, Record};
use contract::scenario::model::{PROFILE_AXIS, Scenario, ScenarioAxis};
use contract::scenario::{Catalogue, IssueKind, KnownIssue};

/// A scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ScenarioRecord {
    /// Name, the first part of its cells' ids.
    pub id: String,
    /// The question in one sentence.
    pub title: String,
    /// Its file, relative to the data root.
    pub file: String,
    /// Its axes, in order.
    pub axes: Vec<AxisRecord>,
    /// Named groups of values.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sets: Vec<SetRecord>,
}

impl ScenarioRecord {
    /// Position of the profile axis.
    pub fn profile_axis(&self) -> usize {
        self.axes
            .iter()
            .position(|axis| axis.name == PROFILE_AXIS)
            .unwrap_or(0)
    }
}

/// An axis of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AxisRecord {
    /// Name.
    pub name: String,
    /// Its values, in the scenario's order.
    pub values: Vec<ValueRecord>,
}

/// A value of an axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ValueRecord {
    /// Name.
    pub id: String,
    /// Head of a matrix column.
    pub short: String,
    /// What it means, in a few words.
    pub title: String,
}

/// A named group of values of one axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SetRecord {
    /// The axis.
    pub axis: String,
    /// Name, without the `@`.
    pub name: String,
    /// Ids of its values.
    pub values: Vec<String>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RuleRecord {
    /// Id of its scenario.
    pub scenario: String,
    /// Name, unique in the scenario.
    pub id: String,
    /// The rule in one sentence; may be empty.
    pub title: String,
    /// `file:line`.
    pub origin: String,
    /// On whose authority.
    pub source: String,
}

/// A known issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct IssueRecord {
    /// Its public name.
    pub id: String,
    /// Where one can read about it; may be empty.
    pub url: String,
    /// The bug in one sentence.
    pub title: String,
    /// What kind of bug it is.
    pub kind: IssueKind,
    /// The releases that have it, in words.
    pub releases: String,
    /// What it means for a caller.
    pub means: String,
    /// What one can do about it.
    pub workaround: String,
    /// What the published bytes say where the public text says otherwise; may be empty.
    pub bytes_say: String,
    /// What upstream says about it, where, and when that was read; empty where it was not looked up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub upstream: String,
    /// Its file, relative to the data root.
    pub file: String,
}

impl From<&Scenario> for ScenarioRecord {
    fn from(scenario: &Scenario) -> Self {
        let sets = scenario.sets.iter().map(|set| SetRecord {
            axis: set.axis.clone(),
            name: set.name.clone(),
            values: set.values.clone(),
        });
        Self {
            id: scenario.id.clone(),
            title: scenario.title.clone(),
            file: scenario.file.name.clone(),
            axes: scenario.axes.iter().map(AxisRecord::from).collect(),
            sets: sets.collect(),
        }
    }
}

impl From<&ScenarioAxis> for AxisRecord {
    fn from(axis: &ScenarioAxis) -> Self {
        let values = axis.values.iter().map(|value| ValueRecord {
            id: value.id.clone(),
            short: value.short.clone(),
            title: value.title.clone(),
        });
        Self {
            name: axis.name.clone(),
            values: values.collect(),
        }
    }
}

impl From<&KnownIssue> for IssueRecord {
    fn from(issue: &KnownIssue) -> Self {
        Self {
            id: issue.id.clone(),
            url: issue.url.clone(),
            title: issue.title.clone(),
            kind: issue.kind,
            releases: issue.range().to_string(),
            means: issue.means.clone(),
            workaround: issue.workaround.clone(),
            bytes_say: issue.bytes_say.clone(),
            upstream: issue
                .upstream
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            file: issue.file.name.clone(),
        }
    }
}

impl Record {
    /// Fills in scenarios and known issues.
    pub(super) fn describe(
        &mut self,
        catalogue: &Catalogue,
        scenarios: &BTreeSet<&str>,
        issues: &BTreeSet<&str>,
    ) {
        self.scenarios = catalogue
            .scenarios
            .iter()
            .filter(|scenario| scenarios.contains(scenario.id.as_str()))
            .map(|scenario| ScenarioRecord::from(scenario.as_ref()))
            .collect();
        self.known_issues = catalogue
            .known_issues
            .iter()
            .filter(|issue| issues.contains(issue.id.as_str()))
            .map(|issue| IssueRecord::from(issue.as_ref()))
            .collect();
    }

    /// The rule of a cell.
    pub fn rule(&self, cell: &CellRecord) -> Option<&RuleRecord> {
        let id = &cell.expected.as_ref()?.rule;
        let scenario = cell.scenario();
        self.rules
            .iter()
            .find(|rule| rule.id == *id && rule.scenario == scenario)
    }

    /// The scenario with an id.
    pub fn scenario(&self, id: &str) -> Option<&ScenarioRecord> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }

    /// The known issue with an id.
    pub fn known_issue(&self, id: &str) -> Option<&IssueRecord> {
        self.known_issues.iter().find(|issue| issue.id == id)
    }

    /// The request of a cell.
    pub fn request<'a>(&'a self, cell: &'a CellRecord) -> Option<&'a str> {
        let own = cell.own_request.as_deref();
        own.or_else(|| self.requests.get(cell.request?).map(String::as_str))
    }

    /// The accepted answer of a cell.
    pub fn accepted(&self, cell: &CellRecord) -> Option<&str> {
        let place = cell.expected.as_ref()?.answer?;
        self.answers.get(place).map(String::as_str)
    }

    /// The observed answer of a cell.
    pub fn observed(&self, cell: &CellRecord) -> Option<&str> {
        let place = cell.observed.as_ref()?.answer?;
        self.answers.get(place).map(String::as_str)
    }
}

/// Texts by place, each once.
#[derive(Debug, Default)]
pub(super) struct Texts(IndexSet<String>);

impl Texts {
    /// Takes a text in; its place.
    pub(super) fn keep(&mut self, text: &str) -> usize {
        let known = self.0.get_index_of(text);
        known.unwrap_or_else(|| self.0.insert_full(text.to_owned()).0)
    }

    /// Takes a text in as long as there are not `most`; its place.
    pub(super) fn take(&mut self, text: String, most: usize) -> Option<u32> {
        let place = match self.0.len() < most {
            true => Some(self.0.insert_full(text).0),
            false => self.0.get_index_of(&text),
        };
        place.and_then(|place| u32::try_from(place).ok())
    }

    /// The texts in order.
    pub(super) fn into_texts(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}
