//! In place of `launching` in a build without the feature `launch`: records are read, and nothing is run.

use clap::Args;

use super::output::{Failure, Output};
use clawgauge::project::Project;
use contract::plan::Selection;
use contract::release::GatewayRef;
use contract::scenario::Catalogue;
use record::Record;
use reports::Detail;

/// Nothing runs that signals would have to stop.
#[derive(Debug)]
pub(super) struct Session;

impl Session {
    pub(super) fn new(_: &Output) -> Self {
        Self
    }
}

/// How gateways are launched: they are not.
#[derive(Debug, Clone, Args)]
pub(super) struct TuningArgs {}

impl TuningArgs {
    pub(super) fn with_defaults(self, _: &Project) -> Result<Self, Failure> {
        Ok(self)
    }

    pub(super) fn must_know(&self, _: &GatewayRef) -> Result<(), Failure> {
        Ok(())
    }

    pub(super) fn start_log(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// A side of a comparison that would have to be run.
#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "with the feature `launch` it is run")]
pub(super) struct Side<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) tuning: &'a TuningArgs,
    pub(super) selection: &'a Selection,
    pub(super) globs: &'a [String],
    pub(super) conditions: &'a [String],
    pub(super) detail: Detail,
}

impl Side<'_> {
    /// Says that nothing can be run.
    pub(super) fn run(
        &self,
        gateway: &GatewayRef,
        _: &Session,
        _: &Output,
    ) -> Result<Record, Failure> {
        Err(Failure::usage(format!("{gateway} would have to be launched, and this build of clawgauge launches nothing"))
            .help("name a record or a bundle; `cargo install clawgauge` with its default features can launch"))
    }
}
