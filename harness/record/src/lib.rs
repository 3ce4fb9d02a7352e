//! The record: the versioned results of a run, schema `clawgauge.results/1`, built from the run's events.
//!
//! Every report is a rendering of it, and it can be read back.

pub mod answer;
mod axes;
mod cause;
mod cell;
pub mod clean;
mod ending;
pub mod events;
mod failed;
mod finished;
mod gate;
mod headers;
mod json;
pub mod judge;
mod kept;
pub mod observe;
mod older;
mod part;
pub mod pending;
mod recorder;
pub mod region;
mod replay;
mod results;
pub mod sameness;
mod skips;
mod small;
pub mod symbol;
mod tables;
mod twice;
mod unasked;

pub use axes::AxisValues;
pub use cause::{CausePartRecord, CauseRecord, DifferenceRecord, RelationRecord};
pub use cell::{CellRecord, ExpectedRecord, GateEffect, ObservedRecord};
pub use ending::{Ending, Summary};
pub use finished::FinishedRun;
pub use gate::{Baseline, BaselineError, FailOn, Gate};
pub use part::{LaunchCut, PartRecord, RuleLeftOut};
pub use recorder::{Recorder, today};
pub use results::{Results, ResultsError, is_record};
pub use skips::{MaySkip, SkipRecord};
pub use tables::{AxisRecord, IssueRecord, RuleRecord, ScenarioRecord, SetRecord, ValueRecord};
pub use twice::{TwiceRecord, TwoAnswers};
pub use unasked::Unasked;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::judge::{ModelCalls, Proof, Severity};
use contract::plan::{Missing, Shares};
use contract::scenario::Measured;

/// Name and version of the format.
pub const SCHEMA: &str = "clawgauge.results/1";

/// How causes are folded: 1 is within what one rule says, and joined where one condition on axes, method and path explains them; 2 also
/// by header lines, the query, and what is expected; 3 also across the ways in which cells deviate.
pub const FOLDING: u32 = 3;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The results of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: String,
    /// The run as a whole.
    pub run: RunInfo,
    /// The gateways, in the order in which they ran.
    pub gateways: Vec<GatewayRecord>,
    /// Counts.
    pub summary: Summary,
    /// Deviating cells, folded.
    pub causes: Vec<CauseRecord>,
    /// Relations between cells that do not hold. Empty in a shard: `clawgauge merge` judges them, over all cells.
    #[serde(default)]
    pub relations: Vec<RelationRecord>,
    /// The scenarios that the cells belong to, in the order of their files.
    #[serde(default)]
    pub scenarios: Vec<ScenarioRecord>,
    /// The rules that the cells fall under.
    #[serde(default)]
    pub rules: Vec<RuleRecord>,
    /// The known issues that cells name.
    #[serde(default)]
    pub known_issues: Vec<IssueRecord>,
    /// The distinct requests; placeholders of secrets are not filled.
    #[serde(default)]
    pub requests: Vec<String>,
    /// The distinct answers, accepted and observed, normalised and redacted.
    #[serde(default)]
    pub answers: Vec<String>,
    /// The cells, by gateway, in the order of the plan; last, so that a reader knows the rest when they come.
    pub cells: Vec<CellRecord>,
}

/// The run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// The folder of the scenario files in the repository that holds them, empty for the repository's own folder; none where they are
    /// clawgauge's, so that their names are those of no file there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<String>,
    /// Hash over the snapshots that were judged by; none where answers are judged by rules only, or the record is older.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snapshots_hash: Option<String>,
    /// How its causes are folded: [`FOLDING`], or 0 where an older clawgauge folded them.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub folding: u32,
    /// Whether it was told to stop before the end.
    pub interrupted: bool,
    /// Whether it stopped by itself at the first cell that makes it fail.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stopped_early: bool,
    /// What makes it fail.
    #[serde(default)]
    pub fail_on: FailOn,
    /// What is less severe than this does not make it fail.
    #[serde(default)]
    pub severity: Severity,
    /// The run whose answers are excused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<String>,
    /// Whether an excuse of the baseline that is not needed any more makes it fail.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub baseline_strict: bool,
    /// What came of asking everything twice; none where it was asked once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub twice: Option<TwiceRecord>,
    /// Cells that this machine need not be able to ask.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub may_skip: Vec<SkipRecord>,
    /// The day on which known issues were heeded; none where they were not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_issues_on: Option<String>,
    /// Globs over cell ids that were asked for; none means every cell.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cells: Vec<String>,
    /// Conditions on cells that were asked for.
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty", default)]
    pub conditions: Vec<String>,
    /// Which part of a run this is; none where it is a whole one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shard: Option<Shares>,
    /// What was asked within a budget, and what was left out; none where the run had no budget.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub budget: Option<PartRecord>,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// What has been measured of the release beyond such a run: how far a GO can be trusted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub measured: Option<Measured>,
    /// The clients that sent in clawgauge's place, by id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub senders: Vec<SenderRecord>,
    /// What the machine had not, and why: the cells that take it were not asked.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub missing: Missing,
    /// Why it could not be had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// Its launches, by profile.
    pub launches: Vec<LaunchRecord>,
}

/// A client that sent in clawgauge's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SenderRecord {
    /// Its value on the axis `sender`.
    pub id: String,
    /// Package and version where they are pinned: `openai 3.57.0`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub library: Option<String>,
    /// Integrity of the package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub integrity: Option<String>,
    /// What it ran on, with version: `Python 3.11.7`.
    pub runtime: String,
}

/// A launch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LaunchRecord {
    /// Id of the profile.
    pub profile: String,
    /// 1, or more where earlier ones failed for reasons of their surroundings and were tried again.
    #[serde(default = "first")]
    pub attempt: u32,
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
    /// Whether one of its requests reached the model, or its profile says why none can: without that its refusals prove
    /// nothing. They prove nothing either where the model was called and no request explains it. None where it did not
    /// get up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proof: Option<Proof>,
    /// The calls that reached the model. None where it did not get up, and where nobody counts them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<ModelCalls>,
}

fn first() -> u32 {
    1
}

impl GatewayRecord {
    /// What a reader of its results should know: what was done so that it runs, who else sent, and who could not.
    pub fn remarks(&self) -> impl Iterator<Item = String> {
        let notes = self.notes.iter().cloned();
        let senders = self.senders.iter().map(|sender| match &sender.library {
            Some(library) => format!("{} is {library} on {}", sender.id, sender.runtime),
            None => format!("{} is {}", sender.id, sender.runtime),
        });
        let missing = self.missing.iter();
        notes
            .chain(senders)
            .chain(missing.map(|(what, why)| format!("without {what}: {why}")))
    }

    /// Of each profile the last launch: the one that counts.
    pub fn last_launches(&self) -> impl Iterator<Item = &LaunchRecord> {
        let mut launches = self.launches.iter().peekable();
        std::iter::from_fn(move || {
            let mut last = launches.next()?;
            while let Some(next) = launches.next_if(|next| next.profile == last.profile) {
                last = next;
            }
            Some(last)
        })
    }
}
