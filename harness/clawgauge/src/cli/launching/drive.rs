//! A run with a record: its events go to progress and record, and it may stop at the first failing cell.

use std::ops::ControlFlow;

use tokio_util::sync::CancellationToken;

use super::timings::Stopwatch;
use crate::cli::output::Output;
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::events::{LaunchInfo, RunEvent};
use record::{FinishedRun, Gate, Recorder};
use reports::Detail;
use runner::{RunOptions, drive, run};

/// What a run is driven with, besides its options.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordedRun<'a> {
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
pub(super) struct RunOutcome<'a> {
    /// The record, and the results that it is made from.
    pub(super) run: FinishedRun<'a>,
    /// The launches, where they were to be kept.
    pub(super) launches: Vec<LaunchInfo>,
}

impl<'a> RecordedRun<'a> {
    /// Runs until everything is told or `cancel` fires. Whatever happens to gateways and cells is in the record.
    pub(super) async fn drive(
        &self,
        options: RunOptions,
        gate: Gate,
        cancel: &CancellationToken,
    ) -> RunOutcome<'a> {
        let mut recorder = Recorder::new(&self.catalogue.table_hash, gate)
            .held_against(Some(self.snapshots.hash()))
            .asked_for(options.known_issues, self.globs, self.conditions)
            .sharded(options.shares.clone());
        let mut progress = self.progress.map(|detail| self.output.progress(detail));
        let mut launches = Vec::new();
        let mut stopwatch = Stopwatch::new(&options);
        let kept = options.clone();
        let (catalogue, snapshots) = (self.catalogue.clone(), self.snapshots.clone());
        let work = async |events, stop| run(catalogue, snapshots, options, events, stop).await;
        let mut stopped = false;
        drive(work, cancel, |event| {
            match event {
                RunEvent::Cell(result)
                    if self.fail_fast
                        && !stopped
                        && !cancel.is_cancelled()
                        && recorder.fails(result) =>
                {
                    recorder.stop_early();
                    stopped = true;
                }
                RunEvent::LaunchEnded(launch) if self.keep_launches => {
                    launches.push(launch.clone());
                }
                _ => {}
            }
            if let Some(progress) = &mut progress {
                progress.event(event);
            }
            stopwatch.event(event);
            recorder.event(event);
            match stopped {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
        .await;
        stopwatch.keep(self.catalogue, &kept);
        RunOutcome {
            run: recorder.ended(self.catalogue),
            launches,
        }
    }
}
