//! What each release answers, for a scenario that says `history = true`: cells that were answered alike on all releases in one row.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::words::who;
use contract::region::{Combination, minimize_conditions};
use contract::release::Version;
use contract::scenario::model::{Outcome, Scenario};
use contract::scenario::{Catalogue, KnownIssue, breakpoints};

/// One table: who asks down, from which release on across, in each field what the release answers. Known issues are part of it.
pub(super) fn history(catalogue: &Catalogue, scenario: &Scenario) -> String {
    let releases = releases(catalogue, scenario);
    let all: Vec<_> = scenario.combinations().collect();
    let profiles = scenario.profile_axis();
    // By profile and by what every release answers.
    let mut rows: BTreeMap<(u16, Vec<String>), Vec<Combination>> = BTreeMap::new();
    for cell in &all {
        let answers = releases
            .iter()
            .map(|release| answer(catalogue, scenario, release, cell));
        let key = (cell[profiles], answers.collect());
        rows.entry(key).or_default().push(cell.clone());
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|(_, one), (_, other)| one.cmp(other));
    let mut out = String::from(
        "\nWhat each release answers, known issues included; an answer stays until the next column.\n\n| profile | who |",
    );
    for release in &releases {
        let _ = write!(out, " from {release} |");
    }
    let _ = writeln!(out, "\n|---|---|{}", "---|".repeat(releases.len()));
    for ((profile, answers), cells) in rows {
        let universe = all.iter().filter(|cell| cell[profiles] == profile);
        let universe: Vec<Combination> = universe.cloned().collect();
        let who: Vec<String> = minimize_conditions(&cells, &universe)
            .into_iter()
            .map(|region| who(scenario, region, &[profiles]))
            .collect();
        let profile = &scenario.axes[profiles].values[usize::from(profile)].id;
        let who = who.join(" **or** ");
        let _ = writeln!(out, "| {profile} | {who} | {} |", answers.join(" | "));
    }
    out
}

/// The releases with which an answer may change.
fn releases(catalogue: &Catalogue, scenario: &Scenario) -> Vec<Version> {
    let rules = scenario.rules.iter().map(|rule| &rule.range);
    let issues = catalogue
        .known_issues
        .iter()
        .flat_map(|issue| &issue.affects);
    let issues = issues.filter(|part| part.scenario == scenario.id);
    let ranges = rules.chain(issues.map(|part| &part.range));
    breakpoints(ranges, scenario.since.as_ref())
        .into_iter()
        .collect()
}

/// What a release answers, and by which known issue if not as it must.
fn answer(
    catalogue: &Catalogue,
    scenario: &Scenario,
    release: &Version,
    cell: &Combination,
) -> String {
    let known = catalogue
        .known_issues
        .iter()
        .find_map(|issue| Some((issue, observed(issue, scenario, release, cell)?)));
    match (known, scenario.expected(release, cell)) {
        (Some((issue, outcome)), _) => {
            format!("{} {} ({})", outcome.what(), outcome.id, issue.id)
        }
        (None, Some(outcome)) => format!("{} {}", outcome.what(), outcome.id),
        (None, None) => String::new(),
    }
}

fn observed<'a>(
    issue: &'a KnownIssue,
    scenario: &Scenario,
    release: &Version,
    cell: &Combination,
) -> Option<&'a Arc<Outcome>> {
    let part = issue
        .affects
        .iter()
        .find(|part| part.scenario == scenario.id && part.holds(release, cell))?;
    part.observed.of(cell)
}
