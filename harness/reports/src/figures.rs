//! What has been measured of a release beyond a run, in words.

use base::text::count;
use contract::scenario::Measured;

use crate::coverage::percent;

/// What has been measured of a release, a sentence for each command that measured.
pub fn figures(of: &Measured) -> Vec<String> {
    let share = |part: usize, all: usize| format!("{part} of {all} ({} %)", percent((part, all)));
    let routes = of.routes.as_ref().map(|routes| {
        format!(
            "{} answering, of which {} new and {} open (clawgauge routes)",
            count(routes.answering, "route"),
            routes.new,
            routes.open
        )
    });
    let coverage = of.coverage.as_ref().map(|code| {
        format!(
            "cells reach {} branches and {} functions of the code that decides about access (clawgauge coverage)",
            share(code.branches, code.of_branches),
            share(code.functions, code.of_functions)
        )
    });
    let mutants = of.mutants.as_ref().map(|mutants| {
        format!(
            "{} of that code tried: of those that a cell reaches, {} are noticed (clawgauge mutants)",
            count(mutants.tried, "small change"),
            share(mutants.noticed, mutants.reached)
        )
    });
    let explored = of.explored.as_ref().map(|explored| {
        format!(
            "{} of unknown configurations with {}: {} (clawgauge explore)",
            count(explored.launches, "launch"),
            count(explored.answers, "answer"),
            count(explored.findings, "new finding")
        )
    });
    [routes, coverage, mutants, explored]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use contract::scenario::MutantFigures;

    use super::*;

    #[test]
    fn only_what_was_measured_is_told() {
        let measured = Measured {
            version: "2026.9.6".to_owned(),
            on: "2026-11-29".to_owned(),
            routes: None,
            coverage: None,
            mutants: Some(MutantFigures {
                tried: 200,
                reached: 88,
                noticed: 87,
            }),
            explored: None,
        };
        let told = "200 small changes of that code tried: of those that a cell reaches, 87 of 88 (98 %) are noticed (clawgauge mutants)";
        assert_eq!(figures(&measured), [told]);
    }
}
