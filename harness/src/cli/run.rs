//! `clawgauge run`.

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::args::RunArgs;
use super::evidence::Evidence;
use super::output::{Failure, Output};
use super::reports::{Hush, Reports, by_itself};
use super::session::{cancel_on_signal, end, log_event, start_log};
use crate::pending::keep_pending;
use crate::plan::{Selection, cells};
use crate::project::Project;
use crate::record::{Gate, Record, Recorder, Results};
use crate::report::{Detail, Progress, terminal};
use crate::run::{CellResult, LaunchInfo, RunEvent, RunOptions, run as run_all};
use crate::scenario::Catalogue;
use crate::snapshots::Snapshots;

/// Runs, reports, and keeps pending snapshots.
pub(super) fn run(
    args: RunArgs,
    project: &Project,
    catalogue: Catalogue,
    output: &Output,
) -> Result<u8, Failure> {
    let args = args.with_defaults(project)?;
    if let Some(path) = &args.log {
        start_log(path, true)?;
    }
    if args.watch {
        return super::watch::watch(&args, &catalogue, output);
    }
    let selection = Selection::parse(&catalogue, &args.globs, &args.conditions)?;
    if !cells(&catalogue).any(|cell| selection.accepts(&cell)) {
        return Err(Failure::usage("the filters together select no cell")
            .help("clawgauge list shows every cell")
            .code(4));
    }
    let variable = |name: &str| std::env::var_os(name);
    let reports = Reports::new(&args.report)?;
    let evidence = match &args.bundle {
        Some(path) => Some(Evidence::begin(path, args.baseline.as_deref(), &catalogue)?),
        None => None,
    };
    let gate = args.gate()?;
    let snapshots = Snapshots::load(&catalogue.data)?;
    let mut options = args.options(&catalogue, selection)?;
    options.shares = args.shares(&catalogue, &options, output)?;
    tracing::debug!(data = ?catalogue.data, table_hash = catalogue.table_hash, ?options);
    let detail = args.detail();

    // Who has all shards tells about them: once, and with the relations between cells.
    let reports = match &options.shares {
        Some(_) => reports,
        None => reports.and(by_itself(&args.report, variable)),
    };
    let watch = Watch {
        args: &args,
        detail,
        output,
    };
    let hush = Hush::begin(output)?;
    let (record, results, launches) = watch.run(&catalogue, &snapshots, options, gate)?;
    output.result(&terminal(&record, detail, output.paint()))?;
    reports.write(&Results::from(&record), output, || hush.end(output))?;
    if let Some(evidence) = evidence {
        evidence.write(&record, &launches, &catalogue)?;
    }
    let written = keep_pending(&catalogue, &snapshots, &record, &results)?;
    for path in &written {
        output.note(&format!("pending snapshot: {path}"));
    }
    if !written.is_empty() {
        output
            .note("review them with `clawgauge accept` or `cargo insta review --workspace-root .`");
    }
    Ok(end(&record, output))
}

/// Runs in a runtime of its own and feeds the events to progress and record.
struct Watch<'a> {
    args: &'a RunArgs,
    detail: Detail,
    output: &'a Output,
}

impl Watch<'_> {
    fn run(
        &self,
        catalogue: &Catalogue,
        snapshots: &Snapshots,
        options: RunOptions,
        gate: Gate,
    ) -> Result<(Record, Vec<CellResult>, Vec<LaunchInfo>), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let cancel = CancellationToken::new();
            let signals = tokio::spawn(cancel_on_signal(cancel.clone()));
            let (sender, mut events) = unbounded_channel();
            let args = self.args;
            let known_issues = options.known_issues;
            let shares = options.shares.clone();
            let mut launches = Vec::new();
            let task = tokio::spawn(run_all(
                catalogue.clone(),
                snapshots.clone(),
                options,
                sender,
                cancel.clone(),
            ));
            let output = self.output;
            let mut progress = Progress::new(output.live(), self.detail, output.paint_err());
            let mut recorder = Recorder::new(&catalogue.table_hash, gate)
                .asked_for(known_issues, &args.globs, &args.conditions)
                .sharded(shares);
            while let Some(event) = events.recv().await {
                if let RunEvent::Cell(result) = &event
                    && args.fail_fast
                    && !cancel.is_cancelled()
                    && recorder.fails(result)
                {
                    recorder.stop_early();
                    cancel.cancel();
                }
                if let RunEvent::LaunchEnded(launch) = &event
                    && args.bundle.is_some()
                {
                    launches.push(launch.clone());
                }
                log_event(&event);
                progress.event(&event);
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
            signals.abort();
            let (record, results) = recorder.finish(catalogue);
            Ok((record, results, launches))
        })
    }
}
