//! Known issues: public bugs with the releases and cells that they affect, as files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::conditions::Resolver;
use super::files::{OneOrMany, SetTables, WhenSchema, WhenTable};
use super::model::{Condition, Expect, Outcome, Scenario, Start, any_matches};
use super::outcomes::Outcomes;
use super::parse::{parse_range, parse_toml, parse_version, schema_version};
use super::resolve::expect;
use super::{Problem, Problems, SourceFile, breakpoints};
use crate::release::{Version, VersionRange};
use base::nearest::advice;

mod upstream;

pub(super) use upstream::Upstream;
use upstream::{UpstreamTable, check_upstream, upstream};

/// What kind of bug it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IssueKind {
    /// Callers are refused who must be let in.
    Regression,
    /// Callers are let in who must be refused, or learn what they must not.
    Security,
    /// Works, but not as documented or not as its neighbours.
    Compatibility,
}

impl IssueKind {
    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::Security => "security",
            Self::Compatibility => "compatibility",
        }
    }
}

/// A public bug with the releases and cells that it affects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct KnownIssueFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// Its public name, for example `openclaw#58357`.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// Where one can read about it; nothing where only the published bytes tell.
    #[serde(default)]
    url: String,
    /// The bug in one sentence.
    title: String,
    /// What kind of bug it is.
    kind: IssueKind,
    /// What it means for a caller.
    means: String,
    /// What a caller or an operator can do about it.
    workaround: String,
    /// Where the public text and the published bytes disagree: what the bytes say.
    #[serde(default)]
    bytes_say: String,
    /// A release on which it was seen.
    #[schemars(with = "String")]
    shows_on: Spanned<String>,
    /// A release on which it was looked for and not seen.
    #[schemars(with = "Option<String>")]
    gone_on: Option<Spanned<String>>,
    /// What upstream says about it.
    upstream: Option<UpstreamTable>,
    /// From this day on (YYYY-MM-DD) it excuses nothing any more.
    #[schemars(with = "Option<String>")]
    expires: Option<Spanned<String>>,
    /// Answers that are observed there and that no snapshot holds.
    #[serde(default)]
    answers: Vec<AnswerTable>,
    /// The cells that it affects, by release.
    affects: Vec<AffectsTable>,
}

/// An answer that no cell is expected to give.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AnswerTable {
    /// Name of its outcome.
    #[schemars(with = "String")]
    outcome: Spanned<String>,
    /// The answer as a snapshot or a record writes it.
    text: String,
}

/// Cells that a known issue affects on some releases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AffectsTable {
    /// Id of the scenario.
    #[schemars(with = "String")]
    scenario: Spanned<String>,
    /// First release that has it.
    #[schemars(with = "Option<String>")]
    since: Option<Spanned<String>>,
    /// First release that no longer has it.
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
    /// The cells: as in a rule.
    #[schemars(with = "WhenSchema")]
    when: Spanned<OneOrMany<WhenTable>>,
    /// Name of the outcome that is observed there, or `@name` of one of the scenario's answers.
    #[schemars(with = "String")]
    observed: Spanned<String>,
}

/// A known issue, resolved.
#[derive(Debug, Clone)]
pub struct KnownIssue {
    /// Its public name.
    pub id: String,
    /// Where one can read about it.
    pub url: String,
    /// The bug in one sentence.
    pub title: String,
    /// What kind of bug it is.
    pub kind: IssueKind,
    /// What it means for a caller.
    pub means: String,
    /// What one can do about it.
    pub workaround: String,
    /// What the published bytes say where the public text says otherwise; may be empty.
    pub bytes_say: String,
    /// A release on which it was seen.
    pub shows_on: Option<Version>,
    /// A release on which it was looked for and not seen.
    pub gone_on: Option<Version>,
    /// What upstream says about it, if that was looked up.
    pub upstream: Option<Upstream>,
    /// From this day on it excuses nothing.
    pub expires: Option<Date>,
    /// Answers that no cell is expected to give, each with its outcome. They are accepted wherever a known issue says so.
    pub answers: Vec<(String, String)>,
    /// The cells that it affects.
    pub affects: Vec<Affects>,
    /// The file.
    pub file: SourceFile,
}

/// Cells that a known issue affects on some releases.
#[derive(Debug, Clone)]
pub struct Affects {
    /// Id of the scenario.
    pub scenario: String,
    /// The releases that have it.
    pub range: VersionRange,
    /// Which cells: any of these conditions.
    pub when: Vec<Condition>,
    /// What is observed there.
    pub observed: Expect,
    /// Of a scenario about starts: the profiles under which no gateway starts there.
    pub refused: BTreeSet<String>,
    /// Where it is written.
    pub span: std::ops::Range<usize>,
}

impl Affects {
    /// Whether it speaks about a combination of its scenario on a release.
    pub fn holds(&self, release: &Version, combination: &[u16]) -> bool {
        self.range.contains(release)
            && any_matches(&self.when, combination)
            && self.observed.of(combination).is_some()
    }
}

impl KnownIssue {
    /// What it says is observed of a cell on a release, unless it has expired on `today`.
    pub fn says(
        &self,
        scenario: &str,
        release: &Version,
        combination: &[u16],
        today: Date,
    ) -> Option<&Arc<Outcome>> {
        if self.expires.is_some_and(|expires| expires <= today) {
            return None;
        }
        let part = |affects: &&Affects| {
            affects.scenario == scenario && affects.holds(release, combination)
        };
        self.affects.iter().find(part)?.observed.of(combination)
    }

    /// Whether it says that a release does not start under a profile.
    pub fn keeps_from_starting(&self, profile: &str, release: &Version) -> bool {
        let mut starts = self.affects.iter();
        starts.any(|part| part.refused.contains(profile) && part.range.contains(release))
    }

    /// `file:line` of the first cells that it affects.
    pub fn origin(&self) -> String {
        let first = self.affects.first();
        let line = first.map_or(1, |affects| self.file.line(affects.span.start));
        format!("{}:{line}", self.file.name)
    }

    /// The releases that have it: the first since and the last until.
    pub fn range(&self) -> VersionRange {
        let since = self.affects.iter().map(|affects| &affects.range.since);
        let until = self.affects.iter().map(|affects| &affects.range.until);
        VersionRange {
            // No lower bound at all is the lowest of all.
            since: since.min().cloned().flatten(),
            until: if until.clone().any(Option::is_none) {
                None
            } else {
                until.max().cloned().flatten()
            },
        }
    }
}

/// Reads one known-issue file against the scenarios.
pub(super) fn known_issue(
    file: &SourceFile,
    scenarios: &[Arc<Scenario>],
    outcomes: &Outcomes,
) -> Result<KnownIssue, Problems> {
    let raw: KnownIssueFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    let expires = raw
        .expires
        .as_ref()
        .and_then(|text| parse_date(file, text, &mut problems));
    let shows_on = parse_version(file, &raw.shows_on, &mut problems);
    let gone_on = raw
        .gone_on
        .as_ref()
        .and_then(|text| parse_version(file, text, &mut problems));
    let affects: Vec<Affects> = raw
        .affects
        .iter()
        .filter_map(|table| resolve(file, table, scenarios, outcomes, &mut problems))
        .collect();
    let answers = raw.answers.into_iter();
    let answers =
        answers.filter_map(|table| answer(file, table, outcomes, &affects, &mut problems));
    let answers = answers.collect();
    check_evidence(
        file,
        &raw.shows_on,
        shows_on.as_ref(),
        true,
        &affects,
        &mut problems,
    );
    if let Some(text) = &raw.gone_on {
        check_evidence(file, text, gone_on.as_ref(), false, &affects, &mut problems);
    }
    let upstream = raw
        .upstream
        .as_ref()
        .and_then(|table| upstream(file, table, &mut problems));
    let id = raw.id.get_ref().clone();
    let issue = KnownIssue {
        shows_on,
        gone_on,
        id,
        upstream,
        url: raw.url,
        title: raw.title,
        kind: raw.kind,
        means: raw.means,
        workaround: raw.workaround,
        bytes_say: raw.bytes_say,
        expires,
        answers,
        affects,
        file: file.clone(),
    };
    if let Some(table) = &raw.upstream {
        check_upstream(&issue, table, &mut problems);
    }
    problems.into_result(issue)
}

/// The releases that were run must lie where the file says: inside its ranges, or outside.
fn check_evidence(
    file: &SourceFile,
    text: &Spanned<String>,
    release: Option<&Version>,
    inside: bool,
    affects: &[Affects],
    problems: &mut Problems,
) {
    let Some(release) = release else { return };
    let within = affects
        .iter()
        .any(|affects| affects.range.contains(release));
    if within != inside && !affects.is_empty() {
        let wrong = match inside {
            true => format!("no range contains {release}, on which it was seen"),
            false => format!("a range contains {release}, on which it was not seen"),
        };
        problems
            .0
            .push(Problem::at(file, text.span(), wrong, "this release"));
    }
}

/// An accepted answer; its outcome must be one that the file says is observed.
fn answer(
    file: &SourceFile,
    table: AnswerTable,
    outcomes: &Outcomes,
    affects: &[Affects],
    problems: &mut Problems,
) -> Option<(String, String)> {
    let span = table.outcome.span();
    let outcome = table.outcome.into_inner();
    if outcomes.get(&outcome).is_none() {
        problems.0.push(
            Problem::at(
                file,
                span,
                format!("unknown outcome `{outcome}`"),
                "no file has this name",
            )
            .help(advice(&outcome, outcomes.ids())),
        );
        return None;
    }
    let names = |affects: &Affects| affects.observed.outcomes().any(|named| named.id == outcome);
    if !affects.is_empty() && !affects.iter().any(names) {
        problems.0.push(Problem::at(
            file,
            span,
            format!("no part of this file says that {outcome} is observed"),
            "this answer excuses nothing",
        ));
        return None;
    }
    Some((outcome, table.text))
}

fn parse_date(file: &SourceFile, text: &Spanned<String>, problems: &mut Problems) -> Option<Date> {
    let date = text.get_ref().parse().ok();
    if date.is_none() {
        problems.0.push(Problem::at(
            file,
            text.span(),
            format!("`{}` is not a day", text.get_ref()),
            "write YYYY-MM-DD",
        ));
    }
    date
}

fn resolve(
    file: &SourceFile,
    table: &AffectsTable,
    scenarios: &[Arc<Scenario>],
    outcomes: &Outcomes,
    problems: &mut Problems,
) -> Option<Affects> {
    let name = table.scenario.get_ref();
    let Some(scenario) = scenarios.iter().find(|scenario| scenario.id == *name) else {
        let known = scenarios.iter().map(|scenario| scenario.id.as_str());
        problems.0.push(
            Problem::at(
                file,
                table.scenario.span(),
                format!("unknown scenario `{name}`"),
                "no file has this id",
            )
            .help(advice(name, known)),
        );
        return None;
    };
    let sets = SetTables::default();
    let resolver = Resolver {
        file,
        axes: &scenario.axes,
        sets: &sets,
        resolved: &scenario.sets,
    };
    let when = resolver.conditions(&table.when, problems);
    let range = parse_range(file, table.since.as_ref(), table.until.as_ref(), problems);
    let observed = expect(file, &table.observed, &scenario.answers, outcomes, problems)?;
    let profile = scenario.profile_axis();
    let is_refused = |outcome: &Outcome| outcome.start == Some(Start::Refused);
    let may_be_refused = observed.outcomes().any(|outcome| is_refused(outcome));
    let cells = may_be_refused.then(|| scenario.combinations()).into_iter();
    let refused = cells
        .flatten()
        .filter(|cell| any_matches(&when, cell))
        .filter(|cell| observed.of(cell).is_some_and(|outcome| is_refused(outcome)))
        .map(|cell| {
            scenario.axes[profile].values[usize::from(cell[profile])]
                .id
                .clone()
        });
    Some(Affects {
        scenario: name.clone(),
        range,
        refused: refused.collect(),
        when,
        observed,
        span: table.scenario.span(),
    })
}

/// Proves what known issues say of a scenario: each part names a cell that deviates on some release, and no cell is explained twice.
///
/// # Errors
/// A problem for each part that explains nothing, and for each pair that explains the same cell.
pub(super) fn check_known_issues(
    issues: &[Arc<KnownIssue>],
    scenario: &Scenario,
) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let parts: Vec<(&KnownIssue, &Affects)> = issues
        .iter()
        .flat_map(|issue| issue.affects.iter().map(move |affects| (&**issue, affects)))
        .filter(|(_, affects)| affects.scenario == scenario.id)
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    let rules = scenario.rules.iter().map(|rule| &rule.range);
    let ranges = rules.chain(parts.iter().map(|(_, affects)| &affects.range));
    let mut explains = vec![false; parts.len()];
    let mut clashes: BTreeMap<(usize, usize), String> = BTreeMap::new();
    let cells: Vec<_> = scenario.combinations().collect();
    for release in breakpoints(ranges, scenario.since.as_ref()) {
        for cell in &cells {
            let holding: Vec<usize> = (0..parts.len())
                .filter(|index| parts[*index].1.holds(&release, cell))
                .collect();
            if let [first, second, ..] = holding[..] {
                clashes
                    .entry((first, second))
                    .or_insert_with(|| format!("{} on {release}", scenario.cell_id(cell)));
            }
            if holding.is_empty() {
                continue;
            }
            let expected = scenario.expected(&release, cell);
            for index in holding {
                let observed = parts[index].1.observed.of(cell);
                explains[index] |= match (expected, observed) {
                    (Some(expected), Some(observed)) => expected.id != observed.id,
                    _ => false,
                };
            }
        }
    }
    for ((first, second), example) in clashes {
        let (one, _) = parts[first];
        let (two, affects) = parts[second];
        problems.0.push(Problem::at(
            &two.file,
            affects.span.clone(),
            format!("{} and {} both explain {example}", one.id, two.id),
            format!("also in {}", one.file.name),
        ));
    }
    for ((issue, affects), _) in parts.iter().zip(explains).filter(|(_, used)| !used) {
        problems.0.push(
            Problem::at(
                &issue.file,
                affects.span.clone(),
                format!("{} explains nothing here", issue.id),
                "no cell of these releases is expected to answer otherwise",
            )
            .help("its range or its conditions exclude every cell, or the rule expects the same outcome"),
        );
    }
    problems.into_result(())
}
