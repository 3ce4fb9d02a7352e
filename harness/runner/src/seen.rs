//! What was seen of the cells of a launch, or why nothing was, and whether this machine or its gateway is to blame.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use indexmap::IndexSet;

use contract::plan::{Cell, PlannedCell, PlannedCells};
use contract::release::Version;
use contract::scenario::model::{Direction, Kind};
use record::events::micros;
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

/// What was seen of the cells of a launch, by place. Most of a million cells share their answer with others: each distinct one
/// is kept once.
#[derive(Debug, Default)]
pub(super) struct AllSeen {
    distinct: IndexSet<Distinct>,
    cells: Vec<Kept>,
}

/// Told by its answer.
#[derive(Debug, PartialEq)]
struct Distinct(Seen);

impl Eq for Distinct {}

impl Hash for Distinct {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match &self.0 {
            Ok(seen) => seen.answer.hash(hasher),
            Err(missed) => missed.to_string().hash(hasher),
        }
    }
}

/// One cell.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// The place of what was seen; [`NOTHING`] before there is anything.
    seen: u32,
    /// Microseconds that it took.
    took: u32,
    /// The number of the request's canary.
    canary: u32,
}

/// No place and no canary.
const NOTHING: u32 = u32::MAX;

impl AllSeen {
    /// Of so many cells nothing.
    pub(super) fn nothing(cells: usize) -> Self {
        let nothing = Kept {
            seen: NOTHING,
            took: 0,
            canary: NOTHING,
        };
        Self {
            distinct: IndexSet::new(),
            cells: vec![nothing; cells],
        }
    }

    /// Of each cell what `what` says.
    pub(super) fn of(cells: &PlannedCells, what: impl Fn(&Cell) -> Seen) -> Self {
        let mut all = Self::nothing(cells.len());
        for (place, planned) in cells.iter().enumerate() {
            all.put(place, what(&planned.cell));
        }
        all
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Notes what was seen of a cell.
    pub(super) fn put(&mut self, place: usize, mut seen: Seen) {
        let took = match &mut seen {
            Ok(seen) => micros(std::mem::take(&mut seen.took)),
            Err(_) => 0,
        };
        let distinct = self.distinct.insert_full(Distinct(seen)).0;
        let kept = &mut self.cells[place];
        kept.took = took;
        kept.seen = u32::try_from(distinct).unwrap_or(NOTHING);
    }

    /// Notes which canary the request of a cell carried.
    pub(super) fn carried(&mut self, place: usize, canary: u32) {
        self.cells[place].canary = canary;
    }

    /// The canary that the request of a cell carried, if one was sent.
    pub(super) fn canary(&self, place: usize) -> Option<u32> {
        let canary = self.cells[place].canary;
        (canary != NOTHING).then_some(canary)
    }

    /// What was seen of a cell, but for the time it took; `None` where it was not asked.
    pub(super) fn look(&self, place: usize) -> Option<&Seen> {
        let seen = self.cells[place].seen as usize;
        self.distinct.get_index(seen).map(|distinct| &distinct.0)
    }

    /// What was seen of a cell.
    pub(super) fn get(&self, place: usize) -> Seen {
        let seen = self.look(place).cloned();
        let seen = seen.unwrap_or_else(|| Err("it was not asked".into()));
        seen.map(|seen| Observation {
            took: Duration::from_micros(self.cells[place].took.into()),
            ..seen
        })
    }

    /// Everything that was seen, cell by cell, but for the times.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Seen> {
        (0..self.len()).filter_map(|place| self.look(place))
    }
}

/// Completes what was seen of each cell. Where this machine has let the gateway or its model down, an answer that reports a
/// fault of the server is none.
pub(super) fn complete(
    all: &mut AllSeen,
    cells: &PlannedCells,
    release: &Version,
    started: &Observation,
    starved: Option<&str>,
) {
    // Whoever must be denied and reached the model has been let in, whatever the machine did.
    let got_in = |cell: &Cell, seen: &Observation| {
        cell.must_be_denied(release)
            && (seen.direction == Direction::Allow || seen.model_calls > Some(0))
    };
    for (place, PlannedCell { cell, .. }) in cells.iter().enumerate() {
        if is_start(&cell) {
            all.put(place, Ok(started.clone()));
        } else if let (Some(why), Some(Ok(seen))) = (starved, all.look(place))
            && is_fault(seen)
            && !got_in(&cell, seen)
        {
            all.put(place, Err(why.into()));
        }
    }
}

/// The line by which a gateway that answered with a fault of its own says that this machine has let it down.
pub(super) fn starved(log: &[String], seen: &AllSeen) -> Option<String> {
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
pub(super) fn is_start(cell: &Cell) -> bool {
    cell.scenario.kind == Kind::Start
}
