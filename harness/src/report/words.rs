//! Words that several reports use.

use std::collections::BTreeMap;

use crate::judge::VerdictKind;
use crate::record::{CauseRecord, Record, ScenarioRecord, SetRecord};

/// What a cause's cells have in common, in one line.
pub(super) fn conditions(record: &Record, cause: &CauseRecord) -> String {
    let scenario = record.scenario(&cause.scenario);
    let conditions = cause
        .conditions
        .iter()
        .map(|(axis, values)| format!("{axis}={}", values_text(scenario, axis, values)));
    let conditions: Vec<String> = conditions.collect();
    match conditions.is_empty() {
        true => "every cell".to_owned(),
        false => conditions.join("  "),
    }
}

/// The values of a condition: the scenario's own name for the group where it has one, all but a few, or the list.
pub(crate) fn values_text(
    scenario: Option<&ScenarioRecord>,
    axis: &str,
    values: &[String],
) -> String {
    let Some(scenario) = scenario.filter(|_| values.len() > 2) else {
        return values.join(",");
    };
    let same = |set: &&SetRecord| {
        set.axis == axis
            && set.values.len() == values.len()
            && set.values.iter().all(|value| values.contains(value))
    };
    if let Some(set) = scenario.sets.iter().find(same) {
        return format!("@{}", set.name);
    }
    let all = scenario.axes.iter().find(|known| known.name == axis);
    let rest: Vec<&str> = all
        .into_iter()
        .flat_map(|axis| &axis.values)
        .map(|value| value.id.as_str())
        .filter(|value| !values.iter().any(|other| other == value))
        .collect();
    if !rest.is_empty() && rest.len() <= 2 {
        return format!("any but {}", rest.join(","));
    }
    values.join(",")
}

/// What was seen: the outcome's name, and the answer where that says more.
pub(super) fn seen(label: &str, answer: &str) -> String {
    match (label, answer) {
        ("", answer) => answer.to_owned(),
        (label, answer) if answer.starts_with(label) => answer.to_owned(),
        (label, answer) => format!("{label} ({answer})"),
    }
}

/// How many cells have which verdict, in words: what is well first, then the gravest; verdicts that no cell has are left
/// out.
pub(super) fn tally_words(
    verdicts: impl Iterator<Item = VerdictKind>,
) -> Vec<(VerdictKind, String)> {
    let mut counts: BTreeMap<VerdictKind, usize> = BTreeMap::new();
    for verdict in verdicts {
        *counts.entry(verdict).or_default() += 1;
    }
    let words = [
        (VerdictKind::Conforms, "conform"),
        (VerdictKind::Deviates, "deviate"),
        (VerdictKind::Stale, "stale"),
        (VerdictKind::New, "without a snapshot"),
        (VerdictKind::CouldNotRun, "could not run"),
        (VerdictKind::Known, "known"),
        (VerdictKind::NotApplicable, "not applicable"),
    ];
    let told = words.iter().filter_map(|(verdict, words)| {
        let count = counts.get(verdict)?;
        Some((*verdict, format!("{count} {words}")))
    });
    told.collect()
}
