//! Counts, gateways, scenarios and reasons in Markdown.

use super::{MOST, Section, escape, more};
use crate::facts::Facts;
use record::judge::VerdictKind;
use record::{Record, Summary};

/// So many scenarios have a row.
const MOST_ROWS: usize = 100;

/// The columns of a table of verdicts.
const COLUMNS: [(VerdictKind, &str); 8] = [
    (VerdictKind::Conforms, "conform"),
    (VerdictKind::Deviates, "deviate"),
    (VerdictKind::Known, "known"),
    (VerdictKind::Stale, "stale"),
    (VerdictKind::New, "new"),
    (VerdictKind::NotApplicable, "not applicable"),
    (VerdictKind::NotAsked, "not asked"),
    (VerdictKind::CouldNotRun, "could not run"),
];

/// The counts in one line; zeros are left out, but for what conforms.
pub(super) fn counts(summary: &Summary) -> String {
    let always = [
        (summary.selected, "selected"),
        (summary.conforms, "conform"),
    ];
    let rest = [
        (summary.deviates, "deviate"),
        (summary.known, "known"),
        (summary.stale, "stale"),
        (summary.new, "new"),
        (summary.not_applicable, "not applicable"),
        (summary.not_asked, "not asked"),
        (summary.could_not_run, "could not run"),
        (summary.as_in_baseline, "as in the baseline"),
        (summary.below_severity, "less severe than asked for"),
        (summary.better, "better than the baseline"),
    ];
    let rest = rest.into_iter().filter(|(count, _)| *count > 0);
    let parts = always.into_iter().chain(rest);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
}

/// What was tested.
pub(super) fn gateways(record: &Record) -> Section {
    let mut text = "### Gateways\n\n| gateway | judged as | Node | launches | integrity |\n|---|---|---|---|---|\n".to_owned();
    let code =
        |text: Option<&String>| text.map_or_else(String::new, |text| escape::code_cell(text));
    for gateway in record.gateways.iter().take(MOST) {
        let launches = gateway.last_launches().count();
        let failed = gateway
            .last_launches()
            .filter(|launch| launch.failure.is_some());
        let failed = match failed.count() {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let mut row = format!(
            "| {} | {} | {} | {launches}{failed} | {} |\n",
            escape::code_cell(&gateway.reference),
            code(gateway.version.as_ref()),
            code(gateway.node.as_ref()),
            code(gateway.integrity.as_ref()),
        );
        row = row.replace("|  |", "| |");
        text.push_str(&row);
    }
    text.push_str(&more(record.gateways.len(), MOST));
    for gateway in record.gateways.iter().take(MOST) {
        for note in gateway.remarks().take(MOST) {
            let name = escape::code(&gateway.reference);
            text.push_str(&format!("\n- {name}: {}", escape::text(&note)));
        }
    }
    Section::new("gateways", text)
}

/// Verdicts by scenario; columns that are all zero are left out.
pub(super) fn scenarios(record: &Record, facts: &Facts) -> Section {
    let many = record.gateways.len() > 1;
    let columns: Vec<_> = COLUMNS
        .iter()
        .filter(|(verdict, _)| {
            let mut tallies = facts.scenarios.values();
            *verdict == VerdictKind::Conforms || tallies.any(|tally| tally.of(*verdict) > 0)
        })
        .collect();
    let mut text = "### Scenarios\n\n|".to_owned();
    let mut rule = "|".to_owned();
    if many {
        text.push_str(" gateway |");
        rule.push_str("---|");
    }
    text.push_str(" scenario | cells |");
    rule.push_str("---|--:|");
    for (_, name) in &columns {
        text.push_str(&format!(" {name} |"));
        rule.push_str("--:|");
    }
    text.push_str(&format!("\n{rule}\n"));
    for ((gateway, scenario), tally) in facts.scenarios.iter().take(MOST_ROWS) {
        text.push('|');
        if many {
            text.push_str(&format!(" {} |", escape::code_cell(gateway)));
        }
        let cells = tally.all();
        text.push_str(&format!(" {} | {cells} |", escape::code_cell(scenario)));
        for (verdict, _) in &columns {
            let count = tally.of(*verdict);
            text.push_str(&format!(" {count} |"));
        }
        text.push('\n');
    }
    text.push_str(&more(facts.scenarios.len(), MOST_ROWS));
    Section::new("scenarios", text)
}

/// Why cells are not applicable or were not asked; what makes the run incomplete is told at the top.
pub(super) fn reasons(record: &Record, facts: &Facts) -> Option<Section> {
    let reasons = facts.reasons.iter();
    let reasons = reasons.filter(|(reason, _)| !reason.red);
    let reasons: Vec<_> = reasons.collect();
    if reasons.is_empty() {
        return None;
    }
    let many = record.gateways.len() > 1;
    let mut text = "### Not applicable, and not asked on this machine\n\n".to_owned();
    for (reason, cells) in reasons.iter().take(MOST) {
        let on = match many {
            true => format!(" on {}", escape::code(&reason.gateway)),
            false => String::new(),
        };
        let under = match reason.profile.as_str() {
            "" => "not asked".to_owned(),
            profile => format!("under {}", escape::code(profile)),
        };
        text.push_str(&format!(
            "- {cells} {under}{on}: {}\n",
            escape::text(&reason.text)
        ));
    }
    text.push_str(&more(reasons.len(), MOST));
    Some(Section::new("what is not applicable", text))
}

/// Which run this was.
pub(super) fn foot(record: &Record) -> Section {
    let run = &record.run;
    let text = format!(
        "clawgauge {}, run {}, contract {}, {} to {}",
        escape::code(&run.harness),
        escape::code(&run.id),
        escape::code(run.table_hash.get(..12).unwrap_or(&run.table_hash)),
        escape::text(&run.started),
        escape::text(&run.finished),
    );
    Section::new("which run this was", text)
}
