//! What a comparison says: schema `clawgauge.compare/1`.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::effect::{ChangeSeverity, ContractEffect, Kind};
use contract::scenario::IssueKind;
use contract::scenario::model::Direction;
use record::judge::Deviation;

/// Name and version of the format.
pub const SCHEMA: &str = "clawgauge.compare/1";

/// What changed between two gateways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: String,
    /// The gateway that callers know.
    pub a: Side,
    /// The gateway that takes its place.
    pub b: Side,
    /// Whether both were judged by the same files.
    pub same_contract: bool,
    /// Counts.
    pub counts: Counts,
    /// What changed: the gravest first, and in that the one with the most cells.
    pub causes: Vec<Cause>,
    /// Cells that break the contract on both sides and answer the same: nothing new.
    pub unchanged: Vec<Unchanged>,
    /// Cells that were not answered on both sides.
    pub gaps: Vec<Gap>,
}

/// One of the two gateways.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Side {
    /// As the caller named it.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The release it was judged as.
    pub version: Option<String>,
    /// Integrity of the package.
    pub integrity: Option<String>,
    /// Version of Node.
    pub node: Option<String>,
    /// What was done so that it runs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// Random name of the run.
    pub run: String,
    /// When the run ended, RFC 3339.
    pub finished: String,
    /// Hash over the scenario files that were judged by.
    pub table_hash: String,
    /// Globs over cell ids that were asked for; none means every cell.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cells: Vec<String>,
    /// Conditions on cells that were asked for.
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty", default)]
    pub conditions: Vec<String>,
    /// That its run asked a part of the contract only, within a budget; none where it did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub part: Option<String>,
    /// Cells that were asked and answered.
    pub ran: usize,
    /// Cells that cannot be asked of the release.
    pub not_applicable: usize,
    /// Cells that were not asked: the machine lacks something that they take.
    #[serde(default)]
    pub not_asked: usize,
    /// Cells that could not be asked.
    pub could_not_run: usize,
    /// Whether the run was interrupted.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub interrupted: bool,
    /// Why the gateway could not be had, or did not start or stay up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<String>,
}

/// Counts: cells, and then causes by weight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Counts {
    /// Cells that at least one side has, whatever became of them.
    #[serde(default)]
    pub cells: usize,
    /// Cells that only A answered.
    #[serde(default)]
    pub only_a: usize,
    /// Cells that only B answered.
    #[serde(default)]
    pub only_b: usize,
    /// Cells that both sides answered.
    pub compared: usize,
    /// Of these, cells that answer the same and keep or break the contract as before.
    pub unchanged: usize,
    /// Of these, the others.
    pub changed: usize,
    /// Causes that are blockers.
    pub blockers: usize,
    /// Causes by which a denial tells more than it should, or lacks what a client needs.
    #[serde(default)]
    pub severe: usize,
    /// Causes that the contract announces.
    pub contract_changes: usize,
    /// Causes that change the shape of an answer.
    pub shape: usize,
    /// Causes that change a text only.
    pub cosmetic: usize,
    /// Causes that mend a deviation.
    pub improvements: usize,
}

impl Counts {
    /// The count of causes of a weight.
    pub(super) fn by_weight(&mut self, weight: ChangeSeverity) -> &mut usize {
        match weight {
            ChangeSeverity::Blocker => &mut self.blockers,
            ChangeSeverity::Severe => &mut self.severe,
            ChangeSeverity::ContractChange => &mut self.contract_changes,
            ChangeSeverity::Shape => &mut self.shape,
            ChangeSeverity::Cosmetic => &mut self.cosmetic,
            ChangeSeverity::Improvement => &mut self.improvements,
        }
    }
}

/// One change, wherever it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cause {
    /// Number in the comparison, from 1.
    pub id: usize,
    /// How severe it is.
    pub weight: ChangeSeverity,
    /// What it means for the contract.
    pub bearing: ContractEffect,
    /// How many cells.
    pub cells: usize,
    /// In which ways their answers changed, with the number of cells.
    pub kinds: IndexMap<Kind, usize>,
    /// What they got: the most frequent first.
    pub before: Vec<AnswerRecord>,
    /// What they get now.
    pub after: Vec<AnswerRecord>,
    /// Where it shows: its cells by scenario, folded.
    pub places: Vec<Place>,
    /// The rules that decide on each side.
    pub rules: Vec<RuleChange>,
    /// The known issue that it is: on B for what B breaks, on A for what B fixes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_issue: Option<IssueRef>,
    /// Where only shape or text changed: an example of both answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub difference: Option<Difference>,
    /// What helps whom it shuts out, the most helpful first.
    pub advice: Vec<Advice>,
    /// Cells of callers that it shuts out and that no advice helps.
    pub beyond_advice: usize,
    /// Id of a cell that shows it.
    pub example: String,
}

/// An answer, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AnswerRecord {
    /// Name of the outcome, if it fits one.
    pub outcome: Option<String>,
    /// Whether the caller gets in.
    pub direction: Direction,
    /// HTTP status; none where no request was sent.
    pub status: Option<u16>,
    /// `error.type` of the body.
    pub error_type: Option<String>,
    /// `error.message` of the body, redacted.
    pub message: Option<String>,
    /// Status, type and message in one line.
    pub line: String,
    /// How many cells of the cause.
    pub cells: usize,
}

/// Cells of one scenario that a cause shows in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// Id of the scenario.
    pub scenario: String,
    /// Values by axis that select exactly these cells among those compared; no axis means all of them.
    #[serde(rename = "where")]
    pub conditions: IndexMap<String, Vec<String>>,
    /// The same in the words of the axes' files; an axis with many values is named by its group, or left out.
    pub who: Vec<String>,
    /// The group's short form, as reports of runs write it.
    pub short: String,
    /// How many cells.
    pub cells: usize,
    /// Id of one of them.
    pub example: String,
}

/// The rules that decide about cells on either side.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct RuleChange {
    /// Id of the scenario.
    pub scenario: String,
    /// Id of the rule on A.
    pub a: Option<String>,
    /// Id of the rule on B.
    pub b: Option<String>,
    /// B's rule in one sentence; may be empty.
    pub title: String,
    /// On whose authority B's rule stands.
    pub source: String,
    /// `file:line` of B's rule.
    pub origin: String,
}

/// A known issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct IssueRef {
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
}

/// Two answers of which only shape or text differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Difference {
    /// What A answers, normalised.
    pub a: String,
    /// What B answers, normalised.
    pub b: String,
}

/// What somebody can do who is shut out, taken from what B lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Advice {
    /// Another request to the same gateway.
    Request {
        /// The values to change, by axis.
        set: IndexMap<String, String>,
        /// What the values mean.
        words: Vec<String>,
        /// Header lines to leave out: those that any of the cells sends and that no line to send replaces.
        leave_out: Vec<String>,
        /// Header lines to send.
        send: Vec<String>,
        /// How many cells of the cause it helps.
        cells: usize,
        /// Id of a cell that B lets in this way.
        example: String,
    },
    /// The same request to a gateway that is launched in another way, under the same auth mode.
    Configuration {
        /// The profiles that are changed, and those that let the caller in.
        profiles: IndexMap<String, String>,
        /// The keys of the configuration that differ, with their values.
        set: Vec<String>,
        /// How many cells of the cause it helps.
        cells: usize,
        /// Id of a cell that B lets in this way.
        example: String,
    },
}

impl Advice {
    /// How many cells of the cause it helps.
    pub fn cells(&self) -> usize {
        match self {
            Self::Request { cells, .. } | Self::Configuration { cells, .. } => *cells,
        }
    }
}

/// Cells that break the contract on both sides and answer the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unchanged {
    /// In which way.
    pub direction: Deviation,
    /// The known issue that says so on B.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_issue: Option<String>,
    /// How many cells.
    pub cells: usize,
    /// Id of one of them.
    pub example: String,
}

/// Cells that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Gap {
    /// What became of them on A.
    pub a: SideGap,
    /// Why, where A did not answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub a_reason: Option<String>,
    /// What became of them on B.
    pub b: SideGap,
    /// Why, where B did not answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub b_reason: Option<String>,
    /// Id of the profile.
    pub profile: String,
    /// How many cells.
    pub cells: usize,
    /// The same by scenario.
    #[serde(default)]
    pub scenarios: BTreeMap<String, usize>,
    /// Id of one of them.
    pub example: String,
}

/// What became of a cell on one side.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SideGap {
    /// It was answered, but not on the other side.
    Answered,
    /// It was answered on both sides, but to requests that differ.
    AskedOtherwise,
    /// It cannot be asked of the release.
    NotApplicable,
    /// The machine lacks something that it takes.
    MachineLacks,
    /// It could not be asked.
    CouldNotRun,
    /// It was not among the cells asked for.
    NotAsked,
}
