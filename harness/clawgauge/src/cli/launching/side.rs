//! A side of a comparison that is a gateway: run it.

use super::drive::RecordedRun;
use super::session::Session;
use super::tuning::TuningArgs;
use crate::cli::output::{Failure, Output};
use contract::plan::Selection;
use contract::release::GatewayRef;
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::{Gate, Record};
use reports::Detail;

/// What a side is asked, and how.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Side<'a> {
    /// What is asked and judged by.
    pub(in crate::cli) catalogue: &'a Catalogue,
    /// How gateways are launched.
    pub(in crate::cli) tuning: &'a TuningArgs,
    /// Which cells.
    pub(in crate::cli) selection: &'a Selection,
    /// Globs that selected them.
    pub(in crate::cli) globs: &'a [String],
    /// Conditions that selected them.
    pub(in crate::cli) conditions: &'a [String],
    /// How much of the progress is told.
    pub(in crate::cli) detail: Detail,
}

impl Side<'_> {
    /// Runs a gateway.
    pub(in crate::cli) fn run(
        &self,
        gateway: &GatewayRef,
        session: &Session,
        output: &Output,
    ) -> Result<Record, Failure> {
        let snapshots = Snapshots::load(&self.catalogue.data)?;
        let gateways = std::slice::from_ref(gateway);
        let options = self
            .tuning
            .options(self.catalogue, gateways, self.selection.clone())?;
        let recorded = RecordedRun {
            catalogue: self.catalogue,
            snapshots: &snapshots,
            output,
            progress: Some(self.detail),
            globs: self.globs,
            conditions: self.conditions,
            fail_fast: false,
            keep_launches: false,
        };
        let run = async |cancel: &_| Ok(recorded.drive(options, Gate::default(), cancel).await);
        Ok(session.run(run)?.run.into_record().0)
    }
}
