//! `clawgauge report`: a record rendered again.

use std::path::PathBuf;

use clap::Args;

use super::output::{Failure, Output};
use super::reports::{ReportRequest, Reports};
use super::session::end;
use record::Results;
use reports::{Detail, terminal};
use studies::bundle::{Bundle, BundleError};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// What `run --report json=PATH` or `run --bundle PATH` wrote
    record: PathBuf,

    /// Write a report: FORMAT=PATH, `-` is stdout; may be repeated [default: the terminal report]. Formats: json, junit, sarif,
    /// ctrf, tap, markdown, html, annotations, summary
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<ReportRequest>,

    /// Say only what makes the run fail
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,

    /// Show every matrix, every cause and every launch
    #[arg(long, short)]
    verbose: bool,

    /// Exit with the code of the run instead of 0
    #[arg(long)]
    exit_code: bool,
}

/// Renders a record. Nothing is judged anew.
pub(super) fn report(args: &ReportArgs, output: &Output) -> Result<u8, Failure> {
    let reports = Reports::new(&args.report)?;
    let fail = |error: record::ResultsError| {
        Failure::usage(format!("{}: {error}", args.record.display()))
            .help("a record is what `clawgauge run --report json=PATH` wrote")
    };
    let bundled;
    let results = match Bundle::is_one(&args.record) {
        false => Results::open(&args.record).map_err(fail)?,
        true => {
            let read = || Bundle::open(&args.record)?.0.record();
            bundled = read().map_err(|error: BundleError| {
                Failure::usage(format!("{}: {error}", args.record.display()))
            })?;
            Results::from(&bundled)
        }
    };
    if args.report.is_empty() {
        let detail = match (args.quiet, args.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Normal,
        };
        let record = results.load().map_err(fail)?;
        output.result(&terminal(&record, detail, output.paint()))?;
    } else {
        reports.write(&results, output, || Ok(()))?;
    }
    match args.exit_code {
        true => Ok(end(results.head(), output)),
        false => Ok(0),
    }
}
