//! `clawgauge run`.

use super::args::RunArgs;
use super::drive::{RecordedRun, RunOutcome};
use super::evidence::Evidence;
use super::failed_in::Earlier;
use super::session::Session;
use super::tuning::tell_day;
use crate::cli::output::{Failure, Output, ended_as};
use crate::cli::reports::{Reports, by_itself, show};
use crate::cli::select::selected;
use base::text::{count, quoted};
use clawgauge::project::Project;
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::pending::keep_pending;
use record::{FinishedRun, Results};
use reports::{Format, write_report};

/// Runs, reports, and keeps pending snapshots.
pub(super) fn run(
    args: RunArgs,
    project: &Project,
    catalogue: Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let mut args = args.with_defaults(project)?;
    args.tuning.start_log()?;
    if args.watch {
        return super::watch::watch(&args, &catalogue, session, output);
    }
    let mut selection = selected(&catalogue, &args.globs, &args.conditions)?;
    if let Some(path) = &args.failed_in {
        args.globs = Earlier::read(path)?.failed(&catalogue, &selection, output)?;
        args.conditions.clear();
        selection = selected(&catalogue, &args.globs, &args.conditions)?;
    }
    let variable = |name: &str| std::env::var_os(name);
    let reports = Reports::new(&args.report)?;
    reports.beside(args.bundle.as_deref(), "the bundle")?;
    let evidence = match &args.bundle {
        Some(path) => Some(Evidence::begin(path, args.baseline.as_deref(), &catalogue)?),
        None => None,
    };
    let gate = args.gate(&catalogue)?;
    let snapshots = Snapshots::load(&catalogue.data)?;
    let mut options = args.options(&catalogue, selection)?;
    options.shares = args.shares(&catalogue, &options, output)?;
    tell_day(&catalogue, output);
    tracing::debug!(data = ?catalogue.data, table_hash = catalogue.table_hash, ?options);
    let detail = args.detail();

    // Who has all shards tells about them: once, and with the relations between cells.
    let reports = match &options.shares {
        Some(_) => reports,
        None => reports.and(by_itself(&args.report, variable)),
    };
    let recorded = RecordedRun {
        catalogue: &catalogue,
        snapshots: &snapshots,
        output,
        progress: Some(detail),
        globs: &args.globs,
        conditions: &args.conditions,
        fail_fast: args.fail_fast,
        keep_launches: args.bundle.is_some(),
    };
    let RunOutcome { run, launches } = session.run(async |cancel| {
        let mut first = recorded.drive(options.clone(), gate.clone(), cancel).await;
        if args.twice && !cancel.is_cancelled() {
            output.note("asking everything a second time");
            let second = recorded.drive(options, gate, cancel).await;
            first.run.compare_with_second(&second.run);
        }
        Ok(first)
    })?;
    let results = Results::from(&run);
    let pack = |evidence: Evidence| evidence.write(&results, &launches, &catalogue);
    output.first([
        ended_as(&run.head),
        show(&results, detail, output),
        reports.write(&results, output),
        evidence.map_or(Ok(()), pack),
        keep_snapshots(&catalogue, &snapshots, &run, output),
        smaller_baseline(&args, &run, output),
    ])
}

/// Writes what is left of the baseline beside it, where some of it is not needed any more.
fn smaller_baseline(args: &RunArgs, run: &FinishedRun<'_>, output: &Output) -> Result<(), Failure> {
    let Some(path) = args.baseline.as_ref().filter(|_| args.baseline_strict) else {
        return Ok(());
    };
    let better = run.head.summary.better;
    if better == 0 {
        return Ok(());
    }
    let unasked = run.unasked_excuses();
    if unasked > 0 {
        let cells = count(unasked, "cell");
        output.note(&format!(
            "no smaller baseline is written, since {cells} that it excuses had no answer in this run"
        ));
        return Ok(());
    }
    let Some(smaller) = run.smaller_baseline() else {
        output.note("no excuse of the baseline is needed any more: run without --baseline");
        return Ok(());
    };
    let beside = path.with_extension("smaller.json");
    write_report(Format::Json, &Results::from(&smaller), &beside)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let (old, new) = (path.display().to_string(), beside.display().to_string());
    output.note(&format!(
        "the smaller baseline excuses {} less: mv {} {}",
        count(better, "cell"),
        quoted(&new),
        quoted(&old)
    ));
    Ok(())
}

/// Keeps what differs from the accepted answers, for `clawgauge accept`.
fn keep_snapshots(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    run: &FinishedRun<'_>,
    output: &Output,
) -> Result<(), Failure> {
    let written = keep_pending(catalogue, snapshots, &run.head, &run.results)?;
    for path in &written {
        output.note(&format!("pending snapshot: {path}"));
    }
    if !written.is_empty() {
        output
            .note("review them with `clawgauge accept` or `cargo insta review --workspace-root .`");
    }
    Ok(())
}
