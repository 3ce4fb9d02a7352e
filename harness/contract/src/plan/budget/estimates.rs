//! What launches and requests will take, by what earlier ones took.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::{Cell, PlannedLaunch, UNDER_WAY};
use crate::release::Version;
use crate::scenario::Typical;
use crate::scenario::model::{Kind, Start};

/// Name and version of the format of [`Measured`].
const SCHEMA: &str = "clawgauge.timings/2";
/// The last so many runs count for about as much as all before them.
const MEMORY: u32 = 5;
/// The last so many requests count for about as much as all before them.
const REQUESTS: u32 = 5_000;
/// So many wrong credentials wait beside each other.
const WAITING: f64 = 16.0;

/// What a request is, as far as its time goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// It reaches no model.
    Plain,
    /// It reaches the model.
    ModelCall,
    /// It carries a credential that is refused, which some releases let wait.
    WrongCredential,
    /// Another client sends it.
    Client(String),
}

impl RequestKind {
    /// What the request of a cell is, by what is expected of it.
    pub fn of(cell: &Cell, release: &Version) -> Self {
        if let Some(sender) = cell.sender() {
            return Self::Client(sender.to_owned());
        }
        let expected = cell.expected(release);
        let has_credential = || {
            let lines = cell.values().flat_map(|value| &value.headers);
            let mut names = lines.filter_map(|line| line.split(':').next());
            names.any(|name| name.trim().eq_ignore_ascii_case("authorization"))
        };
        match expected {
            Some(outcome) if outcome.model_calls > 0 => Self::ModelCall,
            Some(outcome) if outcome.status == Some(401) && has_credential() => {
                Self::WrongCredential
            }
            Some(_) | None => Self::Plain,
        }
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("request"),
            Self::ModelCall => f.write_str("model-call"),
            Self::WrongCredential => f.write_str("wrong-credential"),
            Self::Client(name) => write!(f, "client-{name}"),
        }
    }
}

/// A mean that forgets slowly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mean {
    /// How many runs it is made of.
    runs: u32,
    /// Seconds.
    seconds: f64,
    /// How many requests it is made of; 0 where runs count the same.
    requests: u32,
}

impl Mean {
    fn add(&mut self, seconds: f64) {
        self.runs = self.runs.saturating_add(1);
        self.seconds += (seconds - self.seconds) / f64::from(self.runs.min(MEMORY));
    }

    /// Takes in the requests of a run: a run of ten slow ones says little beside one of thousands.
    fn add_requests(&mut self, seconds_each: f64, count: u32) {
        self.runs = self.runs.saturating_add(1);
        let all = f64::from(self.requests.min(REQUESTS)) + f64::from(count);
        self.seconds += (seconds_each - self.seconds) * f64::from(count) / all.max(1.0);
        self.requests = self.requests.saturating_add(count);
    }

    /// Of several, each counting the same; `None` of none.
    fn of<'a>(means: impl Iterator<Item = &'a Self>) -> Option<Self> {
        let means: Vec<&Self> = means.filter(|mean| mean.runs > 0).collect();
        let runs = means.iter().map(|mean| mean.runs).max()?;
        let sum: f64 = means.iter().map(|mean| mean.seconds).sum();
        let count = u32::try_from(means.len()).unwrap_or(u32::MAX);
        Some(Self {
            runs,
            seconds: sum / f64::from(count),
            requests: 0,
        })
    }
}

/// What earlier runs of a release on this machine took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// `clawgauge.timings/2`.
    schema: String,
    /// Launches at a time in the last run.
    launches: usize,
    /// From spawning until the gateway answered and from asking it to stop until it had, by profile.
    up: BTreeMap<String, Mean>,
    /// A start that was refused, by profile.
    refused: BTreeMap<String, Mean>,
    /// A request, by kind.
    requests: BTreeMap<String, Mean>,
}

/// What a launch took.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// Id of the profile.
    pub profile: String,
    /// Start and stop, of a gateway that got up.
    pub up: Option<Duration>,
    /// Until a start that was refused had ended.
    pub refused: Option<Duration>,
    /// From being ready to being asked to stop.
    pub asking: Duration,
    /// The requests that were answered, and how long each was under way.
    pub requests: Vec<(RequestKind, Duration)>,
}

impl Measured {
    /// What somebody kept; `None` where it is not of this format.
    pub fn read(text: &str) -> Option<Self> {
        let measured: Self = serde_json::from_str(text).ok()?;
        let all = [&measured.up, &measured.refused, &measured.requests];
        let mut seconds = all.iter().flat_map(|means| means.values());
        let sane = seconds.all(|mean| mean.seconds.is_finite() && mean.seconds >= 0.0);
        (measured.schema == SCHEMA && sane).then_some(measured)
    }

    /// As [`Measured::read`] reads it.
    pub fn write(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }
}

/// Where an estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// What is known of such releases: `fixtures/timings.toml`.
    Data,
    /// So many earlier runs of this launch on this machine.
    Launch(u32),
    /// So many earlier runs of other launches of the release on this machine.
    Release(u32),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = |runs: &u32| base::text::count(usize::try_from(*runs).unwrap_or(0), "run");
        match self {
            Self::Data => f.write_str("data"),
            Self::Launch(times) => write!(f, "measured, {}", runs(times)),
            Self::Release(times) => write!(f, "measured of other launches, {}", runs(times)),
        }
    }
}

/// Says what launches and requests of one gateway will take on this machine.
#[derive(Debug, Clone)]
pub struct Estimates {
    /// What is known of such releases.
    pub typical: Typical,
    /// What earlier runs on this machine took.
    pub measured: Option<Measured>,
    /// Launches at a time.
    pub launches: usize,
    /// Cores of the machine.
    pub cores: usize,
}

impl Estimates {
    /// By what is known of such releases alone, on a machine of two cores: the same everywhere.
    pub fn anywhere(typical: Typical) -> Self {
        Self {
            typical,
            measured: None,
            launches: 2,
            cores: 2,
        }
    }

    /// How much longer what takes a core takes if all launches at a time want one.
    fn crowd(&self) -> f64 {
        crowd(self.launches, self.cores)
    }

    /// What is known once the launches of a run are, too.
    pub fn learn(&self, run: &[Taken]) -> Measured {
        let mut known = self.measured.clone().unwrap_or_default();
        SCHEMA.clone_into(&mut known.schema);
        known.launches = self.launches;
        let mut spent: BTreeMap<String, (f64, u32)> = BTreeMap::new();
        for taken in run {
            let profile = || taken.profile.clone();
            if let Some(up) = taken.up {
                let mean = known.up.entry(profile()).or_default();
                mean.add(up.as_secs_f64());
            }
            if let Some(refused) = taken.refused {
                let mean = known.refused.entry(profile()).or_default();
                mean.add(refused.as_secs_f64());
            }
            // Requests overlap: each has its share of the time in which they were asked.
            let under_way: f64 = taken
                .requests
                .iter()
                .map(|(_, took)| took.as_secs_f64())
                .sum();
            let asking = (taken.asking.as_secs_f64() - self.first_call()).max(0.0);
            let share = match under_way > 0.0 {
                true => (asking / under_way).min(1.0),
                false => 0.0,
            };
            for (kind, took) in &taken.requests {
                let (seconds, count) = spent.entry(kind.to_string()).or_default();
                *seconds += took.as_secs_f64() * share;
                *count += 1;
            }
        }
        for (kind, (seconds, count)) in spent {
            let mean = known.requests.entry(kind).or_default();
            mean.add_requests(seconds / f64::from(count), count);
        }
        known
    }

    /// Seconds that the first call of the model adds to a launch.
    fn first_call(&self) -> f64 {
        let Typical {
            first_call,
            first_call_processor,
            ..
        } = self.typical;
        first_call.max(first_call_processor * self.crowd())
    }

    /// Milliseconds of a launch without its requests, and where that comes from.
    pub fn launch(&self, launch: &PlannedLaunch, release: &Version) -> (u64, Origin) {
        let refused = launch.cells.askable().any(|cell| {
            let start = cell.expected(release).and_then(|outcome| outcome.start);
            start == Some(Start::Refused)
        });
        let asks = launch
            .cells
            .askable()
            .any(|cell| cell.scenario.kind != Kind::Start);
        let typical = &self.typical;
        let first_call = if asks { self.first_call() } else { 0.0 };
        let seconds = match refused {
            true => typical.refused * self.crowd(),
            false => (typical.start + typical.stop).max(typical.processor * self.crowd()),
        };
        let (seconds, origin) = match self.measured.as_ref() {
            None => (seconds, Origin::Data),
            Some(measured) => {
                // More launches at a time than were measured take longer.
                let crowd = crowd(self.launches, measured.launches);
                let means = if refused {
                    &measured.refused
                } else {
                    &measured.up
                };
                match (means.get(&launch.profile), Mean::of(means.values())) {
                    (Some(mean), _) => (mean.seconds * crowd, Origin::Launch(mean.runs)),
                    (None, Some(mean)) => (mean.seconds * crowd, Origin::Release(mean.runs)),
                    (None, None) => (seconds, Origin::Data),
                }
            }
        };
        (millis(seconds + first_call), origin)
    }

    /// Milliseconds that a cell adds to its launch.
    pub fn cell(&self, cell: &Cell, release: &Version) -> u64 {
        if cell.scenario.kind == Kind::Start {
            return 0;
        }
        let typical = &self.typical;
        let kind = RequestKind::of(cell, release);
        let measured = self.measured.as_ref();
        let mean = measured.and_then(|it| it.requests.get(&kind.to_string()));
        let request = match (mean, &kind) {
            (Some(mean), _) => mean.seconds,
            (None, RequestKind::Plain) => typical.request * self.crowd(),
            (None, RequestKind::ModelCall) => typical.model_call * self.crowd(),
            (None, RequestKind::Client(_)) => typical.client,
            (None, RequestKind::WrongCredential) => {
                typical.request * self.crowd() + typical.wrong_credential / WAITING
            }
        };
        let mut wait: Duration = cell.values().map(|value| value.wait).sum();
        if cell.listens() {
            // It is under way before the next step, and heard after the last one.
            wait += 2 * UNDER_WAY;
        }
        let repeat = cell.values().map(|value| value.repeat).max().unwrap_or(1);
        // The steps of a sequence do not overlap.
        let alone = match (cell.scenario.kind, &kind) {
            (Kind::Sequence, RequestKind::WrongCredential) => typical.wrong_credential,
            _ => 0.0,
        };
        millis(wait.as_secs_f64() + (request + alone) * f64::from(repeat.max(1)))
    }
}

/// How much longer what takes a core takes where so many want one of so many.
fn crowd(many: usize, of: usize) -> f64 {
    let float = |number: usize| f64::from(u32::try_from(number.max(1)).unwrap_or(u32::MAX));
    (float(many) / float(of)).max(1.0)
}

/// Rounded up: an estimate of nothing would be one of no work.
fn millis(seconds: f64) -> u64 {
    let seconds = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    u64::try_from(seconds.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
