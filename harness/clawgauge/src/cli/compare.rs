//! `clawgauge compare A B`: what changed for callers.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::guard::Stdout;
use super::launching::{Session, Side, TuningArgs};
use super::output::{Failure, Loudness, Output, Shape, ended};
use super::reports::check_writable;
use super::select::selected;
use clawgauge::project::Project;
use contract::plan::Selection;
use contract::release::{GatewayRef, is_tarball};
use contract::scenario::Catalogue;
use record::{CellRecord, Ending, Record, Results, is_record};
use reports::{Detail, Format, comparison_markdown, comparison_text, write_report};
use studies::bundle::Bundle;
use studies::compare::{CompareError, Comparison, Ended, Profiles, RecordSide};

/// Columns of a report that no terminal shows.
const COLUMNS: usize = 120;
/// Lines are neither shorter nor longer than this, however wide the terminal is.
const FEWEST_COLUMNS: usize = 60;

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// What callers know: a gateway as `run` takes it, or a record or bundle of a run
    #[arg(value_name = "A")]
    a: Input,

    /// What takes its place: as A
    #[arg(value_name = "B")]
    b: Input,

    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    globs: Vec<String>,

    /// Only cells with these values: axis=value,value or axis!=value; all that are given must hold
    #[arg(long = "where", value_name = "EXPR")]
    conditions: Vec<String>,

    /// What to print: for a terminal, a note to paste into an issue, or the comparison itself
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Shape,

    /// Write the records of what is run to DIR/a.json and DIR/b.json, to compare them again or to report on them
    #[arg(long, value_name = "DIR")]
    keep_records: Option<PathBuf>,

    /// Of a record of several gateways as A: which one
    #[arg(long, value_name = "REF")]
    gateway_a: Option<String>,

    /// Of a record of several gateways as B: which one
    #[arg(long, value_name = "REF")]
    gateway_b: Option<String>,

    /// Compare records although they were judged by different scenario files
    #[arg(long)]
    allow_different_contract: bool,

    #[command(flatten)]
    tuning: TuningArgs,

    #[command(flatten)]
    loudness: Loudness,
}

/// One side as somebody names it.
#[derive(Debug, Clone)]
enum Input {
    /// Something to run.
    Gateway(GatewayRef),
    /// What `run` wrote.
    File(PathBuf),
}

impl FromStr for Input {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        // Whether a file is there, and sound, is found out with the rest of it. What ends with .tgz may be a gateway.
        let ends = [".json", ".json.gz", ".tar.gz"];
        let package = is_tarball(path) && Bundle::is_npm_package(path);
        let named = ends.iter().any(|end| text.ends_with(end)) && !package;
        if named || is_record(path) || (Bundle::is_one(path) && !package) {
            return Ok(Self::File(path.to_path_buf()));
        }
        let gateway = text.parse::<GatewayRef>();
        gateway.map(Self::Gateway).map_err(|error| {
            format!("{error}; a record is what `clawgauge run --report json=PATH` wrote")
        })
    }
}

/// Runs what is no record, compares, and says what changed.
pub(super) fn compare(
    args: CompareArgs,
    project: &Project,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let tuning = args.tuning.clone().with_defaults(project)?;
    tuning.start_log()?;
    let selection = selected(catalogue, &args.globs, &args.conditions)?;
    if let Some(folder) = &args.keep_records {
        fs_err::create_dir_all(folder)?;
        check_writable(&folder.join("a.json"))?;
    }
    let task = Task {
        args: &args,
        tuning: &tuning,
        catalogue,
        selection: &selection,
        session,
        output,
    };
    let comparison = task.carry_out()?;
    let written = match args.format {
        Shape::Json => output.json(&comparison),
        Shape::Markdown => output.data(&comparison_markdown(&comparison)),
        Shape::Text => output.result(&comparison_text(
            &comparison,
            args.detail(),
            columns(),
            output.paint(),
        )),
    };
    let Ended { ending, why } = comparison.ended();
    output.first([ended((ending, why)), written])
}

impl CompareArgs {
    pub(super) fn stdout(&self) -> Stdout {
        self.format.stdout()
    }

    fn detail(&self) -> Detail {
        self.loudness.detail()
    }
}

/// How wide the report may be.
fn columns() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let wide = terminal.map(|(width, _)| usize::from(width.0));
    wide.unwrap_or(COLUMNS).clamp(FEWEST_COLUMNS, COLUMNS)
}

/// A comparison to be made.
struct Task<'a> {
    args: &'a CompareArgs,
    tuning: &'a TuningArgs,
    catalogue: &'a Catalogue,
    selection: &'a Selection,
    session: &'a Session,
    output: &'a Output,
}

/// Where a side's record is.
enum Source<'a> {
    File(Results<'static>),
    Run(&'a GatewayRef),
}

impl Task<'_> {
    fn carry_out(&self) -> Result<Comparison, Failure> {
        // What can be read is read before anything is launched.
        let a = self.source(&self.args.a)?;
        let b = self.source(&self.args.b)?;
        self.same_contract(&a, &b)?;
        let keep = |cell: &CellRecord| {
            let value = |axis: &str| cell.axes.get(axis);
            self.selection.accepts_named(&cell.id, &value)
        };
        // What was run is one gateway; the rest of a sequence comes with a step that is asked for.
        let all = |_: &CellRecord| true;
        let kept = |source: &Source<'_>| -> &dyn Fn(&CellRecord) -> bool {
            match source {
                Source::Run(_) => &all,
                Source::File(_) => &keep,
            }
        };
        let (keep_a, keep_b) = (kept(&a), kept(&b));
        // What is not clear of a record is said before anything is launched.
        let [mut gateway_a, mut gateway_b] =
            [&self.args.gateway_a, &self.args.gateway_b].map(|gateway| gateway.as_deref());
        for (name, source, gateway) in [("a", &a, &mut gateway_a), ("b", &b, &mut gateway_b)] {
            match source {
                Source::File(results) => {
                    side(name, results, *gateway, &all)?;
                }
                Source::Run(_) => *gateway = None,
            }
        }
        let (mut record_a, mut record_b) = (None, None);
        let a = self.results("a", a, &mut record_a)?;
        let b = self.results("b", b, &mut record_b)?;
        let a = side("a", &a, gateway_a, keep_a)?;
        let b = side("b", &b, gateway_b, keep_b)?;
        let profiles = Profiles::of(self.catalogue, b.version());
        let comparison = studies::compare::compare(&a, &b, &profiles);
        comparison.map_err(|error| Failure::usage(error.to_string()))
    }

    /// The results of a side; what is run is put into `record`.
    fn results<'r>(
        &self,
        name: &str,
        source: Source<'_>,
        record: &'r mut Option<Record>,
    ) -> Result<Results<'r>, Failure> {
        match source {
            Source::File(results) => Ok(results),
            Source::Run(gateway) => Ok(Results::from(&*record.insert(self.run(name, gateway)?))),
        }
    }

    fn source<'b>(&self, input: &'b Input) -> Result<Source<'b>, Failure> {
        match input {
            Input::Gateway(gateway) => {
                self.tuning.must_know(gateway)?;
                Ok(Source::Run(gateway))
            }
            Input::File(path) if Bundle::is_one(path) => {
                let results = Bundle::open(path).and_then(|(bundle, _)| bundle.into_results());
                let results = results.map_err(|error| unreadable(path, &error))?;
                Ok(Source::File(results))
            }
            Input::File(path) => {
                let results = Results::open(path).map_err(|error| unreadable(path, &error))?;
                Ok(Source::File(results))
            }
        }
    }

    /// Verdicts by different files say nothing about each other.
    fn same_contract(&self, a: &Source<'_>, b: &Source<'_>) -> Result<(), Failure> {
        let hash = |source: &Source<'_>| match source {
            Source::File(results) => results.head().run.table_hash.clone(),
            Source::Run(_) => self.catalogue.table_hash.clone(),
        };
        if hash(a) == hash(b) || self.args.allow_different_contract {
            return Ok(());
        }
        Err(Failure::usage("A and B were judged by different scenario files, so that their verdicts do not compare").help(
            "name the gateways instead of the records, so that both are run anew; or compare all the same with --allow-different-contract",
        ))
    }

    /// Runs a gateway. One that answered nothing is no side of a comparison.
    fn run(&self, name: &str, gateway: &GatewayRef) -> Result<Record, Failure> {
        let side = Side {
            catalogue: self.catalogue,
            tuning: self.tuning,
            selection: self.selection,
            globs: &self.args.globs,
            conditions: &self.args.conditions,
            detail: self.args.detail(),
        };
        let record = side.run(gateway, self.session, self.output)?;
        if let Some(folder) = &self.args.keep_records {
            let path = folder.join(format!("{name}.json"));
            write_report(Format::Json, &Results::from(&record), &path)
                .map_err(|error| Failure::usage(error.to_string()))?;
        }
        let (ending, why) = record.ending();
        if ending == Ending::Interrupted || record.summary.ran() == 0 {
            let side = name.to_uppercase();
            let what = format!("{side} ({gateway}) cannot be compared: {why}");
            return Err(Failure::new(ending, what));
        }
        Ok(record)
    }
}

/// A side of the comparison.
fn side<'a>(
    name: &str,
    results: &'a Results<'a>,
    gateway: Option<&str>,
    keep: &'a dyn Fn(&CellRecord) -> bool,
) -> Result<RecordSide<'a>, Failure> {
    RecordSide::new(results, gateway, keep).map_err(|error| unclear(name, &error))
}

fn unclear(name: &str, error: &CompareError) -> Failure {
    let failure = Failure::usage(format!("the record of {}: {error}", name.to_uppercase()));
    match error {
        CompareError::Several(_) | CompareError::Unknown { .. } => {
            failure.help(format!("say which one with --gateway-{name} REF"))
        }
        CompareError::Empty => failure,
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
        .help("a record is what `clawgauge run --report json=PATH` wrote")
}
