//! `clawgauge run`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::output::{Failure, Output};
use crate::judge::Verdict;
use crate::plan::{Selection, cells};
use crate::record::{Ending, FailOn, Record, Recorder, today};
use crate::release::{GatewayRef, InstallContext, Program, Version};
use crate::report::{Progress, terminal, write_json};
use crate::run::{CellResult, RunEvent, RunOptions, run as run_all};
use crate::scenario::Catalogue;
use crate::snapshots::{Answer, Snapshot, Snapshots, contract_since};

/// The release whose contract the reference gateway keeps.
pub(super) const REFERENCE_RELEASE: &str = "2026.9.6";

/// Launches of the reference gateway at a time.
const LIGHT_LAUNCHES: usize = 16;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    globs: Vec<String>,

    /// The gateway: `reference`, `openclaw@VERSION`, `openclaw@latest`, or a path; may be repeated
    #[arg(long, value_name = "REF", default_value = "reference")]
    gateway: Vec<GatewayRef>,

    /// Only cells with these values: axis=value,value or axis!=value; all that are given must hold
    #[arg(long = "where", value_name = "EXPR")]
    conditions: Vec<String>,

    /// Write a report: json=PATH; may be repeated
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_report)]
    report: Vec<(Format, PathBuf)>,

    /// Requests at a time within a launch
    #[arg(long, default_value = "16", value_name = "N")]
    jobs: NonZeroUsize,

    /// Launches at a time [default: the number of cores; 16 for the reference gateway]
    #[arg(long, value_name = "N")]
    launches: Option<NonZeroUsize>,

    /// Seconds that a request may take
    #[arg(long, default_value = "120", value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Duration,

    /// Seconds that a gateway may take to get ready
    #[arg(long, default_value = "180", value_name = "SECONDS", value_parser = parse_seconds)]
    ready_timeout: Duration,

    /// Judge a gateway that does not tell its version as this release
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,

    /// Whether known issues excuse what they explain; `off` judges as if there were none
    #[arg(long, value_name = "WHETHER", default_value = "on")]
    known_issues: Switch,

    /// What makes the run fail: deviations that no known issue explains, or known ones too
    #[arg(long, value_name = "WHAT", default_value = "deviates")]
    fail_on: FailOn,

    /// Keep the launches' folders (config, state, log) and say where they are
    #[arg(long)]
    keep_temp: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

/// A report that is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
}

fn parse_report(text: &str) -> Result<(Format, PathBuf), String> {
    match text.split_once('=') {
        Some(("json", path)) if !path.is_empty() => Ok((Format::Json, path.into())),
        Some((format, _)) if format != "json" => {
            Err(format!("unknown format `{format}`; known: json"))
        }
        _ => Err("write FORMAT=PATH, for example json=results.json".to_owned()),
    }
}

pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be more than 0 seconds".to_owned()),
    }
}

/// Runs, reports, and keeps pending snapshots.
pub(super) fn run(args: RunArgs, catalogue: Catalogue, output: &Output) -> Result<u8, Failure> {
    let selection = Selection::parse(&catalogue, &args.globs, &args.conditions)?;
    if !cells(&catalogue).any(|cell| selection.accepts(&cell)) {
        return Err(Failure::usage("the filters together select no cell")
            .help("clawgauge list shows every cell")
            .code(4));
    }
    for (_, path) in &args.report {
        check_writable(path)?;
    }
    let mut gateways: Vec<GatewayRef> = Vec::new();
    for gateway in args.gateway {
        if !gateways.contains(&gateway) {
            gateways.push(gateway);
        }
    }
    let snapshots = Snapshots::load(&catalogue.root)?;
    let reference = reference()?;
    // The reference gateway starts in no time; a real one keeps a core busy for seconds.
    let light = gateways
        .iter()
        .all(|gateway| *gateway == GatewayRef::Reference);
    let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    let options = RunOptions {
        gateways,
        selection,
        jobs: args.jobs.get(),
        launches: args.launches.map_or(
            if light { LIGHT_LAUNCHES } else { cores },
            NonZeroUsize::get,
        ),
        timeout: args.timeout,
        ready_timeout: args.ready_timeout,
        stop_grace: Duration::from_secs(5),
        release: args.release,
        known_issues: (args.known_issues == Switch::On).then(today),
        keep_temp: args.keep_temp,
        install: InstallContext::from_env(reference, catalogue.needs.clone()),
    };

    let (record, results) = watch(&catalogue, &snapshots, options, args.fail_on, output)?;
    output.result(&terminal(&record, &catalogue, output.paint()))?;
    for (format, path) in &args.report {
        match format {
            Format::Json => write_json(&record, path).map_err(|error| {
                Failure::usage(format!("cannot write {}: {error}", path.display()))
            })?,
        }
    }
    keep_pending(&catalogue, &snapshots, &record, &results, output)?;
    let (ending, why) = record.ending();
    if ending != Ending::Holds {
        output.note(&format!(
            "{} {why} (exit code {})",
            output.paint_err().bad("clawgauge:"),
            ending.code()
        ));
    }
    Ok(ending.code())
}

/// This binary as the reference gateway.
pub(super) fn reference() -> std::io::Result<Program> {
    Ok(Program {
        command: std::env::current_exe()?,
        args: vec!["reference-gateway".into()],
        version: REFERENCE_RELEASE.parse().ok(),
        integrity: None,
        node: None,
        notes: Vec::new(),
        path_dirs: Vec::new(),
    })
}

/// A report that cannot be written is found out before anything is launched.
fn check_writable(path: &std::path::Path) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(std::path::Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
        .map(drop)
        .map_err(|error| {
            Failure::usage(format!("cannot write {}: {error}", path.display()))
                .help("name a file in a folder that exists")
        })
}

/// Runs in a runtime of its own and feeds the events to progress and record.
fn watch(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    options: RunOptions,
    fail_on: FailOn,
    output: &Output,
) -> Result<(Record, Vec<CellResult>), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        let signals = tokio::spawn(cancel_on_signal(cancel.clone()));
        let (sender, mut events) = unbounded_channel();
        let task = tokio::spawn(run_all(
            catalogue.clone(),
            snapshots.clone(),
            options,
            sender,
            cancel,
        ));
        let mut progress = Progress::new(output.live(), output.paint_err());
        let mut recorder = Recorder::new(&catalogue.table_hash, fail_on);
        while let Some(event) = events.recv().await {
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
        Ok(recorder.finish(&catalogue.relations))
    })
}

/// Ctrl-C, SIGTERM and a closed terminal ask the run to stop cleanly; whoever asks twice does not want to wait for the grace.
pub(super) async fn cancel_on_signal(cancel: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            cancel.cancel();
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_ok() {
        cancel.cancel();
    }
}

/// Writes what the run saw as pending snapshots where it differs from the accepted ones.
///
/// A filtered or incomplete run never writes, CI never writes, and only cells that keep their rule are written: a
/// deviating cell keeps its accepted answer.
fn keep_pending(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    record: &Record,
    results: &[CellResult],
    output: &Output,
) -> Result<(), Failure> {
    let whole =
        record.summary.could_not_run == 0 && !record.run.interrupted && record.gateways.len() == 1;
    let may_write =
        std::env::var_os("CI").is_none() && std::env::var("INSTA_UPDATE").as_deref() != Ok("no");
    let Some(release) = record
        .gateways
        .first()
        .and_then(|gateway| gateway.version.as_ref()?.parse::<Version>().ok())
    else {
        return Ok(());
    };
    if !whole || !may_write || record.cells.len() != cells(catalogue).count() {
        return Ok(());
    }
    let mut written = Vec::new();
    for scenario in &catalogue.scenarios {
        for profile in &scenario.axes[scenario.profile_axis()].values {
            let accepted = snapshots.find(scenario, &profile.id, &release);
            let mut new = accepted.cloned().unwrap_or_else(|| Snapshot {
                scenario: scenario.id.clone(),
                profile: profile.id.clone(),
                since: contract_since(scenario, &profile.id, &release),
                cells: Default::default(),
            });
            let mut keys = std::collections::BTreeSet::new();
            for result in results.iter().filter(|result| {
                result.cell.scenario.id == scenario.id && result.cell.profile == profile.id
            }) {
                let key = result.cell.key();
                keys.insert(key.clone());
                if matches!(result.verdict, Verdict::New) || result.difference.is_some() {
                    let Some(observed) = &result.observed else {
                        continue;
                    };
                    let outcome = observed.label();
                    new.cells.insert(
                        key,
                        Answer {
                            outcome,
                            text: observed.answer.clone(),
                            line: 0,
                        },
                    );
                }
            }
            if keys.is_empty() || new.cells.is_empty() {
                continue;
            }
            new.cells.retain(|key, _| keys.contains(key));
            if accepted.is_some_and(|accepted| accepted.render() == new.render()) {
                snapshots.discard_pending(&new)?;
            } else {
                written.push(snapshots.write_pending(&new)?);
            }
        }
    }
    for path in &written {
        output.note(&format!("pending snapshot: {path}"));
    }
    if !written.is_empty() {
        output
            .note("review them with `clawgauge accept` or `cargo insta review --workspace-root .`");
    }
    Ok(())
}
