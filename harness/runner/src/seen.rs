//! What was seen of the cells of a launch, or why nothing was, and whether this machine or its gateway is to blame.

use std::fmt;

use contract::plan::PlannedCell;
use contract::release::Version;
use contract::scenario::model::{Direction, Kind};
use record::observe::{Observation, cut};

/// What was seen of a cell, or why nothing was.
pub(super) type Seen = Result<Observation, Missed>;

/// Why a cell has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missed {
    /// The run was told to stop, or its time was over, before it was asked.
    NotAsked,
    /// The same, while it was asked.
    Interrupted,
    /// Something came that is no answer. It is not asked again.
    Odd(String),
    /// Nothing came.
    Silence(String),
}

impl Missed {
    /// Whether the run ended too early for it.
    pub(super) fn is_cut(&self) -> bool {
        match self {
            Self::NotAsked | Self::Interrupted => true,
            Self::Odd(_) | Self::Silence(_) => false,
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "the run was stopped before it was asked",
            Self::Interrupted => "interrupted",
            Self::Odd(reason) | Self::Silence(reason) => reason,
        })
    }
}

impl<T: Into<String>> From<T> for Missed {
    fn from(reason: T) -> Self {
        Self::Silence(reason.into())
    }
}

/// Words of a program that this machine has let down: its answers are not the gateway's fault.
const STARVED: [&str; 6] = [
    "EMFILE",
    "ENFILE",
    "ENOSPC",
    "ENOMEM",
    "oo many open files",
    "o space left on device",
];
/// The first status by which a server says that the fault is its own.
const SERVER_FAULT: u16 = 500;

/// Whether a server says that the fault is its own.
fn is_fault(seen: &Observation) -> bool {
    seen.status >= Some(SERVER_FAULT)
}

/// What was seen of each cell. Where this machine has let the gateway or its model down, an answer that reports a fault of the
/// server is none.
pub(super) fn all(
    cells: &[&PlannedCell],
    release: &Version,
    seen: Vec<Seen>,
    started: &Observation,
    starved: Option<&str>,
) -> Vec<Seen> {
    // Whoever must be denied and reached the model has been let in, whatever the machine did.
    let got_in = |cell: &PlannedCell, seen: &Observation| {
        cell.cell.must_be_denied(release)
            && (seen.direction == Direction::Allow || seen.model_calls > Some(0))
    };
    let mut seen = seen.into_iter();
    let mut next = |cell: &PlannedCell| {
        let seen = seen.next()?;
        match (starved, seen) {
            (Some(why), Ok(seen)) if is_fault(&seen) && !got_in(cell, &seen) => {
                Some(Err(why.into()))
            }
            (_, seen) => Some(seen),
        }
    };
    let all = cells.iter().map(|cell| match is_start(cell) {
        true => Ok(started.clone()),
        false => next(cell).unwrap_or_else(|| Err("it was not asked".into())),
    });
    all.collect()
}

/// The line by which a gateway that answered with a fault of its own says that this machine has let it down.
pub(super) fn starved(log: &[String], seen: &[Seen]) -> Option<String> {
    if !seen.iter().flatten().any(is_fault) {
        return None;
    }
    let line = log
        .iter()
        .find(|line| STARVED.iter().any(|word| line.contains(word)))?;
    Some(format!(
        "this machine ran out of something: {}",
        cut(line.trim())
    ))
}

/// Whether the start itself is the answer.
pub(super) fn is_start(planned: &PlannedCell) -> bool {
    planned.cell.scenario.kind == Kind::Start
}
