//! Who reached which point: cells by the port from which they asked, launches by what belongs to no cell.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexSet;
use serde::Deserialize;

/// A trace cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of a trace of the gateway cannot be read: {error}")]
pub struct ReachError {
    line: usize,
    error: serde_json::Error,
}

/// Who reached which point.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    cells: IndexSet<String>,
    launches: IndexSet<String>,
    /// By launch and port: the cells that asked from there, in order.
    asked: HashMap<(u32, u16), Vec<u32>>,
    points: Vec<Reached>,
}

/// Who reached a point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// Cells, by number.
    pub cells: BTreeSet<u32>,
    /// Launches, by number, in which it was reached outside of all requests: at the start, by a timer.
    pub launches: BTreeSet<u32>,
    /// Launches, by number, in which a request reached it that belongs to no cell, or to nobody knows which: a probe, the
    /// positive control, one that came through a proxy.
    pub others: BTreeSet<u32>,
}

impl Reached {
    /// Whether anybody did.
    pub fn is_reached(&self) -> bool {
        !self.cells.is_empty() || !self.launches.is_empty() || !self.others.is_empty()
    }
}

/// What a copy writes.
#[derive(Debug, Deserialize)]
struct Line {
    /// The folder that the gateway was started in.
    place: String,
    port: u16,
    nth: usize,
    points: Vec<usize>,
}

impl Reach {
    /// Of so many points, which nobody has reached yet.
    pub fn new(points: usize) -> Self {
        Self {
            points: vec![Reached::default(); points],
            ..Self::default()
        }
    }

    /// A cell of a launch has asked; `ports` are those that its requests came from, as far as the gateway sees that.
    pub fn asked(&mut self, launch: &str, cell: &str, ports: &[u16]) {
        let launch = self.launch(launch);
        let cell = number(self.cells.insert_full(cell.to_owned()).0);
        // 0 is no port.
        for port in ports.iter().filter(|port| **port != 0) {
            self.asked.entry((launch, *port)).or_default().push(cell);
        }
    }

    /// Reads what a copy wrote, once all cells have asked.
    ///
    /// # Errors
    /// A line is not what a copy writes; the last one may be cut off, since a gateway may be killed.
    pub fn read(&mut self, trace: &str) -> Result<(), ReachError> {
        let whole = trace.rfind('\n').map_or("", |end| &trace[..end]);
        for (index, line) in whole.lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|error| ReachError {
                line: index + 1,
                error,
            })?;
            self.add(&line);
        }
        Ok(())
    }

    fn add(&mut self, line: &Line) {
        // A launch has a folder, and is started in one within it.
        let launch = line.place.rsplit('/').nth(1).unwrap_or_default();
        let launch = self.launch(launch);
        let cells = self.asked.get(&(launch, line.port));
        let cell = cells.and_then(|cells| cells.get(line.nth)).copied();
        for point in &line.points {
            if let Some(reached) = self.points.get_mut(*point) {
                match (cell, line.port) {
                    (Some(cell), _) => reached.cells.insert(cell),
                    (None, 0) => reached.launches.insert(launch),
                    (None, _) => reached.others.insert(launch),
                };
            }
        }
    }

    fn launch(&mut self, name: &str) -> u32 {
        number(self.launches.insert_full(name.to_owned()).0)
    }

    /// The cells that asked, by number.
    pub fn cells(&self) -> &IndexSet<String> {
        &self.cells
    }

    /// The launches, by number.
    pub fn launches(&self) -> &IndexSet<String> {
        &self.launches
    }

    /// Who reached each point.
    pub fn points(&self) -> &[Reached] {
        &self.points
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
