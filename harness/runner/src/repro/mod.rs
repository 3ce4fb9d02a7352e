//! Reproductions: one script that shows what a release answers to one cell, for somebody who has not got clawgauge.
//!
//! Read [`Repro`] first: everything that the script has to know, built from catalogue, cell and release alone. [`script`]
//! renders it as a POSIX shell script, [`markdown`] as a bug report around that script. [`minimize`] is the one that launches something.

mod comments;
mod json;
mod machinery;
mod markdown;
mod minimize;
mod request;
mod script;
mod shell;

use std::sync::Arc;

use contract::plan::{Cell, Way, cells};
use contract::release::{Need, Version, VersionRange};
use contract::request::{Written, with_caller, written};
use contract::scenario::model::{Direction, Kind, Outcome, Protocol};
use contract::scenario::sender::{OWN_SENDER, SENDER_AXIS};
use contract::scenario::{Catalogue, KnownIssue, Launch};

pub use markdown::markdown;
pub use minimize::{Bench, MinimizeError, minimize};
pub use script::script;

/// Everything that a script needs to know about one cell.
#[derive(Debug, Clone)]
pub struct Repro {
    /// Id of the cell.
    pub cell: String,
    /// The release that the script installs unless it is told otherwise.
    pub release: Version,
    /// The scenario's question.
    pub question: String,
    /// What the cell does.
    pub kind: Kind,
    /// The axes' names with the titles of the cell's values.
    pub values: Vec<(String, String)>,
    /// The first release that the question is asked of.
    pub since: Option<Version>,
    /// What the rules ask for, by release; ranges do not overlap.
    pub expectations: Vec<Expectation>,
    /// The known issue that covers the cell on the release.
    pub issue: Option<Explanation>,
    /// How the gateway is started, by release; ranges do not overlap.
    pub launches: Vec<Launch>,
    /// Releases on which it cannot be asked, and why.
    pub not_applicable: Vec<(VersionRange, String)>,
    /// What is sent: one step, or those of a sequence up to the cell's own; nothing where the start is the answer.
    pub steps: Vec<Step>,
    /// A request that must reach the model, or a refusal proves nothing.
    pub control: Option<Written>,
    /// Names of the placeholders that stand for secrets.
    pub secrets: Vec<String>,
    /// Packages that some releases need beside them.
    pub needs: Vec<Need>,
    /// Paths to probe.
    pub ready: Vec<String>,
    /// Lines by which a gateway says that it will not start.
    pub refusals: Vec<String>,
    /// What was seen on the release, if somebody has seen it.
    pub seen: Option<String>,
    /// What [`minimize`] took away; nothing where it was not asked.
    pub removed: Vec<String>,
    /// The release without the bug on which what is left was seen to pass.
    pub passes_on: Option<Version>,
}

/// What a rule asks for on some releases.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The releases.
    pub range: VersionRange,
    /// Id of the rule.
    pub rule: String,
    /// The rule in one sentence; may be empty.
    pub title: String,
    /// On whose authority.
    pub source: String,
    /// The outcome.
    pub outcome: Arc<Outcome>,
}

/// A known issue and what it says is seen instead.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The issue.
    pub issue: Arc<KnownIssue>,
    /// What is seen.
    pub observed: Arc<Outcome>,
}

/// One thing that is sent.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is, in a few words.
    pub title: String,
    /// What is merged into the gateway's configuration before it; an object.
    pub change: serde_json::Value,
    /// How long to wait before it.
    pub wait: std::time::Duration,
    /// How often it is sent.
    pub repeat: u32,
    /// How it is sent.
    pub protocol: Protocol,
    /// The request, with placeholders.
    pub request: Written,
}

/// A cell that no script can show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReproError {
    /// The profile cannot be tested there, or the scenario says nothing about it.
    #[error("{cell} cannot be asked of {release}: {reason}")]
    NotApplicable {
        /// The cell.
        cell: String,
        /// The release.
        release: Version,
        /// Why.
        reason: String,
    },
    /// Another client sends it, and a script brings none along.
    #[error("{cell} is sent by {sender}, and a script sends by itself")]
    Client {
        /// The cell.
        cell: String,
        /// The sender.
        sender: String,
        /// The cell that is the same request, sent by clawgauge itself.
        own: String,
    },
    /// It takes more than a gateway.
    #[error("{cell} takes {what}, which a script does not set up")]
    Beside {
        /// The cell.
        cell: String,
        /// What it takes.
        what: String,
    },
    /// The issue affects no cell on the release.
    #[error("{issue} does not show on {release}{}", .shows_on.as_ref().map(|release| format!("; it was seen on {release}")).unwrap_or_default())]
    IssueElsewhere {
        /// The issue.
        issue: String,
        /// The release.
        release: Version,
        /// A release on which it was seen.
        shows_on: Option<Version>,
    },
}

impl Repro {
    /// Puts together what a script for a cell needs to know. Pure.
    ///
    /// # Errors
    /// [`ReproError::NotApplicable`] where the cell cannot be asked of the release, [`ReproError::Client`] where another
    /// client sends it, [`ReproError::Beside`] where it takes more than a gateway.
    pub fn new(catalogue: &Catalogue, cell: &Cell, release: &Version) -> Result<Self, ReproError> {
        let scenario = &cell.scenario;
        if let Some(sender) = cell.sender() {
            let axis = |sender: &str| format!("/{SENDER_AXIS}={sender}");
            return Err(ReproError::Client {
                cell: cell.id.clone(),
                sender: sender.to_owned(),
                own: cell.id.replacen(&axis(sender), &axis(OWN_SENDER), 1),
            });
        }
        let refuse = |reason: String| ReproError::NotApplicable {
            cell: cell.id.clone(),
            release: release.clone(),
            reason,
        };
        if let Some(since) = scenario.since.as_ref().filter(|since| release < since) {
            return Err(refuse(format!(
                "the scenario's contract begins with {since}"
            )));
        }
        let profile = catalogue
            .profiles
            .get(&cell.profile)
            .ok_or_else(|| refuse(format!("there is no profile {}", cell.profile)))?;
        let beside = match cell.way() {
            _ if profile.own_network => Some("network namespaces".to_owned()),
            Way::Through(proxy) => Some(format!("the proxy {proxy}")),
            Way::AsProxy | Way::PastProxies => None,
        };
        if let Some(what) = beside {
            let cell = cell.id.clone();
            return Err(ReproError::Beside { cell, what });
        }
        profile.launch_for(release).map_err(refuse)?;
        let expectations: Vec<Expectation> = scenario
            .rules
            .iter()
            .filter(|rule| rule.when.iter().any(|when| when.matches(&cell.combination)))
            .filter_map(|rule| {
                Some(Expectation {
                    range: rule.range.clone(),
                    rule: rule.id.clone(),
                    title: rule.title.clone(),
                    source: rule.source.clone(),
                    outcome: Arc::clone(rule.expect.of(&cell.combination)?),
                })
            })
            .collect();
        if !expectations.iter().any(|one| one.range.contains(release)) {
            return Err(refuse("no rule speaks about it".to_owned()));
        }
        let steps: Vec<Step> = match scenario.kind {
            Kind::Start => Vec::new(),
            Kind::Requests => vec![step(cell, &profile.caller)],
            Kind::Sequence => cells(catalogue)
                .filter(|other| other.scenario.id == scenario.id && other.profile == cell.profile)
                .take_while(|other| other.combination != cell.combination)
                .chain([cell.clone()])
                .map(|other| step(&other, &profile.caller))
                .collect(),
        };
        let denies = expectations
            .iter()
            .any(|one| one.outcome.direction == Direction::Deny);
        let control = &catalogue.base.control;
        let control = (denies && !steps.is_empty() && profile.no_control.is_none()).then(|| {
            let written = Written {
                method: control.method.clone(),
                target: control.path.clone(),
                headers: control.headers.clone(),
                body: control.body.clone(),
            };
            with_caller(written, &profile.caller)
        });
        let titles = scenario.axes.iter().zip(cell.values());
        Ok(Self {
            cell: cell.id.clone(),
            release: release.clone(),
            question: scenario.title.clone(),
            kind: scenario.kind,
            values: titles
                .map(|(axis, value)| (axis.name.clone(), value.title.clone()))
                .collect(),
            since: scenario.since.clone(),
            expectations,
            issue: explanation(catalogue, cell, release),
            launches: profile.launches.clone(),
            not_applicable: profile
                .not_applicable
                .iter()
                .map(|entry| (entry.range.clone(), entry.reason.clone()))
                .collect(),
            steps,
            control,
            secrets: catalogue.base.secrets.clone(),
            needs: catalogue.needs.clone(),
            ready: catalogue.base.ready.clone(),
            refusals: catalogue.base.refusals.clone(),
            seen: None,
            removed: Vec::new(),
            passes_on: None,
        })
    }

    /// What is asked for on the release itself.
    pub fn expectation(&self) -> Option<&Expectation> {
        self.expectations
            .iter()
            .find(|one| one.range.contains(&self.release))
    }
}

/// The first cell, in the order of the catalogue, on which a known issue shows.
///
/// # Errors
/// [`ReproError::IssueElsewhere`] where it shows on no cell of the release.
pub fn first_affected(
    catalogue: &Catalogue,
    issue: &KnownIssue,
    release: &Version,
) -> Result<Cell, ReproError> {
    let shows = |cell: &Cell| {
        let observed = observed_by(issue, cell, release);
        observed.is_some_and(|observed| {
            let expected = cell.expected(release);
            expected.is_some_and(|expected| expected.id != observed.id)
        }) && Repro::new(catalogue, cell, release).is_ok()
    };
    let elsewhere = || ReproError::IssueElsewhere {
        issue: issue.id.clone(),
        release: release.clone(),
        shows_on: issue.shows_on.clone(),
    };
    cells(catalogue).find(shows).ok_or_else(elsewhere)
}

/// What an issue says is observed of a cell, whether or not it still excuses it.
fn observed_by(issue: &KnownIssue, cell: &Cell, release: &Version) -> Option<Arc<Outcome>> {
    let affects = issue.affects.iter().find(|affects| {
        affects.scenario == cell.scenario.id && affects.holds(release, &cell.combination)
    })?;
    affects.observed.of(&cell.combination).cloned()
}

fn explanation(catalogue: &Catalogue, cell: &Cell, release: &Version) -> Option<Explanation> {
    let expected = cell.expected(release)?;
    catalogue.known_issues.iter().find_map(|issue| {
        let observed = observed_by(issue, cell, release)?;
        (observed.id != expected.id).then(|| Explanation {
            issue: Arc::clone(issue),
            observed,
        })
    })
}

fn step(cell: &Cell, caller: &[String]) -> Step {
    let mut change = serde_json::json!({});
    for value in cell.values() {
        if value.set_config.is_object() {
            contract::scenario::merge(&mut change, value.set_config.clone());
        }
    }
    let titles: Vec<&str> = cell
        .scenario
        .axes
        .iter()
        .zip(cell.values())
        .filter(|(axis, _)| axis.name != contract::scenario::model::PROFILE_AXIS)
        .map(|(_, value)| value.title.as_str())
        .collect();
    Step {
        title: titles.join("; "),
        change,
        wait: cell.values().map(|value| value.wait).sum(),
        repeat: cell
            .values()
            .map(|value| value.repeat)
            .max()
            .unwrap_or(1)
            .max(1),
        protocol: cell.scenario.request.protocol,
        request: with_caller(written(cell), caller),
    }
}
