//! The contract for people, as Markdown: per scenario who gets in, and the rules with their sources.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::granted::granted;
use super::history::history;
use super::words::who;
use contract::region::{Combination, minimize_conditions};
use contract::release::Version;
use contract::scenario::model::{Direction, Kind, Scenario};
use contract::scenario::{Affects, Catalogue};

/// Renders the contract that holds for a release.
pub fn contract(catalogue: &Catalogue, release: &Version) -> String {
    let mut out = format!(
        "# The HTTP auth contract of OpenClaw {release}\n\nGenerated from `scenarios/` by `clawgauge contract`. Who gets in \
         is said by axis: what is not named does not matter.\n"
    );
    for scenario in &catalogue.scenarios {
        let _ = write!(out, "\n## {}\n\n{}.\n", scenario.id, scenario.title);
        if scenario.kind == Kind::Requests && scenario.axes.len() > 1 {
            out.push('\n');
            out.push_str(&who_gets_in(scenario, release));
        }
        if scenario.history {
            out.push_str(&history(catalogue, scenario));
        }
        rules(&mut out, scenario, release);
        known_issues(&mut out, catalogue, scenario);
    }
    out.push_str(&granted(catalogue));
    out
}

/// One table: the second axis down, the profiles across, in each field who gets in.
fn who_gets_in(scenario: &Scenario, release: &Version) -> String {
    let profiles = scenario.profile_axis();
    let Some(down) = (0..scenario.axes.len()).find(|axis| *axis != profiles) else {
        return String::new();
    };
    let all: Vec<_> = scenario.combinations().collect();
    let mut out = format!("| {} |", scenario.axes[down].name);
    for profile in &scenario.axes[profiles].values {
        let _ = write!(out, " {} |", profile.id);
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(scenario.axes[profiles].values.len()));
    out.push('\n');
    for (row, value) in scenario.axes[down].values.iter().enumerate() {
        let _ = write!(out, "| {} |", value.id);
        for column in 0..scenario.axes[profiles].values.len() {
            let here = |cell: &&Combination| {
                usize::from(cell[down]) == row && usize::from(cell[profiles]) == column
            };
            let cells: Vec<Combination> = all.iter().filter(here).cloned().collect();
            let _ = write!(
                out,
                " {} |",
                field(scenario, release, &cells, &[down, profiles])
            );
        }
        out.push('\n');
    }
    out
}

/// Who of some cells gets in, in words.
fn field(scenario: &Scenario, release: &Version, cells: &[Combination], fixed: &[usize]) -> String {
    let is_let_in = |cell: &&Combination| {
        let expected = scenario.expected(release, cell);
        expected.is_some_and(|outcome| outcome.direction == Direction::Allow)
    };
    let allowed: Vec<Combination> = cells.iter().filter(is_let_in).cloned().collect();
    if cells.is_empty() {
        return String::new();
    }
    if allowed.is_empty() {
        let outcomes: BTreeSet<String> = cells
            .iter()
            .filter_map(|cell| scenario.expected(release, cell))
            .map(|outcome| outcome.what())
            .collect();
        return format!(
            "nobody ({})",
            outcomes.into_iter().collect::<Vec<_>>().join(", ")
        );
    }
    if allowed.len() == cells.len() {
        return "everybody".to_owned();
    }
    let words: Vec<String> = minimize_conditions(&allowed, cells)
        .into_iter()
        .map(|region| who(scenario, region, fixed))
        .collect();
    words.join(" **or** ")
}

fn rules(out: &mut String, scenario: &Scenario, release: &Version) {
    out.push_str("\n| rule | source |\n|---|---|\n");
    for rule in &scenario.rules {
        if !rule.range.contains(release) {
            continue;
        }
        let title = if rule.title.is_empty() {
            &rule.id
        } else {
            &rule.title
        };
        let _ = writeln!(
            out,
            "| {} | {} |",
            cell_text(title),
            cell_text(&rule.source)
        );
    }
}

fn known_issues(out: &mut String, catalogue: &Catalogue, scenario: &Scenario) {
    let mut lines = String::new();
    for issue in &catalogue.known_issues {
        let speaks = |affects: &Affects| affects.scenario == scenario.id;
        if !issue.affects.iter().any(speaks) {
            continue;
        }
        let id = match issue.url.as_str() {
            "" => issue.id.clone(),
            url => format!("[{}]({url})", issue.id),
        };
        let title = cell_text(&issue.title);
        let _ = writeln!(lines, "| {id} | {title} | {} |", issue.range());
    }
    if !lines.is_empty() {
        out.push_str("\n| known issue | what | releases |\n|---|---|---|\n");
        out.push_str(&lines);
    }
}

/// Text that cannot break a table.
pub(super) fn cell_text(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
