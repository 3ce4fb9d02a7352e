//! The arguments by which gateways are launched and asked: the same for every command that runs something.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use toml::Spanned;

use super::output::Failure;
use super::reference::reference;
use clawgauge::project::Project;
use contract::plan::{Selection, cells};
use contract::release::{GatewayRef, Version};
use contract::scenario::{Catalogue, Problems};
use machine::install::InstallContext;
use machine::limits::fit;
use record::today;
use runner::RunOptions;

/// Launches of the reference gateway at a time.
const LIGHT_LAUNCHES: usize = 16;
/// Requests at a time within a launch.
const JOBS: usize = 16;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How long a gateway may take to get ready.
const READY_TIMEOUT: Duration = Duration::from_secs(180);

/// How gateways are launched and asked. What is not given is taken from `clawgauge.toml`, and then from the defaults.
#[derive(Debug, Clone, Args)]
pub(super) struct TuningArgs {
    /// Requests at a time within a launch, as far as the limit of open files allows [default: 16]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Launches at a time, bounded likewise [default: the number of cores; 16 for the reference gateway]
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
    pub(super) release: Option<Version>,

    /// Try again, so many times, what failed for reasons of its surroundings: an install, a launch, a request without an
    /// answer; an answer is never asked for twice [default: 0]
    #[arg(long, value_name = "N")]
    pub(super) retries: Option<u32>,

    /// Write what is needed to debug clawgauge itself: every step, command and request; secrets are left out
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// Starts the log, with the command line where `words` says so.
pub(super) fn start_log(path: &Path, words: bool) -> Result<(), Failure> {
    machine::log::start(path).map_err(|error| {
        Failure::usage(format!("cannot write the log {}: {error}", path.display()))
            .help("name a file in a folder that exists")
    })?;
    let version = env!("CARGO_PKG_VERSION");
    let typed: Vec<String> = std::env::args().filter(|_| words).collect();
    tracing::info!(version, "{}", typed.join(" "));
    Ok(())
}

/// The cells that globs and conditions select together: some, or it is an error.
pub(super) fn selected(
    catalogue: &Catalogue,
    globs: &[String],
    conditions: &[String],
) -> Result<Selection, Failure> {
    let selection = Selection::parse(catalogue, globs, conditions)?;
    match cells(catalogue).any(|cell| selection.accepts(&cell)) {
        true => Ok(selection),
        false => Err(Failure::no_cell()),
    }
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

impl TuningArgs {
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
        if let (None, Some(text)) = (&self.release, &file.release) {
            self.release = Some(project.value(text).map_err(Problems::from)?);
        }
        self.jobs = self.jobs.or(file.jobs);
        self.launches = self.launches.or(file.launches);
        self.timeout = self.timeout.or(seconds(&file.timeout)?);
        self.ready_timeout = self.ready_timeout.or(seconds(&file.ready_timeout)?);
        self.retries = self.retries.or(file.retries);
        let path = |path: &PathBuf| project.path(path);
        self.log = self.log.or(file.log.as_ref().map(path));
        Ok(self)
    }

    /// Starts the log, where one is wanted.
    pub(super) fn start_log(&self) -> Result<(), Failure> {
        match &self.log {
            Some(path) => start_log(path, true),
            None => Ok(()),
        }
    }

    /// Options of a run that asks these gateways these cells; known issues are heeded, and nothing is kept.
    pub(super) fn options(
        &self,
        catalogue: &Catalogue,
        gateways: &[GatewayRef],
        selection: Selection,
    ) -> Result<RunOptions, Failure> {
        let mut distinct: Vec<GatewayRef> = Vec::new();
        for gateway in gateways {
            if !distinct.contains(gateway) {
                distinct.push(gateway.clone());
            }
        }
        // The reference gateway starts in no time; a real one keeps a core busy for seconds. Whoever names none yet will
        // name real ones.
        let light = !distinct.is_empty()
            && distinct
                .iter()
                .all(|gateway| *gateway == GatewayRef::Reference);
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let launches = if light { LIGHT_LAUNCHES } else { cores };
        let (jobs, launches) = fit(
            self.jobs.map_or(JOBS, NonZeroUsize::get),
            self.launches.map_or(launches, NonZeroUsize::get),
        )?;
        Ok(RunOptions {
            gateways: distinct,
            selection,
            shares: None,
            jobs,
            launches,
            timeout: self.timeout.unwrap_or(TIMEOUT),
            ready_timeout: self.ready_timeout.unwrap_or(READY_TIMEOUT),
            stop_grace: Duration::from_secs(5),
            retries: self.retries.unwrap_or(0),
            release: self.release.clone(),
            known_issues: Some(today()),
            keep_temp: false,
            clients: true,
            install: InstallContext::from_env(reference()?, catalogue.needs.clone()),
        })
    }
}
