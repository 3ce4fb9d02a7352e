//! Reproductions: one script that shows what a release answers to one cell, for somebody who has not got clawgauge.
//!
//! Read [`Repro`] first: everything that the script has to know, built from catalogue, cell and release alone. [`script`]
//! renders it as a shell script, [`markdown`] as a bug report around that script. Nothing here launches or judges anything: what
//! depends on the release is settled when the script is written, and the script compares.

mod comments;
mod literal;
mod markdown;
mod script;
mod step;

use std::sync::Arc;

use serde_json::Value;

use contract::plan::{Cell, Way, cells};
use contract::release::NODES;
use contract::release::{Version, VersionRange};
use contract::request::{Written, with_caller};
use contract::scenario::model::{Direction, Kind, Outcome};
use contract::scenario::sender::{OWN_SENDER, SENDER_AXIS};
use contract::scenario::{Catalogue, KnownIssue, Launch};

pub use markdown::markdown;
pub use script::script;
pub use step::Step;

/// Everything that a script needs to know about one cell on one release.
#[derive(Debug, Clone)]
pub struct Repro {
    /// Id of the cell.
    pub cell: String,
    /// The release that the script installs.
    pub release: Version,
    /// The releases that share its configuration and its expected answer.
    pub range: VersionRange,
    /// The version of Node that it runs on.
    pub node: &'static str,
    /// Packages that it needs and does not bring along.
    pub packages: Vec<String>,
    /// The scenario's question.
    pub question: String,
    /// What the cell does.
    pub kind: Kind,
    /// The axes' names with the titles of the cell's values.
    pub values: Vec<(String, String)>,
    /// What the rule asks for.
    pub expectation: Expectation,
    /// The known issue that covers the cell.
    pub issue: Option<Explanation>,
    /// How the gateway is started.
    pub launch: Launch,
    /// What is sent: one step, or those of a sequence up to the cell's own; nothing where the start is the answer.
    pub steps: Vec<Step>,
    /// A request that must reach the model, or a denial proves nothing.
    pub control: Option<Step>,
    /// Names of the placeholders that stand for secrets.
    pub secrets: Vec<String>,
    /// Paths to probe.
    pub ready: Vec<String>,
    /// Lines by which a gateway says that it will not start.
    pub refusals: Vec<String>,
    /// What was seen on the release, if somebody has seen it.
    pub seen: Option<String>,
}

/// What a rule asks for.
#[derive(Debug, Clone)]
pub struct Expectation {
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
    /// A name that goes where it would not be data.
    #[error("{cell} has no script, for none can be written with {what} {name:?}")]
    OddName {
        /// The cell.
        cell: String,
        /// What it ought to be.
        what: &'static str,
        /// The name.
        name: String,
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
            let mut senders = scenario.axes.iter().flat_map(|axis| &axis.values);
            return Err(match senders.any(|value| value.id == OWN_SENDER) {
                true => ReproError::Client {
                    cell: cell.id(),
                    sender: sender.to_owned(),
                    own: cell.id().replacen(&axis(sender), &axis(OWN_SENDER), 1),
                },
                false => ReproError::Beside {
                    cell: cell.id(),
                    what: format!("the sender {sender}"),
                },
            });
        }
        let refuse = |reason: String| ReproError::NotApplicable {
            cell: cell.id(),
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
            .get(cell.profile())
            .ok_or_else(|| refuse(format!("there is no profile {}", cell.profile())))?;
        let beside = match cell.way() {
            _ if profile.own_network => Some("network namespaces".to_owned()),
            Way::Through(proxy) => Some(format!("the proxy {proxy}")),
            _ if scenario.request.model_view => Some("a model that says what it saw".to_owned()),
            _ if cell.listens() => Some("an answer that is read while more is sent".to_owned()),
            Way::AsProxy | Way::PastProxies | Way::AtGateway => None,
        };
        if let Some(what) = beside {
            let cell = cell.id();
            return Err(ReproError::Beside { cell, what });
        }
        let launch = profile.launch_for(release).map_err(refuse)?.clone();
        let rule = scenario.rules.iter().find(|rule| {
            rule.range.contains(release)
                && rule
                    .when
                    .iter()
                    .any(|when| when.matches(&cell.combination()))
        });
        let (Some(rule), Some(outcome)) = (rule, cell.expected(release)) else {
            return Err(refuse("no rule is about it".to_owned()));
        };
        let steps: Vec<Step> = match scenario.kind {
            Kind::Start => Vec::new(),
            Kind::Requests => {
                let mut steps = Step::before(cell, &profile.caller);
                steps.push(Step::new(cell, &profile.caller));
                steps
            }
            Kind::Sequence => cells(catalogue)
                .filter(|other| {
                    other.scenario.id == scenario.id && other.profile() == cell.profile()
                })
                .take_while(|other| other.number != cell.number)
                // What is only listened to changes nothing.
                .filter(|other| !other.listens())
                .chain([cell.clone()])
                .map(|other| Step::new(&other, &profile.caller))
                .collect(),
        };
        let base = &catalogue.base;
        let denied = outcome.direction == Direction::Deny;
        let control = (denied && !steps.is_empty() && profile.no_control.is_none()).then(|| {
            let control = &base.control;
            let written = Written {
                method: control.method.clone(),
                target: control.path.clone(),
                headers: control.headers.clone(),
                body: control.body.clone(),
            };
            Step::of(with_caller(written, &profile.caller))
        });
        odd_name(&cell.id(), &launch, outcome, steps.iter().chain(&control))?;
        let needs = catalogue.needs.iter();
        let needs = needs.filter(|need| need.range.contains(release));
        let since = VersionRange {
            since: scenario.since.clone(),
            until: None,
        };
        let titles = scenario.axes.iter().zip(cell.values());
        Ok(Self {
            cell: cell.id(),
            release: release.clone(),
            range: [&rule.range, &launch.range].into_iter().fold(since, both),
            node: NODES[0],
            packages: needs.flat_map(|need| need.packages.clone()).collect(),
            question: scenario.title.clone(),
            kind: scenario.kind,
            values: titles
                .map(|(axis, value)| (axis.name.clone(), value.title.clone()))
                .collect(),
            expectation: Expectation {
                rule: rule.id.clone(),
                title: rule.title.clone(),
                source: rule.source.clone(),
                outcome: Arc::clone(outcome),
            },
            issue: explanation(catalogue, cell, release),
            launch,
            steps,
            control,
            secrets: base.secrets.clone(),
            ready: base.ready.clone(),
            refusals: base.refusals.clone(),
            seen: None,
        })
    }

    /// Every text in it that may hold placeholders.
    fn texts(&self) -> Vec<String> {
        let mut texts = vec![self.launch.config.to_string()];
        texts.extend(self.launch.args.iter().cloned());
        texts.extend(self.launch.env.values().cloned());
        texts.extend(self.launch.files.values().cloned());
        for step in self.steps.iter().chain(&self.control) {
            texts.extend(step.change.values().map(Value::to_string));
            texts.extend(step.request.headers.iter().cloned());
            texts.extend([step.request.target.clone(), step.request.body.clone()]);
        }
        texts
    }
}

/// What lies in both ranges; their releases are known to have some in common.
fn both(one: VersionRange, other: &VersionRange) -> VersionRange {
    let until = [one.until, other.until.clone()];
    VersionRange {
        since: one.since.max(other.since.clone()),
        until: until.into_iter().flatten().min(),
    }
}

/// Refuses what would not be taken as the name that it must be, wherever it is quoted.
fn odd_name<'a>(
    cell: &str,
    launch: &Launch,
    outcome: &'a Outcome,
    steps: impl Iterator<Item = &'a Step> + Clone,
) -> Result<(), ReproError> {
    let word = |name: &str, others: &str| {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || others.contains(letter);
        name.starts_with(|first: char| !first.is_ascii_digit()) && name.chars().all(letter)
    };
    let variables = launch
        .env
        .keys()
        .map(|name| ("the environment variable", name, word(name, "_")));
    let methods = steps.clone().map(|step| &step.request.method);
    let methods = methods.map(|name| ("the method", name, word(name, "-_")));
    // The script takes a pointer apart at its slashes.
    let pointers = steps
        .flat_map(|step| step.change.keys())
        .chain(outcome.json.keys());
    let pointers = pointers.map(|name| ("the JSON pointer", name, !name.contains('~')));
    match variables
        .chain(methods)
        .chain(pointers)
        .find(|(_, _, fits)| !fits)
    {
        Some((what, name, _)) => Err(ReproError::OddName {
            cell: cell.to_owned(),
            what,
            name: name.clone(),
        }),
        None => Ok(()),
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
        affects.scenario == cell.scenario.id && affects.holds(release, &cell.combination())
    })?;
    affects.observed.of(&cell.combination()).cloned()
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
