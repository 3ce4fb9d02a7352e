//! `clawgauge merge`: shards of a run made one record, and judged as a whole.

use std::path::PathBuf;

use clap::Args;

use super::output::{Failure, Loudness, Output, ended_as};
use super::reports::{ReportRequest, Reports, by_itself, show};
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::{Baseline, Gate, MaySkip, Results};
use studies::bundle::Bundle;
use studies::merge::{MergeError, Part, merge};

/// Arguments of `merge`.
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// What `run --shard K/N --report json=PATH` wrote, for every K
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// Write a report: FORMAT=PATH, `-` is stdout; may be repeated. `json` is the record of the whole run. Formats: json,
    /// junit, sarif, ctrf, tap, markdown, html, annotations, summary, outputs
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<ReportRequest>,

    /// The record that the shards had as their baseline
    #[arg(long, value_name = "RECORD")]
    baseline: Option<PathBuf>,

    #[command(flatten)]
    loudness: Loudness,
}

/// Merges, reports, and ends as the whole run would have.
pub(super) fn run(args: &MergeArgs, catalogue: &Catalogue, output: &Output) -> Result<(), Failure> {
    let variable = |name: &str| std::env::var_os(name);
    let reports = Reports::new(&args.report)?.and(by_itself(&args.report, variable));
    let mut parts = Vec::new();
    for path in &args.records {
        let name = path.display().to_string();
        if Bundle::is_one(path) {
            return Err(MergeError::Bundle(name).into());
        }
        let results = Results::open(path);
        let results = results.map_err(|error| MergeError::read(&name, error))?;
        parts.push(Part { name, results });
    }
    let baseline = args.baseline.as_ref().map(|path| {
        let read = Baseline::read(path);
        read.map_err(|error| Failure::usage(format!("the baseline {}: {error}", path.display())))
    });
    let run = parts.first().map(|part| &part.results.head().run);
    let gate = Gate {
        fail_on: run.map(|run| run.fail_on).unwrap_or_default(),
        severity: run.map(|run| run.severity).unwrap_or_default(),
        baseline: baseline.transpose()?,
        strict: run.is_some_and(|run| run.baseline_strict),
        may_skip: MaySkip::recorded(run.map_or(&[], |run| &run.may_skip), catalogue)?,
    };
    let snapshots = Snapshots::load(&catalogue.data)?;
    let run = merge(&parts, catalogue, &snapshots, gate)?;
    let results = Results::from(&run);
    let detail = args.loudness.detail();
    output.first([
        ended_as(&run.head),
        show(&results, detail, output),
        reports.write(&results, output),
    ])
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        let help = error.help();
        Self::usage(error.to_string()).help(help)
    }
}
