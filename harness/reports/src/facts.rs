//! What one pass over the cells tells: all that reports by cause need, in memory that does not grow with the cells.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::fate::Fate;
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
    /// Cells by what they do to the run.
    pub(super) fates: BTreeMap<Fate, usize>,
    /// Cells that were answered only after another attempt, and are as they should be.
    pub(super) flaky: usize,
    /// Verdicts by gateway and scenario.
    pub(super) scenarios: BTreeMap<(String, String), BTreeMap<VerdictKind, usize>>,
    /// Verdicts by gateway and profile, in the order of the cells.
    pub(super) suites: Vec<Suite>,
    /// Cells of known issues, by gateway and issue.
    pub(super) issues: BTreeMap<(String, String), IssueCells>,
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
    pub(super) cells: usize,
    /// Cells that make the run fail or could not run.
    pub(super) red: usize,
}

/// Cells of a known issue.
#[derive(Debug, Default)]
pub(super) struct IssueCells {
    pub(super) known: usize,
    pub(super) stale: usize,
}

/// A known issue on a gateway.
#[derive(Debug)]
pub(super) struct IssueOn<'a> {
    pub(super) gateway: &'a str,
    pub(super) id: &'a str,
    pub(super) cells: &'a IssueCells,
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
    pub(super) gateway: String,
    pub(super) profile: String,
    pub(super) text: String,
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

    /// Cells that do this to the run.
    pub(super) fn count(&self, fate: Fate) -> usize {
        self.fates.get(&fate).copied().unwrap_or(0)
    }

    /// Cells that make the run fail or could not run.
    pub(super) fn red(&self) -> usize {
        self.count(Fate::Fails) + self.count(Fate::CouldNotRun)
    }

    /// All cells.
    pub(super) fn cells(&self) -> usize {
        self.fates.values().sum()
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
        issues.sort_by_key(|issue| (issue.gateway, !issue.security, Reverse(issue.cells.known)));
        issues
    }

    fn cell(&mut self, cell: &CellRecord) {
        let fate = Fate::of(cell);
        *self.fates.entry(fate).or_default() += 1;
        self.flaky += usize::from(fate == Fate::Passes && !cell.attempts.is_empty());
        let gateway = || cell.gateway.clone();
        let scenario = (gateway(), cell.scenario().to_owned());
        *self
            .scenarios
            .entry(scenario.clone())
            .or_default()
            .entry(cell.verdict)
            .or_default() += 1;
        self.suite(cell, fate);
        if let Some(issue) = &cell.known_issue {
            let place = (gateway(), issue.clone());
            let cells = self.issues.entry(place.clone()).or_default();
            match cell.verdict {
                VerdictKind::Stale => {
                    cells.stale += 1;
                    self.stale.entry(place).or_default().add(cell, fate);
                }
                VerdictKind::Conforms
                | VerdictKind::Deviates
                | VerdictKind::Known
                | VerdictKind::New
                | VerdictKind::NotApplicable
                | VerdictKind::CouldNotRun => cells.known += 1,
            }
        }
        if cell.verdict == VerdictKind::New {
            self.new.entry(scenario).or_default().add(cell, fate);
        }
        if let Some(text) = &cell.reason {
            self.reason(cell, text);
        }
        if let Some(cause) = cell.cause {
            let (baseline, severity) = self.excused.entry(cause).or_default();
            *baseline += usize::from(fate == Fate::AsInBaseline);
            *severity += usize::from(fate == Fate::BelowSeverity);
        }
    }

    fn suite(&mut self, cell: &CellRecord, fate: Fate) {
        let red = usize::from(matches!(fate, Fate::Fails | Fate::CouldNotRun));
        let (scenario, profile) = (cell.scenario(), cell.profile());
        let same = |suite: &&mut Suite| {
            suite.gateway == cell.gateway && suite.scenario == scenario && suite.profile == profile
        };
        // Cells come scenario by scenario, so that it is mostly the last.
        match self.suites.iter_mut().rev().find(same) {
            Some(suite) => {
                suite.cells += 1;
                suite.red += red;
            }
            None => self.suites.push(Suite {
                gateway: cell.gateway.clone(),
                scenario: scenario.to_owned(),
                profile: profile.to_owned(),
                cells: 1,
                red,
            }),
        }
    }

    fn reason(&mut self, cell: &CellRecord, text: &str) {
        let mut reason = Reason {
            verdict: cell.verdict,
            gateway: cell.gateway.clone(),
            profile: cell.profile().to_owned(),
            text: text.to_owned(),
        };
        if !self.reasons.contains_key(&reason) && self.reasons.len() >= MOST_REASONS {
            reason.text = OTHER_REASONS.to_owned();
        }
        *self.reasons.entry(reason).or_default() += 1;
    }
}

impl Group {
    fn add(&mut self, cell: &CellRecord, fate: Fate) {
        if self.cells == 0 {
            self.example.clone_from(&cell.id);
        }
        self.cells += 1;
        self.failing += usize::from(fate == Fate::Fails);
        self.as_in_baseline += usize::from(fate == Fate::AsInBaseline);
    }
}
