//! What a run tells: events, in the order in which things happen.

use std::sync::Arc;
use std::time::Duration;

use crate::judge::{Difference, ModelCalls, Proof, Severity, Verdict};
use crate::observe::Observation;
use crate::{PartRecord, SenderRecord};
use contract::plan::budget::Shown;
use contract::plan::{Cell, Missing};
use contract::release::Version;
use contract::scenario::model::Outcome;
use contract::scenario::{KnownIssue, Measured};

/// What a rule expects of a cell.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Id of the rule.
    pub rule: String,
    /// The rule in one sentence; may be empty.
    pub title: String,
    /// `file:line` of the rule.
    pub origin: String,
    /// On whose authority.
    pub source: String,
    /// The outcome it asks for.
    pub outcome: Arc<Outcome>,
}

impl Expected {
    /// What the one rule for a cell asks of it on a release.
    pub fn of(cell: &Cell, release: &Version) -> Option<Self> {
        let rule = cell.rule(release)?;
        Some(Self {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            origin: rule.origin.clone(),
            source: rule.source.clone(),
            outcome: Arc::clone(rule.expect.of(&cell.combination())?),
        })
    }
}

/// One cell, asked and judged. It is small, since a run may have a million.
#[derive(Debug, Clone)]
pub struct CellResult {
    /// The cell.
    pub cell: Cell,
    /// What came of it, but for the time it took: most cells of a run share that with others.
    pub facts: Arc<Facts>,
    /// Microseconds from connecting to the end of the answer.
    pub took: u32,
}

impl CellResult {
    /// Of a cell; the time is taken out of what was observed.
    pub fn new(cell: &Cell, mut facts: Facts) -> Self {
        let observed = facts.observed.as_mut();
        let took = observed.map(|observed| std::mem::take(&mut observed.took));
        Self {
            cell: cell.clone(),
            facts: Arc::new(facts),
            took: took.map_or(0, micros),
        }
    }

    /// From connecting to the end of the answer.
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.took.into())
    }
}

/// A time in microseconds: up to an hour.
pub fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// What came of a cell.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The gateway as the caller named it.
    pub gateway: String,
    /// What was expected; `None` where the cell is not applicable.
    pub expected: Option<Expected>,
    /// What was seen; `None` where nothing was.
    pub observed: Option<Observation>,
    /// The verdict.
    pub verdict: Verdict,
    /// The known issue that the verdict is about: for `known` and `stale`.
    pub known_issue: Option<Arc<KnownIssue>>,
    /// The accepted answer; `None` where no snapshot holds the cell.
    pub accepted: Option<String>,
    /// Where the outcome is right and only the answer is not an accepted one.
    pub difference: Option<Difference>,
    /// How severe that is; `None` where there is nothing to weigh.
    pub severity: Option<Severity>,
    /// Why earlier attempts to ask it brought no answer.
    pub attempts: Vec<String>,
}

impl Facts {
    /// Of a cell of which nothing was seen.
    pub fn unseen(gateway: &str, expected: Option<Expected>, verdict: Verdict) -> Self {
        Self {
            gateway: gateway.to_owned(),
            expected,
            observed: None,
            verdict,
            known_issue: None,
            accepted: None,
            difference: None,
            severity: None,
            attempts: Vec::new(),
        }
    }

    /// Whether the outcome is the one that the rule expects, whatever the accepted answer says.
    pub fn by_rule(&self) -> bool {
        let expected = self.expected.as_ref().map(|expected| &expected.outcome.id);
        let observed = self.observed.as_ref();
        expected.is_some() && expected == observed.and_then(|observed| observed.outcome.as_ref())
    }
}

/// A gateway that is ready to be launched.
#[derive(Debug, Clone)]
pub struct GatewayInfo {
    /// The gateway as the caller named it.
    pub gateway: String,
    /// The release that it is judged as.
    pub version: Version,
    /// Integrity of the package, where it came from a registry.
    pub integrity: Option<String>,
    /// Version of Node, where it runs on Node.
    pub node: Option<String>,
    /// What was done so that it runs.
    pub notes: Vec<String>,
    /// The clients that send in clawgauge's place.
    pub senders: Vec<SenderRecord>,
    /// What this machine has not, so that some cells are not asked.
    pub missing: Missing,
    /// What has been measured of the release.
    pub measured: Option<Measured>,
    /// Cells selected.
    pub selected: usize,
    /// Profiles to launch, with the number of their cells.
    pub launches: Vec<(String, usize)>,
    /// Cells that were not selected.
    pub unselected: usize,
}

/// What fits into a budget.
#[derive(Debug, Clone)]
pub struct Budgeted {
    /// The release that the gateway is judged as.
    pub release: Version,
    /// What all selected cells show that can be asked of it.
    pub whole: Shown,
    /// What is known of the part before it is asked.
    pub part: PartRecord,
    /// Whether its time is running; not where a record is judged again.
    pub watched: bool,
}

/// A launch that has ended.
#[derive(Debug, Clone)]
pub struct LaunchInfo {
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Id of the profile.
    pub profile: String,
    /// 1, or more where earlier ones failed and were tried again.
    pub attempt: u32,
    /// From spawning to the first good answer of a probe.
    pub ready: Option<Duration>,
    /// From asking it to stop to its end.
    pub stop: Option<Duration>,
    /// Exit code of the gateway, if it had one.
    pub exit: Option<i32>,
    /// Whether it had to be killed.
    pub killed: bool,
    /// Why the launch failed, if it did.
    pub failure: Option<String>,
    /// Whether its refusals prove something; `None` where it did not get up.
    pub proof: Option<Proof>,
    /// The calls that reached the model; `None` where nobody counts them.
    pub model: Option<ModelCalls>,
    /// What is kept of what the gateway wrote.
    pub log: LaunchLog,
}

/// The lines that a gateway wrote, first and last ones, without the launch's secrets and folder.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LaunchLog(pub Vec<String>);

/// The lines are in the log of clawgauge already, where there is one.
impl std::fmt::Debug for LaunchLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lines", self.0.len())
    }
}

/// Something happened.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// A gateway is looked for, downloaded or installed.
    Preparing {
        /// The gateway.
        gateway: String,
        /// What is being done.
        what: String,
    },
    /// A gateway is installed and planned.
    GatewayReady(GatewayInfo),
    /// A gateway could not be used: it is not there, does not install, or does not say which release it is.
    GatewayFailed {
        /// The gateway.
        gateway: String,
        /// Why.
        error: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// What fits into the run's budget is planned, and its time begins.
    Budgeted(Box<Budgeted>),
    /// The budget was over before a launch was made or had asked all that was planned.
    OutOfTime {
        /// The profile.
        profile: String,
        /// Cells that are not asked.
        cells: usize,
    },
    /// A launch begins.
    LaunchStarted {
        /// The gateway.
        gateway: String,
        /// The profile.
        profile: String,
    },
    /// A launch answers its probe.
    LaunchReady {
        /// The gateway.
        gateway: String,
        /// The profile.
        profile: String,
        /// From spawning until then.
        after: Duration,
    },
    /// A gateway did not start, or did not stay up.
    LaunchFailed {
        /// The gateway.
        gateway: String,
        /// The profile.
        profile: String,
        /// What happened, with command, config path and the last log lines.
        error: String,
        /// What to do about it.
        help: Option<String>,
        /// Whether it is tried again.
        again: bool,
    },
    /// A request was answered, or not. Nothing is judged by it.
    Asked {
        /// The gateway.
        gateway: String,
        /// The profile.
        profile: String,
        /// Id of the cell; empty where it is about none.
        cell: String,
        /// The ports that its requests were sent from, in order; none where somebody else stood between, or nobody knows.
        ports: Vec<u16>,
    },
    /// A cell was judged.
    Cell(CellResult),
    /// A launch has ended.
    LaunchEnded(LaunchInfo),
    /// The run was told to stop.
    Interrupted,
    /// The last event.
    Finished,
}
