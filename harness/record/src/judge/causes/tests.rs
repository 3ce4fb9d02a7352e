//! Causes of results that are made up from the scenarios' own cells.

use contract::data::Data;
use contract::plan::{Cell, cells};
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::scenario::model::Outcome;

use super::*;
use crate::events::Facts;

fn catalogue() -> Catalogue {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    Catalogue::load(&Data::Folder(root.into())).unwrap()
}

/// All cells of 2026.9.6; those of which `wrong` names an outcome got that one, the others the one that their rule asks for.
fn results(
    catalogue: &Catalogue,
    wrong: &dyn Fn(&Cell, &Outcome) -> Option<&'static str>,
) -> Vec<CellResult> {
    let release: Version = "2026.9.6".parse().unwrap();
    let all = cells(catalogue).filter_map(|cell| {
        let expected = Expected::of(&cell, &release)?;
        let got = wrong(&cell, &expected.outcome);
        let outcome = got.map_or(&expected.outcome, |id| catalogue.outcomes.get(id).unwrap());
        let observed = Observation {
            outcome: Some(outcome.id.clone()),
            grants: outcome.grants,
            direction: outcome.direction,
            status: outcome.status,
            ..Observation::default()
        };
        let verdict = super::super::judge_outcome(&expected.outcome, &observed, None);
        let facts = Facts {
            observed: Some(observed),
            ..Facts::unseen("gateway", Some(expected), verdict)
        };
        let severity = Severity::of(&facts, &catalogue.outcomes);
        Some(CellResult::new(&cell, Facts { severity, ..facts }))
    });
    all.collect()
}

fn value<'a>(cell: &'a Cell, axis: &str) -> Option<&'a str> {
    let mut axes = cell.axes();
    axes.find(|(name, _)| *name == axis).map(|(_, value)| value)
}

/// The answer to whoever is let in to what the cell asks for.
fn let_in(expected: &Outcome) -> Option<&'static str> {
    match expected.id.as_str() {
        "missing-scope-write" => Some("answered"),
        "missing-scope-read" => Some("model-list"),
        "missing-scope-admin" => Some("nothing-to-end"),
        "rpc-lacks-scope" => Some("rpc-done"),
        _ => None,
    }
}

#[test]
fn one_condition_across_scenarios_is_one_cause() {
    let catalogue = catalogue();
    let results = results(&catalogue, &|cell, expected| {
        let approvals = value(cell, "scopes") == Some("approvals");
        approvals.then(|| let_in(expected)).flatten()
    });
    let causes = causes(&results);
    assert_eq!(causes.len(), 1, "{causes:#?}");
    let by = vec![("scopes".to_owned(), vec!["approvals".to_owned()])];
    assert_eq!(causes[0].by, by);
    let scenarios: BTreeSet<&str> = causes[0]
        .parts
        .iter()
        .map(|part| part.scenario.as_str())
        .collect();
    assert!(scenarios.len() > 1, "{scenarios:?}");
    assert_eq!(causes[0].severity, Severity::Blocker);
}

/// What all cells share may be what is expected of them: here that the model is called.
#[test]
fn a_lost_answer_is_one_cause() {
    let catalogue = catalogue();
    let results = results(&catalogue, &|_, expected| {
        let other = match expected.id.as_str() {
            "answered" => "responded",
            _ => "answered",
        };
        (expected.model_calls > 0).then_some(other)
    });
    let causes = causes(&results);
    let of_body = causes
        .iter()
        .filter(|cause| cause.deviation == Deviation::WrongBody);
    let of_body: Vec<&Cause> = of_body.collect();
    assert_eq!(of_body.len(), 1, "{of_body:#?}");
    let by = vec![("model-calls".to_owned(), vec!["1".to_owned()])];
    assert_eq!(of_body[0].by, by);
}

#[test]
fn each_way_in_is_a_cause() {
    let catalogue = catalogue();
    let ways = ["upper-case-secret", "query-token", "x-openclaw-token"];
    let results = results(&catalogue, &|cell, expected| {
        let odd = value(cell, "credential").is_some_and(|value| ways.contains(&value));
        (odd && expected.id == "unauthorized").then_some("answered")
    });
    let causes = causes(&results);
    assert_eq!(causes.len(), 3, "{causes:#?}");
}

/// A check that is gone lets some callers in and answers others something else; that is one edit.
#[test]
fn one_condition_is_one_cause_whatever_follows() {
    let catalogue = catalogue();
    let results = results(&catalogue, &|cell, expected| {
        let approvals = value(cell, "scopes") == Some("approvals");
        let lacks = expected.id == "missing-scope-write";
        let other = match value(cell, "endpoint") {
            Some("responses") => "unauthorized",
            _ => "answered",
        };
        (approvals && lacks).then_some(other)
    });
    let causes = causes(&results);
    assert_eq!(causes.len(), 1, "{causes:#?}");
    assert_eq!(causes[0].deviation, Deviation::UnexpectedAllow);
    assert_eq!(causes[0].severity, Severity::Blocker);
}

/// Axes may have other names for it: what the requests share is that they lack a header that many have.
#[test]
fn a_header_that_is_missed_is_one_cause() {
    let catalogue = catalogue();
    let results = results(&catalogue, &|cell, expected| {
        let declares = |line: &String| line.to_ascii_lowercase().starts_with("x-openclaw-scopes");
        let declares = written(cell).headers.iter().any(declares);
        let needs_scopes = ["none", "trusted-proxy"].contains(&cell.profile());
        let served = ["answered", "responded", "model-list"].contains(&expected.id.as_str());
        (needs_scopes && served && !declares).then_some("missing-scope-write")
    });
    let by = vec![(
        "header x-openclaw-scopes".to_owned(),
        vec!["(none)".to_owned()],
    )];
    let causes = causes(&results);
    let cause = causes.iter().find(|cause| cause.by == by);
    let scenarios = |cause: &Cause| {
        let parts = cause.parts.iter().map(|part| part.scenario.as_str());
        parts.collect::<BTreeSet<_>>().len()
    };
    assert!(
        cause.is_some_and(|cause| scenarios(cause) > 2),
        "{causes:#?}"
    );
}

/// Two unrelated edits are two causes, the one that grants more first.
#[test]
fn unrelated_causes_stay_apart() {
    let catalogue = catalogue();
    let results = results(&catalogue, &|cell, expected| match (
        cell.scenario.id.as_str(),
        expected.id.as_str(),
    ) {
        ("websocket", "ws-read") => Some("ws-write"),
        ("owner-tools", "tool-not-found") => Some("tool-ran"),
        ("probes", "live") => Some("unauthorized"),
        _ => None,
    });
    let causes = causes(&results);
    let found: Vec<_> = causes
        .iter()
        .map(|cause| (cause.parts[0].scenario.as_str(), cause.deviation))
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[2], ("probes", Deviation::UnexpectedDeny));
}

/// Every deviating cell is in exactly one cause, and its conditions select exactly it within the rule.
#[test]
fn causes_are_exact() {
    let catalogue = catalogue();
    let results = results(&catalogue, &|cell, expected| {
        let some = cell.combination().iter().sum::<u16>() % 3 == 0;
        (some && expected.id == "unauthorized" && cell.scenario.id != "hooks").then_some("answered")
    });
    let causes = causes(&results);
    let mut seen = BTreeSet::new();
    for cause in &causes {
        let parts: usize = cause.parts.iter().map(|part| part.cells.len()).sum();
        assert_eq!(parts, cause.cells.len());
        for part in &cause.parts {
            let axes = &results[part.cells[0]].cell.scenario.axes;
            let mut of_axes = part.conditions.iter();
            let of_axes = of_axes.all(|(name, _)| axes.iter().any(|axis| axis.name == *name));
            let selected = (0..results.len()).filter(|place| {
                let result = &results[*place];
                let rule = result
                    .facts
                    .expected
                    .as_ref()
                    .map(|expected| expected.rule.as_str());
                result.cell.scenario.id == part.scenario
                    && rule == Some(&part.rule)
                    && part.conditions.iter().all(|(axis, values)| {
                        value(&result.cell, axis)
                            .is_some_and(|value| values.iter().any(|known| known == value))
                    })
            });
            if of_axes {
                let mut cells = part.cells.clone();
                cells.sort_unstable();
                assert_eq!(selected.collect::<Vec<_>>(), cells, "{part:?}");
            }
            assert!(part.cells.iter().all(|cell| seen.insert(*cell)));
        }
    }
    let deviating = results
        .iter()
        .filter(|result| matches!(result.facts.verdict, Verdict::Deviates(_)));
    assert_eq!(seen.len(), deviating.count());
}
