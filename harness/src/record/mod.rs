//! The record: the versioned results of a run, schema `clawgauge.results/1`, built from the run's events.
//!
//! Every report is a rendering of it, and it can be read back.

mod recorder;

pub use recorder::{Recorder, today};

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::judge::Deviation;
use crate::scenario::model::{Direction, Start};

/// Name and version of the format.
pub const SCHEMA: &str = "clawgauge.results/1";

/// The results of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: String,
    /// The run as a whole.
    pub run: RunInfo,
    /// The gateways, in the order in which they ran.
    pub gateways: Vec<GatewayRecord>,
    /// The cells, by gateway, in the order of the plan.
    pub cells: Vec<CellRecord>,
    /// Deviating cells, folded.
    pub causes: Vec<CauseRecord>,
    /// Relations between cells that do not hold.
    #[serde(default)]
    pub relations: Vec<RelationRecord>,
    /// Counts.
    pub summary: Summary,
}

/// The run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Random name of the run.
    pub id: String,
    /// When it began, RFC 3339; `SOURCE_DATE_EPOCH` takes precedence.
    pub started: String,
    /// When it ended, RFC 3339; `SOURCE_DATE_EPOCH` takes precedence.
    pub finished: String,
    /// Version of clawgauge.
    pub harness: String,
    /// Hash over the scenario files that were judged by.
    pub table_hash: String,
    /// Whether it was told to stop before the end.
    pub interrupted: bool,
    /// What makes it fail.
    #[serde(default)]
    pub fail_on: FailOn,
}

/// What makes a run fail, besides what always does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Only what no known issue explains.
    #[default]
    Deviates,
    /// Known issues, too.
    Known,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayRecord {
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
    /// Why it could not be had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// Its launches, by profile.
    pub launches: Vec<LaunchRecord>,
}

/// A launch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchRecord {
    /// Id of the profile.
    pub profile: String,
    /// Milliseconds from spawning until it was ready.
    pub ready_ms: Option<u64>,
    /// Milliseconds from asking it to stop until it had.
    pub stop_ms: Option<u64>,
    /// Exit code.
    pub exit: Option<i32>,
    /// Whether it had to be killed.
    pub killed: bool,
    /// Why it failed to start or to stay up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<String>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellRecord {
    /// `scenario/axis=value/axis=value`.
    pub id: String,
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Its values by axis.
    pub axes: BTreeMap<String, String>,
    /// What the rule asks for.
    pub expected: Option<ExpectedRecord>,
    /// What was seen.
    pub observed: Option<ObservedRecord>,
    /// `conforms`, `deviates`, `known`, `stale`, `new`, `not-applicable` or `could-not-run`.
    pub verdict: String,
    /// The known issue that says so, for `known` and `stale`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_issue: Option<String>,
    /// In which way it deviates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub direction: Option<Deviation>,
    /// Why it is not applicable or could not run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The cause that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<usize>,
}

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectedRecord {
    /// Id of the rule.
    pub rule: String,
    /// Name of the outcome.
    pub outcome: String,
    /// Whether the caller gets in.
    #[serde(default)]
    pub direction: Direction,
    /// HTTP status; none where the rule is about a start.
    pub status: Option<u16>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedRecord {
    /// Name of the outcome, if the answer fits one.
    pub outcome: Option<String>,
    /// HTTP status; none where no request was sent.
    pub status: Option<u16>,
    /// Whether the gateway started; where no request was sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start: Option<Start>,
    /// `error.type` of the body.
    pub error_type: Option<String>,
    /// `error.message` of the body, redacted.
    pub message: Option<String>,
    /// Calls that reached the model.
    pub model_calls: u32,
    /// Milliseconds from connecting to the end of the answer.
    pub ms: f64,
    /// The normalised, redacted answer, where it is not the accepted one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
}

/// A cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseRecord {
    /// Number in the run, from 1.
    pub id: usize,
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Id of the scenario.
    pub scenario: String,
    /// Values by axis that select exactly its cells among those that ran; no axis means all cells.
    #[serde(rename = "where")]
    pub conditions: IndexMap<String, Vec<String>>,
    /// How many cells.
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
}

/// A relation between cells that does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

/// An answer that differs from the accepted one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DifferenceRecord {
    /// `file:line` of the accepted answer.
    pub snapshot: String,
    /// The accepted answer.
    pub accepted: String,
    /// The observed one.
    pub observed: String,
}

/// Counts of verdicts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Cells that were selected.
    pub selected: usize,
    /// As the rules and snapshots say.
    pub conforms: usize,
    /// Not as they say.
    pub deviates: usize,
    /// As a known issue says.
    pub known: usize,
    /// A known issue that does not show.
    pub stale: usize,
    /// Without a snapshot.
    pub new: usize,
    /// Cannot be asked of the release.
    pub not_applicable: usize,
    /// Could not be asked.
    pub could_not_run: usize,
}

/// How a run ends; the exit codes are a published contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0: the contract holds and at least one cell ran.
    Holds,
    /// 1: the contract is broken.
    Broken,
    /// 3: a gateway did not install, start or stay up.
    Gateway,
    /// 4: incomplete, or nothing ran.
    Incomplete,
    /// 130: interrupted.
    Interrupted,
}

impl Ending {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Broken => 1,
            Self::Gateway => 3,
            Self::Incomplete => 4,
            Self::Interrupted => 130,
        }
    }
}

impl Record {
    /// How the run ends, and why in one line.
    pub fn ending(&self) -> (Ending, String) {
        let summary = &self.summary;
        let ran = summary.conforms + summary.deviates + summary.known + summary.stale + summary.new;
        let failed = self.gateways.iter().find_map(|gateway| {
            let name = &gateway.reference;
            gateway
                .error
                .as_ref()
                .map(|_| format!("{name} cannot be had"))
                .or_else(|| {
                    let launch = gateway
                        .launches
                        .iter()
                        .find(|launch| launch.failure.is_some())?;
                    Some(format!(
                        "{name}, profile {}: {}",
                        launch.profile,
                        launch.failure.as_deref().unwrap_or_default()
                    ))
                })
        });
        if self.run.interrupted {
            return (Ending::Interrupted, "interrupted".to_owned());
        }
        let known = match self.run.fail_on {
            FailOn::Deviates => 0,
            FailOn::Known => summary.known,
        };
        let unrelated = self
            .relations
            .iter()
            .filter(|relation| relation.unexplained > 0)
            .count();
        if summary.deviates + known + summary.stale + summary.new > 0 {
            let mut parts = Vec::new();
            for (count, what) in [
                (summary.deviates, "deviate"),
                (known, "known to deviate"),
                (summary.stale, "stale"),
                (summary.new, "without a snapshot"),
            ] {
                if count > 0 {
                    parts.push(format!("{count} {what}"));
                }
            }
            return (
                Ending::Broken,
                format!("of {ran} cells that ran, {}", parts.join(", ")),
            );
        }
        if unrelated > 0 {
            let why = format!("{unrelated} relations between cells do not hold");
            return (Ending::Broken, why);
        }
        if let Some(failed) = failed {
            return (Ending::Gateway, failed);
        }
        if summary.could_not_run > 0 {
            return (
                Ending::Incomplete,
                format!("{} cells could not run", summary.could_not_run),
            );
        }
        if ran == 0 {
            return (Ending::Incomplete, "no cell ran".to_owned());
        }
        let why = match summary.known {
            0 => format!("the contract holds on all {ran} cells that ran"),
            known => format!("of {ran} cells that ran, {known} deviate as known issues say"),
        };
        (Ending::Holds, why)
    }
}
