//! `clawgauge bisect`.

use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::drive::{RecordedRun, RunOutcome};
use super::releases::say_step;
use super::session::Session;
use super::tuning::{TuningArgs, tell_day};
use crate::cli::exit::Exit;
use crate::cli::guard::Stdout;
use crate::cli::output::{Failure, Output, Shape, ended};
use base::nearest::nearest;
use base::text::one_line;
use clawgauge::project::Project;
use contract::plan::Selection;
use contract::release::{GatewayRef, RangeError, ReleaseName, Releases, Version, Walk};
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use machine::install::{InstallError, releases};
use record::Gate;
use reports::{bisection, bisection_markdown};
use runner::RunOptions;
use runner::prefetch::Prefetch;
use studies::bisect::{
    Bounds, BoundsError, EndError, Find, Hunt, Label, Probes, Question, QuestionError, Records,
    Tested, Towards,
};

/// Releases to try between ends that agree, where nobody says how many.
const PROBES: usize = 8;

/// Arguments of `bisect`.
#[derive(Debug, Args)]
pub(in crate::cli) struct BisectArgs {
    /// What is asked: id of a cell, id of a rule (`scenario/rule` where several have it), or id of a known issue
    #[arg(value_name = "CELL|RULE|KNOWN-ISSUE")]
    what: String,

    /// A release that is good: its answer is what good means; may be repeated
    #[arg(long, value_name = "RELEASE")]
    good: Vec<String>,

    /// A release that is bad; may be repeated
    #[arg(long, value_name = "RELEASE")]
    bad: Vec<String>,

    /// Find every change between two releases, whatever they answer
    #[arg(long, value_names = ["RELEASE", "RELEASE"], num_args = 2, conflicts_with_all = ["good", "bad", "find"])]
    between: Vec<String>,

    /// What is looked for [default: as the order of good and bad says; from one release alone, a break]
    #[arg(long, value_name = "WHAT")]
    find: Option<Find>,

    /// The outcome that is good; every other answer is bad [default: good is what the good end answers, bad what the bad one does]
    #[arg(long, value_name = "OUTCOME")]
    expect: Option<String>,

    /// Walk through betas, too
    #[arg(long)]
    betas: bool,

    /// Walk through long-term lines, too
    #[arg(long)]
    long_term: bool,

    /// Releases to try, by halving, between releases that answer the same [default: 8 where the ends answer the same and nothing
    /// was found, else none]
    #[arg(long, value_name = "N")]
    probes: Option<usize>,

    /// Do not try first the releases that rules and known issues name
    #[arg(long)]
    no_hints: bool,

    /// Keep a record of every release that is tested; what the folder holds for the same scenario files is not tested again
    #[arg(long, value_name = "DIR")]
    keep_records: Option<PathBuf>,

    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Shape,

    #[command(flatten)]
    tuning: TuningArgs,
}

impl BisectArgs {
    pub(super) fn stdout(&self) -> Stdout {
        self.format.stdout()
    }
}

/// Finds the release that changed an answer.
pub(super) fn bisect(
    args: BisectArgs,
    project: &Project,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let tuning = args.tuning.clone().with_defaults(project)?;
    tuning.start_log()?;
    if args.tuning.release.is_some() {
        return Err(
            Failure::usage("--release judges a gateway that does not tell its version")
                .help("bisect launches published releases, which do: leave it out"),
        );
    }
    let question = Question::find(catalogue, &args.what)?;
    if let Some(expect) = &args.expect {
        known_outcome(catalogue, expect)?;
    }
    if args.good.is_empty() && args.bad.is_empty() && args.between.is_empty() {
        return Err(BoundsError::None.into());
    }
    let records = match &args.keep_records {
        None => None,
        Some(folder) => Some(Records::open(folder, &catalogue.table_hash)?),
    };
    tell_day(catalogue, output);
    let snapshots = Snapshots::load(&catalogue.data)?;
    let selection = Selection::default();
    let options = RunOptions {
        release: None,
        retries: tuning.retries.unwrap_or(1),
        ..tuning.options(catalogue, &[], selection)?
    };
    let command = Command {
        args: &args,
        catalogue,
        snapshots: &snapshots,
        output,
        records,
        options,
    };
    session.run(async |cancel| command.carry_out(question, cancel).await)
}

struct Command<'a> {
    args: &'a BisectArgs,
    catalogue: &'a Catalogue,
    snapshots: &'a Snapshots,
    output: &'a Output,
    records: Option<Records>,
    options: RunOptions,
}

impl Command<'_> {
    async fn carry_out(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let say = |step| say_step(self.output, &step);
        let releases = releases(&self.options.install, &say, cancel).await?;
        let bounds = self.bounds(&releases)?;
        let line = self.line(&bounds, &releases)?;
        let probes = match self.args.probes {
            Some(number) => Probes::Exactly(number),
            None => bounds.probes(PROBES),
        };
        let hints = !self.args.no_hints;
        let expect = self.args.expect.clone();
        let mut hunt = Hunt::new(
            self.catalogue,
            question,
            bounds,
            line,
            hints,
            probes,
            expect,
        )?;
        let output = self.output.clone();
        let mut prefetch = Prefetch::new(
            self.options.install.clone(),
            self.options.retries,
            move |step| say_step(&output, &step),
            cancel,
        );
        let searched = self.search(&mut hunt, &mut prefetch, cancel).await;
        prefetch.stop().await;
        match searched {
            Err(_) if cancel.is_cancelled() => {}
            searched => searched?,
        }
        let found = hunt.finish(self.catalogue, &releases, cancel.is_cancelled());
        let written = match self.args.format {
            Shape::Text => self.output.result(&bisection(&found, self.output.paint())),
            Shape::Json => self.output.json(&found),
            Shape::Markdown => self.output.data(&bisection_markdown(&found)),
        };
        self.output.first([ended(found.ending()), written])
    }

    /// What is said about releases; `latest` and the like are looked up.
    fn bounds(&self, releases: &Releases) -> Result<Bounds, Failure> {
        let mut said: Vec<(Version, Label)> = Vec::new();
        let args = self.args;
        for (names, label) in [
            (&args.good, Label::Good),
            (&args.bad, Label::Bad),
            (&args.between, Label::End),
        ] {
            for name in names {
                let version = releases
                    .named(name)
                    .map_err(|error| unknown_release(&error))?;
                said.push((version, label));
            }
        }
        Ok(Bounds::new(said, args.find)?)
    }

    fn line(&self, bounds: &Bounds, releases: &Releases) -> Result<Vec<Version>, Failure> {
        let walk = Walk {
            betas: self.args.betas,
            long_term: self.args.long_term,
        };
        let named: Vec<&Version> = bounds.labels().map(|(version, _)| version).collect();
        let nothing = || Failure::usage("there are no releases");
        let (first, last) = match (named.first(), named.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => return Err(nothing()),
        };
        let (first, last) = match bounds.towards() {
            None => (first, last),
            Some(Towards::Earlier) => (releases.all().first().ok_or_else(nothing)?, last),
            Some(Towards::Later) => (first, releases.latest().ok_or_else(nothing)?.max(first)),
        };
        let mut line = releases.between(first, last, walk);
        // A beta in the middle that somebody names is on the line.
        line.extend(named.into_iter().cloned());
        line.sort();
        line.dedup();
        Ok(line)
    }

    async fn search(
        &self,
        hunt: &mut Hunt,
        prefetch: &mut Prefetch,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        if let Some(records) = &self.records {
            for tested in records.read(hunt.question(), hunt.line())? {
                let release = tested.release.clone();
                hunt.take(tested)?;
                self.output.note(&format!(
                    "{release}: {} (from a record)",
                    hunt.said(&release)
                ));
            }
        }
        while let Some(next) = hunt.next() {
            if cancel.is_cancelled() {
                break;
            }
            let tested = match prefetch.ready(&next.test, &next.ahead).await {
                Ok(()) => self.test(hunt.question(), &next.test, cancel).await?,
                Err(error) => Tested::nothing(next.test.clone(), not_installed(&error), true),
            };
            if cancel.is_cancelled() {
                break;
            }
            hunt.take(tested)?;
            self.output
                .note(&format!("{}: {}", next.test, hunt.said(&next.test)));
        }
        Ok(())
    }

    /// Launches a release, under the profiles of the cells only, and asks.
    async fn test(
        &self,
        question: &Question,
        release: &Version,
        cancel: &CancellationToken,
    ) -> Result<Tested, Failure> {
        self.output.note(&format!("{release}: testing"));
        let gateway = GatewayRef::Published(ReleaseName::Exact(release.clone()));
        let ids: Vec<String> = question.ids().collect();
        let options = RunOptions {
            gateways: vec![gateway],
            selection: Selection::only(ids.clone()),
            ..self.options.clone()
        };
        let recorded = RecordedRun {
            catalogue: self.catalogue,
            snapshots: self.snapshots,
            output: self.output,
            progress: None,
            globs: &ids,
            conditions: &[],
            fail_fast: false,
            keep_launches: true,
        };
        let RunOutcome { run, launches } = recorded.drive(options, Gate::default(), cancel).await;
        let (record, _) = run.into_record();
        if let (Some(records), false) = (&self.records, record.run.interrupted) {
            records.keep(&record, question, release)?;
        }
        let untold = || {
            let why = "the run did not tell about all cells".to_owned();
            Tested::nothing(release.clone(), why, false)
        };
        let mut tested = Tested::of(&record, release, question.ids()).unwrap_or_else(untold);
        // What the gateway said last is the best reason there is.
        if let Some(trouble) = &mut tested.trouble
            && trouble.gateway
            && let Some(launch) = launches.iter().rfind(|launch| launch.failure.is_some())
            && let Some(line) = launch.log.0.iter().rfind(|line| !line.trim().is_empty())
            && !trouble.why.contains(line.trim())
        {
            trouble.why = format!("{}; its last line: {}", trouble.why, one_line(line));
        }
        Ok(tested)
    }
}

/// Why a release could not be installed, in one line.
fn not_installed(error: &InstallError) -> String {
    match error {
        InstallError::Npm { what, tail, .. } => {
            let last = tail.iter().rfind(|line| !line.trim().is_empty());
            let last = last.map_or("it says nothing", String::as_str);
            format!("npm could not install {what}: {}", one_line(last))
        }
        _ => error.to_string(),
    }
}

fn known_outcome(catalogue: &Catalogue, name: &str) -> Result<(), Failure> {
    if catalogue
        .outcomes
        .values()
        .any(|outcome| outcome.id == name)
    {
        return Ok(());
    }
    let failure = Failure::usage(format!("there is no outcome {name}"));
    let ids = catalogue
        .outcomes
        .values()
        .map(|outcome| outcome.id.as_str());
    Err(match nearest(name, ids) {
        Some(nearest) => failure.help(format!("the closest is {nearest}")),
        None => failure.help("scenarios/outcomes.toml has them all"),
    })
}

impl From<QuestionError> for Failure {
    fn from(error: QuestionError) -> Self {
        Self::usage(error.to_string()).help(error.help())
    }
}

impl From<BoundsError> for Failure {
    fn from(error: BoundsError) -> Self {
        Self::usage(error.to_string()).help(error.help())
    }
}

impl From<EndError> for Failure {
    fn from(error: EndError) -> Self {
        let exit = error.ending().map_or(Exit::Usage, Exit::from);
        Self::new(exit, error.to_string()).help(error.help())
    }
}

fn unknown_release(error: &RangeError) -> Failure {
    Failure::usage(error.to_string()).help("npm view openclaw versions lists what there is")
}
