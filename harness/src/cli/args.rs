//! The arguments of `clawgauge run`, and what they mean together with a project's defaults.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use toml::Spanned;

use super::output::Failure;
use super::reports::ReportRequest;
use crate::judge::Severity;
use crate::plan::Selection;
use crate::project::Project;
use crate::record::{Baseline, BaselineError, FailOn, Gate, today};
use crate::release::{GatewayRef, InstallContext, Program, Version};
use crate::report::Detail;
use crate::run::RunOptions;
use crate::scenario::{Catalogue, Problems};

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
    pub(super) globs: Vec<String>,

    /// The gateway: `reference`, `openclaw@VERSION`, `openclaw@latest`, or a path; may be repeated [default: reference]
    #[arg(long, value_name = "REF")]
    pub(super) gateway: Vec<GatewayRef>,

    /// Only cells with these values: axis=value,value or axis!=value; all that are given must hold
    #[arg(long = "where", value_name = "EXPR")]
    pub(super) conditions: Vec<String>,

    /// Write a report: FORMAT=PATH, `-` is stdout; may be repeated. Formats: json, junit, sarif, ctrf, tap, markdown, html,
    /// annotations, summary
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(super) report: Vec<ReportRequest>,

    /// Write the evidence into one archive: record, configurations, what the gateways wrote, all that was judged by;
    /// `clawgauge verify` judges it again
    #[arg(long, value_name = "FILE.tar.gz")]
    pub(super) bundle: Option<PathBuf>,

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
    pub(super) baseline: Option<PathBuf>,

    /// Try again, so many times, what failed for reasons of its surroundings: an install, a launch, a request without an
    /// answer; an answer is never asked for twice [default: 0]
    #[arg(long, value_name = "N")]
    retries: Option<u32>,

    /// Stop at the first cell that makes the run fail
    #[arg(long)]
    pub(super) fail_fast: bool,

    /// Say only what makes the run fail
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,

    /// Show every matrix, every cause and every launch
    #[arg(long, short)]
    verbose: bool,

    /// Write what is needed to debug clawgauge itself: every step, command and request; secrets are left out
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,

    /// Keep the gateways up and judge again whenever a data file changes; only what changed is sent again
    #[arg(long, conflicts_with_all = ["report", "bundle", "baseline", "retries", "fail_fast", "keep_temp"])]
    pub(super) watch: bool,

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
    pub(super) fn with_defaults(mut self, project: &Project) -> Result<Self, Failure> {
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
    pub(super) fn gate(&self) -> Result<Gate, Failure> {
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

    pub(super) fn options(
        &self,
        catalogue: &Catalogue,
        selection: Selection,
    ) -> Result<RunOptions, Failure> {
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
            clients: true,
            install: InstallContext::from_env(reference()?, catalogue.needs.clone()),
        })
    }
}

/// This binary as the reference gateway.
pub(super) fn reference() -> std::io::Result<Program> {
    Ok(Program {
        command: std::env::current_exe()?,
        args: vec!["reference-gateway".into()],
        version: REFERENCE_RELEASE.parse().ok(),
        ..Program::default()
    })
}
