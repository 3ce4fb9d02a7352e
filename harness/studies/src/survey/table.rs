//! The compatibility table: cells of which the same is said on every release are one row.

use std::collections::{BTreeMap, BTreeSet};

use super::mark::Mark;
use super::spans::{Span, spans};
use super::{Kept, State};
use contract::region::{Combination, Conditions, minimize_conditions};
use contract::release::Version;
use record::symbol::CellSymbol;
use record::{
    AxisRecord, AxisValues, IssueRecord, RuleRecord, ScenarioRecord, Summary, ValueRecord,
};

/// What the records of many releases say together.
#[derive(Debug, Clone)]
pub struct Table {
    /// Hash over the files that all of them were judged by.
    pub table_hash: String,
    /// Version of clawgauge that wrote the newest record.
    pub harness: String,
    /// When the last of them was made.
    pub finished: String,
    /// Globs over cell ids that were asked for; none means every cell.
    pub cells: Vec<String>,
    /// Conditions that were asked for.
    pub conditions: Vec<String>,
    /// The releases, in order: the columns.
    pub releases: Vec<Release>,
    /// The scenarios, with every axis and value that cells have.
    pub scenarios: Vec<ScenarioRecord>,
    /// The rules that cells fall under.
    pub rules: Vec<RuleRecord>,
    /// The rows, by scenario.
    pub rows: Vec<Row>,
    /// The known issues that show on a release.
    pub issues: Vec<Issue>,
}

/// A release.
#[derive(Debug, Clone)]
pub struct Release {
    /// Which.
    pub version: Version,
    /// How it fared.
    pub state: State,
    /// Counts of its verdicts.
    pub summary: Summary,
    /// Version of Node that it ran on.
    pub node: Option<String>,
    /// Integrity of its package.
    pub integrity: Option<String>,
    /// Its launches, and how many of them got ready.
    pub launches: (usize, usize),
    /// When it was asked.
    pub finished: String,
    /// Name of the file with its record.
    pub file: String,
}

/// Cells of which the same is said on every release.
#[derive(Debug, Clone)]
pub struct Row {
    /// A name that stays as long as its cells are these.
    pub id: String,
    /// Place of its scenario.
    pub scenario: usize,
    /// Values by axis that select exactly its cells; no axis means every cell of the scenario.
    pub conditions: Conditions,
    /// Ids of its cells, in order.
    pub cells: Vec<String>,
    /// Ids of the rules that they fall under, in order of releases.
    pub rules: Vec<String>,
    /// What is said by release; `None` where its record does not hold them.
    pub marks: Vec<Option<Mark>>,
    /// What a release answered, the first one that did in each way, by place in `marks`.
    pub answers: Vec<Option<String>>,
    /// Since which release until which.
    pub spans: Vec<Span<Mark>>,
}

impl Row {
    /// Whether releases differ in what they answer.
    pub fn changes(&self) -> bool {
        let asked = self
            .marks
            .iter()
            .flatten()
            .filter(|mark| !mark.look.is_silent());
        let seen: BTreeSet<&str> = asked.map(|mark| mark.seen.as_str()).collect();
        seen.len() > 1
    }

    /// Whether a release deviates.
    pub fn deviates(&self) -> bool {
        let mut marks = self.marks.iter().flatten();
        marks.any(|mark| !mark.look.is_sound() && !mark.look.is_silent())
    }
}

/// A known issue, and where it showed.
#[derive(Debug, Clone)]
pub struct Issue {
    /// What is known about it.
    pub issue: IssueRecord,
    /// Cells that deviate as it says, by release; `None` where the release could not be asked.
    pub cells: Vec<Option<usize>>,
    /// Since which release until which it showed.
    pub spans: Vec<Span<bool>>,
}

/// Records that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// They were judged by different files.
    #[error("the records were judged by different scenario files: {} by {}, {} by {}", .0[0].1, .0[0].0, .0[1].1, .0[1].0)]
    MixedFiles(Vec<(String, String)>),
    /// They are about different cells.
    #[error("the records of {0} and {1} are about different cells")]
    MixedCells(Version, Version),
    /// There is none.
    #[error("there is no record")]
    None,
}

impl Table {
    /// Puts records together, in the order of their releases.
    ///
    /// # Errors
    /// They were judged by different files or are about different cells, or there is none.
    pub fn of(kept: &[Kept]) -> Result<Self, TableError> {
        let Some(first) = kept.first() else {
            return Err(TableError::None);
        };
        check(kept, first)?;
        let mut kept: Vec<&Kept> = kept.iter().collect();
        kept.sort_by(|a, b| a.version.cmp(&b.version));
        let newest = kept.iter().max_by_key(|kept| &kept.record.run.finished);
        let newest = newest.map_or(&first.record.run, |kept| &kept.record.run);
        let releases: Vec<Release> = kept.iter().map(|kept| Release::of(kept)).collect();
        let mut rows = Rows::default();
        for (place, kept) in kept.iter().enumerate() {
            rows.add(place, kept);
        }
        Ok(Self {
            table_hash: newest.table_hash.clone(),
            harness: newest.harness.clone(),
            finished: newest.finished.clone(),
            cells: newest.cells.clone(),
            conditions: newest.conditions.clone(),
            issues: issues(&kept),
            rows: rows.fold(&releases),
            rules: rows.rules.into_values().collect(),
            scenarios: rows.scenarios,
            releases,
        })
    }

    /// The place of a release.
    pub fn place(&self, version: &Version) -> Option<usize> {
        self.releases
            .iter()
            .position(|release| release.version == *version)
    }

    /// The rule of a row with an id.
    pub fn rule(&self, row: &Row, id: &str) -> Option<&RuleRecord> {
        let scenario = &self.scenarios[row.scenario].id;
        self.rules
            .iter()
            .find(|rule| rule.id == id && rule.scenario == *scenario)
    }
}

fn check(kept: &[Kept], first: &Kept) -> Result<(), TableError> {
    let mut hashes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kept in kept {
        let names = hashes.entry(&kept.record.run.table_hash).or_default();
        names.push(kept.version.to_string());
    }
    if hashes.len() > 1 {
        let groups = hashes.into_iter();
        return Err(TableError::MixedFiles(
            groups
                .map(|(hash, names)| (hash.to_owned(), names.join(", ")))
                .collect(),
        ));
    }
    let asked = |kept: &Kept| {
        let sorted = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<_>>();
        let run = &kept.record.run;
        (sorted(&run.cells), sorted(&run.conditions))
    };
    match kept.iter().find(|kept| asked(kept) != asked(first)) {
        Some(other) => Err(TableError::MixedCells(
            first.version.clone(),
            other.version.clone(),
        )),
        None => Ok(()),
    }
}

impl Release {
    fn of(kept: &Kept) -> Self {
        let record = &kept.record;
        let gateway = record.gateways.first();
        let launches = || {
            gateway
                .into_iter()
                .flat_map(|gateway| gateway.last_launches())
        };
        Self {
            version: kept.version.clone(),
            state: State::of(record),
            summary: record.summary.clone(),
            node: gateway.and_then(|gateway| gateway.node.clone()),
            integrity: gateway.and_then(|gateway| gateway.integrity.clone()),
            launches: (
                launches().count(),
                launches()
                    .filter(|launch| launch.ready_ms.is_some())
                    .count(),
            ),
            finished: record.run.finished.clone(),
            file: kept.file.clone(),
        }
    }
}

/// The rows on their way.
#[derive(Debug, Default)]
struct Rows {
    scenarios: Vec<ScenarioRecord>,
    rules: BTreeMap<(String, String), RuleRecord>,
    cells: BTreeMap<String, Told>,
}

/// What the records say of one cell.
#[derive(Debug, Default)]
struct Told {
    scenario: usize,
    combination: Combination,
    marks: BTreeMap<usize, Mark>,
    rules: Vec<String>,
    answers: BTreeMap<usize, String>,
}

impl Rows {
    fn add(&mut self, place: usize, kept: &Kept) {
        let record = &kept.record;
        for rule in &record.rules {
            let key = (rule.scenario.clone(), rule.id.clone());
            self.rules.entry(key).or_insert_with(|| rule.clone());
        }
        for scenario in &record.scenarios {
            if self.scenarios.iter().all(|known| known.id != scenario.id) {
                self.scenarios.push(scenario.clone());
            }
        }
        for cell in &record.cells {
            let (scenario, combination) = self.combination(cell.scenario(), &cell.axes);
            let told = self.cells.entry(cell.id.clone()).or_default();
            told.scenario = scenario;
            told.combination = combination;
            told.marks.insert(place, Mark::of(cell));
            if let Some(observed) = &cell.observed {
                told.answers.insert(place, observed.line());
            }
            if let Some(expected) = &cell.expected
                && !told.rules.contains(&expected.rule)
            {
                told.rules.push(expected.rule.clone());
            }
        }
    }

    /// The place of a scenario, and of a cell's values on its axes; what a record does not describe is learnt from its cells.
    fn combination(&mut self, id: &str, values: &AxisValues) -> (usize, Combination) {
        let place = self.scenarios.iter().position(|known| known.id == id);
        let place = place.unwrap_or_else(|| {
            self.scenarios.push(ScenarioRecord {
                id: id.to_owned(),
                title: String::new(),
                file: String::new(),
                axes: Vec::new(),
                sets: Vec::new(),
            });
            self.scenarios.len() - 1
        });
        let axes = &mut self.scenarios[place].axes;
        for (name, _) in values.iter() {
            if axes.iter().all(|axis| axis.name != name) {
                axes.push(AxisRecord {
                    name: name.to_owned(),
                    values: Vec::new(),
                });
            }
        }
        let combination = axes.iter_mut().map(|axis| {
            let value = values.get(&axis.name).unwrap_or_default();
            let known = axis.values.iter().position(|known| known.id == value);
            let known = known.unwrap_or_else(|| {
                axis.values.push(ValueRecord {
                    id: value.to_owned(),
                    short: value.to_owned(),
                    title: String::new(),
                });
                axis.values.len() - 1
            });
            u16::try_from(known).unwrap_or(u16::MAX)
        });
        (place, combination.collect())
    }

    /// Cells of which the same is said, described by the fewest conditions that select exactly them.
    fn fold(&self, releases: &[Release]) -> Vec<Row> {
        let mut universes: BTreeMap<usize, Vec<Combination>> = BTreeMap::new();
        let mut groups: BTreeMap<(usize, Vec<Option<&Mark>>), Vec<Combination>> = BTreeMap::new();
        let mut ids: BTreeMap<(usize, &Combination), (&String, &Told)> = BTreeMap::new();
        for (id, told) in &self.cells {
            let marks = (0..releases.len()).map(|place| told.marks.get(&place));
            let key = (told.scenario, marks.collect());
            groups
                .entry(key)
                .or_default()
                .push(told.combination.clone());
            let universe = universes.entry(told.scenario).or_default();
            universe.push(told.combination.clone());
            ids.insert((told.scenario, &told.combination), (id, told));
        }
        let mut rows = Vec::new();
        for ((scenario, marks), cells) in groups {
            for region in minimize_conditions(&cells, &universes[&scenario]) {
                let told = region
                    .cells
                    .iter()
                    .filter_map(|cell| ids.get(&(scenario, cell)));
                let told: Vec<_> = told.copied().collect();
                let conditions = region.named(&self.scenarios[scenario]);
                rows.push(row(
                    scenario,
                    &self.scenarios[scenario].id,
                    conditions,
                    &marks,
                    &told,
                    releases,
                ));
            }
        }
        let first = |row: &Row| {
            self.cells
                .get(&row.cells[0])
                .map(|told| told.combination.clone())
        };
        rows.sort_by_key(|row| (row.scenario, first(row)));
        rows
    }
}

fn row(
    scenario: usize,
    name: &str,
    conditions: Conditions,
    marks: &[Option<&Mark>],
    told: &[(&String, &Told)],
    releases: &[Release],
) -> Row {
    let cells: Vec<String> = told.iter().map(|(id, _)| (*id).clone()).collect();
    let mut rules: Vec<String> = Vec::new();
    for rule in told.iter().flat_map(|(_, told)| &told.rules) {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    let versions = releases.iter().map(|release| release.version.clone());
    let known = marks.iter().map(|mark| {
        mark.filter(|mark| !matches!(mark.look, CellSymbol::Lost | CellSymbol::NotAsked))
            .cloned()
    });
    // A reason is not what changes: cells may be not applicable for this and that.
    let known = known.map(|mark| {
        mark.map(|mark| Mark {
            reason: None,
            ..mark
        })
    });
    let row: Vec<(Version, Option<Mark>)> = versions.zip(known).collect();
    let hash = base::files::sha256(cells.join("\n").as_bytes());
    Row {
        id: format!("{name}-{}", &hash[..8]),
        scenario,
        conditions,
        rules,
        marks: marks.iter().map(|mark| mark.cloned()).collect(),
        answers: (0..releases.len())
            .map(|place| {
                told.iter()
                    .find_map(|(_, told)| told.answers.get(&place).cloned())
            })
            .collect(),
        cells,
        spans: spans(&row),
    }
}

/// The known issues that cells name, in the order of their ids.
fn issues(kept: &[&Kept]) -> Vec<Issue> {
    let mut known: BTreeMap<&str, &IssueRecord> = BTreeMap::new();
    for issue in kept.iter().flat_map(|kept| &kept.record.known_issues) {
        known.insert(&issue.id, issue);
    }
    let issues = known.into_values().filter_map(|issue| {
        let cells = kept.iter().map(|kept| {
            let shows = |cell: &&record::CellRecord| {
                let known = cell.verdict == record::judge::VerdictKind::Known;
                known && cell.known_issue.as_deref() == Some(&issue.id)
            };
            let asked = kept.record.summary.ran() > 0;
            asked.then(|| kept.record.cells.iter().filter(shows).count())
        });
        let cells: Vec<Option<usize>> = cells.collect();
        let row: Vec<(Version, Option<bool>)> = kept
            .iter()
            .zip(&cells)
            .map(|(kept, count)| (kept.version.clone(), count.map(|count| count > 0)))
            .collect();
        let shown = spans(&row).into_iter().filter(|span| span.seen);
        let spans: Vec<Span<bool>> = shown.collect();
        (!spans.is_empty()).then(|| Issue {
            issue: issue.clone(),
            cells,
            spans,
        })
    });
    issues.collect()
}
