//! `clawgauge plan --budget`: what a run within a budget would ask, what it leaves out, and what both are estimated to take.

use std::fmt::Write as _;

use contract::plan::Plan;
use contract::plan::budget::{Budget, Estimates, Fitted, FittedLaunch, Shown, fit, whole};
use contract::scenario::Catalogue;

use base::text::{count, duration};

/// Says what of a plan fits into a budget, rule by rule.
pub(super) fn told(
    plan: &Plan,
    catalogue: &Catalogue,
    estimates: &Estimates,
    budget: Budget,
) -> String {
    let fitted = fit(plan, catalogue, estimates, budget.time());
    let asked = Shown::of(&fitted.plan, catalogue);
    let whole = &fitted.whole;
    let mut out = format!(
        "on {}, within {budget}: {} of {}, {} of {}, {} of {}\n",
        plan.release,
        fitted.made().count(),
        count(fitted.launches.len(), "launch"),
        asked.cells,
        count(whole.cells, "cell"),
        asked.rules.len(),
        count(whole.rules.len(), "rule"),
    );
    let _ = writeln!(
        out,
        "some {} by estimate, {} at a time",
        duration(fitted.takes),
        count(estimates.launches, "launch")
    );
    if asked.cells == 0
        && let Some(least) = fitted.least
    {
        let _ = writeln!(
            out,
            "the launch that takes least takes some {}",
            duration(least)
        );
    }
    table(&mut out, "asked, in this order", &fitted, |it| it.cells > 0);
    table(&mut out, "left out", &fitted, |it| it.cells == 0);
    rules(&mut out, "rules asked", whole, &asked, |asked| asked > 0);
    rules(&mut out, "rules not asked", whole, &asked, |asked| {
        asked == 0
    });
    for (what, whole, asked) in [
        ("known issues not asked", &whole.issues, &asked.issues),
        ("relations not asked", &whole.relations, &asked.relations),
    ] {
        let mut left = whole.difference(asked).peekable();
        if left.peek().is_some() {
            let _ = writeln!(out, "\n{what}:");
            left.for_each(|name| out.push_str(&format!("  {name}\n")));
        }
    }
    out
}

/// In one line what a whole plan takes.
pub(super) fn takes(plan: &Plan, estimates: &Estimates) -> String {
    let (takes, origins) = whole(plan, estimates);
    format!(
        "some {} by estimate, {} at a time ({origins})\n",
        duration(takes),
        count(estimates.launches, "launch")
    )
}

fn table(out: &mut String, what: &str, fitted: &Fitted, shown: impl Fn(&FittedLaunch) -> bool) {
    let mut mine = fitted.launches.iter().filter(|it| shown(it)).peekable();
    if mine.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "\n{what}:");
    for it in mine {
        let cells = match it.cells {
            0 => count(it.of, "cell"),
            cells => format!("{cells} of {}", count(it.of, "cell")),
        };
        let (takes, profile) = (duration(it.takes), &it.profile);
        let _ = writeln!(
            out,
            "  profile {profile}: {cells}, some {takes} ({})",
            it.origin
        );
    }
}

fn rules(
    out: &mut String,
    what: &str,
    whole: &Shown,
    asked: &Shown,
    shown: impl Fn(usize) -> bool,
) {
    let cells = whole.rules.iter().map(|(place, of)| {
        let asked = asked.rules.get(place).copied().unwrap_or_default();
        (place, asked, *of)
    });
    let mut mine = cells.filter(|(_, asked, _)| shown(*asked)).peekable();
    if mine.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "\n{what}:");
    for ((scenario, rule), asked, of) in mine {
        let _ = writeln!(out, "  {asked:>5} of {of:<5} {scenario}/{rule}");
    }
}
