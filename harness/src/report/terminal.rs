//! The report for people at a terminal: a matrix a profile, causes, counts, and what the exit code says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use similar::{ChangeTag, TextDiff};

use super::Paint;
use super::matrix::{LEGEND, Layout, matrix};
use crate::record::{CauseRecord, CellRecord, GatewayRecord, Record, Summary};
use crate::scenario::Catalogue;
use crate::scenario::model::{PROFILE_AXIS, Scenario, ValueSet};

/// A run of at most so many scenarios shows every matrix.
const FEW_SCENARIOS: usize = 2;
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
    known_issues(&mut out, record, catalogue, paint);
    causes(&mut out, record, catalogue, paint);
    relations(&mut out, record, paint);
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
    let mine: Vec<&CellRecord> = record
        .cells
        .iter()
        .filter(|cell| cell.gateway == gateway.reference)
        .collect();
    let mut blocks = Vec::new();
    for scenario in &catalogue.scenarios {
        let prefix = format!("{}/", scenario.id);
        let cells = mine.iter().filter(|cell| cell.id.starts_with(&prefix));
        let cells: Vec<&CellRecord> = cells.copied().collect();
        if !cells.is_empty() {
            blocks.push((scenario, cells));
        }
    }
    // A run of few scenarios shows every matrix; one of many shows those in which something is not as it should be.
    let all = blocks.len() <= FEW_SCENARIOS;
    let widths = blocks.iter().map(|(scenario, _)| scenario.id.len());
    let width = widths.max().unwrap_or(0);
    out.push('\n');
    for (scenario, cells) in &blocks {
        let name = format!("{:<width$}", scenario.id);
        let _ = writeln!(out, "  {}  {}", paint.bold(&name), tally(cells, paint));
    }
    let mut any = false;
    for (scenario, cells) in &blocks {
        any |= scenario_part(out, scenario, cells, all, paint);
    }
    if any {
        let _ = writeln!(out, "{}", paint.dim(LEGEND));
    }
}

/// The matrices of a scenario in which there is something to see; whether there were any.
fn scenario_part(
    out: &mut String,
    scenario: &Scenario,
    cells: &[&CellRecord],
    all: bool,
    paint: Paint,
) -> bool {
    let layout = Layout::of(scenario);
    let shown = |cells: &[&CellRecord]| {
        let seen = cells.iter().any(|cell| cell.observed.is_some());
        seen && (all || cells.iter().any(|cell| is_trouble(cell)))
    };
    let mut any = false;
    let mut show = |name: &str, cells: &[&CellRecord]| {
        if shown(cells) {
            any = true;
            let _ = writeln!(out, "\n{}: {}", paint.bold(name), tally(cells, paint));
            out.push_str(&matrix(scenario, layout, cells, paint));
        }
    };
    match layout {
        Layout::Whole(_) => show(&scenario.id, cells),
        Layout::PerProfile(_) => {
            for profile in &scenario.axes[scenario.profile_axis()].values {
                let of = |cell: &&&CellRecord| cell.axes.get(PROFILE_AXIS) == Some(&profile.id);
                let cells: Vec<&CellRecord> = cells.iter().filter(of).copied().collect();
                show(&format!("{} under {}", scenario.id, profile.id), &cells);
            }
        }
    }
    any
}

/// Whether a cell is neither as it should be nor explained.
fn is_trouble(cell: &CellRecord) -> bool {
    !matches!(
        cell.verdict.as_str(),
        "conforms" | "known" | "not-applicable"
    )
}

/// The verdicts of some cells in words.
fn tally(cells: &[&CellRecord], paint: Paint) -> String {
    let count = |verdict: &str| cells.iter().filter(|cell| cell.verdict == verdict).count();
    let parts = [
        ("conforms", "conform", None),
        ("deviates", "deviate", Some(true)),
        ("stale", "stale", Some(true)),
        ("new", "without a snapshot", Some(true)),
        ("could-not-run", "could not run", Some(true)),
        ("known", "known", Some(false)),
        ("not-applicable", "not applicable", Some(false)),
    ];
    let parts = parts.iter().filter_map(|(verdict, words, bad)| {
        let count = count(verdict);
        let text = format!("{count} {words}");
        (count > 0).then(|| match bad {
            None => paint.good(&text),
            Some(true) => paint.bad(&text),
            Some(false) => paint.warn(&text),
        })
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn causes(out: &mut String, record: &Record, catalogue: &Catalogue, paint: Paint) {
    let unexplained = || {
        record
            .causes
            .iter()
            .filter(|cause| cause.known_issue.is_none())
    };
    let Some(first) = unexplained().next() else {
        return;
    };
    let count = unexplained().count();
    let heading = format!("{count} cause{}", if count == 1 { "" } else { "s" });
    let _ = writeln!(out, "\n{}", paint.bold(&heading));
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for cause in unexplained().take(MAX_CAUSES) {
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

/// What known issues explain, and what to do about it.
fn known_issues(out: &mut String, record: &Record, catalogue: &Catalogue, paint: Paint) {
    let mut groups: BTreeMap<(&str, &str), Vec<&CellRecord>> = BTreeMap::new();
    for cell in &record.cells {
        if let Some(issue) = &cell.known_issue {
            groups
                .entry((cell.gateway.as_str(), issue.as_str()))
                .or_default()
                .push(cell);
        }
    }
    if groups.is_empty() {
        return;
    }
    let plural = if groups.len() == 1 { "" } else { "s" };
    let heading = format!("{} known issue{plural}", groups.len());
    let _ = writeln!(out, "\n{}", paint.bold(&heading));
    // What most cells show comes first.
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((gateway, _), cells)| (*gateway, std::cmp::Reverse(cells.len())));
    for ((gateway, id), cells) in &groups {
        let Some(issue) = catalogue.known_issues.iter().find(|issue| issue.id == *id) else {
            continue;
        };
        let on = match record.gateways.len() {
            0 | 1 => String::new(),
            _ => format!(" on {gateway}"),
        };
        let stale = cells.iter().filter(|cell| cell.verdict == "stale").count();
        let known = cells.len() - stale;
        let kind = issue.kind.name();
        let _ = writeln!(
            out,
            "  {} {kind}, {known} cell{}{on}: {}",
            paint.warn(id),
            if known == 1 { "" } else { "s" },
            issue.title
        );
        if stale > 0 {
            let _ = writeln!(
                out,
                "     {}",
                paint.bad(&format!(
                    "stale: {stale} cells are as they should be although it says otherwise"
                ))
            );
        }
        let releases = match issue.url.as_str() {
            "" => issue.range().to_string(),
            url => format!("{}; {url}", issue.range()),
        };
        let lines = [
            ("", issue.means.as_str()),
            ("way around: ", issue.workaround.as_str()),
            ("releases: ", &releases),
            ("the bytes say: ", issue.bytes_say.as_str()),
        ];
        for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
            let _ = writeln!(out, "{}", paint.dim(&format!("     {what}{text}")));
        }
    }
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

/// Relations that do not hold.
fn relations(out: &mut String, record: &Record, paint: Paint) {
    let broken = || {
        record
            .relations
            .iter()
            .filter(|relation| relation.unexplained > 0)
    };
    if broken().next().is_none() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{}",
        paint.bold("relations between cells that do not hold")
    );
    for relation in broken() {
        let _ = writeln!(
            out,
            "  {} {} pairs: {} ({})",
            paint.bad(&relation.id),
            relation.unexplained,
            relation.title,
            relation.origin
        );
        let (first, second) = &relation.example;
        let _ = writeln!(out, "     {first}\n     {second}");
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
