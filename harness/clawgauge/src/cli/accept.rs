//! `clawgauge accept`: pending snapshots become accepted ones.

use clap::Args;

use super::output::{Failure, Output};
use contract::plan::cells;
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::snapshots::{Pending, SnapshotCells, Snapshots};
use record::Ending;

/// Arguments of `accept`.
#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// Say what is pending and accept nothing
    #[arg(long)]
    dry_run: bool,

    /// Accept them as new snapshots from this release on; the ones that hold for earlier releases stay as they are
    #[arg(long, value_name = "VERSION")]
    since: Option<Version>,

    /// Accept that cells of this rule, refused until now, are let in; may be repeated
    #[arg(long, value_name = "RULE", requires = "reason")]
    allow_widening: Vec<String>,

    /// Why the rule is widened; printed, for the commit message
    #[arg(long)]
    reason: Option<String>,
}

/// Accepts all pending snapshots, or none: letting in whom a snapshot refuses needs the rule's name and a reason.
pub(super) fn accept(
    args: &AcceptArgs,
    catalogue: &Catalogue,
    output: &Output,
) -> Result<(), Failure> {
    if std::env::var_os("CI").is_some() && !args.dry_run {
        return Err(Failure::usage("CI never accepts snapshots")
            .help("run it on your own machine and commit the files"));
    }
    let snapshots = Snapshots::load(&catalogue.data)?;
    let pending = snapshots.pending()?;
    if pending.is_empty() {
        output.note("nothing is pending; a whole `clawgauge run` writes what differs");
        return Ok(());
    }
    let mut refused = Vec::new();
    for entry in &pending {
        output.note(&describe(entry));
        for (key, before, after) in entry.widenings(catalogue) {
            let rule = rule_of(catalogue, entry, &key);
            if !args.allow_widening.contains(&rule) {
                refused.push(format!(
                    "  {}: {key} was {before}, would be {after} (rule {rule})",
                    entry.new.path()
                ));
            }
        }
    }
    if !refused.is_empty() {
        let count = refused.len();
        for line in refused.iter().take(10) {
            output.note(line);
        }
        let why =
            format!("{count} cells that are denied now would be let in; nothing was accepted");
        return Err(Failure::new(Ending::Broken, why)
            .help("if that is meant: clawgauge accept --allow-widening RULE --reason TEXT"));
    }
    if args.dry_run {
        return Ok(());
    }
    for entry in &pending {
        let path = snapshots.accept(entry, args.since.as_ref())?;
        output.note(&format!("accepted {path}"));
    }
    if let Some(reason) = &args.reason {
        output.note(&format!(
            "widened {}: {reason}",
            args.allow_widening.join(", ")
        ));
    }
    Ok(())
}

fn describe(entry: &Pending) -> String {
    let nothing = SnapshotCells::default();
    let old = entry.old.as_ref().map_or(&nothing, |old| &old.cells);
    let (mut changed, mut kept) = (0, 0);
    for (key, answer) in entry.new.cells.iter() {
        if let Some(before) = old.get(&key) {
            kept += 1;
            let same = (&before.outcome, &before.text) == (&answer.outcome, &answer.text);
            changed += usize::from(!same);
        }
    }
    let (added, removed) = (entry.new.cells.len() - kept, old.len() - kept);
    format!(
        "{}: {changed} cells changed, {added} added, {removed} removed",
        entry.path
    )
}

fn rule_of(catalogue: &Catalogue, entry: &Pending, key: &str) -> String {
    cells(catalogue)
        .find(|cell| {
            cell.scenario.id == entry.new.scenario
                && cell.profile() == entry.new.profile
                && cell.key() == key
        })
        .and_then(|cell| cell.rule(&entry.new.since).map(|rule| rule.id.clone()))
        .unwrap_or_else(|| "unknown".to_owned())
}
