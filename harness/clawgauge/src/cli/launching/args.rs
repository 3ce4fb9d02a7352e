//! The arguments of `clawgauge run`, and what they mean together with a project's defaults.

use std::path::PathBuf;

use clap::Args;

use super::failed_in::Earlier;
use super::tuning::TuningArgs;
use crate::cli::output::{Failure, Loudness, Output};
use crate::cli::reference::REFERENCE_RELEASE;
use crate::cli::reports::ReportRequest;
use clawgauge::project::Project;
use contract::plan::budget::Budget;
use contract::plan::{Selection, ShardArg, ShardError, Shares};
use contract::release::{GatewayRef, ReleaseName, Version};
use contract::scenario::{Catalogue, Problems};
use record::judge::Severity;
use record::{Baseline, BaselineError, FailOn, Gate, MaySkip, today};
use reports::Detail;
use runner::RunOptions;

/// Arguments of `run`. What is not given is taken from `clawgauge.toml`, and then from the defaults.
#[derive(Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    pub(super) globs: Vec<String>,

    /// The gateway: `reference`, `openclaw@VERSION`, `openclaw@latest`, `npm:FORK@VERSION`, `docker:IMAGE`, or a path to an openclaw.mjs, an executable, a built
    /// checkout or a tarball; may be repeated [default: reference]
    #[arg(long, value_name = "REF")]
    pub(super) gateway: Vec<GatewayRef>,

    /// Only cells with these values: axis=value,value or axis!=value; all that are given must hold
    #[arg(long = "where", value_name = "EXPR")]
    pub(super) conditions: Vec<String>,

    /// Write a report: FORMAT=PATH, `-` is stdout; may be repeated. Formats: json, junit, sarif, ctrf, tap, markdown, html,
    /// annotations, summary, outputs
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(super) report: Vec<ReportRequest>,

    /// Write the evidence into one archive: record, configurations, what the gateways wrote, all that was judged by;
    /// `clawgauge verify` judges it again
    #[arg(long, value_name = "FILE.tar.gz")]
    pub(super) bundle: Option<PathBuf>,

    #[command(flatten)]
    pub(super) tuning: TuningArgs,

    /// Whether known issues excuse what they explain; `off` judges as if there were none [default: on]
    #[arg(long, value_name = "WHETHER")]
    known_issues: Option<Switch>,

    /// What makes the run fail: deviations that no known issue explains, or known ones too [default: deviates]
    #[arg(long, value_name = "WHAT")]
    fail_on: Option<FailOn>,

    /// The least severe finding that makes the run fail: any, a change of shape, or a caller wrongly in or out
    /// [default: cosmetic]
    #[arg(long, value_name = "LEVEL")]
    severity: Option<Severity>,

    /// An earlier record: a cell that the gateway answers the same as there does not make the run fail
    #[arg(long, value_name = "RECORD")]
    pub(super) baseline: Option<PathBuf>,

    /// Fail, too, if the baseline excuses cells that are as they should be by now, and write the smaller baseline beside it:
    /// `contract.smaller.json` for `contract.json`
    #[arg(long)]
    pub(super) baseline_strict: bool,

    /// Ask only the cells that made an earlier run fail or incomplete, of the same gateway unless another is named
    #[arg(long, value_name = "RECORD")]
    pub(super) failed_in: Option<PathBuf>,

    /// Ask everything twice, of gateways that are launched anew, and fail if an answer differs
    #[arg(long, conflicts_with_all = ["bundle", "shard", "budget", "fail_fast"])]
    pub(super) twice: bool,

    /// What this machine may lack (nginx, openai-node, ...), or a glob of cells that need not be asked for want of it; whatever else
    /// it lacks makes the run incomplete, exit code 4. May be repeated; `clawgauge doctor` says what is missing
    #[arg(long, value_name = "NAME|CELL-GLOB")]
    may_skip: Vec<String>,

    /// Make only the K-th of N parts of the launches; `clawgauge merge` judges the whole. `auto` takes the part from the
    /// variables of a pipeline, which nothing else does
    #[arg(long, value_name = "K/N|auto")]
    shard: Option<ShardArg>,

    /// Ask the most of the contract that fits into a time, such as 2m or 90s: launches by rules newly asked per estimated second.
    /// The time begins with the first launch; the report says that it is a part
    #[arg(long, value_name = "TIME", conflicts_with = "shard")]
    pub(super) budget: Option<Budget>,

    /// Stop at the first cell that makes the run fail
    #[arg(long)]
    pub(super) fail_fast: bool,

    #[command(flatten)]
    loudness: Loudness,

    /// Keep the gateways up and judge again whenever a data file changes; only what changed is sent again
    #[arg(long, conflicts_with_all = ["report", "bundle", "baseline", "retries", "fail_fast", "keep_temp", "shard", "budget", "baseline_strict", "failed_in", "twice"])]
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

impl RunArgs {
    /// Fills in what a project's file says where the command line says nothing.
    pub(super) fn with_defaults(mut self, project: &Project) -> Result<Self, Failure> {
        let file = &project.file.run;
        if self.globs.is_empty() {
            self.globs.clone_from(&file.cells);
        }
        if let Some(path) = self.failed_in.as_ref().filter(|_| self.gateway.is_empty()) {
            let earlier = Earlier::read(path)?;
            self.gateway = earlier.gateways()?;
            let tell = |gateway: &GatewayRef| gateway.tells_release();
            if self.tuning.release.is_none() && !self.gateway.iter().all(tell) {
                self.tuning.release = earlier.release();
            }
        }
        if self.gateway.is_empty() {
            let named = file.gateway.as_deref();
            if named.is_some_and(<[_]>::is_empty) {
                return Err(
                    Failure::usage("gateway = [] in clawgauge.toml names no gateway")
                        .help("without the line the reference gateway is run"),
                );
            }
            let gateways = named.unwrap_or_default().iter();
            let gateways = gateways.map(|text| project.value(text));
            self.gateway = gateways.collect::<Result<_, _>>().map_err(Problems::from)?;
        }
        if self.gateway.is_empty() {
            self.gateway.push(GatewayRef::Reference);
        }
        if self.may_skip.is_empty() {
            self.may_skip.clone_from(&file.may_skip);
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
        self.tuning = self.tuning.with_defaults(project)?;
        self.known_issues = self.known_issues.or(file.known_issues.map(|on| match on {
            true => Switch::On,
            false => Switch::Off,
        }));
        self.fail_on = self.fail_on.or(file.fail_on);
        self.severity = self.severity.or(file.severity);
        self.fail_fast |= file.fail_fast.unwrap_or(false) && !self.twice;
        self.baseline_strict |= file.baseline_strict.unwrap_or(false);
        let path = |path: &PathBuf| project.path(path);
        self.baseline = self.baseline.or(file.baseline.as_ref().map(path));
        Ok(self)
    }

    /// How much is told.
    pub(super) fn detail(&self) -> Detail {
        self.loudness.detail()
    }

    /// What makes the run fail.
    pub(super) fn gate(&self, catalogue: &Catalogue) -> Result<Gate, Failure> {
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
        if self.baseline_strict && baseline.is_none() {
            return Err(
                Failure::usage("--baseline-strict is about a baseline, and there is none")
                    .help("name it: --baseline RECORD"),
            );
        }
        Ok(Gate {
            strict: self.baseline_strict,
            fail_on: self.fail_on.unwrap_or_default(),
            severity: self.severity.unwrap_or_default(),
            baseline,
            may_skip: self.may_skip(catalogue)?,
        })
    }

    /// What need not be asked on this machine.
    pub(super) fn may_skip(&self, catalogue: &Catalogue) -> Result<MaySkip, Failure> {
        MaySkip::parse(&self.may_skip, catalogue).map_err(|error| {
            Failure::usage(format!("may-skip: {error}"))
                .help("clawgauge doctor   # says which cells this machine cannot ask")
        })
    }

    /// The options of a run over the cells that the arguments select.
    pub(super) fn options_for(&self, catalogue: &Catalogue) -> Result<RunOptions, Failure> {
        let selection = Selection::parse(catalogue, &self.globs, &self.conditions)?;
        self.options(catalogue, selection)
    }

    /// The launches that this shard makes, where the command line asks for one.
    pub(super) fn shares(
        &self,
        catalogue: &Catalogue,
        options: &RunOptions,
        output: &Output,
    ) -> Result<Option<Shares>, Failure> {
        let Some(shard) = self.shard else {
            return Ok(None);
        };
        let fail = |error: ShardError| Failure::usage(error.to_string()).help(error.help());
        let (shard, by) = shard
            .resolve(|name| std::env::var(name).ok())
            .map_err(fail)?;
        if let Some(names) = by {
            output.note(&format!("shard {shard}, from {names}"));
        }
        let gateways: Vec<(GatewayRef, Version)> = options
            .gateways
            .iter()
            .map(|gateway| {
                let release = release_of(gateway, self.tuning.release.as_ref())?;
                Ok((gateway.clone(), release))
            })
            .collect::<Result<_, Failure>>()?;
        let shares = Shares::new(catalogue, &options.selection, &gateways, shard);
        Ok(Some(shares))
    }

    pub(super) fn options(
        &self,
        catalogue: &Catalogue,
        selection: Selection,
    ) -> Result<RunOptions, Failure> {
        if self.budget.is_some() && self.gateway.iter().any(|other| *other != self.gateway[0]) {
            return Err(
                Failure::usage("a budget is for one gateway, and several are named")
                    .help("run once for each, with --budget and --gateway REF"),
            );
        }
        let known_issues = self.known_issues.unwrap_or(Switch::On) == Switch::On;
        Ok(RunOptions {
            known_issues: known_issues.then(today),
            budget: self.budget,
            keep_temp: self.keep_temp,
            ..self.tuning.options(catalogue, &self.gateway, selection)?
        })
    }
}

/// The release that a gateway is taken for before it is known: an estimate.
pub(super) fn release_of(
    gateway: &GatewayRef,
    given: Option<&Version>,
) -> Result<Version, Failure> {
    match (given, gateway) {
        (Some(version), _) => Ok(version.clone()),
        (None, GatewayRef::Published(ReleaseName::Exact(version))) => Ok(version.clone()),
        (None, _) => REFERENCE_RELEASE
            .parse()
            .map_err(|error| Failure::usage(format!("{error}"))),
    }
}
