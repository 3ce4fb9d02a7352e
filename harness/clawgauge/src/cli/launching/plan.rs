//! `clawgauge plan`: what a run would launch and send on this machine, without doing it.

use std::fmt::Write as _;

use clap::Args;

use crate::cli::inspect::SelectArgs;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use contract::plan::{Plan, Selection};
use contract::scenario::Catalogue;
use machine::clients::{not_there, used};
use machine::install::InstallContext;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    select: SelectArgs,
}

/// Says what a run would launch and send, what is expected of it, and what is left out and why.
pub(super) fn plan(args: &PlanArgs, catalogue: &Catalogue, output: &Output) -> Result<(), Failure> {
    let selection = Selection::parse(catalogue, &args.select.globs, &args.select.conditions)?;
    let release = &args.select.release;
    let context = InstallContext::from_env(reference()?, catalogue.needs.clone());
    let used = used(catalogue, &selection);
    let plan = Plan::new(catalogue, release, &selection);
    let mut missing = machine::tools::missing(&plan.needs(catalogue));
    missing.extend(not_there(used, &context));
    let plan = plan.without(&missing, catalogue);
    if plan.is_empty() {
        return Err(Failure::no_cell());
    }
    let launches = plan
        .launches
        .iter()
        .filter(|launch| launch.needs_gateway())
        .count();
    let mut out = format!("on {release}: {launches} launches, {} cells\n", plan.len());
    for launch in &plan.launches {
        let _ = writeln!(
            out,
            "\nprofile {}: {} cells",
            launch.profile,
            launch.cells.len()
        );
        let mut counts: std::collections::BTreeMap<String, usize> = Default::default();
        for planned in &launch.cells {
            let what = match (&planned.not_applicable, planned.cell.rule(release)) {
                (Some(reason), _) => format!("not applicable: {reason}"),
                (None, Some(rule)) => {
                    let outcome = planned.cell.expected(release);
                    let outcome = outcome.map_or("?", |outcome| outcome.id.as_str());
                    format!("{outcome} (rule {})", rule.id)
                }
                (None, None) => "no rule".to_owned(),
            };
            *counts.entry(what).or_default() += 1;
        }
        for (what, count) in counts {
            let _ = writeln!(out, "  {count:>5} {what}");
        }
    }
    for scenario in &catalogue.scenarios {
        let left_out: Vec<_> = scenario
            .product()
            .filter_map(|combination| scenario.excluded(&combination))
            .collect();
        if left_out.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\nleft out of {}:", scenario.id);
        for exclude in &scenario.excludes {
            let count = left_out
                .iter()
                .filter(|other| other.span == exclude.span)
                .count();
            let _ = writeln!(out, "  {count:>5} {}", exclude.reason);
        }
    }
    output.result(&out)
}
