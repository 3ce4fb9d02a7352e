//! Runs a changed copy of a release that counts what each request reaches of its own code.
//!
//! [`CountingCopy::make`] makes the copy; whoever runs it feeds the run's events to [`Watch`], and reads what was reached with
//! [`CountingCopy::reach`] once the run is over.

use fs_err as fs;
use tokio_util::sync::CancellationToken;

use crate::RunOptions;
use contract::release::GatewayRef;
use contract::scenario::Instrument;
use machine::install::{Program, Progress, resolve};
use machine::instrument::{Change, CopyFolder, InstrumentError};
use record::events::{CellResult, RunEvent};
use record::judge::Verdict;
use studies::coverage::{Map, Reach};

/// The folder of the traces, beside the copy.
const TRACES: &str = "traces";
/// The variable that names it to a copy.
const TRACE: &str = "CLAWGAUGE_TRACE";

/// A copy of a release that counts.
#[derive(Debug)]
pub struct CountingCopy {
    /// The release as it was published.
    pub original: Program,
    /// What is launched in its place.
    pub program: Program,
    /// What there is to reach.
    pub map: Map,
    /// The copy.
    pub folder: CopyFolder,
}

impl CountingCopy {
    /// Finds or installs a gateway and makes the copy.
    ///
    /// # Errors
    /// An [`InstrumentError`].
    pub async fn make(
        gateway: &GatewayRef,
        options: &RunOptions,
        instrument: &Instrument,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Self, InstrumentError> {
        let install = &options.install;
        let original = resolve(gateway, install, progress, cancel).await?;
        progress(Progress::Note("making a copy that counts".to_owned()));
        let copy = CopyFolder::make(&original, instrument, install, progress, cancel);
        let folder = copy.await?;
        let (map, mut program) = folder.change(instrument, Change::Count, cancel).await?;
        let map = Map::read(&map).map_err(|error| InstrumentError::Failed(error.to_string()))?;
        if map.regions.is_empty() {
            return Err(InstrumentError::Nothing(gateway.to_string()));
        }
        let traces = folder.beside(TRACES)?;
        let traces = traces.to_string_lossy().into_owned();
        program.env.insert(TRACE.to_owned(), traces);
        Ok(Self {
            original,
            program,
            map,
            folder,
        })
    }

    /// Who reached what, once the run is over.
    ///
    /// # Errors
    /// What the copy wrote cannot be read.
    pub fn reach(&self, watch: Watch) -> Result<Reach, InstrumentError> {
        let mut reach = Reach::new(self.map.points.len());
        for (launch, cell, ports) in &watch.asked {
            reach.asked(launch, cell, ports);
        }
        for entry in fs::read_dir(self.folder.beside(TRACES)?)? {
            let trace = fs::read_to_string(entry?.path())?;
            let read = reach.read(&trace);
            read.map_err(|error| InstrumentError::Failed(error.to_string()))?;
        }
        Ok(reach)
    }
}

/// What a run told that coverage is about.
#[derive(Debug, Default)]
pub struct Watch {
    /// Launch, cell and ports, in the order in which they asked.
    asked: Vec<(String, String, Vec<u16>)>,
    /// Cells that were judged.
    pub cells: Vec<CellResult>,
}

impl Watch {
    /// Takes an event in.
    pub fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Asked {
                profile,
                cell,
                ports,
                ..
            } => self
                .asked
                .push((profile.clone(), cell.clone(), ports.clone())),
            RunEvent::Cell(result) => self.cells.push(result.clone()),
            _ => {}
        }
    }

    /// Cells that got an answer, those that got none, and those of the first that deviate.
    pub fn counts(&self) -> (usize, usize, usize) {
        let is_asked = |cell: &&CellResult| cell.facts.observed.is_some();
        let deviates = |cell: &&CellResult| matches!(cell.facts.verdict, Verdict::Deviates(_));
        let asked = self.cells.iter().filter(is_asked).count();
        let deviate = self.cells.iter().filter(deviates).count();
        (asked, self.cells.len() - asked, deviate)
    }
}
