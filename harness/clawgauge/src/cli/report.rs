//! `clawgauge report`: a record rendered again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::guard::Stdout;
use super::output::{Failure, Loudness, Output, ended_as};
use super::reports::{ReportRequest, Reports, show};
use record::Results;
use studies::bundle::{Bundle, BundleError};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// What `run --report json=PATH` or `run --bundle PATH` wrote
    record: PathBuf,

    /// Write a report: FORMAT=PATH, `-` is stdout; may be repeated [default: the terminal report]. Formats: json, junit, sarif,
    /// ctrf, tap, markdown, html, annotations, summary, outputs
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<ReportRequest>,

    #[command(flatten)]
    loudness: Loudness,

    /// Exit with the code of the run instead of 0
    #[arg(long)]
    exit_code: bool,
}

impl ReportArgs {
    /// What stdout carries: the terminal report, annotations (beside which nothing is data), or a report for a program.
    pub(super) fn stdout(&self) -> Stdout {
        let to_stdout = |request: &ReportRequest| request.path == Path::new("-");
        let data = ReportRequest::is_data_on_stdout;
        match self.report.iter().any(to_stdout)
            && self
                .report
                .iter()
                .filter(|request| to_stdout(request))
                .all(data)
        {
            true => Stdout::Data,
            false => Stdout::Text,
        }
    }
}

/// Renders a record. Nothing is judged anew.
pub(super) fn report(args: &ReportArgs, output: &Output) -> Result<(), Failure> {
    let reports = Reports::new(&args.report)?;
    let fail = |error: record::ResultsError| {
        Failure::usage(format!("{}: {error}", args.record.display()))
            .help("a record is what `clawgauge run --report json=PATH` wrote")
    };
    let results = match Bundle::is_one(&args.record) {
        false => Results::open(&args.record).map_err(fail)?,
        true => {
            let read = || Bundle::open(&args.record)?.0.into_results();
            read().map_err(|error: BundleError| {
                Failure::usage(format!("{}: {error}", args.record.display()))
            })?
        }
    };
    let written = if args.report.is_empty() {
        let detail = args.loudness.detail();
        show(&results, detail, output)
    } else {
        reports.write(&results, output)
    };
    let ended = match args.exit_code {
        true => ended_as(results.head()),
        false => Ok(()),
    };
    output.first([ended, written])
}
