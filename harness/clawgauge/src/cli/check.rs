//! `clawgauge check`: the scenario files alone.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::output::{Failure, Output};
use base::parallel::both;
use contract::cases::Cases;
use contract::plan::{cells, cells_under};
use contract::release::VersionRange;
use contract::scenario::model::any_matches;
use contract::scenario::{Catalogue, KnownIssue, Problem, Problems, told};
use contract::snapshots::{Snapshots, contract_changes, contract_since};
use reports::cases_summary;
use studies::explore;

/// Checks snapshots against rules, and where the questions point; files and tables were checked when they were loaded.
pub(super) fn check(catalogue: &Catalogue, output: &Output) -> Result<(), Failure> {
    // None of these needs another.
    let maps = || both(|| Cases::load(catalogue), || explore::check(catalogue));
    let (snapshots, (cases, options)) = both(|| snapshots(catalogue), maps);
    let (snapshots, found) = snapshots?;
    let mut problems = Problems(found);
    let cases = cases.unwrap_or_else(|found| {
        problems.0.extend(found.0);
        None
    });
    let options = options.unwrap_or_else(|found| {
        problems.0.extend(found.0);
        None
    });
    problems.into_result(())?;
    let rules: usize = catalogue
        .scenarios
        .iter()
        .map(|scenario| scenario.rules.len())
        .sum();
    output.result(&format!(
        "{} scenario{}, {} cells, {rules} rules: every cell is decided by exactly one rule on every release\n{} snapshots agree with the rules, {} known issues explain what they say they do\n{}{}",
        catalogue.scenarios.len(),
        if catalogue.scenarios.len() == 1 { "" } else { "s" },
        cells(catalogue).count(),
        snapshots.iter().count(),
        catalogue.known_issues.len(),
        options.map_or(String::new(), |count| format!("{count} values of options can be explored\n")),
        cases.map_or(String::new(), |cases| format!("{}\n", cases_summary(&cases))),
    ))
}

/// The accepted answers, and what is wrong with them.
fn snapshots(catalogue: &Catalogue) -> Result<(Snapshots, Vec<Problem>), Failure> {
    let snapshots = Snapshots::load(&catalogue.data)?;
    let mut problems = catalogue.outcomes.unsaid.clone();
    problems.extend(untold(catalogue, &snapshots));
    problems.extend(disagreeing(catalogue, &snapshots));
    problems.extend(unrecorded(catalogue, &snapshots));
    for issue in &catalogue.known_issues {
        problems.extend(unaccepted(issue, catalogue, &snapshots));
    }
    Ok((snapshots, problems))
}

/// Problems of accepted answers that a rule does not ask for, and of those to cells that are not there.
fn disagreeing(catalogue: &Catalogue, snapshots: &Snapshots) -> Vec<Problem> {
    let mut problems = Vec::new();
    for snapshot in snapshots.iter() {
        let path = snapshot.path();
        let Some(scenario) = catalogue
            .scenarios
            .iter()
            .find(|scenario| scenario.id == snapshot.scenario)
        else {
            problems.push(
                Problem::nowhere(format!(
                    "{path}: there is no scenario {}",
                    snapshot.scenario
                ))
                .help("remove the file"),
            );
            continue;
        };
        let contract = contract_since(scenario, &snapshot.profile, &snapshot.since)
            .unwrap_or_else(|| snapshot.since.clone());
        let mut known = 0;
        // One problem a rule and answer, however many cells it shows in.
        let mut groups: BTreeMap<(&str, usize), (Problem, usize)> = BTreeMap::new();
        for cell in cells_under(scenario, &snapshot.profile) {
            let Some(answer) = snapshot.cells.get(&cell.key()) else {
                continue;
            };
            known += 1;
            let combination = cell.combination();
            let Some(rule) = scenario.rule_for(&snapshot.since, &combination) else {
                continue;
            };
            let expected = rule.expect.of(&combination);
            let Some(expected) = expected.filter(|outcome| outcome.id != answer.outcome) else {
                continue;
            };
            let group = groups.entry((rule.id.as_str(), answer.line));
            let (_, count) = group.or_insert_with(|| {
                let worse = match answer.grants(catalogue).cmp(&expected.grants) {
                    Ordering::Greater => ", and grants more than the rule",
                    Ordering::Less => ", and grants less than the rule",
                    Ordering::Equal => "",
                };
                let message = format!(
                    "{path}:{} accepts {} for {}, the rule expects {}{worse}",
                    answer.line,
                    answer.outcome,
                    cell.id(),
                    expected.id
                );
                let problem = Problem::at(&scenario.file, rule.span.clone(), message, "this rule");
                (problem, 0)
            });
            *count += 1;
        }
        problems.extend(groups.into_values().map(|(problem, count)| {
            let more = match count {
                1 => String::new(),
                count => format!("; {} more cells have the same", count - 1),
            };
            problem.help(format!(
                "mend the rule, or run the release and accept its answers{more}"
            ))
        }));
        let more = snapshot.cells.len() - known;
        if more > 0 {
            let known: HashSet<String> = cells_under(scenario, &snapshot.profile)
                .map(|cell| cell.key())
                .collect();
            let mut keys = snapshot.cells.iter().map(|(key, _)| key);
            let first = keys.find(|key| !known.contains(key)).unwrap_or_default();
            problems.push(
                Problem::nowhere(format!(
                    "{path} holds {more} cells that the scenario has not, the first is {first}"
                ))
                .help(format!(
                    "run a release since {contract} and accept its answers"
                )),
            );
        }
    }
    problems
}

/// A problem for each denial that tells, in an accepted answer, what its outcome does not say that it tells.
fn untold(catalogue: &Catalogue, snapshots: &Snapshots) -> Vec<Problem> {
    let outcomes = catalogue.outcomes.values().filter_map(|outcome| {
        let may = outcome.tells.as_ref()?;
        let answers = snapshots.answers(&outcome.id);
        let answers = answers.chain(catalogue.known_answers(&outcome.id));
        let tells: BTreeSet<&str> = answers
            .flat_map(|text| told(&catalogue.outcomes.tellable, text))
            .filter(|name| !may.contains(*name))
            .collect();
        (!tells.is_empty()).then_some((outcome, tells))
    });
    let problems = outcomes.map(|(outcome, tells)| {
        let tells = tells.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!(
            "{}: an accepted answer of `{}` tells more than its outcome says: {tells}",
            outcome.origin, outcome.id
        );
        Problem::nowhere(message).help("add it to `tells`, or do not accept that answer")
    });
    problems.collect()
}

/// A problem for each change of rules from which on no answer is accepted, though some are before or after it: releases in between
/// would be compared with nothing.
fn unrecorded(catalogue: &Catalogue, snapshots: &Snapshots) -> Vec<Problem> {
    let mut problems = Vec::new();
    for scenario in &catalogue.scenarios {
        let files = || snapshots.iter().filter(|file| file.scenario == scenario.id);
        let profiles: BTreeSet<&str> = files().map(|file| file.profile.as_str()).collect();
        for profile in catalogue
            .profiles
            .values()
            .filter(|known| profiles.contains(&*known.id))
        {
            let changes = contract_changes(scenario, &profile.id);
            for (at, since) in changes.iter().enumerate() {
                let until = changes.get(at + 1);
                let range = VersionRange {
                    since: Some(since.clone()),
                    until: until.cloned(),
                };
                let mut own = files().filter(|file| file.profile == profile.id);
                if own.any(|file| range.contains(&file.since)) || !profile.is_tested_within(&range)
                {
                    continue;
                }
                let end = until.map_or(String::new(), |end| format!(" until {end}"));
                let message = format!(
                    "no answer to {} under {} is accepted from {since}{end}, where its rules change",
                    scenario.id, profile.id
                );
                problems.push(Problem::nowhere(message).help(format!(
                    "run one of these releases and accept its answers: clawgauge run --gateway openclaw@{since}"
                )));
            }
        }
    }
    problems
}

/// A problem for each outcome that a known issue says is observed, and of which no answer is accepted.
fn unaccepted(issue: &KnownIssue, catalogue: &Catalogue, snapshots: &Snapshots) -> Vec<Problem> {
    let mut found: BTreeMap<&str, Problem> = BTreeMap::new();
    for affects in &issue.affects {
        let mut scenarios = catalogue.scenarios.iter();
        let scenario = scenarios.find(|scenario| scenario.id == affects.scenario);
        for cell in scenario
            .into_iter()
            .flat_map(|scenario| scenario.combinations())
        {
            let holds = any_matches(&affects.when, &cell);
            let Some(outcome) = affects.observed.of(&cell).filter(|_| holds) else {
                continue;
            };
            let mut accepted = snapshots.answers(&outcome.id);
            let mut own = catalogue.known_answers(&outcome.id);
            if accepted.next().or_else(|| own.next()).is_some() {
                continue;
            }
            found.entry(&outcome.id).or_insert_with(|| {
                let message = format!(
                    "{} says that {} is observed, and no answer of it is accepted",
                    issue.id, outcome.id
                );
                Problem::at(&issue.file, affects.span.clone(), message, "here").help(format!(
                    "run a release that has it, read the answer, and add it here:\n[[answers]]\noutcome = \"{}\"\ntext = \'\'\'\n...\n\'\'\'",
                    outcome.id
                ))
            });
        }
    }
    found.into_values().collect()
}
