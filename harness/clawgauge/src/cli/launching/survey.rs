//! `clawgauge survey`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::releases::{WalkArgs, ranges, select};
use super::session::Session;
use super::tuning::{TuningArgs, tell_day};
use crate::cli::guard::Stdout;
use crate::cli::output::{Failure, Loudness, Output, ended};
use crate::cli::reference::reference;
use crate::cli::select::selected;
use base::files::replace_bytes;
use clawgauge::project::Project;
use contract::plan::{ShardArg, ShardError};
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use machine::install::{InstallContext, releases};
use record::Ending;
use record::events::RunEvent;
use reports::{Detail, INDEX, Progress, site, survey_markdown, write_site};
use runner::RunOptions;
use runner::survey::{Event, Job, Outcome, carry_out};
use studies::survey::{Again, Folder, Kept, State, StateKind, SurveyRequest, Table};

/// Folder of the records below that of the pages, where none is named.
const RECORDS: &str = "records";

/// Arguments of `survey`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SurveyArgs {
    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    globs: Vec<String>,

    /// The releases: `2026.3.28`, `2026.3.*`, `>=2026.3.24, <2026.5.1`, `>=latest-5`; may be repeated
    #[arg(long, value_name = "RANGE", required_unless_present = "from")]
    releases: Vec<String>,

    #[command(flatten)]
    walk: WalkArgs,

    /// Only cells with these values: axis=value,value or axis!=value; all that are given must hold
    #[arg(long = "where", value_name = "EXPR")]
    conditions: Vec<String>,

    /// Write the table as a static site: index.html, a page a release, survey.json
    #[arg(long, value_name = "DIR", required_unless_present_any = ["json", "markdown"])]
    html: Option<PathBuf>,

    /// Keep the records here, one a release; what is there already is not run again [default: records/ in the folder of the
    /// pages]
    #[arg(long, value_name = "DIR", required_unless_present_any = ["html", "from"])]
    json: Option<PathBuf>,

    /// Write what changed since which release as Markdown; `-` is stdout
    #[arg(long, value_name = "PATH")]
    markdown: Option<PathBuf>,

    /// Run nothing: make the pages from the records in this folder, which may have come from many machines. With `--releases`,
    /// from those of these releases, and what is missing is named
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "globs", "conditions", "again", "shard"])]
    from: Option<PathBuf>,

    /// Survey only the K-th of N parts of the releases; the records of all parts in one folder are the whole survey. `auto`
    /// takes the part from the variables of a pipeline, which nothing else does
    #[arg(long, value_name = "K/N|auto")]
    shard: Option<ShardArg>,

    /// How many of the releases that the survey installs may stay installed at a time; with less than 2 none is installed
    /// ahead
    #[arg(long, value_name = "N", default_value_t = 2)]
    keep: usize,

    /// Run releases again that have a record: all, or those of which some cells could not be asked. What could not be
    /// installed or started the last time is tried again in any case
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    again: Option<Again>,

    #[command(flatten)]
    tuning: TuningArgs,

    #[command(flatten)]
    loudness: Loudness,
}

/// Runs what has no record, and makes the pages.
pub(super) fn survey(
    args: SurveyArgs,
    project: &Project,
    load: &dyn Fn() -> Result<Catalogue, Failure>,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let args = SurveyArgs {
        tuning: args.tuning.clone().with_defaults(project)?,
        ..args
    };
    args.tuning.start_log()?;
    match &args.from {
        Some(folder) => args.again_from(folder, load, session, output),
        None => args.run(&load()?, session, output),
    }
}

/// The records of a folder.
fn read_all(path: &Path, output: &Output) -> Result<Vec<Kept>, Failure> {
    let (kept, wrong) = Folder::at(path.to_path_buf()).all()?;
    for error in &wrong {
        output.note(&format!("left out: {error}"));
    }
    if kept.is_empty() {
        return Err(Failure::usage(format!(
            "there is no record of a release in {}",
            path.display()
        ))
        .help("make some: clawgauge survey --releases RANGE --json DIR"));
    }
    Ok(kept)
}

impl SurveyArgs {
    pub(super) fn stdout(&self) -> Stdout {
        match self.markdown.as_deref() == Some(Path::new("-")) {
            true => Stdout::Data,
            false => Stdout::Text,
        }
    }

    /// Makes the pages from records that are there.
    fn again_from(
        &self,
        folder: &Path,
        load: &dyn Fn() -> Result<Catalogue, Failure>,
        session: &Session,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut kept = read_all(folder, output)?;
        if self.releases.is_empty() {
            return self.render(&kept, output);
        }
        let install = InstallContext::from_env(reference()?, load()?.needs);
        let wanted = session.run(async |cancel| self.selected(&install, output, cancel).await)?;
        kept.retain(|kept| wanted.contains(&kept.version));
        let there = |version: &&Version| kept.iter().any(|kept| kept.version == **version);
        let missing: Vec<&Version> = wanted.iter().filter(|version| !there(version)).collect();
        let complete = match missing.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(
                Ending::Incomplete,
                format!("no record of {}", names(&missing)),
            )),
        };
        output.first([complete, self.render(&kept, output)])
    }

    fn run(
        &self,
        catalogue: &Catalogue,
        session: &Session,
        output: &Output,
    ) -> Result<(), Failure> {
        let selection = selected(catalogue, &self.globs, &self.conditions)?;
        let path = match (&self.json, &self.html) {
            (Some(json), _) => json.clone(),
            (None, Some(html)) => html.join(RECORDS),
            (None, None) => return Err(Failure::usage("name a folder with --html or --json")),
        };
        let folder = Folder::at(path);
        folder.prepare().map_err(|error| {
            Failure::usage(format!("cannot write {}: {error}", folder.path().display()))
                .help("name a folder that can be written with --json")
        })?;
        tell_day(catalogue, output);
        let options = self.tuning.options(catalogue, &[], selection)?;
        let snapshots = Snapshots::load(&catalogue.data)?;
        let (outcome, interrupted) = session.run(async |cancel| {
            let releases = self.releases(&options, output, cancel).await?;
            let mut teller = Teller::new(output, self.detail());
            let job = Job {
                catalogue,
                snapshots: &snapshots,
                options,
                asked: SurveyRequest {
                    table_hash: catalogue.table_hash.clone(),
                    cells: self.globs.clone(),
                    conditions: self.conditions.clone(),
                },
                releases: &releases,
                folder: &folder,
                again: self.again.unwrap_or_default(),
                keep: self.keep,
            };
            let outcome = carry_out(&job, cancel, &mut |event| teller.event(&event)).await;
            let outcome = outcome.map_err(|error| {
                Failure::usage(error.to_string())
                    .help("what was recorded is kept; the same command goes on from there")
            })?;
            Ok((outcome, cancel.is_cancelled()))
        })?;
        let rendered = self.render(&outcome.kept, output);
        output.first([ended(survey_ending(&outcome, interrupted)), rendered])
    }

    /// The releases that this machine surveys, in order.
    async fn releases(
        &self,
        options: &RunOptions,
        output: &Output,
        cancel: &CancellationToken,
    ) -> Result<Vec<Version>, Failure> {
        let mut selected = self.selected(&options.install, output, cancel).await?;
        let Some(shard) = self.shard else {
            return Ok(selected);
        };
        let variable = |name: &str| std::env::var(name).ok();
        let fail = |error: ShardError| Failure::usage(error.to_string()).help(error.help());
        let (shard, by) = shard.resolve(variable).map_err(fail)?;
        if let Some(names) = by {
            output.note(&format!("shard {shard}, from {names}"));
        }
        let all = selected.len();
        let mut place = 0..;
        selected.retain(|_| place.next().is_some_and(|place| shard.takes(place)));
        if selected.is_empty() {
            let why = format!("shard {shard} of {all} releases is empty");
            return Err(
                Failure::new(Ending::Incomplete, why).help("ask for no more shards than releases")
            );
        }
        Ok(selected)
    }

    /// The releases that the ranges select, in order.
    async fn selected(
        &self,
        install: &InstallContext,
        output: &Output,
        cancel: &CancellationToken,
    ) -> Result<Vec<Version>, Failure> {
        let ranges = ranges(&self.releases)?;
        let tell = |step: machine::install::Progress| output.note(&step.to_string());
        let all = releases(install, &tell, cancel).await?;
        Ok(select(&ranges, &all, self.walk.into())?)
    }

    fn detail(&self) -> Detail {
        self.loudness.detail()
    }

    /// Writes what was asked for.
    fn render(&self, kept: &[Kept], output: &Output) -> Result<(), Failure> {
        if kept.is_empty() || (self.html.is_none() && self.markdown.is_none()) {
            return Ok(());
        }
        let table = Table::of(kept).map_err(|error| {
            let help = "records of one table are made by the same files and about the same cells; --again makes them anew";
            Failure::usage(error.to_string()).help(help)
        })?;
        if let Some(html) = &self.html {
            let records = self.records_from(html);
            let files = site(&table, kept, records.as_deref());
            let files = files.map_err(|error| Failure::usage(format!("the pages: {error}")))?;
            write_site(html, &files)?;
            self.say(
                output,
                &format!("the table: {}", html.join(INDEX).display()),
            );
        }
        match &self.markdown {
            None => {}
            Some(path) if path == Path::new("-") => {
                output.data(&survey_markdown(&table))?;
            }
            Some(path) => replace_bytes(path, survey_markdown(&table).as_bytes())?,
        }
        Ok(())
    }

    /// Where the records are, seen from the pages, if they are below them.
    fn records_from(&self, html: &Path) -> Option<String> {
        let records = match (&self.from, &self.json) {
            (Some(path), _) | (None, Some(path)) => path.clone(),
            (None, None) => html.join(RECORDS),
        };
        let whole = |path: &Path| fs_err::canonicalize(path).ok();
        fs_err::create_dir_all(html).ok()?;
        let below = whole(&records)?
            .strip_prefix(whole(html)?)
            .ok()?
            .to_path_buf();
        Some(below.to_str()?.to_owned())
    }

    fn say(&self, output: &Output, text: &str) {
        if self.detail() > Detail::Quiet {
            output.note(text);
        }
    }
}

fn names(versions: &[&Version]) -> String {
    let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// How a survey ends, and why. Deviations are what it is there to find: they do not fail it.
fn survey_ending(outcome: &Outcome, interrupted: bool) -> (Ending, String) {
    let ran = outcome.that(&[StateKind::Ran, StateKind::Broken]);
    let missing = outcome.that(&[StateKind::CannotInstall, StateKind::CannotStart]);
    let (kept, left) = (outcome.kept.len(), outcome.left.len());
    let all = names(&missing);
    match (interrupted, ran.len(), missing.len()) {
        (true, ..) => (
            Ending::Interrupted,
            format!(
                "interrupted; {kept} releases have a record, {left} are left: the same command goes on from there"
            ),
        ),
        (false, 0, _) => (Ending::Gateway, format!("no release could be run: {all}")),
        (false, _, 0) => (Ending::Holds, String::new()),
        (false, _, count) => (
            Ending::Incomplete,
            format!("{count} of {kept} releases could not be run: {all}"),
        ),
    }
}

/// Tells a survey's events on stderr.
struct Teller<'a> {
    output: &'a Output,
    detail: Detail,
    progress: Progress,
}

impl<'a> Teller<'a> {
    fn new(output: &'a Output, detail: Detail) -> Self {
        Self {
            output,
            detail,
            progress: Self::progress(output, detail),
        }
    }

    /// The progress of a release's run. Where nobody watches, its single steps are told to those only who want them.
    fn progress(output: &Output, detail: Detail) -> Progress {
        let told = match (detail, output.live()) {
            (Detail::Normal, false) => Detail::Quiet,
            (detail, _) => detail,
        };
        output.progress(told)
    }

    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Kept(kept) => self.say(&format!("{}: has a record", kept.version)),
            Event::Begins {
                version,
                place,
                of,
                why,
                left,
            } => {
                self.progress = Self::progress(self.output, self.detail);
                let left =
                    left.map_or(String::new(), |left| format!(", about {} left", time(left)));
                self.say(&format!("{version}: release {place} of {of} ({why}){left}"));
            }
            Event::Run(event) => {
                // Cells that are not as they should be are what a survey is for; a release that is stopped is told below.
                if !matches!(event, RunEvent::Interrupted) {
                    self.progress.event(event);
                }
            }
            Event::GivenUp(version) => {
                self.say(&format!(
                    "{version}: no launch succeeds, so no further one is tried"
                ));
            }
            Event::Recorded { kept, state, took } => {
                let summary = &kept.record.summary;
                let counts = match state.kind {
                    StateKind::Ran | StateKind::Broken => format!(
                        ", {} conform, {} known, {} deviate, {} not applicable, {} could not run",
                        summary.conforms,
                        summary.known,
                        summary.deviates + summary.stale + summary.new,
                        summary.not_applicable,
                        summary.could_not_run
                    ),
                    StateKind::CannotInstall | StateKind::CannotStart => String::new(),
                };
                let (words, kib) = (state.kind.words(), kept.bytes.div_ceil(1024));
                self.say(&format!(
                    "{}: {words}{counts} ({}, {kib} KiB)",
                    kept.version,
                    time(*took)
                ));
                self.remarks(state);
            }
            Event::Dropped(dropped) => match &dropped.stays {
                None => self.say(&format!(
                    "{}: removed from the cache again",
                    dropped.version
                )),
                Some(why) => self
                    .output
                    .note(&format!("{}: stays in the cache: {why}", dropped.version)),
            },
        }
    }

    fn remarks(&self, state: &State) {
        for note in &state.workarounds {
            self.say(&format!("  {note}"));
        }
        if let (StateKind::Broken, Some(reason)) = (state.kind, &state.reason) {
            self.say(&format!("  {reason}"));
        }
    }

    fn say(&self, text: &str) {
        if self.detail > Detail::Quiet {
            self.output.note(text);
        }
    }
}

/// A time as people say it.
fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..90 => format!("{seconds} s"),
        seconds @ 90..5400 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
