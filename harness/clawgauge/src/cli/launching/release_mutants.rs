//! `clawgauge mutants --gateway`: mutants of a release's own code.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::coverage::{Measure, Measured};
use super::session::Session;
use super::tuning::parse_seconds;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use crate::cli::select::selected;
use base::files::replace_bytes;
use contract::plan::budget::Budget;
use contract::release::GatewayRef;
use contract::scenario::{Catalogue, Instrument};
use contract::snapshots::Snapshots;
use machine::install::{InstallContext, Progress as Step, resolve};
use machine::instrument::{Change, CopyFolder, InstrumentError};
use record::Ending;
use reports::{Detail, mutants_text};
use runner::RunOptions;
use runner::release_mutants::MutantRun;
use studies::coverage::{Coverage, Map};
use studies::mutation::{Chosen, Fate, MutantHead, MutantReport, MutantResult, Score, choose};

/// So long a request to a mutant may take. A gateway lets whoever guesses wait for 5 s, and a busy machine is slow.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The arguments that are about a release.
#[derive(Debug, Clone, Args)]
pub(super) struct ReleaseArgs {
    /// Mutants of this release's own code, `openclaw@VERSION` or the openclaw.mjs of a build, in place of the seeded faults
    #[arg(long, value_name = "REF")]
    pub(super) gateway: Option<GatewayRef>,

    /// Only so many mutants, taken at random [default: all]
    #[arg(long, value_name = "N", requires = "gateway")]
    sample: Option<usize>,

    /// Ask only so many of the cells that reach a mutant, and of those of a launch that it needs for itself [default: all]
    #[arg(long, value_name = "N", requires = "gateway")]
    cells: Option<NonZeroUsize>,

    /// What the sample is taken by: the same seed takes the same mutants of a release
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Begin nothing after this time, such as 30m; what is left is undecided
    #[arg(long, value_name = "TIME", requires = "gateway")]
    budget: Option<Budget>,

    /// Seconds that a request to a mutant may take; one that never answers takes them twice [default: 30]
    #[arg(long, value_name = "SECONDS", requires = "gateway", value_parser = parse_seconds)]
    timeout: Option<Duration>,

    /// Ask with these cells only: axis=value,value or axis!=value; all that are given must hold
    #[arg(
        long = "where",
        value_name = "EXPR",
        requires = "gateway",
        conflicts_with = "coverage"
    )]
    conditions: Vec<String>,

    /// What `coverage --json` wrote of the same release: the cells that it asked are asked, and who reaches what is not measured
    /// again
    #[arg(
        long,
        value_name = "FILE",
        requires = "gateway",
        conflicts_with = "names"
    )]
    coverage: Option<PathBuf>,

    /// Write the mutants and their fates, as each is known
    #[arg(long, value_name = "FILE", requires = "gateway")]
    json: Option<PathBuf>,

    /// Take the fates that are in the file of `--json` already
    #[arg(long, requires = "json")]
    resume: bool,
}

/// Coverage, and a copy that can hold mutants.
struct Ground {
    coverage: Coverage,
    map: Map,
    copy: CopyFolder,
}

impl ReleaseArgs {
    /// Tries mutants and tells the score.
    pub(super) fn run(
        &self,
        gateway: &GatewayRef,
        (globs, least): (&[String], f64),
        catalogue: &Catalogue,
        session: &Session,
        output: &Output,
    ) -> Result<(), Failure> {
        if *gateway == GatewayRef::Reference {
            return Err(
                Failure::usage("the reference gateway has seeded faults, and no mutants")
                    .help("clawgauge mutants tries its faults"),
            );
        }
        let instrument = Instrument::load(&catalogue.data)?;
        let snapshots = Snapshots::load(&catalogue.data)?;
        let selection = selected(catalogue, globs, &self.conditions)?;
        let install = InstallContext::from_env(reference()?, catalogue.needs.clone());
        let options = RunOptions {
            clients: false,
            ..RunOptions::new(vec![gateway.clone()], selection, install)
        };
        let measure = Measure {
            catalogue,
            snapshots: &snapshots,
            instrument: &instrument,
            options,
            globs,
            conditions: &self.conditions,
            output,
            progress: Detail::Quiet,
        };
        let ends = self.budget.map(|budget| Instant::now() + budget.time());
        let report = session.run(async |cancel| {
            let ground = match &self.coverage {
                Some(path) => self.read(path, gateway, &measure, cancel).await?,
                None => measured(gateway, &measure, cancel).await?,
            };
            self.tried(gateway, &ground, &measure, ends, cancel).await
        })?;
        self.write(&report)?;
        let told = output.result(&mutants_text(&report, output.paint()));
        output.first([verdict(&report, least), told])
    }

    /// What was measured before, and a copy of the release.
    async fn read(
        &self,
        path: &PathBuf,
        gateway: &GatewayRef,
        measure: &Measure<'_>,
        cancel: &CancellationToken,
    ) -> Result<Ground, Failure> {
        let wrong = |why: String| {
            let again = format!(
                "clawgauge coverage --gateway {gateway} --json {}",
                path.display()
            );
            Failure::usage(format!("{}: {why}", path.display()))
                .help(format!("measure it: {again}"))
        };
        let bytes = fs_err::read(path).map_err(|error| wrong(error.to_string()))?;
        let coverage = Coverage::read(&bytes).map_err(wrong)?;
        sound(&coverage)?;
        let (install, instrument) = (&measure.options.install, measure.instrument);
        let tell = |step: Step| measure.output.note(&format!("{gateway}: {step}"));
        let program = resolve(gateway, install, &tell, cancel).await?;
        let copy = CopyFolder::make(&program, instrument, install, &tell, cancel).await?;
        let (map, _) = copy.change(instrument, Change::Hold(&[]), cancel).await?;
        let map = Map::read(&map).map_err(|error| InstrumentError::Failed(error.to_string()))?;
        Ok(Ground {
            coverage,
            map,
            copy,
        })
    }

    async fn tried(
        &self,
        gateway: &GatewayRef,
        ground: &Ground,
        measure: &Measure<'_>,
        ends: Option<Instant>,
        cancel: &CancellationToken,
    ) -> Result<MutantReport, Failure> {
        let (map, coverage) = (&ground.map, &ground.coverage);
        let chosen = choose(map, coverage, self.sample, self.seed).map_err(|error| {
            Failure::usage(error.to_string()).help(format!(
                "measure it again: clawgauge coverage --gateway {gateway} --json FILE"
            ))
        })?;
        let head = MutantHead {
            copy_of: coverage.head.copy_of.clone(),
            ..MutantHead::new(
                &gateway.to_string(),
                &coverage.head.version,
                map.mutants.len(),
                self.seed,
            )
        };
        let before = match (&self.json, self.resume) {
            (Some(path), true) if path.exists() => {
                let read = MutantReport::read(&fs_err::read(path)?);
                let wrong = |why| Failure::usage(format!("{}: {why}", path.display()));
                Some(read.map_err(wrong)?).filter(|before| before.head.copy_of == head.copy_of)
            }
            _ => None,
        };
        let read = &measure.catalogue.known_mutants;
        let most = self.cells.map_or(usize::MAX, NonZeroUsize::get);
        let known = |one: &Chosen| before.as_ref()?.decided(one, most).cloned();
        let mut results = Vec::new();
        let mut left = Vec::new();
        for one in chosen {
            match known(&one) {
                Some(fate) => results.push(MutantResult::new(&one, fate)),
                None => left.push(one),
            }
        }
        let output = measure.output;
        let reached = left.iter().filter(|one| one.is_reached()).count();
        output.note(&format!(
            "{} mutants, {} known, {reached} to try, {} not reached",
            results.len() + left.len(),
            results.len(),
            left.len() - reached
        ));
        let kept = Mutex::new(results);
        let tell = |place: usize, fate: &Fate| {
            let one = &left[place];
            if !matches!(fate, Fate::NotReached) {
                output.note(&line(one, fate, output));
            }
            // Whoever panicked while he held it has ended the command.
            if let Ok(mut kept) = kept.lock() {
                kept.push(MutantResult::new(one, fate.clone()));
                let so_far = MutantReport::new(head.clone(), kept.clone(), read);
                if let Err(error) = self.write(&so_far) {
                    tracing::warn!(?error, "the fates so far are not written");
                }
            }
        };
        let options = RunOptions {
            timeout: self.timeout.unwrap_or(TIMEOUT),
            ..measure.options.clone()
        };
        let run = MutantRun {
            catalogue: measure.catalogue,
            snapshots: measure.snapshots,
            options: &options,
            instrument: measure.instrument,
            gateway,
            globs: &coverage.head.globs,
            conditions: &coverage.head.conditions,
            most,
            copy: &ground.copy,
            ends,
        };
        let fates = run.carry_out(&left, &tell, cancel).await?;
        if cancel.is_cancelled() {
            // What is known stands in the file of `--json`.
            return Err(Failure::new(Ending::Interrupted, "interrupted"));
        }
        let mut results = kept.into_inner().unwrap_or_default();
        for (one, fate) in left.iter().zip(fates) {
            if !results.iter().any(|known| known.change.id == one.change.id) {
                results.push(MutantResult::new(one, fate));
            }
        }
        Ok(MutantReport::new(head, results, read))
    }

    fn write(&self, report: &MutantReport) -> Result<(), Failure> {
        let Some(path) = &self.json else {
            return Ok(());
        };
        let mut json = serde_json::to_vec_pretty(report).map_err(std::io::Error::other)?;
        json.push(b'\n');
        Ok(replace_bytes(path, &json)?)
    }
}

/// What the cells reach now.
async fn measured(
    gateway: &GatewayRef,
    measure: &Measure<'_>,
    cancel: &CancellationToken,
) -> Result<Ground, Failure> {
    let Measured {
        coverage,
        map,
        copy,
        ended,
    } = measure.measure(gateway, cancel).await?;
    ended?;
    sound(&coverage)?;
    Ok(Ground {
        coverage,
        map,
        copy,
    })
}

/// Without a mutant everything must conform, or each would be killed by what is wrong anyway.
fn sound(coverage: &Coverage) -> Result<(), Failure> {
    match coverage.head.deviate {
        0 => Ok(()),
        some => Err(Failure::new(
            Ending::Incomplete,
            format!("without a mutant {some} cells deviate, too"),
        )
        .help("clawgauge run shows what is wrong; a score would mean nothing")),
    }
}

/// A fate as it is known.
fn line(one: &Chosen, fate: &Fate, output: &Output) -> String {
    let paint = output.paint_err();
    let name = match fate {
        Fate::Killed { .. } | Fate::Broken { .. } => paint.good(fate.name()),
        Fate::Survived { .. } => paint.bad(fate.name()),
        Fate::NotReached | Fate::Undecided { .. } => paint.warn(fate.name()),
    };
    let more = match fate {
        Fate::Killed { cell, how } => format!(": {how} at {cell}"),
        Fate::Undecided { why } => format!(": {why}"),
        Fate::Broken { .. } | Fate::Survived { .. } | Fate::NotReached => String::new(),
    };
    format!("{name} {}{more}", one.change.id)
}

/// Whether enough of what is reached is noticed.
fn verdict(report: &MutantReport, least: f64) -> Result<(), Failure> {
    let reached = report.score.reached();
    let after_all: Vec<&str> = report
        .told_after_all()
        .map(|one| one.change.id.as_str())
        .collect();
    if !after_all.is_empty() {
        let all = after_all.join(", ");
        let message = format!("scenarios/survivors.toml says that nobody could tell: {all}");
        return Err(Failure::new(Ending::Broken, message)
            .help("a cell tells; take the lines out of the file"));
    }
    if reached.1 == 0 {
        let message = "no mutant that is reached was decided";
        return Err(Failure::new(Ending::Incomplete, message)
            .help("give it more time (--budget), a larger --sample, or more cells"));
    }
    let (score, at_least) = (
        Score::percent(reached),
        Score::percent(report.score.at_least()),
    );
    if score < least {
        let message = format!(
            "{score:.1} % of the mutants that are reached are noticed, {least} % are asked for"
        );
        return Err(Failure::new(Ending::Broken, message));
    }
    match at_least < least {
        false => Ok(()),
        true => Err(Failure::new(
            Ending::Incomplete,
            format!(
                "{} mutants are undecided: between {at_least:.1} and {score:.1} % of those that are reached are noticed, {least} % are asked for",
                report.score.undecided
            ),
        )
        .help("keep the fates with --json, and go on with --resume and more time (--budget)")),
    }
}
