//! `clawgauge coverage`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::tuning::TuningArgs;
use crate::cli::guard::Stdout;
use crate::cli::output::{Failure, Loudness, Output};
use crate::cli::select::selected;
use base::files::replace_bytes;
use clawgauge::project::Project;
use contract::release::GatewayRef;
use contract::scenario::{Catalogue, Instrument};
use contract::snapshots::Snapshots;
use machine::install::Progress as Step;
use machine::instrument::{CopyFolder, InstrumentError};
use record::events::RunEvent;
use record::{Ending, Gate, Recorder};
use reports::{Progress, coverage_change_text, coverage_html, coverage_text};
use runner::coverage::{CountingCopy, Watch};
use runner::{RunOptions, drive, run};
use studies::coverage::{Coverage, CoverageChange, CoverageHead, Map, Ranks};

/// Arguments of `coverage`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CoverageArgs {
    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    globs: Vec<String>,

    /// The release, `openclaw@VERSION`, or the openclaw.mjs of a build
    #[arg(long, value_name = "REF", required_unless_present = "diff")]
    gateway: Option<GatewayRef>,

    /// Only cells with these values: axis=value,value or axis!=value; all that are given must hold
    #[arg(long = "where", value_name = "EXPR")]
    conditions: Vec<String>,

    /// Write everything for programs: which cells reach which function and branch; `-` is stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write one page: the regions, what is never reached, and the source with who reaches it beside it
    #[arg(long, value_name = "FILE", conflicts_with = "diff")]
    html: Option<PathBuf>,

    /// How many points to print that no cell reaches
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,

    /// Launch nothing: say which functions differ between two files that `--json` wrote, and which cells reach them
    #[arg(long, value_names = ["OLD.json", "NEW.json"], num_args = 2, conflicts_with_all = ["gateway", "globs", "conditions"])]
    diff: Vec<PathBuf>,

    #[command(flatten)]
    tuning: TuningArgs,

    #[command(flatten)]
    loudness: Loudness,
}

impl CoverageArgs {
    pub(super) fn stdout(&self) -> Stdout {
        match self.json.as_deref() == Some(Path::new("-")) {
            true => Stdout::Data,
            false => Stdout::Text,
        }
    }
}

/// Measures, or compares what was measured.
pub(super) fn coverage(
    args: &CoverageArgs,
    project: &Project,
    load: &dyn Fn() -> Result<Catalogue, Failure>,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let tuning = args.tuning.clone().with_defaults(project)?;
    tuning.start_log()?;
    let Some(gateway) = &args.gateway else {
        return args.compare(output);
    };
    if *gateway == GatewayRef::Reference {
        return Err(Failure::usage(
            "the reference gateway is no package whose code could be counted",
        )
        .help("name a release: --gateway openclaw@2026.9.6"));
    }
    let catalogue = load()?;
    let instrument = Instrument::load(&catalogue.data)?;
    let selection = selected(&catalogue, &args.globs, &args.conditions)?;
    let snapshots = Snapshots::load(&catalogue.data)?;
    let options = tuning.options(&catalogue, std::slice::from_ref(gateway), selection)?;
    let measure = Measure {
        catalogue: &catalogue,
        snapshots: &snapshots,
        instrument: &instrument,
        options: RunOptions {
            // Another client's requests come from a port that nobody knows.
            clients: false,
            ..options
        },
        globs: &args.globs,
        conditions: &args.conditions,
        output,
        progress: args.loudness.detail(),
    };
    let measured = session.run(async |cancel| measure.measure(gateway, cancel).await)?;
    let Measured {
        coverage,
        map,
        ended,
        ..
    } = measured;
    output.first([ended, args.write(&coverage, &map, output)])
}

/// What is measured, and how.
pub(super) struct Measure<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) snapshots: &'a Snapshots,
    pub(super) instrument: &'a Instrument,
    pub(super) options: RunOptions,
    /// What was asked for.
    pub(super) globs: &'a [String],
    pub(super) conditions: &'a [String],
    pub(super) output: &'a Output,
    pub(super) progress: reports::Detail,
}

/// What came of it.
pub(super) struct Measured {
    pub(super) coverage: Coverage,
    /// What there is to reach.
    pub(super) map: Map,
    /// The copy, which can be changed again.
    pub(super) copy: CopyFolder,
    /// How the run ended.
    pub(super) ended: Result<(), Failure>,
}

impl Measure<'_> {
    /// Makes a copy that counts, runs it, and reads what was reached.
    ///
    /// # Errors
    /// The copy cannot be made, or what it wrote cannot be read.
    pub(super) async fn measure(
        &self,
        gateway: &GatewayRef,
        cancel: &CancellationToken,
    ) -> Result<Measured, Failure> {
        let mut progress = self.output.progress(self.progress);
        let copy = counting_copy(
            gateway,
            &self.options,
            self.instrument,
            &mut progress,
            cancel,
        )
        .await?;
        let options = RunOptions {
            program: Some(copy.program.clone()),
            ..self.options.clone()
        };
        let (catalogue, snapshots) = (self.catalogue.clone(), self.snapshots.clone());
        let mut watch = Watch::default();
        let mut version = None;
        let mut recorder = Recorder::new(&self.catalogue.table_hash, Gate::default())
            .held_against(Some(self.snapshots.hash()));
        let work = async |events, stop| run(catalogue, snapshots, options, events, stop).await;
        drive(work, cancel, |event| {
            if let RunEvent::GatewayReady(info) = event {
                version = Some(info.version.to_string());
            }
            watch.event(event);
            progress.event(event);
            recorder.event(event);
            ControlFlow::Continue(())
        })
        .await;
        let record = recorder.ended(self.catalogue).head;
        let (asked, not_asked, deviate) = watch.counts();
        let parser = &self.instrument.parser;
        let head = CoverageHead {
            copy_of: copy.original.integrity.clone(),
            node: copy.original.node.clone(),
            globs: self.globs.to_vec(),
            conditions: self.conditions.to_vec(),
            asked,
            not_asked,
            deviate,
            ..CoverageHead::new(
                &gateway.to_string(),
                &version.unwrap_or_default(),
                format!("{} {}", parser.package, parser.version),
            )
        };
        let ended = match record.ending() {
            // Whether the contract holds is not what was asked.
            (Ending::Holds | Ending::Broken, _) => Ok(()),
            (ending, why) => Err(Failure::new(ending, why)),
        };
        let reach = copy.reach(watch)?;
        let ranks = Ranks::new(&self.instrument.regions.rank)
            .map_err(|error| Failure::usage(format!("fixtures/coverage/regions.toml: {error}")))?;
        if deviate > 0 {
            self.output.note(&format!(
                "{} deviate on the copy; whether they do on the release itself, clawgauge run --gateway {gateway} says",
                base::text::count(deviate, "cell")
            ));
        }
        Ok(Measured {
            coverage: Coverage::new(head, &copy.map, &reach, &ranks),
            map: copy.map,
            copy: copy.folder,
            ended,
        })
    }
}

/// A copy that counts; how it is made is told.
async fn counting_copy(
    gateway: &GatewayRef,
    options: &RunOptions,
    instrument: &Instrument,
    progress: &mut Progress,
    cancel: &CancellationToken,
) -> Result<CountingCopy, Failure> {
    let name = gateway.to_string();
    let shown = std::sync::Mutex::new(progress);
    let tell = |step: Step| {
        let event = RunEvent::Preparing {
            gateway: name.clone(),
            what: step.to_string(),
        };
        if let Ok(mut shown) = shown.lock() {
            shown.event(&event);
        }
    };
    Ok(CountingCopy::make(gateway, options, instrument, &tell, cancel).await?)
}

impl From<InstrumentError> for Failure {
    fn from(error: InstrumentError) -> Self {
        let ending = match error {
            InstrumentError::Cancelled => Ending::Interrupted,
            _ => Ending::Gateway,
        };
        Self::new(ending, error.to_string()).helped(error.help())
    }
}

impl CoverageArgs {
    fn write(&self, coverage: &Coverage, map: &Map, output: &Output) -> Result<(), Failure> {
        if let Some(path) = &self.html {
            let page = coverage_html(coverage, map).map_err(std::io::Error::other)?;
            replace_bytes(path, page.as_bytes())?;
        }
        let text = || coverage_text(coverage, self.top, output.paint());
        self.put(coverage, text, output)
    }

    /// The document where it was asked for, the text for people elsewhere.
    fn put(
        &self,
        document: &impl serde::Serialize,
        text: impl FnOnce() -> String,
        output: &Output,
    ) -> Result<(), Failure> {
        match self.json.as_deref() {
            Some(path) if path == Path::new("-") => return output.json(document),
            Some(path) => {
                let mut json = serde_json::to_vec(document).map_err(std::io::Error::other)?;
                json.push(b'\n');
                replace_bytes(path, &json)?;
            }
            None => {}
        }
        match self.loudness.quiet {
            true => Ok(()),
            false => output.result(&text()),
        }
    }

    /// Two documents that are there.
    fn compare(&self, output: &Output) -> Result<(), Failure> {
        let read = |path: &PathBuf| {
            let wrong = |why: String| {
                Failure::usage(format!("{}: {why}", path.display()))
                    .help("make one: clawgauge coverage --gateway openclaw@VERSION --json FILE")
            };
            let bytes = fs_err::read(path).map_err(|error| wrong(error.to_string()))?;
            Coverage::read(&bytes).map_err(wrong)
        };
        let (before, after) = (read(&self.diff[0])?, read(&self.diff[1])?);
        let change = CoverageChange::between(&before, &after);
        self.put(
            &change,
            || coverage_change_text(&change, output.paint()),
            output,
        )
    }
}
