//! Words that several reports use.

use base::text::quoted;
use contract::region::Region;
use contract::release::tells_release;
use contract::scenario::model::Scenario;
use record::region::{prose, terse};
use record::{CauseRecord, Record};

/// What a cause's cells have in common, in one line.
pub(super) fn conditions(record: &Record, cause: &CauseRecord) -> String {
    terse(record.scenario(&cause.scenario), &cause.conditions)
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
