//! `run --failed-in RECORD`: only the cells that made an earlier run fail or incomplete.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cli::output::{Failure, Output};
use base::text::count;
use contract::plan::{Selection, cells};
use contract::release::{GatewayRef, Version};
use contract::scenario::Catalogue;
use record::{Ending, Results};

/// An earlier record.
pub(super) struct Earlier {
    name: String,
    results: Results<'static>,
}

impl Earlier {
    /// Reads it.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let results = Results::open(path).map_err(|error| {
            Failure::usage(format!("{name}: {error}"))
                .help("a record is what `clawgauge run --report json=PATH` wrote")
        })?;
        Ok(Self { name, results })
    }

    /// The gateways that it is about.
    pub(super) fn gateways(&self) -> Result<Vec<GatewayRef>, Failure> {
        let gateways = self.results.head().gateways.iter();
        let parsed = gateways.map(|gateway| gateway.reference.parse::<GatewayRef>());
        parsed.collect::<Result<_, _>>().map_err(|error| {
            Failure::usage(format!("{}: {error}", self.name)).help("say what to run: --gateway REF")
        })
    }

    /// The release that its only gateway was judged as.
    pub(super) fn release(&self) -> Option<Version> {
        match self.results.head().gateways.as_slice() {
            [only] => only.version.as_deref()?.parse().ok(),
            _ => None,
        }
    }

    /// The ids of the cells that failed in it, of those that are selected: at least one, or there is nothing to ask.
    pub(super) fn failed(
        &self,
        catalogue: &Catalogue,
        selection: &Selection,
        output: &Output,
    ) -> Result<Vec<String>, Failure> {
        let name = &self.name;
        let head = self.results.head();
        let mut gateways = head.gateways.iter();
        if let Some(failed) = gateways.find(|gateway| gateway.error.is_some()) {
            let what = format!(
                "{name} says nothing about the cells of {}",
                failed.reference
            );
            return Err(Failure::usage(what).help("run everything: without --failed-in"));
        }
        let failed = self.results.failed_cells();
        let failed = failed.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        if failed.is_empty() {
            let why = format!("no cell failed in {name}, so there is nothing to ask");
            return Err(Failure::new(Ending::Incomplete, why));
        }
        if head.summary.not_reached > 0 {
            let cells = count(head.summary.not_reached, "cell");
            output.note(&format!(
                "{name} did not come to {cells}, which are not asked here either"
            ));
        }
        let (mut mine, mut known) = (Vec::new(), BTreeSet::new());
        for cell in cells(catalogue) {
            let id = cell.id();
            if !failed.contains(&id) {
                continue;
            }
            if selection.accepts(&cell) {
                mine.push(id.clone());
            }
            known.insert(id);
        }
        if known.len() < failed.len() {
            let cells = count(failed.len() - known.len(), "cell");
            output.note(&format!(
                "{cells} that failed in {name} are no longer in the scenario files"
            ));
        }
        match mine.is_empty() {
            true => Err(Failure::no_cell()),
            false => Ok(mine),
        }
    }
}
