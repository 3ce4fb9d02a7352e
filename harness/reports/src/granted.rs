//! What each answer of the contract grants its caller, and what a denial tells, as Markdown.

use std::fmt::Write as _;

use contract::scenario::model::Outcome;
use contract::scenario::{Catalogue, Privilege};

/// A table of all outcomes: those that grant the most first.
pub(super) fn granted(catalogue: &Catalogue) -> String {
    let outcomes = &catalogue.outcomes;
    let mut out = "\n## What each answer grants\n\n| grants | means |\n|---|---|\n".to_owned();
    let uses = |grants: &Privilege| outcomes.values().any(|outcome| outcome.grants == *grants);
    for grants in Privilege::ALL.iter().rev().filter(|grants| uses(grants)) {
        let _ = writeln!(out, "| **{}** | {} |", grants.name(), grants.title());
    }
    if !outcomes.tellable.is_empty() {
        out.push_str("\n| a denial may tell | that is |\n|---|---|\n");
        for (name, told) in &outcomes.tellable {
            let _ = writeln!(out, "| {name} | {} |", told.title);
        }
    }
    out.push_str("\n| answer | | grants | tells |\n|---|---|---|---|\n");
    let mut sorted: Vec<&Outcome> = outcomes.values().map(AsRef::as_ref).collect();
    sorted.sort_by_key(|outcome| std::cmp::Reverse(outcome.grants));
    for outcome in sorted {
        let tells = outcome.tells.iter().flatten().map(String::as_str);
        let _ = writeln!(
            out,
            "| `{}` ({}) | {} | {} | {} |",
            outcome.id,
            outcome.what(),
            outcome.title,
            outcome.grants.name(),
            tells.collect::<Vec<_>>().join(", ")
        );
    }
    out
}
