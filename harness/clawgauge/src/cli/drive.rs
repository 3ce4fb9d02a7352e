//! Driving a run: its events go to progress and record, Ctrl-C stops it. Every command that launches gateways and wants a
//! record goes through here.

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::output::{Failure, Output};
use super::session::{cancel_on_signal, log_event};
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::events::{CellResult, LaunchInfo, RunEvent};
use record::{Gate, Record, Recorder};
use reports::{Detail, Progress};
use runner::{RunOptions, run as run_all};

/// What a run is driven with, besides its options.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drive<'a> {
    /// What is asked and judged by.
    pub(super) catalogue: &'a Catalogue,
    /// The accepted answers.
    pub(super) snapshots: &'a Snapshots,
    /// Where progress goes.
    pub(super) output: &'a Output,
    /// How much of the progress is told; `None` tells nothing.
    pub(super) progress: Option<Detail>,
    /// Globs over cell ids that were asked for, as the record notes them.
    pub(super) globs: &'a [String],
    /// Conditions that were asked for, as the record notes them.
    pub(super) conditions: &'a [String],
    /// Whether to stop at the first cell that makes the run fail.
    pub(super) fail_fast: bool,
    /// Whether to keep what the launches wrote, which an evidence bundle needs.
    pub(super) keep_launches: bool,
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Driven {
    /// The record.
    pub(super) record: Record,
    /// The results that it was made from: snapshots are made from them.
    pub(super) results: Vec<CellResult>,
    /// The launches, where they were to be kept.
    pub(super) launches: Vec<LaunchInfo>,
}

impl Drive<'_> {
    /// Runs in a runtime of its own until everything is told.
    ///
    /// # Errors
    /// There is no runtime to be had. Whatever happens to gateways and cells is in the record.
    pub(super) fn run(&self, options: RunOptions, gate: Gate) -> Result<Driven, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let cancel = CancellationToken::new();
            let signals = tokio::spawn(cancel_on_signal(cancel.clone()));
            let driven = self.follow(options, gate, &cancel).await;
            signals.abort();
            Ok(driven)
        })
    }

    /// Runs within a runtime, until everything is told or `cancel` fires.
    pub(super) async fn follow(
        &self,
        options: RunOptions,
        gate: Gate,
        cancel: &CancellationToken,
    ) -> Driven {
        let (sender, mut events) = unbounded_channel();
        let known_issues = options.known_issues;
        let shares = options.shares.clone();
        let mut launches = Vec::new();
        let task = tokio::spawn(run_all(
            self.catalogue.clone(),
            self.snapshots.clone(),
            options,
            sender,
            cancel.clone(),
        ));
        let output = self.output;
        let mut progress = self
            .progress
            .map(|detail| Progress::new(output.live(), detail, output.paint_err()));
        let mut recorder = Recorder::new(&self.catalogue.table_hash, gate)
            .asked_for(known_issues, self.globs, self.conditions)
            .sharded(shares);
        while let Some(event) = events.recv().await {
            if let RunEvent::Cell(result) = &event
                && self.fail_fast
                && !cancel.is_cancelled()
                && recorder.fails(result)
            {
                recorder.stop_early();
                cancel.cancel();
            }
            if let RunEvent::LaunchEnded(launch) = &event
                && self.keep_launches
            {
                launches.push(launch.clone());
            }
            log_event(&event);
            if let Some(progress) = &mut progress {
                progress.event(&event);
            }
            recorder.event(&event);
            if matches!(event, RunEvent::Finished) {
                break;
            }
        }
        if let Err(error) = task.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
        let (record, results) = recorder.finish(self.catalogue);
        Driven {
            record,
            results,
            launches,
        }
    }
}
