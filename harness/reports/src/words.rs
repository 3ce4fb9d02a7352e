//! Words that several reports use.

use base::text::{count, one_line, quoted};
use contract::region::Region;
use contract::release::tells_release;
use contract::scenario::model::Scenario;
use record::region::{prose, terse};
use record::{CauseRecord, Record};

/// What a cause's cells have in common, in one line.
pub(super) fn conditions(record: &Record, cause: &CauseRecord) -> String {
    let scenario = record.scenario(&cause.scenario);
    if !cause.by.is_empty() {
        return terse(scenario, &cause.by);
    }
    let first = match cause.conditions.is_empty() && is_of_one_rule(record, cause) {
        true => "every cell of the rule".to_owned(),
        // An older record means the cells of the scenario.
        false => terse(scenario, &cause.conditions),
    };
    let also: usize = cause.also.iter().map(|part| part.cells).sum();
    match cause.cells.saturating_sub(also) {
        cells if also > 0 => format!("{cells} with {first}"),
        _ => first,
    }
}

/// Whether the conditions of a cause select among the cells of one rule.
fn is_of_one_rule(record: &Record, cause: &CauseRecord) -> bool {
    let whole = cause.difference.is_some() || cause.known_issue.is_some();
    record.run.folding > 0 && !whole
}

/// The other parts of a cause, each in one line.
pub(super) fn also(record: &Record, cause: &CauseRecord) -> Vec<String> {
    let lines = cause.also.iter().map(|part| {
        let what = match &part.difference {
            None => format!(
                "expected {}, observed {}",
                part.expected,
                seen(&part.observed, &part.answer)
            ),
            Some(difference) => format!(
                "{}, but not the accepted answer ({})",
                part.observed, difference.snapshot
            ),
        };
        let conditions = terse(record.scenario(&part.scenario), &part.conditions);
        let cells = count(part.cells, "cell");
        let way = part.direction.map(|way| format!(" ({})", way.name()));
        let way = way.unwrap_or_default();
        one_line(&format!(
            "{cells}{way} of {}, {conditions}: {what}; rule {}",
            part.scenario, part.rule
        ))
    });
    lines.collect()
}

/// What was seen: the outcome's name, and the answer where that says more.
pub(super) fn seen(label: &str, answer: &str) -> String {
    match (label, answer) {
        ("", answer) => answer.to_owned(),
        (label, answer) if answer.starts_with(label) => answer.to_owned(),
        (label, answer) => format!("{label} ({answer})"),
    }
}

/// The release that a gateway was judged as, where its name does not say it.
pub(super) fn judged_as<'a>(record: &'a Record, gateway: &str) -> Option<&'a str> {
    let mut known = record.gateways.iter();
    let known = known.find(|known| known.reference == gateway && !tells_release(gateway));
    known?.version.as_deref()
}

/// The command that asks a cell again.
pub(super) fn replay(record: &Record, gateway: &str, cell: &str) -> String {
    let mut command = format!(
        "clawgauge run {} --gateway {}",
        quoted(cell),
        quoted(gateway)
    );
    if let Some(version) = judged_as(record, gateway) {
        command.push_str(&format!(" --release {}", quoted(version)));
    }
    command
}

/// Which cells a region holds, in words; nothing about the axes that are fixed.
pub(super) fn who(scenario: &Scenario, region: Region, fixed: &[usize]) -> String {
    let conditions = region.without(fixed).named(scenario);
    let conditions = conditions.iter().map(|(axis, values)| (axis, values));
    prose(None, conditions, "everybody")
}
