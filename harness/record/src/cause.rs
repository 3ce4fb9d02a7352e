//! Causes and broken relations in a record.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::judge::{Deviation, Severity};

/// A cause. What it says of scenario, rule and answer is said of its first part, which deviates in the worst
/// way, and of those is the largest; [`CauseRecord::also`] holds the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CauseRecord {
    /// Number in the run, from 1.
    pub id: usize,
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Id of the scenario.
    pub scenario: String,
    /// Values by axis that select exactly the cells of this part among those that its rule decides and that ran; no axis means all of
    /// them. Where the part is about several rules, all cells of the scenario count, and so they do in older records.
    #[serde(rename = "where")]
    pub conditions: IndexMap<String, Vec<String>>,
    /// The condition that explains its cells in all its rules; `request` is method and path. Empty where there is only one part.
    #[serde(skip_serializing_if = "IndexMap::is_empty", default)]
    pub by: IndexMap<String, Vec<String>>,
    /// How many cells, of all parts.
    pub cells: usize,
    /// Id of one of them.
    pub example: String,
    /// Name of the outcome that the rule asks for.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// Status, type and message of what was seen.
    pub answer: String,
    /// In which way the cells deviate.
    pub direction: Deviation,
    /// How severe that is.
    #[serde(default)]
    pub severity: Severity,
    /// How many of its cells make the run fail: less than all where a baseline or the severity asked for excuses some.
    #[serde(default)]
    pub failing: usize,
    /// The known issue that says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_issue: Option<String>,
    /// Id of the rule.
    pub rule: String,
    /// The rule in one sentence; may be empty.
    pub title: String,
    /// `file:line` of the rule.
    pub origin: String,
    /// On whose authority.
    pub source: String,
    /// Where the outcome is right and only the answer differs: the accepted answer's place and both texts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub difference: Option<DifferenceRecord>,
    /// Its other parts: cells of other rules, or with another answer, that deviate for the same reason.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<CausePartRecord>,
}

impl CauseRecord {
    /// The scenarios of its cells, each once, the one with the most cells first.
    pub fn scenarios(&self) -> Vec<&str> {
        let mut scenarios = vec![self.scenario.as_str()];
        for part in &self.also {
            if !scenarios.contains(&part.scenario.as_str()) {
                scenarios.push(&part.scenario);
            }
        }
        scenarios
    }
}

/// Cells of a cause that another rule decides, or that got another answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CausePartRecord {
    /// Id of the scenario.
    pub scenario: String,
    /// Values by axis, as in [`CauseRecord::conditions`].
    #[serde(rename = "where")]
    pub conditions: IndexMap<String, Vec<String>>,
    /// How many cells.
    pub cells: usize,
    /// Id of one of them.
    pub example: String,
    /// Name of the outcome that the rule asks for.
    pub expected: String,
    /// In which way they deviate, where that is another way than the cause's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub direction: Option<Deviation>,
    /// What was seen.
    pub observed: String,
    /// Status, type and message of what was seen.
    pub answer: String,
    /// Id of the rule.
    pub rule: String,
    /// The rule in one sentence; may be empty.
    pub title: String,
    /// `file:line` of the rule.
    pub origin: String,
    /// On whose authority.
    pub source: String,
    /// Where the outcome is right and only the answer differs: the accepted answer's place and both texts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub difference: Option<DifferenceRecord>,
}

/// A relation between cells that does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RelationRecord {
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Id of the relation.
    pub id: String,
    /// The relation in one sentence.
    pub title: String,
    /// `file:line` of the relation.
    pub origin: String,
    /// Ids of two cells that break it.
    pub example: (String, String),
    /// Pairs that break it and that no known issue explains.
    pub unexplained: usize,
    /// Pairs that break it because of a known issue.
    pub explained: usize,
    /// Whether it makes the run fail.
    #[serde(default)]
    pub failing: bool,
}

/// An answer that differs from the accepted one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DifferenceRecord {
    /// `file:line` of the accepted answer.
    pub snapshot: String,
    /// The accepted answer.
    pub accepted: String,
    /// The observed one.
    pub observed: String,
}
