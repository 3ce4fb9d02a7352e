//! The arguments by which gateways are launched and asked: the same for every command that runs something.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use toml::Spanned;

use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use clawgauge::project::Project;
use contract::plan::Selection;
use contract::release::{GatewayRef, Version};
use contract::scenario::{Catalogue, Problems};
use machine::install::InstallContext;
use machine::limits::{TooFewFiles, fit};
use runner::RunOptions;

/// How gateways are launched and asked. What is not given is taken from `clawgauge.toml`, and then from the defaults.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct TuningArgs {
    /// Requests at a time within a launch, as far as the limit of open files allows [default: 16, and 96 of those that
    /// must be denied, which a gateway may let wait]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Launches at a time, bounded likewise [default: the number of cores, and more while the processor idles; 16 for
    /// the reference gateway]
    #[arg(long, value_name = "N")]
    launches: Option<NonZeroUsize>,

    /// Seconds that a request may take [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,

    /// Seconds that a gateway may take to get ready [default: 180]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    ready_timeout: Option<Duration>,

    /// Judge a gateway that does not tell its version, such as a fork, as this release
    #[arg(long, value_name = "VERSION")]
    pub(super) release: Option<Version>,

    /// Try again, so many times, what failed for reasons of its surroundings: an install, a launch, a request without an
    /// answer; an answer is never asked for twice [default: 0]
    #[arg(long, value_name = "N")]
    pub(super) retries: Option<u32>,

    /// Start every gateway without the compile cache of earlier launches: slower, as on a new machine
    #[arg(long)]
    no_compile_cache: bool,

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

/// Says as of which day known issues count, where that is not today and some of them expire.
pub(super) fn tell_day(catalogue: &Catalogue, output: &Output) {
    let clock = base::time::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = record::today();
    let mut issues = catalogue.known_issues.iter();
    if day != clock && issues.any(|issue| issue.expires.is_some()) {
        output.note(&format!(
            "known issues count as of {day}, as SOURCE_DATE_EPOCH says"
        ));
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
    pub(in crate::cli) fn with_defaults(mut self, project: &Project) -> Result<Self, Failure> {
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
    pub(in crate::cli) fn start_log(&self) -> Result<(), Failure> {
        match &self.log {
            Some(path) => start_log(path, true),
            None => Ok(()),
        }
    }

    /// Refuses a gateway of which nobody says which release it is, before anything is installed.
    pub(in crate::cli) fn must_know(&self, gateway: &GatewayRef) -> Result<(), Failure> {
        let unknown = matches!(gateway, GatewayRef::Package { .. }) && self.release.is_none();
        match unknown {
            false => Ok(()),
            true => Err(Failure::usage(format!(
                "{gateway} does not say which release of OpenClaw it is"
            ))
            .help("say which release's contract it must keep: --release 2026.9.6")),
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
            self.must_know(gateway)?;
            if !distinct.contains(gateway) {
                distinct.push(gateway.clone());
            }
        }
        let install = InstallContext::from_env(reference()?, catalogue.needs.clone());
        let defaults = RunOptions::new(distinct, selection, install);
        // Whoever says how much is done at a time gets no more.
        let (jobs, denials) = match self.jobs {
            Some(jobs) => (jobs.get(), 0),
            None => (defaults.jobs, defaults.denials),
        };
        let (launches, more_launches) = match self.launches {
            Some(launches) => (launches.get(), 0),
            None => (defaults.launches, defaults.more_launches),
        };
        let most = (
            jobs.saturating_add(denials),
            launches.saturating_add(more_launches),
        );
        let most = fit(most.0, most.1)?;
        let (jobs, launches) = (jobs.min(most.0), launches.min(most.1));
        Ok(RunOptions {
            jobs,
            denials: most.0 - jobs,
            launches,
            compile_cache: !self.no_compile_cache,
            more_launches: most.1 - launches,
            timeout: self.timeout.unwrap_or(defaults.timeout),
            ready_timeout: self.ready_timeout.unwrap_or(defaults.ready_timeout),
            retries: self.retries.unwrap_or(defaults.retries),
            release: self.release.clone(),
            ..defaults
        })
    }
}

impl From<TooFewFiles> for Failure {
    fn from(error: TooFewFiles) -> Self {
        Self::new(record::Ending::Incomplete, error.to_string())
            .help("raise the limit of open files and run again: ulimit -n 4096")
    }
}
