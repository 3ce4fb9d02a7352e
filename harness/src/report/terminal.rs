//! The report for people at a terminal: a matrix a profile, causes, counts, and what the exit code says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use similar::{ChangeTag, TextDiff};

use super::Paint;
use super::matrix::{LEGEND, matrix};
use crate::record::{CauseRecord, CellRecord, GatewayRecord, Record, Summary};
use crate::scenario::Catalogue;
use crate::scenario::model::{PROFILE_AXIS, Scenario, ValueSet};

/// At most so many causes are spelled out.
const MAX_CAUSES: usize = 20;
/// At most so many lines of a difference are shown.
const MAX_DIFF: usize = 14;

/// Renders the whole report.
pub fn terminal(record: &Record, catalogue: &Catalogue, paint: Paint) -> String {
    let mut out = String::new();
    for gateway in &record.gateways {
        gateway_part(&mut out, record, gateway, catalogue, paint);
    }
    if record.cells.iter().any(|cell| cell.observed.is_some()) {
        let _ = writeln!(out, "{}", paint.dim(LEGEND));
    }
    causes(&mut out, record, catalogue, paint);
    reasons(&mut out, record, paint);
    let _ = writeln!(out, "\n{}", counts(&record.summary, paint));
    out
}

fn gateway_part(
    out: &mut String,
    record: &Record,
    gateway: &GatewayRecord,
    catalogue: &Catalogue,
    paint: Paint,
) {
    let version = gateway
        .version
        .as_ref()
        .filter(|version| !gateway.reference.contains(version.as_str()));
    let version = version
        .map(|version| format!(", judged as {version}"))
        .unwrap_or_default();
    let node = gateway
        .node
        .as_ref()
        .map(|node| format!(", Node {node}"))
        .unwrap_or_default();
    let _ = writeln!(out, "\n{}{version}{node}", paint.bold(&gateway.reference));
    for note in &gateway.notes {
        let _ = writeln!(out, "  {}", paint.warn(note));
    }
    for scenario in &catalogue.scenarios {
        let mut profiles: BTreeMap<usize, (&str, Vec<&CellRecord>)> = BTreeMap::new();
        let axis = &scenario.axes[scenario.profile_axis()];
        for cell in record
            .cells
            .iter()
            .filter(|cell| cell.gateway == gateway.reference)
        {
            if cell.id.split('/').next() != Some(scenario.id.as_str()) {
                continue;
            }
            let profile = cell
                .axes
                .get(PROFILE_AXIS)
                .map(String::as_str)
                .unwrap_or_default();
            let place = axis
                .values
                .iter()
                .position(|value| value.id == profile)
                .unwrap_or(usize::MAX);
            profiles
                .entry(place)
                .or_insert_with(|| (profile, Vec::new()))
                .1
                .push(cell);
        }
        for (profile, cells) in profiles.values() {
            profile_part(out, scenario, profile, cells, gateway, paint);
        }
    }
}

fn profile_part(
    out: &mut String,
    scenario: &Scenario,
    profile: &str,
    cells: &[&CellRecord],
    gateway: &GatewayRecord,
    paint: Paint,
) {
    let wrong = cells
        .iter()
        .filter(|cell| !matches!(cell.verdict.as_str(), "conforms" | "not-applicable"))
        .count();
    let skipped = cells
        .iter()
        .filter(|cell| cell.verdict == "not-applicable")
        .count();
    let state = if wrong > 0 {
        paint.bad(&format!(
            "{wrong} of {} cells not as they should be",
            cells.len()
        ))
    } else if skipped == cells.len() {
        paint.warn("not applicable")
    } else {
        paint.good(&format!("{} cells conform", cells.len() - skipped))
    };
    let ready = gateway
        .launches
        .iter()
        .find(|launch| launch.profile == profile)
        .and_then(|launch| launch.ready_ms)
        .map(|ms| paint.dim(&format!(", ready in {:.1} s", ms as f64 / 1000.0)))
        .unwrap_or_default();
    let _ = writeln!(
        out,
        "\n{} under {}: {state}{ready}",
        scenario.id,
        paint.bold(profile)
    );
    if cells.iter().any(|cell| cell.observed.is_some()) {
        out.push_str(&matrix(scenario, profile, cells, paint));
    }
}

fn causes(out: &mut String, record: &Record, catalogue: &Catalogue, paint: Paint) {
    let Some(first) = record.causes.first() else {
        return;
    };
    let count = record.causes.len();
    let heading = format!("{count} cause{}", if count == 1 { "" } else { "s" });
    let _ = writeln!(out, "\n{}", paint.bold(&heading));
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for cause in record.causes.iter().take(MAX_CAUSES) {
        cause_part(out, cause, record.gateways.len() > 1, catalogue, paint);
        // Each rule is told in full once.
        let rule = match told.get(cause.rule.as_str()) {
            Some(earlier) => format!("     rule {}, as in {earlier}\n", cause.rule),
            None => rule_lines(cause),
        };
        told.entry(&cause.rule).or_insert(cause.id);
        out.push_str(&paint.dim(&rule));
    }
    if count > MAX_CAUSES {
        let more = count - MAX_CAUSES;
        let _ = writeln!(out, "  and {more} more; --report json=PATH holds them all");
    }
    let _ = writeln!(out, "  explain a cell: clawgauge show '{}'", first.example);
}

fn rule_lines(cause: &CauseRecord) -> String {
    let mut lines = format!("     rule {} ({})\n", cause.rule, cause.origin);
    if !cause.title.is_empty() {
        let _ = writeln!(lines, "       {}", cause.title);
    }
    if !cause.source.is_empty() {
        let _ = writeln!(lines, "       source: {}", cause.source);
    }
    lines
}

fn cause_part(
    out: &mut String,
    cause: &CauseRecord,
    name_gateway: bool,
    catalogue: &Catalogue,
    paint: Paint,
) {
    let scenario = catalogue
        .scenarios
        .iter()
        .find(|scenario| scenario.id == cause.scenario);
    let conditions: Vec<String> = cause
        .conditions
        .iter()
        .map(|(axis, values)| format!("{axis}={}", values_text(scenario, axis, values)))
        .collect();
    let conditions = if conditions.is_empty() {
        "every cell".to_owned()
    } else {
        conditions.join("  ")
    };
    let on = if name_gateway {
        format!(" on {}", cause.gateway)
    } else {
        String::new()
    };
    let direction = paint.bad(cause.direction.name());
    let plural = if cause.cells == 1 { "" } else { "s" };
    let _ = writeln!(
        out,
        "{:>3}. {direction} {} cell{plural}{on}: {conditions}",
        cause.id, cause.cells
    );
    match &cause.difference {
        None => {
            let seen = paint.bad(&cause.answer);
            let _ = writeln!(out, "     expected {}, observed {seen}", cause.expected);
        }
        Some(difference) => {
            let _ = writeln!(
                out,
                "     {} as expected, but not the accepted answer ({})",
                cause.observed, difference.snapshot
            );
            diff(out, &difference.accepted, &difference.observed, paint);
        }
    }
}

/// The values of a condition: the scenario's own name for the group where it has one, all but a few, or the list.
fn values_text(scenario: Option<&Arc<Scenario>>, axis: &str, values: &[String]) -> String {
    let Some(scenario) = scenario.filter(|_| values.len() > 2) else {
        return values.join(",");
    };
    let same = |set: &&ValueSet| {
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

fn diff(out: &mut String, accepted: &str, observed: &str, paint: Paint) {
    let diff = TextDiff::from_lines(accepted, observed);
    let changes = diff
        .iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal);
    let mut left = MAX_DIFF;
    for change in changes {
        if left == 0 {
            out.push_str("       ...\n");
            break;
        }
        left -= 1;
        let text = change.value().trim_end();
        let line = match change.tag() {
            ChangeTag::Delete => paint.good(&format!("- {text}")),
            ChangeTag::Insert => paint.bad(&format!("+ {text}")),
            ChangeTag::Equal => continue,
        };
        let _ = writeln!(out, "       {line}");
    }
}

/// Why cells were not asked: each reason once.
fn reasons(out: &mut String, record: &Record, paint: Paint) {
    let mut groups: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for cell in &record.cells {
        if let Some(reason) = &cell.reason {
            let profile = cell
                .axes
                .get(PROFILE_AXIS)
                .map(String::as_str)
                .unwrap_or_default();
            *groups
                .entry((cell.verdict.as_str(), profile, reason.as_str()))
                .or_default() += 1;
        }
    }
    if !groups.is_empty() {
        out.push('\n');
    }
    for ((verdict, profile, reason), count) in groups.iter().take(MAX_CAUSES) {
        let verdict = if *verdict == "could-not-run" {
            paint.bad(verdict)
        } else {
            paint.warn(verdict)
        };
        let _ = writeln!(out, "  {verdict} {count} under {profile}: {reason}");
    }
}

/// The counts in one line; zeros are left out, but for what conforms.
fn counts(summary: &Summary, paint: Paint) -> String {
    let mut parts = vec![
        format!("{} selected", summary.selected),
        paint.good(&format!("{} conform", summary.conforms)),
    ];
    let rest = [
        (summary.deviates, "deviate", true),
        (summary.known, "known", false),
        (summary.stale, "stale", true),
        (summary.new, "new", true),
        (summary.not_applicable, "not applicable", false),
        (summary.could_not_run, "could not run", true),
    ];
    for (count, what, bad) in rest {
        if count > 0 {
            let text = format!("{count} {what}");
            parts.push(if bad {
                paint.bad(&text)
            } else {
                paint.warn(&text)
            });
        }
    }
    parts.join(", ")
}
