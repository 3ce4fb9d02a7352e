//! `clawgauge run --watch`: for those who write scenarios.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::args::RunArgs;
use super::session::Session;
use crate::cli::output::{Failure, Output};
use crate::cli::reports::show;
use contract::data::Data;
use contract::scenario::{Catalogue, Problems};
use contract::snapshots::Snapshots;
use record::{Ending, Gate, Recorder, Results};
use runner::{RoundStats, Rounds, drive};

/// An editor writes a file in several steps; so long nothing must have changed before it is read.
const QUIET: Duration = Duration::from_millis(150);

/// Judges, waits for a change of the data, and judges again, until somebody interrupts.
pub(super) fn watch(
    args: &RunArgs,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let Data::Folder(root) = &catalogue.data else {
        return Err(Failure::usage("there are no data files to watch")
            .help("run it inside a checkout, or name one: --root DIR"));
    };
    // Changes come with whole paths.
    let root = &fs_err::canonicalize(root)?;
    let options = args.options_for(catalogue)?;
    let [reference] = &options.gateways[..] else {
        return Err(Failure::usage("--watch takes one gateway")
            .help("name one with --gateway, or none for the reference gateway"));
    };
    session.run(async |cancel| {
        let (mut changes, _watcher) = changes_below(root)?;
        let mut progress = output.progress(args.detail());
        let begin = async |events, stop: CancellationToken| {
            Rounds::begin(catalogue, &options, reference, events, &stop).await
        };
        let rounds = drive(begin, cancel, |event| {
            progress.event(event);
            ControlFlow::Continue(())
        });
        let mut rounds = rounds.await.ok_or_else(|| match cancel.is_cancelled() {
            true => Failure::new(Ending::Interrupted, "interrupted"),
            false => Failure::new(Ending::Gateway, "the gateway could not be used"),
        })?;
        let mut what = String::new();
        while !cancel.is_cancelled() {
            let judged = match read(&catalogue.data) {
                Err(problems) => Err(problems.into()),
                Ok((catalogue, snapshots)) => {
                    round(
                        &mut rounds,
                        args,
                        &catalogue,
                        snapshots,
                        &what,
                        cancel,
                        output,
                    )
                    .await
                }
            };
            if let Err(failure) = judged {
                output.tell(&failure);
            }
            what = next_change(&mut changes, root, cancel).await;
        }
        rounds.end().await;
        let why = "interrupted; the gateways are stopped";
        Err(Failure::new(Ending::Interrupted, why))
    })
}

/// Runs one round and reports it.
async fn round(
    rounds: &mut Rounds,
    args: &RunArgs,
    catalogue: &Catalogue,
    snapshots: Snapshots,
    what: &str,
    cancel: &CancellationToken,
    output: &Output,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let options = args.options_for(catalogue)?;
    let mut progress = output.progress(args.detail());
    let gate = Gate {
        may_skip: args.may_skip(catalogue)?,
        ..Gate::default()
    };
    let mut recorder = Recorder::new(&catalogue.table_hash, gate);
    let work = async |events, stop| {
        rounds
            .round(catalogue.clone(), snapshots, options, events, stop)
            .await
    };
    let stats = drive(work, cancel, |event| {
        progress.event(event);
        recorder.event(event);
        ControlFlow::Continue(())
    });
    let stats = stats.await;
    if cancel.is_cancelled() {
        return Ok(());
    }
    let (record, _) = recorder.finish(catalogue);
    show(&Results::from(&record), args.detail(), output)?;
    output.note(&record.ending().1);
    output.note(&summary(what, stats, begun.elapsed()));
    Ok(())
}

/// What a round took, and what to do next.
fn summary(what: &str, stats: RoundStats, took: Duration) -> String {
    let RoundStats { asked, launched } = stats;
    let seconds = took.as_secs_f64();
    let after = if what.is_empty() {
        String::new()
    } else {
        format!("after a change of {what}: ")
    };
    format!(
        "{after}{asked} cells asked, {launched} gateways started, {seconds:.1} s; waiting for a change, Ctrl-C ends"
    )
}

/// Reads and proves the data as they are now.
fn read(data: &Data) -> Result<(Catalogue, Snapshots), Problems> {
    let catalogue = Catalogue::load(data)?;
    catalogue.check_tables()?;
    let snapshots = Snapshots::load(data).map_err(|error| match error {
        contract::snapshots::SnapshotError::Invalid(problem) => Problems::from(problem),
        contract::snapshots::SnapshotError::Io(error) => {
            contract::scenario::Problem::nowhere(format!("snapshots: {error}")).into()
        }
    })?;
    Ok((catalogue, snapshots))
}

/// Paths of data files that change, for as long as the watcher lives.
fn changes_below(
    root: &std::path::Path,
) -> Result<(UnboundedReceiver<PathBuf>, notify::RecommendedWatcher), Failure> {
    let (sender, changes) = unbounded_channel();
    let tell = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        // Reading a file is no change.
        if event.kind.is_access() {
            return;
        }
        for path in event.paths {
            let is_data = path.extension().is_some_and(|end| {
                ["toml", "snap", "json", "py", "cjs", "sh"]
                    .iter()
                    .any(|known| end == *known)
            });
            if is_data {
                let _ = sender.send(path);
            }
        }
    };
    let fail = |error: notify::Error| {
        Failure::usage(format!(
            "changes of {} cannot be noticed: {error}",
            root.display()
        ))
    };
    let mut watcher = notify::recommended_watcher(tell).map_err(fail)?;
    for folder in ["scenarios", "snapshots", "fixtures"] {
        let folder = root.join(folder);
        if folder.is_dir() {
            watcher
                .watch(&folder, RecursiveMode::Recursive)
                .map_err(fail)?;
        }
    }
    Ok((changes, watcher))
}

/// Waits until something has changed and nothing changes any more; names it.
async fn next_change(
    changes: &mut UnboundedReceiver<PathBuf>,
    root: &std::path::Path,
    cancel: &CancellationToken,
) -> String {
    let first = tokio::select! {
        () = cancel.cancelled() => None,
        path = changes.recv() => path,
    };
    let mut paths: Vec<PathBuf> = first.into_iter().collect();
    while let Ok(Some(path)) = tokio::time::timeout(QUIET, changes.recv()).await {
        paths.push(path);
    }
    paths.sort();
    paths.dedup();
    let names = paths.iter().map(|path| {
        let name = path.strip_prefix(root).unwrap_or(path);
        name.display().to_string()
    });
    let names: Vec<String> = names.collect();
    match &names[..] {
        [one] => one.clone(),
        names => format!("{} files", names.len()),
    }
}
