//! What one pass over the cells tells: all that reports by cause need, in memory that does not grow with the cells.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::test_status::TestStatus;
use base::text::count;
use contract::scenario::IssueKind;
use record::judge::VerdictKind;
use record::{CellRecord, Record, Results, ResultsError};

/// So many distinct reasons are told apart; a reason that names a port or a time would otherwise be another for each cell.
const MOST_REASONS: usize = 200;
/// What further reasons are counted under.
const OTHER_REASONS: &str = "other reasons, which the record holds";

/// What one pass over the cells tells.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// All cells.
    pub(super) all: Tally,
    /// Cells that were answered only after another attempt, and are as they should be.
    pub(super) flaky: usize,
    /// By gateway.
    pub(super) gateways: BTreeMap<String, Tally>,
    /// By gateway and scenario.
    pub(super) scenarios: BTreeMap<(String, String), Tally>,
    /// By gateway, scenario and profile, in the order of the cells.
    pub(super) suites: Vec<Suite>,
    /// Cells of known issues, by gateway and issue.
    pub(super) issues: BTreeMap<(String, String), Tally>,
    /// Cells that are as ruled although a known issue says otherwise, by gateway and issue.
    pub(super) stale: BTreeMap<(String, String), Group>,
    /// Cells that no snapshot holds, by gateway and scenario.
    pub(super) new: BTreeMap<(String, String), Group>,
    /// Cells that were not asked, by what is said about them.
    pub(super) reasons: BTreeMap<Reason, usize>,
    /// Cells of causes that are excused, by cause: as in the baseline, below the severity asked for.
    pub(super) excused: BTreeMap<usize, (usize, usize)>,
}

/// A gateway under one profile.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) gateway: String,
    pub(super) scenario: String,
    pub(super) profile: String,
    pub(super) cells: Tally,
}

/// How many cells have which verdict, and what they do to the run.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    verdicts: BTreeMap<VerdictKind, usize>,
    pub(super) statuses: BTreeMap<TestStatus, usize>,
}

impl Tally {
    /// Cells with a verdict.
    pub(super) fn of(&self, verdict: VerdictKind) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// Cells that do this to the run.
    pub(super) fn count(&self, status: TestStatus) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// Cells that make the run fail or could not run.
    pub(super) fn red(&self) -> usize {
        self.count(TestStatus::Fails) + self.count(TestStatus::CouldNotRun)
    }

    /// All cells.
    pub(super) fn all(&self) -> usize {
        self.verdicts.values().sum()
    }

    /// How many cells have which verdict, in words: what is well first, then the most severe; verdicts that no cell has are left
    /// out.
    pub(super) fn words(&self) -> Vec<(VerdictKind, String)> {
        let words = [
            (VerdictKind::Conforms, "conform"),
            (VerdictKind::Deviates, "deviate"),
            (VerdictKind::Stale, "stale"),
            (VerdictKind::New, "without a snapshot"),
            (VerdictKind::CouldNotRun, "could not run"),
            (VerdictKind::Known, "known"),
            (VerdictKind::NotApplicable, "not applicable"),
            (VerdictKind::NotAsked, "not asked"),
        ];
        let told = words.iter().filter_map(|(verdict, words)| {
            let count = self.of(*verdict);
            (count > 0).then(|| (*verdict, format!("{count} {words}")))
        });
        told.collect()
    }

    fn add(&mut self, verdict: VerdictKind, status: TestStatus) {
        *self.verdicts.entry(verdict).or_default() += 1;
        *self.statuses.entry(status).or_default() += 1;
    }
}

/// A known issue on a gateway.
#[derive(Debug)]
pub(super) struct IssueOn<'a> {
    pub(super) gateway: &'a str,
    pub(super) id: &'a str,
    pub(super) cells: &'a Tally,
    pub(super) security: bool,
}

/// Cells that have something in common.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) cells: usize,
    /// Of them, how many make the run fail.
    pub(super) failing: usize,
    /// Of them, how many the baseline excuses.
    pub(super) as_in_baseline: usize,
    /// The first of them.
    pub(super) example: String,
}

/// Why cells were not asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    pub(super) verdict: VerdictKind,
    /// Whether it makes the run incomplete.
    pub(super) red: bool,
    pub(super) gateway: String,
    /// Empty where it is the machine that lacks something, whatever the profile.
    pub(super) profile: String,
    pub(super) text: String,
}

impl Reason {
    /// So many cells of one profile, or on the machine, and what became of them: `3 could not run on G, profile P: why`.
    pub(super) fn words(&self, cells: usize) -> String {
        let what = match self.verdict {
            VerdictKind::NotAsked => "not asked",
            VerdictKind::NotApplicable => "not applicable",
            _ => "could not run",
        };
        let profile = match self.profile.as_str() {
            "" => String::new(),
            profile => format!(", profile {profile}"),
        };
        let cells = count(cells, "cell");
        format!("{cells} {what} on {}{profile}: {}", self.gateway, self.text)
    }
}

impl Facts {
    /// Looks at every cell once.
    ///
    /// # Errors
    /// The record cannot be read any more.
    pub(super) fn gather(results: &Results<'_>) -> Result<Self, ResultsError> {
        let mut facts = Self::default();
        results.each_cell(&mut |cell| {
            facts.cell(cell);
            Ok(())
        })?;
        Ok(facts)
    }

    /// The known issues that cells name, by gateway: security first, then by how many cells show them.
    pub(super) fn known_issues(&self, record: &Record) -> Vec<IssueOn<'_>> {
        let issues = self.issues.iter().map(|((gateway, id), cells)| {
            let issue = record.known_issue(id);
            IssueOn {
                gateway,
                id,
                cells,
                security: issue.is_some_and(|issue| issue.kind == IssueKind::Security),
            }
        });
        let mut issues: Vec<IssueOn<'_>> = issues.collect();
        issues.sort_by_key(|issue| {
            (
                issue.gateway,
                !issue.security,
                Reverse(issue.cells.of(VerdictKind::Known)),
            )
        });
        issues
    }

    /// Takes in a cell.
    pub(super) fn cell(&mut self, cell: &CellRecord) {
        let status = TestStatus::of(cell);
        let gateway = || cell.gateway.clone();
        let scenario = (gateway(), cell.scenario().to_owned());
        self.all.add(cell.verdict, status);
        let mine = self.gateways.entry(gateway()).or_default();
        mine.add(cell.verdict, status);
        let mine = self.scenarios.entry(scenario.clone()).or_default();
        mine.add(cell.verdict, status);
        self.flaky += usize::from(status == TestStatus::Passes && !cell.attempts.is_empty());
        self.suite(cell, status);
        if let Some(issue) = &cell.known_issue {
            let place = (gateway(), issue.clone());
            let mine = self.issues.entry(place.clone()).or_default();
            mine.add(cell.verdict, status);
            if cell.verdict == VerdictKind::Stale {
                self.stale.entry(place).or_default().add(cell, status);
            }
        }
        if cell.verdict == VerdictKind::New {
            self.new.entry(scenario).or_default().add(cell, status);
        }
        if let Some(text) = &cell.reason {
            self.reason(cell, status, text);
        }
        if let Some(cause) = cell.cause {
            let (baseline, severity) = self.excused.entry(cause).or_default();
            *baseline += usize::from(status == TestStatus::AsInBaseline);
            *severity += usize::from(status == TestStatus::BelowSeverity);
        }
    }

    fn suite(&mut self, cell: &CellRecord, status: TestStatus) {
        let (scenario, profile) = (cell.scenario(), cell.profile());
        let same = |suite: &&mut Suite| {
            suite.gateway == cell.gateway && suite.scenario == scenario && suite.profile == profile
        };
        // Cells come scenario by scenario, so that it is mostly the last.
        match self.suites.iter_mut().rev().find(same) {
            Some(suite) => suite.cells.add(cell.verdict, status),
            None => {
                let mut cells = Tally::default();
                cells.add(cell.verdict, status);
                self.suites.push(Suite {
                    gateway: cell.gateway.clone(),
                    scenario: scenario.to_owned(),
                    profile: profile.to_owned(),
                    cells,
                });
            }
        }
    }

    fn reason(&mut self, cell: &CellRecord, status: TestStatus, text: &str) {
        let mut reason = Reason {
            verdict: cell.verdict,
            red: status == TestStatus::CouldNotRun,
            gateway: cell.gateway.clone(),
            profile: match cell.verdict {
                VerdictKind::NotAsked => String::new(),
                _ => cell.profile().to_owned(),
            },
            text: text.to_owned(),
        };
        if !self.reasons.contains_key(&reason) && self.reasons.len() >= MOST_REASONS {
            reason.text = OTHER_REASONS.to_owned();
        }
        *self.reasons.entry(reason).or_default() += 1;
    }
}

impl Group {
    fn add(&mut self, cell: &CellRecord, status: TestStatus) {
        if self.cells == 0 {
            self.example.clone_from(&cell.id);
        }
        self.cells += 1;
        self.failing += usize::from(status == TestStatus::Fails);
        self.as_in_baseline += usize::from(status == TestStatus::AsInBaseline);
    }
}
