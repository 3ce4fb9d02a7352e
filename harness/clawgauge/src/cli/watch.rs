//! `clawgauge run --watch`: for those who write scenarios.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::args::RunArgs;
use super::output::{Failure, Output};
use super::session::{cancel_on_signal, log_event};
use contract::data::Data;
use contract::scenario::{Catalogue, Problems};
use contract::snapshots::Snapshots;
use record::events::RunEvent;
use record::{Gate, Recorder};
use reports::{Progress, terminal};
use runner::{Effort, Rounds};

/// An editor writes a file in several steps; so long nothing must have changed before it is read.
const QUIET: Duration = Duration::from_millis(150);

/// Judges, waits for a change of the data, and judges again, until somebody interrupts.
pub(super) fn watch(args: &RunArgs, catalogue: &Catalogue, output: &Output) -> Result<u8, Failure> {
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        let signals = tokio::spawn(cancel_on_signal(cancel.clone()));
        let (mut changes, _watcher) = changes_below(root)?;
        let mut teller = Teller::new(args, output);
        let begin = Rounds::begin(catalogue, &options, reference, teller.sender(), &cancel);
        let rounds = teller.while_telling(begin).await;
        let Some(mut rounds) = rounds else {
            let code = if cancel.is_cancelled() { 130 } else { 3 };
            return Err(Failure::usage("the gateway cannot be had").code(code));
        };
        let mut what = String::new();
        while !cancel.is_cancelled() {
            let begun = Instant::now();
            match read(&catalogue.data) {
                Err(problems) => output.note(&problems.render(output.paint_err().color)),
                Ok((catalogue, snapshots)) => match args.options_for(&catalogue) {
                    Err(failure) => {
                        let _ = output.failure(&failure);
                    }
                    Ok(options) => {
                        let round = rounds.round(
                            catalogue.clone(),
                            snapshots,
                            options,
                            teller.sender(),
                            cancel.clone(),
                        );
                        let effort = teller.while_telling(round).await;
                        if !cancel.is_cancelled() {
                            teller.report(&catalogue)?;
                            output.note(&summary(&what, effort, begun.elapsed()));
                        }
                    }
                },
            }
            what = next_change(&mut changes, root, &cancel).await;
        }
        rounds.end().await;
        signals.abort();
        output.note("interrupted; the gateways are stopped");
        Ok(130)
    })
}

/// What a round took, and what to do next.
fn summary(what: &str, effort: Effort, took: Duration) -> String {
    let Effort { asked, launched } = effort;
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

/// Takes in the events of rounds: progress while they run, and a report of each.
struct Teller<'a> {
    args: &'a RunArgs,
    output: &'a Output,
    sender: tokio::sync::mpsc::UnboundedSender<RunEvent>,
    events: UnboundedReceiver<RunEvent>,
    kept: Vec<RunEvent>,
}

impl<'a> Teller<'a> {
    fn new(args: &'a RunArgs, output: &'a Output) -> Self {
        let (sender, events) = unbounded_channel();
        Self {
            args,
            output,
            sender,
            events,
            kept: Vec::new(),
        }
    }

    fn sender(&self) -> tokio::sync::mpsc::UnboundedSender<RunEvent> {
        self.sender.clone()
    }

    /// Shows progress until the work is done; its events are kept for the report.
    async fn while_telling<T>(&mut self, work: impl Future<Output = T>) -> T {
        let output = self.output;
        let mut progress = Progress::new(output.live(), self.args.detail(), output.paint_err());
        let mut work = std::pin::pin!(work);
        self.kept.clear();
        let done = loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => {
                    log_event(&event);
                    progress.event(&event);
                    self.kept.push(event);
                }
                done = &mut work => break done,
            }
        };
        while let Ok(event) = self.events.try_recv() {
            progress.event(&event);
            self.kept.push(event);
        }
        progress.event(&RunEvent::Finished);
        done
    }

    /// Writes the terminal report of what was kept.
    fn report(&mut self, catalogue: &Catalogue) -> Result<(), Failure> {
        let mut recorder = Recorder::new(&catalogue.table_hash, Gate::default());
        for event in self.kept.drain(..) {
            recorder.event(&event);
        }
        let (record, _) = recorder.finish(catalogue);
        let text = terminal(&record, self.args.detail(), self.output.paint());
        self.output.result(&text)?;
        let (_, why) = record.ending();
        self.output.note(&why);
        Ok(())
    }
}
