//! A cell in a record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::AxisValues;
use crate::judge::{Deviation, Severity, VerdictKind};
use crate::sameness::answer_line;
use contract::cell_id::CellId;
use contract::scenario::Privilege;
use contract::scenario::model::{Direction, PROFILE_AXIS, Start};

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CellRecord {
    /// `scenario/axis=value/axis=value`.
    pub id: String,
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Its values by axis; left out where the record is made small, since the id tells them.
    #[serde(skip_serializing_if = "AxisValues::is_empty", default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub axes: AxisValues,
    /// What the rule asks for.
    pub expected: Option<ExpectedRecord>,
    /// What was seen.
    pub observed: Option<ObservedRecord>,
    /// The request as its scenario writes it: its place in [`super::Record::requests`]; none where nothing is sent, and where the
    /// cell carries its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<usize>,
    /// The request itself, where the table of requests is full.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub own_request: Option<String>,
    /// The verdict.
    pub verdict: VerdictKind,
    /// The known issue that says so, for `known` and `stale`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_issue: Option<String>,
    /// In which way it deviates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub direction: Option<Deviation>,
    /// How severe that is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<Severity>,
    /// Whether it makes the run fail; none where its verdict lets a run pass, and where nothing excuses that it was not asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub standing: Option<GateEffect>,
    /// Why it is not applicable, was not asked or could not run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The cause that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<usize>,
    /// Why earlier attempts to ask it brought no answer.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub attempts: Vec<String>,
}

impl CellRecord {
    /// Id of its scenario.
    pub fn scenario(&self) -> &str {
        CellId::of(&self.id).scenario()
    }

    /// Whether its rule lets the caller in; denied where no rule speaks about it.
    pub fn asked(&self) -> Direction {
        let expected = self.expected.as_ref();
        expected.map_or(Direction::Deny, |expected| expected.direction)
    }

    /// Id of its profile.
    pub fn profile(&self) -> &str {
        self.axes.get(PROFILE_AXIS).unwrap_or_default()
    }

    /// Its id without the scenario.
    pub fn without_scenario(&self) -> &str {
        CellId::of(&self.id).without_scenario()
    }
}

/// What a cell that is not as it should be does to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateEffect {
    /// The run fails.
    Fails,
    /// Nothing: the gateway answered the same in the baseline.
    AsInBaseline,
    /// Nothing: it is not as severe as what was asked for.
    BelowSeverity,
    /// Nothing: the machine lacks something that it takes, and may.
    ExpectedSkip,
}

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExpectedRecord {
    /// Id of the rule.
    pub rule: String,
    /// Name of the outcome.
    pub outcome: String,
    /// Whether the caller gets in.
    #[serde(default)]
    pub direction: Direction,
    /// What the caller gets; records of clawgauge 0.1.0 may lack it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grants: Option<Privilege>,
    /// HTTP status; none where the rule is about a start.
    pub status: Option<u16>,
    /// The accepted answer: its place in [`super::Record::answers`]; none where no snapshot holds the cell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<usize>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ObservedRecord {
    /// Name of the outcome, if the answer fits one.
    pub outcome: Option<String>,
    /// Whether the caller got in; records of clawgauge 0.1.0 may lack it, and it is found again when they are read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub direction: Option<Direction>,
    /// What the caller got, and where the answer fits no outcome at least that; records of clawgauge 0.1.0 may lack it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grants: Option<Privilege>,
    /// HTTP status; none where no request was sent.
    pub status: Option<u16>,
    /// Whether the gateway started; where no request was sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start: Option<Start>,
    /// `error.type` of the body.
    pub error_type: Option<String>,
    /// `error.message` of the body, redacted.
    pub message: Option<String>,
    /// Calls that reached the model; none where nobody counts them.
    pub model_calls: Option<u32>,
    /// Whether calls came after the answer: it fits no outcome then, whatever it says.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub late_calls: bool,
    /// Milliseconds from connecting to the end of the answer; left out where the record is made small.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub ms: f64,
    /// The normalised, redacted answer: its place in [`super::Record::answers`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde lends it")]
fn is_zero(ms: &f64) -> bool {
    *ms == 0.0
}

impl ObservedRecord {
    /// What the caller got; where an older record does not say it, the least that is known.
    pub fn granted(&self) -> Privilege {
        self.grants
            .unwrap_or_else(|| self.direction.unwrap_or_default().into())
    }

    /// Status, type and message in one line.
    pub fn line(&self) -> String {
        answer_line(
            self.status,
            self.start,
            self.error_type.as_deref(),
            self.message.as_deref(),
        )
    }

    /// The same in fewer words. Answers to whoever was let in differ by route; denials are told by status and type.
    pub fn brief(&self) -> String {
        match self.direction {
            Some(Direction::Allow) if self.status.is_some() => "let in".to_owned(),
            Some(Direction::Allow | Direction::Deny) | None => {
                answer_line(self.status, self.start, self.error_type.as_deref(), None)
            }
        }
    }
}
