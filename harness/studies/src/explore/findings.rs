//! From answers to findings: every cell that an oracle or a law objects to, folded by what such cells have in common.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use base::text::count;
use contract::plan::{cells, not_applicable};
use contract::release::Version;
use contract::request::as_text;
use contract::scenario::model::{Direction, Kind, PROFILE_AXIS};
use contract::scenario::{Catalogue, ExploreRules};
use record::events::CellResult;
use record::judge::{Deviation, Severity, Verdict};
use record::observe::Observation;

use super::explain::{Explained, Settings, explain};
use super::project::STARTS;
use super::{Candidate, Finding, Tried};

/// The setting that names the scenario of a cell.
pub(super) const ASK: &str = "ask";

/// What is known of the cells that were asked.
#[derive(Debug)]
pub struct World<'a> {
    /// The rules of exploration.
    pub rules: &'a ExploreRules,
    /// The contract: its profiles and known issues.
    pub contract: &'a Catalogue,
    /// Who said what is expected.
    pub authority: &'a str,
    /// What is known of the release that the oracle does not say.
    pub known: Known,
}

/// What is known of a release, and an oracle of another one does not say.
#[derive(Debug)]
pub struct Known {
    release: Version,
    /// What says it: known issues, and the contract of the release itself.
    said: BTreeMap<Change, BTreeSet<String>>,
    /// Outcomes that the release does not know: the oracle's contract asks for them somewhere, and its own nowhere.
    unknown: BTreeSet<String>,
}

/// That one outcome is observed instead of another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    expected: String,
    observed: String,
    /// The auth mode.
    mode: String,
    /// Whether the request is one of a sequence.
    is_sequence: bool,
}

/// A cell with an answer.
pub(super) struct Seen<'a> {
    catalogue: &'a Catalogue,
    pub(super) result: &'a CellResult,
    pub(super) observed: &'a Observation,
    /// What it is made of.
    pub(super) cell: Candidate<'a>,
    settings: Settings,
    /// What must hold whatever others answer, and does not.
    pub(super) laws: BTreeSet<String>,
}

/// Cells that are wrong for reasons that may be the same, and those that are right where these are not.
struct Wrong<'a> {
    cells: Vec<&'a Seen<'a>>,
    right: Vec<&'a Settings>,
    /// Who objects.
    broken: String,
    deviation: Option<Deviation>,
}

impl<'a> World<'a> {
    /// The findings of these answers, not numbered yet: first those that nothing known resembles, the most severe first. With the answers
    /// come the scenarios that their cells belong to.
    pub fn findings(&self, answers: &[(&Catalogue, &[CellResult])]) -> Vec<Finding> {
        let answers = answers
            .iter()
            .flat_map(|(catalogue, results)| results.iter().map(|result| (*catalogue, result)));
        let seen = answers.filter_map(|(catalogue, result)| {
            let cell = Candidate::of(&result.cell.id(), self.rules)?;
            Some(Seen {
                catalogue,
                result,
                observed: result.facts.observed.as_ref()?,
                settings: cell.settings(self.rules),
                cell,
                laws: BTreeSet::new(),
            })
        });
        let mut seen: Vec<Seen<'_>> = seen.collect();
        self.judge_by_laws(&mut seen);
        let mut findings: Vec<Finding> = Vec::new();
        for wrong in self.classes(&seen).into_iter().chain(by_law(&seen, self)) {
            findings.extend(self.fold(&wrong));
        }
        findings.extend(self.unknown_answers(&seen));
        findings.sort_by(|a, b| {
            let weight = |one: &Finding| {
                let known = !one.like.is_empty();
                (known, Reverse(one.severity), Reverse(one.cells))
            };
            (weight(a), &a.example).cmp(&(weight(b), &b.example))
        });
        findings
    }

    /// What the oracle objects to.
    fn classes<'b>(&self, seen: &'b [Seen<'b>]) -> Vec<Wrong<'b>> {
        let mut classes: BTreeMap<String, Vec<&Seen<'_>>> = BTreeMap::new();
        for one in seen {
            if let Some(class) = self.class(one) {
                classes.entry(class).or_default().push(one);
            }
        }
        let wrong = classes.into_values().filter_map(|cells| {
            let first = cells.first()?;
            let deviation = deviation(first.result)?;
            // Right are the cells of which the same was expected.
            let direction = match deviation {
                Deviation::UnexpectedDeny | Deviation::WrongBody => Direction::Allow,
                Deviation::UnexpectedAllow | Deviation::WrongDenial => Direction::Deny,
            };
            let is_right = |one: &&Seen<'_>| {
                let expected = one.result.facts.expected.as_ref();
                let expected = expected.map(|expected| expected.outcome.direction);
                deviation_free(one.result)
                    && expected == Some(direction)
                    && is_start(one.result) == is_start(first.result)
            };
            Some(Wrong {
                right: seen
                    .iter()
                    .filter(is_right)
                    .map(|one| &one.settings)
                    .collect(),
                cells,
                broken: format!("{} answers otherwise", self.authority),
                deviation: Some(deviation),
            })
        });
        wrong.collect()
    }

    /// Which cells the oracle objects to for reasons that may be the same.
    fn class(&self, one: &Seen<'_>) -> Option<String> {
        let deviation = deviation(one.result).filter(|_| self.has_oracle(one.result))?;
        if self.is_unknown(one) {
            return None;
        }
        let name = deviation.name();
        if is_start(one.result) {
            // Why a gateway does not start, each release says in its own words.
            let turns = deviation != Deviation::WrongDenial;
            return turns.then(|| format!("{STARTS} {name}"));
        }
        Some(match deviation {
            Deviation::UnexpectedAllow => name.to_owned(),
            // Being kept out by a server error is another thing than being denied.
            Deviation::UnexpectedDeny => {
                let is_error = one.observed.status.is_some_and(|status| status >= 500);
                format!("{name} {is_error}")
            }
            Deviation::WrongDenial | Deviation::WrongBody => {
                format!("{name} {}", one.observed.label())
            }
        })
    }

    /// Whether the oracle asks for an answer that the release does not know at all.
    fn is_unknown(&self, one: &Seen<'_>) -> bool {
        let (expected, _) = said(one.result);
        deviation(one.result).is_some() && self.known.unknown.contains(&expected)
    }

    /// One finding for each answer that the release does not know: that all of its cells deviate says nothing new.
    fn unknown_answers(&self, seen: &[Seen<'_>]) -> Vec<Finding> {
        let mut answers: BTreeMap<String, Vec<&Seen<'_>>> = BTreeMap::new();
        for one in seen.iter().filter(|one| self.is_unknown(one)) {
            answers.entry(said(one.result).0).or_default().push(one);
        }
        let findings = answers.into_iter().filter_map(|(expected, cells)| {
            let severity = |one: &&&Seen<'_>| one.result.facts.severity;
            let worst = cells.iter().max_by_key(severity)?;
            let launches: BTreeSet<&str> =
                cells.iter().map(|one| one.result.cell.profile()).collect();
            let like = format!("{} does not know the answer {expected}", self.known.release);
            Some(Finding {
                broken: vec![format!("{} answers otherwise", self.authority)],
                cells: cells.len(),
                launches: launches.len(),
                like: vec![like],
                ..self.example(worst.catalogue, worst.result)
            })
        });
        findings.collect()
    }

    /// What is known to say the same of cells of the same mode.
    fn like(&self, one: &Seen<'_>) -> impl Iterator<Item = &String> {
        let (expected, observed) = said(one.result);
        let change = Change {
            expected,
            observed,
            mode: one.cell.tried.mode(self.contract).to_owned(),
            is_sequence: one.result.cell.scenario.kind == Kind::Sequence,
        };
        self.known.said.get(&change).into_iter().flatten()
    }

    fn has_oracle(&self, result: &CellResult) -> bool {
        let mut asks = self.rules.asks.iter();
        !asks.any(|ask| !ask.has_oracle && ask.id == result.cell.scenario.id)
    }

    fn fold(&self, wrong: &Wrong<'_>) -> Vec<Finding> {
        let plain = plain(self.rules);
        let settings: Vec<&Settings> = wrong.cells.iter().map(|one| &one.settings).collect();
        let explained = explain(&settings, &wrong.right, &plain);
        let findings = explained.into_iter().filter_map(|explained| {
            let Explained {
                by,
                cells,
                exceptions,
            } = explained;
            let cells: Vec<&Seen<'_>> = cells.into_iter().map(|cell| wrong.cells[cell]).collect();
            // The example with the fewest settings is the easiest to read.
            let example = cells.iter().min_by_key(|one| {
                let odd = one.settings.difference(&plain).count();
                (odd, one.result.cell.id())
            })?;
            let of = |one: &&Seen<'_>| one.result.cell.profile().to_owned();
            let launches: BTreeSet<String> = cells.iter().map(of).collect();
            let severity = cells
                .iter()
                .filter_map(|one| one.result.facts.severity)
                .max();
            let laws = cells.iter().flat_map(|one| &one.laws);
            let laws: BTreeSet<&String> = laws.filter(|law| **law != wrong.broken).collect();
            let like: BTreeSet<&String> = cells.iter().flat_map(|one| self.like(one)).collect();
            Some(Finding {
                severity: match wrong.deviation {
                    Some(_) => severity.unwrap_or_default(),
                    None => Severity::Severe,
                },
                deviation: wrong.deviation,
                broken: [&wrong.broken].into_iter().chain(laws).cloned().collect(),
                by: by.into_iter().collect(),
                exceptions,
                cells: cells.len(),
                launches: launches.len(),
                like: like.into_iter().cloned().collect(),
                ..self.example(example.catalogue, example.result)
            })
        });
        findings.collect()
    }

    /// What a finding says of its example; the rest is to be filled in.
    pub fn example(&self, catalogue: &Catalogue, result: &CellResult) -> Finding {
        let (mut expected, observed) = said(result);
        if !self.has_oracle(result) {
            expected.clear();
        }
        let tried = Tried::of(result.cell.profile(), self.rules);
        let values = tried.iter().flat_map(|tried| &tried.values);
        let words = values.filter_map(|value| Some(self.rules.value(value)?.1.words()));
        let words = words.flatten().collect();
        let answer = result.facts.observed.as_ref().map(|observed| {
            let status = observed.status.map(|status| status.to_string());
            let parts = [
                status,
                observed.error_type.clone(),
                observed.message.clone(),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        });
        Finding {
            id: 0,
            severity: result.facts.severity.unwrap_or_default(),
            deviation: deviation(result),
            broken: Vec::new(),
            by: Vec::new(),
            exceptions: 0,
            cells: 1,
            launches: 1,
            expected,
            observed,
            answer: answer.unwrap_or_default(),
            example: result.cell.id(),
            configuration: words,
            request: match is_start(result) {
                true => String::new(),
                false => as_text(&result.cell, catalogue),
            },
            again: None,
            like: Vec::new(),
            also: Vec::new(),
        }
    }
}

/// Settings that are nothing odd: scenarios, profiles, and the plainest value of each axis.
pub(super) fn plain(rules: &ExploreRules) -> Settings {
    let mut plain = Settings::new();
    for ask in &rules.asks {
        plain.insert(format!("{ASK}={}", ask.id));
        let axes = ask.axes.iter();
        plain.extend(axes.filter_map(|(axis, values)| Some(format!("{axis}={}", values.first()?))));
    }
    plain.extend(
        rules
            .profiles
            .iter()
            .map(|id| format!("{PROFILE_AXIS}={id}")),
    );
    plain
}

fn is_start(result: &CellResult) -> bool {
    result.cell.scenario.kind == Kind::Start
}

fn deviation(result: &CellResult) -> Option<Deviation> {
    match result.facts.verdict {
        Verdict::Deviates(deviation) | Verdict::Known(deviation) => Some(deviation),
        _ => None,
    }
}

fn deviation_free(result: &CellResult) -> bool {
    matches!(
        result.facts.verdict,
        Verdict::Conforms | Verdict::New | Verdict::Stale
    )
}

/// What was expected of a cell, and what was observed.
fn said(result: &CellResult) -> (String, String) {
    let facts = &result.facts;
    let expected = facts
        .expected
        .as_ref()
        .map(|expected| expected.outcome.id.clone());
    let observed = facts
        .observed
        .as_ref()
        .map(record::observe::Observation::label);
    (expected.unwrap_or_default(), observed.unwrap_or_default())
}

/// What is known of a release that an oracle of another one does not know: what known issues say is observed, and what the contract
/// of that release itself expects.
pub fn known_on(contract: &Catalogue, release: &Version, oracle: &Version) -> Known {
    let mut said: BTreeMap<Change, BTreeSet<String>> = BTreeMap::new();
    let own = format!("the contract of {release}");
    let (mut now, mut before) = (BTreeSet::new(), BTreeSet::new());
    for cell in cells(contract) {
        let asked = |release| not_applicable(contract, release, &cell).is_none();
        let there = cell.expected(oracle).filter(|_| asked(oracle));
        let here = cell.expected(release).filter(|_| asked(release));
        now.extend(there.map(|outcome| outcome.id.clone()));
        before.extend(here.map(|outcome| outcome.id.clone()));
        let (Some(there), Some(here)) = (there, here) else {
            continue;
        };
        let profile = contract.profiles.get(cell.profile());
        let mode = profile.map_or("", |profile| &profile.mode);
        let mut note = |observed: &str, by: &str| {
            let change = Change {
                expected: there.id.clone(),
                observed: observed.to_owned(),
                mode: mode.to_owned(),
                is_sequence: cell.scenario.kind == Kind::Sequence,
            };
            said.entry(change).or_default().insert(by.to_owned());
        };
        if there.id != here.id {
            note(&here.id, &own);
        }
        if let Some((issue, observed)) = cell.known(contract, release, record::today()) {
            note(&observed.id, &issue.id);
        }
    }
    Known {
        release: release.clone(),
        said,
        unknown: now.difference(&before).cloned().collect(),
    }
}

/// What laws object to, where the oracle says nothing about the cell.
fn by_law<'a>(seen: &'a [Seen<'a>], world: &World<'_>) -> Vec<Wrong<'a>> {
    let mut by_laws: BTreeMap<&BTreeSet<String>, Vec<&Seen<'_>>> = BTreeMap::new();
    let is_told = |one: &&Seen<'_>| world.class(one).is_some();
    for one in seen
        .iter()
        .filter(|one| !one.laws.is_empty() && !is_told(one))
    {
        by_laws.entry(&one.laws).or_default().push(one);
    }
    let right = seen
        .iter()
        .filter(|one| one.laws.is_empty() && !is_told(one));
    let right: Vec<&Settings> = right.map(|one| &one.settings).collect();
    let wrong = by_laws.into_iter().map(|(laws, cells)| Wrong {
        cells,
        right: right.clone(),
        broken: laws.first().cloned().unwrap_or_default(),
        deviation: None,
    });
    wrong.collect()
}

impl Finding {
    /// What it is in one line.
    pub(super) fn in_a_line(&self) -> String {
        let what = self
            .deviation
            .map_or("broken law", |deviation| deviation.name());
        let by = self.by.join(" ");
        let expected = match self.expected.as_str() {
            "" => String::new(),
            expected => format!("expected {expected}, "),
        };
        format!(
            "{what} of {} ({by}): {expected}got {}; {}",
            count(self.cells, "cell"),
            self.observed,
            self.example
        )
    }

    /// Whether no known issue resembles it, and it has shown again where that was tried.
    pub fn is_new(&self) -> bool {
        self.like.is_empty() && self.again != Some(false)
    }
}
