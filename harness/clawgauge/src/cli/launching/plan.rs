//! `clawgauge plan`: what a run would launch and send on this machine, without doing it.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use clap::Args;

use super::plan_budget::{takes, told};
use crate::cli::inspect::SelectArgs;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use contract::plan::budget::Budget;
use contract::plan::{Barred, Plan, Selection};
use contract::release::{GatewayRef, ReleaseName};
use contract::scenario::Catalogue;
use machine::clients::{not_there, used};
use machine::install::InstallContext;
use runner::RunOptions;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    select: SelectArgs,

    /// Say what fits into a time, such as 2m or 90s, and what is left out, by rule
    #[arg(long, value_name = "TIME")]
    budget: Option<Budget>,

    /// Estimate the time by this gateway: `reference`, or a release [default: openclaw@ the release]
    #[arg(long, value_name = "REF")]
    gateway: Option<GatewayRef>,

    /// Estimate the time by so many launches at a time [default: the number of cores; 16 for the reference gateway]
    #[arg(long, value_name = "N")]
    launches: Option<NonZeroUsize>,
}

/// Says what a run would launch and send, what is expected of it, and what is left out and why.
pub(super) fn plan(args: &PlanArgs, catalogue: &Catalogue, output: &Output) -> Result<(), Failure> {
    let selection = Selection::parse(catalogue, &args.select.globs, &args.select.conditions)?;
    let release = &args.select.release;
    let context = InstallContext::from_env(reference()?, catalogue.needs.clone());
    let used = used(catalogue, &selection);
    let plan = Plan::new(catalogue, release, &selection);
    let gateway = args.gateway.clone();
    let gateway =
        gateway.unwrap_or_else(|| GatewayRef::Published(ReleaseName::Exact(release.clone())));
    let mut missing = machine::tools::missing(&plan.needs(catalogue), &gateway);
    missing.extend(not_there(used, &context));
    let plan = plan.without(&missing, catalogue);
    if plan.is_empty() {
        return Err(Failure::no_cell());
    }
    let options = RunOptions::new(vec![gateway.clone()], selection, context);
    let at_a_time = args.launches.map_or(options.launches, NonZeroUsize::get);
    let cache = options.install.cache.as_ref();
    let estimates = runner::estimates(catalogue, cache, &gateway, release, at_a_time);
    if let Some(budget) = args.budget {
        return output.result(&told(&plan, catalogue, &estimates, budget));
    }
    let launches = plan
        .launches
        .iter()
        .filter(|launch| launch.needs_gateway())
        .count();
    let mut out = format!("on {release}: {launches} launches, {} cells\n", plan.len());
    out.push_str(&takes(&plan, &estimates));
    for launch in &plan.launches {
        let _ = writeln!(
            out,
            "\nprofile {}: {} cells",
            launch.profile,
            launch.cells.len()
        );
        let mut counts: std::collections::BTreeMap<String, usize> = Default::default();
        for planned in launch.cells.iter() {
            let what = match (&planned.barred, planned.cell.rule(release)) {
                (Some(Barred::Release(reason)), _) => format!("not applicable: {reason}"),
                (Some(Barred::Machine(reason)), _) => format!("not asked: {reason}"),
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
        if scenario.excludes.is_empty() {
            continue;
        }
        let left_out: Vec<_> = (0..scenario.product())
            .filter_map(|number| scenario.excluded(&scenario.combination(number)))
            .collect();
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
