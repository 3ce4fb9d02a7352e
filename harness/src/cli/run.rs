//! `clawgauge run`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use toml::Spanned;

use super::evidence::Evidence;
use super::output::{Failure, Output};
use super::reports::{ReportRequest, Reports, by_itself, in_workflow};
use crate::judge::Severity;
use crate::pending::keep_pending;
use crate::plan::{Selection, cells};
use crate::project::Project;
use crate::record::{
    Baseline, BaselineError, Ending, FailOn, Gate, Record, Recorder, Results, today,
};
use crate::release::{GatewayRef, InstallContext, Program, Version};
use crate::report::{Detail, Progress, terminal};
use crate::run::{CellResult, LaunchInfo, RunEvent, RunOptions, run as run_all};
use crate::scenario::{Catalogue, Problems};
use crate::snapshots::Snapshots;
use crate::upstream::new_canary;

/// The release whose contract the reference gateway keeps.
pub(super) const REFERENCE_RELEASE: &str = "2026.9.6";

/// Launches of the reference gateway at a time.
const LIGHT_LAUNCHES: usize = 16;

/// Requests at a time within a launch.
const JOBS: usize = 16;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How long a gateway may take to get ready.
const READY_TIMEOUT: Duration = Duration::from_secs(180);

/// Arguments of `run`. What is not given is taken from `clawgauge.toml`, and then from the defaults.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    globs: Vec<String>,

    /// The gateway: `reference`, `openclaw@VERSION`, `openclaw@latest`, or a path; may be repeated [default: reference]
    #[arg(long, value_name = "REF")]
    gateway: Vec<GatewayRef>,

    /// Only cells with these values: axis=value,value or axis!=value; all that are given must hold
    #[arg(long = "where", value_name = "EXPR")]
    conditions: Vec<String>,

    /// Write a report: FORMAT=PATH, `-` is stdout; may be repeated. Formats: json, junit, sarif, ctrf, tap, markdown, html,
    /// annotations, summary
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<ReportRequest>,

    /// Write the evidence into one archive: record, configurations, what the gateways wrote, all that was judged by;
    /// `clawgauge verify` judges it again
    #[arg(long, value_name = "FILE.tar.gz")]
    bundle: Option<PathBuf>,

    /// Requests at a time within a launch [default: 16]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Launches at a time [default: the number of cores; 16 for the reference gateway]
    #[arg(long, value_name = "N")]
    launches: Option<NonZeroUsize>,

    /// Seconds that a request may take [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,

    /// Seconds that a gateway may take to get ready [default: 180]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    ready_timeout: Option<Duration>,

    /// Judge a gateway that does not tell its version as this release
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,

    /// Whether known issues excuse what they explain; `off` judges as if there were none [default: on]
    #[arg(long, value_name = "WHETHER")]
    known_issues: Option<Switch>,

    /// What makes the run fail: deviations that no known issue explains, or known ones too [default: deviates]
    #[arg(long, value_name = "WHAT")]
    fail_on: Option<FailOn>,

    /// The least grave finding that makes the run fail: any, a change of shape, or a caller wrongly in or out
    /// [default: cosmetic]
    #[arg(long, value_name = "LEVEL")]
    severity: Option<Severity>,

    /// An earlier record: a cell that the gateway answers the same as there does not make the run fail
    #[arg(long, value_name = "RECORD")]
    baseline: Option<PathBuf>,

    /// Try again, so many times, what failed for reasons of its surroundings: an install, a launch, a request without an
    /// answer; an answer is never asked for twice [default: 0]
    #[arg(long, value_name = "N")]
    retries: Option<u32>,

    /// Stop at the first cell that makes the run fail
    #[arg(long)]
    fail_fast: bool,

    /// Say only what makes the run fail
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,

    /// Show every matrix, every cause and every launch
    #[arg(long, short)]
    verbose: bool,

    /// Write what is needed to debug clawgauge itself: every step, command and request; secrets are left out
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Keep the gateways up and judge again whenever a data file changes; only what changed is sent again
    #[arg(long, conflicts_with_all = ["report", "bundle", "baseline", "retries", "fail_fast", "keep_temp"])]
    watch: bool,

    /// Keep the launches' folders (config, state, log) and say where they are
    #[arg(long)]
    keep_temp: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    seconds_of(seconds)
}

fn seconds_of(seconds: f64) -> Result<Duration, String> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be more than 0 seconds".to_owned()),
    }
}

impl RunArgs {
    /// Fills in what a project's file says where the command line says nothing.
    fn with_defaults(mut self, project: &Project) -> Result<Self, Failure> {
        let file = &project.file.run;
        let seconds = |given: &Option<Spanned<f64>>| -> Result<Option<Duration>, Problems> {
            let Some(given) = given else { return Ok(None) };
            let parsed = seconds_of(*given.get_ref());
            Ok(Some(
                parsed.map_err(|error| project.problem(given.span(), error))?,
            ))
        };
        if self.globs.is_empty() {
            self.globs.clone_from(&file.cells);
        }
        if self.gateway.is_empty() {
            let gateways = file.gateway.iter().map(|text| project.value(text));
            self.gateway = gateways.collect::<Result<_, _>>().map_err(Problems::from)?;
        }
        if self.gateway.is_empty() {
            self.gateway.push(GatewayRef::Reference);
        }
        if self.conditions.is_empty() {
            self.conditions.clone_from(&file.conditions);
        }
        if self.report.is_empty() {
            for text in &file.report {
                let mut report: ReportRequest = project.value(text).map_err(Problems::from)?;
                report.path = project.path(&report.path);
                self.report.push(report);
            }
        }
        if let (None, Some(text)) = (&self.release, &file.release) {
            self.release = Some(project.value(text).map_err(Problems::from)?);
        }
        self.jobs = self.jobs.or(file.jobs);
        self.launches = self.launches.or(file.launches);
        self.timeout = self.timeout.or(seconds(&file.timeout)?);
        self.ready_timeout = self.ready_timeout.or(seconds(&file.ready_timeout)?);
        self.known_issues = self.known_issues.or(file.known_issues.map(|on| match on {
            true => Switch::On,
            false => Switch::Off,
        }));
        self.fail_on = self.fail_on.or(file.fail_on);
        self.severity = self.severity.or(file.severity);
        self.retries = self.retries.or(file.retries);
        self.fail_fast |= file.fail_fast.unwrap_or(false);
        let path = |path: &PathBuf| project.path(path);
        self.baseline = self.baseline.or(file.baseline.as_ref().map(path));
        self.log = self.log.or(file.log.as_ref().map(path));
        Ok(self)
    }

    /// How much is told.
    pub(super) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Normal,
        }
    }

    /// What makes the run fail.
    fn gate(&self) -> Result<Gate, Failure> {
        let baseline = match &self.baseline {
            None => None,
            Some(path) => {
                let read = || {
                    let baseline = Baseline::read(path)?;
                    for gateway in &self.gateway {
                        baseline.check(&gateway.to_string())?;
                    }
                    Ok(baseline)
                };
                let fail = |error: BaselineError| {
                    Failure::usage(format!("the baseline {}: {error}", path.display()))
                        .help("a baseline is what `clawgauge run --report json=PATH` wrote")
                };
                Some(read().map_err(fail)?)
            }
        };
        Ok(Gate {
            fail_on: self.fail_on.unwrap_or_default(),
            severity: self.severity.unwrap_or_default(),
            baseline,
        })
    }

    /// The options of a run over the cells that the arguments select.
    pub(super) fn options_for(&self, catalogue: &Catalogue) -> Result<RunOptions, Failure> {
        let selection = Selection::parse(catalogue, &self.globs, &self.conditions)?;
        self.options(catalogue, selection)
    }

    fn options(&self, catalogue: &Catalogue, selection: Selection) -> Result<RunOptions, Failure> {
        let mut gateways: Vec<GatewayRef> = Vec::new();
        for gateway in &self.gateway {
            if !gateways.contains(gateway) {
                gateways.push(gateway.clone());
            }
        }
        // The reference gateway starts in no time; a real one keeps a core busy for seconds.
        let light = gateways
            .iter()
            .all(|gateway| *gateway == GatewayRef::Reference);
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let launches = if light { LIGHT_LAUNCHES } else { cores };
        let known_issues = self.known_issues.unwrap_or(Switch::On) == Switch::On;
        Ok(RunOptions {
            gateways,
            selection,
            jobs: self.jobs.map_or(JOBS, NonZeroUsize::get),
            launches: self.launches.map_or(launches, NonZeroUsize::get),
            timeout: self.timeout.unwrap_or(TIMEOUT),
            ready_timeout: self.ready_timeout.unwrap_or(READY_TIMEOUT),
            stop_grace: Duration::from_secs(5),
            retries: self.retries.unwrap_or(0),
            release: self.release.clone(),
            known_issues: known_issues.then(today),
            keep_temp: self.keep_temp,
            install: InstallContext::from_env(reference()?, catalogue.needs.clone()),
        })
    }
}

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
    let reports = Reports::new(&args.report)?.and(by_itself(&args.report, variable));
    let evidence = match &args.bundle {
        Some(path) => Some(Evidence::begin(path, args.baseline.as_deref(), &catalogue)?),
        None => None,
    };
    let gate = args.gate()?;
    let snapshots = Snapshots::load(&catalogue.data)?;
    let options = args.options(&catalogue, selection)?;
    tracing::debug!(data = ?catalogue.data, table_hash = catalogue.table_hash, ?options);
    let detail = args.detail();

    let watch = Watch {
        args: &args,
        detail,
        output,
    };
    // A workflow of GitHub obeys lines that look like commands. What a gateway says may stand in progress and report, so
    // that none is heeded meanwhile; the word that ends this is told to nobody else.
    let word = in_workflow(variable).then(new_canary);
    if let Some(word) = &word {
        output.result(&format!("::stop-commands::{word}\n"))?;
    }
    let (record, results, launches) = watch.run(&catalogue, &snapshots, options, gate)?;
    output.result(&terminal(&record, detail, output.paint()))?;
    reports.write(&Results::from(&record), output, || match &word {
        Some(word) => output.result(&format!("::{word}::\n")).map(drop),
        None => Ok(()),
    })?;
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

pub(super) fn start_log(path: &Path, words: bool) -> Result<(), Failure> {
    crate::log::start(path).map_err(|error| {
        Failure::usage(format!("cannot write the log {}: {error}", path.display()))
            .help("name a file in a folder that exists")
    })?;
    let version = env!("CARGO_PKG_VERSION");
    let typed: Vec<String> = std::env::args().filter(|_| words).collect();
    tracing::info!(version, "{}", typed.join(" "));
    Ok(())
}

/// Says why the exit code is not 0, and returns it.
pub(super) fn end(record: &Record, output: &Output) -> u8 {
    let (ending, why) = record.ending();
    if ending != Ending::Holds {
        output.note(&format!(
            "{} {why} (exit code {})",
            output.paint_err().bad("clawgauge:"),
            ending.code()
        ));
    }
    ending.code()
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
            let mut recorder = Recorder::new(&catalogue.table_hash, gate).asked_for(
                known_issues,
                &args.globs,
                &args.conditions,
            );
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

/// The events that are not logged where they come from.
pub(super) fn log_event(event: &RunEvent) {
    match event {
        RunEvent::Cell(_) | RunEvent::Asked { .. } => {}
        RunEvent::GatewayFailed { .. } | RunEvent::LaunchFailed { .. } | RunEvent::Interrupted => {
            tracing::warn!(?event);
        }
        RunEvent::Preparing { .. }
        | RunEvent::GatewayReady(_)
        | RunEvent::LaunchStarted { .. }
        | RunEvent::LaunchReady { .. }
        | RunEvent::LaunchEnded(_)
        | RunEvent::Finished => tracing::debug!(?event),
    }
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
