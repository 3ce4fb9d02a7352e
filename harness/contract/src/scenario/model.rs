//! Scenarios with every name resolved: what the plan is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::before::{Before, Kept};
pub use super::condition::{Condition, any_matches, first_values};
use super::{Headers, Privilege, SourceFile};
use crate::cell_id::CellId;
pub use crate::cell_id::PROFILE_AXIS;
use crate::region::{Axes, Combination};
use crate::release::{Version, VersionRange};

/// The axis whose values are proxies, and [`DIRECT`]; only some scenarios have it.
pub const PROXY_AXIS: &str = "proxy";
/// The value of the axis `proxy` for a caller who comes past all proxies.
pub const DIRECT: &str = "direct";

/// Whether a caller got in.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The caller was served.
    Allow,
    /// The caller was turned away.
    #[default]
    Deny,
}

/// What the cells of a scenario do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Send one request each, in any order, beside the other scenarios of the same launch.
    #[default]
    Requests,
    /// Send their requests one after the other, in the order of the file, after everything else of the launch.
    Sequence,
    /// Send nothing: whether the gateway starts is the answer.
    Start,
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// One HTTP/1.1 request on a connection of its own.
    #[default]
    Http,
    /// A WebSocket upgrade; the body is a JSON array of frames, each sent after the answer to the one before.
    Websocket,
}

/// Whether a gateway starts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// It answers its probe.
    Up,
    /// It ends, or says that it will not start.
    Refused,
}

/// A named answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Name, as rules and reports use it.
    pub id: String,
    /// What it means for the caller.
    pub title: String,
    /// `file:line` of its definition.
    pub origin: String,
    /// Whether the caller got in.
    pub direction: Direction,
    /// What it lets the caller do; of several privileges that may stand behind it, the least.
    pub grants: Privilege,
    /// What it may tell, by name; `None` where its file does not say.
    pub tells: Option<BTreeSet<String>>,
    /// HTTP status; `None` where the outcome is about a start.
    pub status: Option<u16>,
    /// Whether the gateway started; `None` where the outcome is about a request.
    pub start: Option<Start>,
    /// The exit code of a start that is refused, where the outcome fixes it.
    pub exit: Option<i32>,
    /// `error.type` of the JSON body, where the outcome fixes it.
    pub error_type: Option<String>,
    /// `error.message` of the JSON body, where the outcome fixes it.
    pub message: Option<String>,
    /// Words that the message must contain.
    pub message_has: Option<String>,
    /// Words that the body must not contain.
    pub lacks: Option<String>,
    /// How `Content-Type` must begin, where the outcome fixes it.
    pub content_type: Option<String>,
    /// JSON pointers to parts of the body that a snapshot only names, or with a `?` at the end leaves out.
    pub volatile: Vec<String>,
    /// JSON pointers into the body and the values they must have.
    pub json: BTreeMap<String, serde_json::Value>,
    /// JSON pointers that must lead nowhere.
    pub without: Vec<String>,
    /// Whether the body must be empty.
    pub empty: bool,
    /// What its header lines must be: its own rules, and those that hold for every answer.
    pub headers: Headers,
    /// Calls that must have reached the model.
    pub model_calls: u32,
    /// What the model must have seen, where that is part of the answer.
    pub model_saw: Option<ModelSaw>,
    /// Whether the gateway answers first and calls its model afterwards.
    pub runs_later: bool,
}

/// What the model saw of a request that reached it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSaw {
    /// The model that was asked for.
    pub model: String,
    /// Whether the words of a request that the cell sent before came along.
    #[serde(default)]
    pub earlier_words: bool,
}

impl Outcome {
    /// The status, or whether the gateway starts.
    pub fn what(&self) -> String {
        match (self.status, self.start) {
            (Some(status), _) => status.to_string(),
            (None, Some(Start::Up)) => "starts".to_owned(),
            (None, Some(Start::Refused) | None) => "does not start".to_owned(),
        }
    }
}

/// One value of an axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AxisValue {
    /// Name of the value.
    pub id: String,
    /// Head of a matrix column, at most five characters where the file says so.
    pub short: String,
    /// What it means, in a few words.
    pub title: String,
    /// Header lines with placeholders, byte for byte.
    pub headers: Vec<String>,
    /// Query with placeholders.
    pub query: Option<String>,
    /// Method instead of the scenario's.
    pub method: Option<String>,
    /// Path instead of the scenario's, with placeholders.
    pub path: Option<String>,
    /// Body instead of the scenario's, with placeholders.
    pub body: Option<String>,
    /// What is sent before the request.
    pub before: Vec<Before>,
    /// Placeholders that a request before must keep.
    pub needs: Arc<[String]>,
    /// Texts for placeholders of their own, with placeholders: of many thousand values each has few.
    pub vars: Vec<(String, String)>,
    /// The client that sends the request instead of clawgauge itself.
    pub sender: Option<String>,
    /// Where the request comes from, if not from where a proxy is.
    pub from: Option<Standpoint>,
    /// In a sequence: how often the request is sent.
    pub repeat: u32,
    /// In a sequence: configuration merged into the gateway's file before the request.
    pub set_config: serde_json::Value,
    /// In a sequence: how long to wait before the request.
    pub wait: std::time::Duration,
    /// In a sequence: whether the answer is read until the last step is over.
    pub listens: bool,
    /// `file:line` of the definition.
    pub origin: String,
}

/// Where a request comes from, if not from where a proxy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standpoint {
    /// From where callers are, past all proxies.
    Caller,
    /// From the gateway's own machine, at an address that is not the loopback.
    Gateway,
}

/// An axis as one scenario uses it.
#[derive(Debug, Clone)]
pub struct ScenarioAxis {
    /// Name of the axis.
    pub name: String,
    /// Its values in the scenario's order.
    pub values: Vec<Arc<AxisValue>>,
}

/// The request of a scenario, placeholders not yet filled.
#[derive(Debug, Clone)]
pub struct RequestTemplate {
    /// How it is sent.
    pub protocol: Protocol,
    /// The placeholder that holds the port which it goes to, where that is not the gateway's own.
    pub port: Option<String>,
    /// Whether cells with the same header lines may share a connection.
    pub keep_alive: bool,
    /// HTTP method.
    pub method: String,
    /// Path without a query; empty where the values of an axis have it.
    pub path: String,
    /// What every cell sends before it.
    pub before: Vec<Before>,
    /// Whether what the model saw is part of the answer.
    pub model_view: bool,
    /// Header lines of every cell.
    pub headers: Vec<String>,
    /// Body text; empty where there is none.
    pub body: String,
}

/// Combinations that are not asked, with the reason.
#[derive(Debug, Clone)]
pub struct Exclude {
    /// Which ones: any of these conditions.
    pub when: Vec<Condition>,
    /// Why.
    pub reason: String,
    /// Where it is written.
    pub span: Range<usize>,
}

/// What a row of a table expects.
#[derive(Debug, Clone)]
pub enum Expect {
    /// The same outcome of all its cells.
    One(Arc<Outcome>),
    /// An outcome by the value of one axis, which is given by its position.
    By(usize, Vec<Option<Arc<Outcome>>>),
}

impl Expect {
    /// The outcome for a combination; `None` where the answers have no entry for its value.
    pub fn of(&self, combination: &[u16]) -> Option<&Arc<Outcome>> {
        match self {
            Self::One(outcome) => Some(outcome),
            Self::By(axis, outcomes) => outcomes
                .get(usize::from(*combination.get(*axis)?))?
                .as_ref(),
        }
    }

    /// Every outcome that it can be.
    pub fn outcomes(&self) -> impl Iterator<Item = &Arc<Outcome>> {
        let all = match self {
            Self::One(outcome) => std::slice::from_ref(outcome).iter().map(Some).collect(),
            Self::By(_, outcomes) => outcomes.iter().map(Option::as_ref).collect::<Vec<_>>(),
        };
        all.into_iter().flatten()
    }
}

/// A named outcome that depends on the value of one axis.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Name, without the `@`.
    pub name: String,
    /// The outcomes.
    pub expect: Expect,
}

/// A row of the decision table.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Name, unique in the scenario.
    pub id: String,
    /// The rule in one sentence; may be empty.
    pub title: String,
    /// Which cells: any of these conditions.
    pub when: Vec<Condition>,
    /// The values of the first axis that any of them accepts: of a table with thousands of conditions few are looked at.
    pub first: Vec<bool>,
    /// What they must answer.
    pub expect: Expect,
    /// For which releases it holds.
    pub range: VersionRange,
    /// How soon its cells must have answers to be judged.
    pub within: Option<Within>,
    /// On whose authority.
    pub source: String,
    /// Where it is written.
    pub span: Range<usize>,
    /// `file:line` of the rule.
    pub origin: String,
}

/// How long a gateway does what a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// So long.
    pub time: std::time::Duration,
    /// From the last request of this step on.
    pub after: String,
}

impl Rule {
    /// Whether the rule speaks about this combination on this release.
    pub fn holds(&self, release: &Version, combination: &[u16]) -> bool {
        let first = combination.first().map(|value| usize::from(*value));
        first.is_none_or(|value| self.first.get(value).copied().unwrap_or(false))
            && self.range.contains(release)
            && any_matches(&self.when, combination)
            && self.expect.of(combination).is_some()
    }
}

/// A named group of values of one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSet {
    /// The axis.
    pub axis: String,
    /// Name of the set, without the `@`.
    pub name: String,
    /// Ids of its values.
    pub values: Vec<String>,
}

/// A scenario, resolved.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Name, the first part of every cell id.
    pub id: String,
    /// The question in one sentence.
    pub title: String,
    /// The file it came from.
    pub file: SourceFile,
    /// The first release the decision table speaks about.
    pub since: Option<Version>,
    /// What its cells do.
    pub kind: Kind,
    /// Why its cells are never asked of a gateway that somebody runs; none where they may be.
    pub own_gateway: Option<String>,
    /// Whether the contract for people shows what each release answers.
    pub history: bool,
    /// The request.
    pub request: RequestTemplate,
    /// The axes in order; the first is the profile.
    pub axes: Vec<ScenarioAxis>,
    /// The placeholders that values of its axes define.
    pub vars: BTreeSet<String>,
    /// Named groups of values.
    pub sets: Vec<ValueSet>,
    /// Named outcomes by axis value.
    pub answers: Vec<Answer>,
    /// What is left out of the product.
    pub excludes: Vec<Exclude>,
    /// The decision table.
    pub rules: Vec<Rule>,
}

impl Scenario {
    /// The numbers of all combinations of the axes that no exclude leaves out, in the order of the file.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.product()).filter(|number| self.takes(*number))
    }

    /// Whether no exclude leaves a number's combination out.
    fn takes(&self, number: u32) -> bool {
        self.excludes.is_empty() || self.excluded(&self.combination(number)).is_none()
    }

    /// Every combination of the axes that no exclude leaves out, in the order of the file.
    pub fn combinations(&self) -> impl Iterator<Item = Combination> + '_ {
        let all = (0..self.product()).map(|number| self.combination(number));
        all.filter(|combination| self.excluded(combination).is_none())
    }

    /// Those of [`Scenario::numbers`] whose combination has one value, by its index, on one axis.
    pub(crate) fn having(&self, axis: usize, value: usize) -> impl Iterator<Item = u32> + '_ {
        let numbers = 0..self.product();
        numbers.filter(move |number| self.place(*number, axis) == value && self.takes(*number))
    }

    /// The exclude that leaves a combination out, if one does.
    pub fn excluded(&self, combination: &[u16]) -> Option<&Exclude> {
        self.excludes
            .iter()
            .find(|exclude| any_matches(&exclude.when, combination))
    }

    /// How many combinations the full product of the axes has: they are numbered from 0, the last axis running fastest.
    pub fn product(&self) -> u32 {
        let sizes = self.axes.iter().map(|axis| axis.values.len());
        u32::try_from(sizes.product::<usize>()).unwrap_or(u32::MAX)
    }

    /// A combination of the full product: value index by axis.
    pub fn combination(&self, number: u32) -> Combination {
        let mut combination = vec![0; self.axes.len()];
        let mut rest = number as usize;
        for (place, axis) in combination.iter_mut().zip(&self.axes).rev() {
            let size = axis.values.len().max(1);
            *place = u16::try_from(rest % size).unwrap_or(u16::MAX);
            rest /= size;
        }
        combination
    }

    /// The value index of a combination on one axis.
    pub(crate) fn place(&self, number: u32, axis: usize) -> usize {
        let faster = self
            .axes
            .iter()
            .skip(axis + 1)
            .map(|axis| axis.values.len());
        let size = self.axes.get(axis).map_or(1, |axis| axis.values.len());
        number as usize / faster.product::<usize>().max(1) % size.max(1)
    }

    /// The stable id of a cell: `scenario/axis=value/axis=value`.
    pub fn cell_id(&self, combination: &[u16]) -> String {
        let values = self.axes.iter().zip(combination).map(|(axis, value)| {
            let value = &axis.values[usize::from(*value)].id;
            (axis.name.as_str(), value.as_str())
        });
        CellId::text(&self.id, values)
    }

    /// Position of the profile axis.
    pub fn profile_axis(&self) -> usize {
        self.axes
            .iter()
            .position(|axis| axis.name == PROFILE_AXIS)
            .unwrap_or(0)
    }

    /// The outcome that the one rule for a combination asks for on a release.
    pub fn expected(&self, release: &Version, combination: &[u16]) -> Option<&Arc<Outcome>> {
        self.rule_for(release, combination)?.expect.of(combination)
    }

    /// The one rule for a combination on a release; `None` before the scenario's first release.
    pub fn rule_for(&self, release: &Version, combination: &[u16]) -> Option<&Rule> {
        self.rules
            .iter()
            .find(|rule| rule.holds(release, combination))
    }
}

impl Axes for Scenario {
    fn axis(&self, axis: usize) -> &str {
        self.axes.get(axis).map_or("", |axis| &axis.name)
    }

    fn value(&self, axis: usize, value: u16) -> &str {
        let axis = self.axes.get(axis);
        let value = axis.and_then(|axis| axis.values.get(usize::from(value)));
        value.map_or("", |value| &value.id)
    }
}
