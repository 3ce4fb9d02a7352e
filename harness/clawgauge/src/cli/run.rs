//! `clawgauge run`.

use super::args::RunArgs;
use super::drive::{Drive, Driven};
use super::evidence::Evidence;
use super::output::{Failure, Output};
use super::reports::{Hush, Reports, by_itself};
use super::session::end;
use clawgauge::project::Project;
use contract::plan::{Selection, cells};
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::Results;
use record::pending::keep_pending;
use reports::terminal;

/// Runs, reports, and keeps pending snapshots.
pub(super) fn run(
    args: RunArgs,
    project: &Project,
    catalogue: Catalogue,
    output: &Output,
) -> Result<u8, Failure> {
    let args = args.with_defaults(project)?;
    args.effort.start_log()?;
    if args.watch {
        return super::watch::watch(&args, &catalogue, output);
    }
    let selection = Selection::parse(&catalogue, &args.globs, &args.conditions)?;
    if !cells(&catalogue).any(|cell| selection.accepts(&cell)) {
        return Err(Failure::usage("the filters together select no cell")
            .help("clawgauge list shows every cell")
            .code(4));
    }
    let variable = |name: &str| std::env::var_os(name);
    let reports = Reports::new(&args.report)?;
    let evidence = match &args.bundle {
        Some(path) => Some(Evidence::begin(path, args.baseline.as_deref(), &catalogue)?),
        None => None,
    };
    let gate = args.gate()?;
    let snapshots = Snapshots::load(&catalogue.data)?;
    let mut options = args.options(&catalogue, selection)?;
    options.shares = args.shares(&catalogue, &options, output)?;
    tracing::debug!(data = ?catalogue.data, table_hash = catalogue.table_hash, ?options);
    let detail = args.detail();

    // Who has all shards tells about them: once, and with the relations between cells.
    let reports = match &options.shares {
        Some(_) => reports,
        None => reports.and(by_itself(&args.report, variable)),
    };
    let drive = Drive {
        catalogue: &catalogue,
        snapshots: &snapshots,
        output,
        progress: Some(detail),
        globs: &args.globs,
        conditions: &args.conditions,
        fail_fast: args.fail_fast,
        keep_launches: args.bundle.is_some(),
    };
    let hush = Hush::begin(output)?;
    let Driven {
        record,
        results,
        launches,
    } = drive.run(options, gate)?;
    output.result(&terminal(&record, detail, output.paint()))?;
    reports.write(&Results::from(&record), output, || hush.end(output))?;
    if let Some(evidence) = evidence {
        evidence.write(&record, &launches, &catalogue)?;
    }
    let written = keep_pending(&catalogue, &snapshots, &record, &results)?;
    for path in &written {
        output.note(&format!("pending snapshot: {path}"));
    }
    if !written.is_empty() {
        output
            .note("review them with `clawgauge accept` or `cargo insta review --workspace-root .`");
    }
    Ok(end(&record, output))
}
