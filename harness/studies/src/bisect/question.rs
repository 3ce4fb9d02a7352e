//! What is asked of every release: one cell, or the cells of a rule or of a known issue.

use std::collections::BTreeSet;

use serde::Serialize;

use base::nearest::nearest;
use contract::plan::{Cell, cells, not_applicable};
use contract::release::Version;
use contract::scenario::model::{Rule, any_matches};
use contract::scenario::{Catalogue, KnownIssue};

/// What the cells have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// It is one cell.
    Cell,
    /// They fall under a rule.
    Rule,
    /// They are affected by a known issue.
    KnownIssue,
}

/// The cells that are asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its name: id of the cell, `scenario/rule`, or id of the known issue.
    pub name: String,
    /// What the cells have in common.
    pub kind: QuestionKind,
    /// In one sentence; may be empty.
    pub title: String,
    /// The cells, in the order of the plan.
    pub cells: Vec<Cell>,
    /// Cells that are not asked, and why.
    pub left_out: Vec<(String, String)>,
}

/// Nothing that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// There is no such thing.
    #[error("there is no cell, rule or known issue {what}")]
    Unknown {
        /// As given.
        what: String,
        /// Something with a similar name.
        nearest: Option<String>,
    },
    /// Several scenarios have a rule of this name.
    #[error("several scenarios have a rule {rule}: {}", .scenarios.join(", "))]
    Ambiguous {
        /// The rule as given.
        rule: String,
        /// Ids of the scenarios.
        scenarios: Vec<String>,
    },
    /// No release of the line can be asked.
    #[error("none of its cells can be asked of both ends; of {cell}: {reason}")]
    NotApplicable {
        /// One of the cells.
        cell: String,
        /// Why.
        reason: String,
    },
}

impl QuestionError {
    /// The next thing to do.
    pub fn help(&self) -> String {
        match self {
            Self::Unknown {
                nearest: Some(nearest),
                ..
            } => format!("the closest is {nearest}"),
            Self::Unknown { nearest: None, .. } => {
                "clawgauge list shows every cell, clawgauge contract every rule and known issue"
                    .to_owned()
            }
            Self::Ambiguous { rule, scenarios } => {
                format!("name one: clawgauge bisect {}/{rule}", scenarios[0])
            }
            Self::NotApplicable { .. } => "name releases that can be asked".to_owned(),
        }
    }
}

impl Question {
    /// Finds a cell, a known issue, or a rule: `rule`, or `scenario/rule` where several scenarios have it.
    ///
    /// # Errors
    /// There is no such thing, or more than one.
    pub fn find(catalogue: &Catalogue, what: &str) -> Result<Self, QuestionError> {
        if let Some(cell) = cells(catalogue).find(|cell| cell.id() == what) {
            return Ok(Self {
                name: cell.id(),
                kind: QuestionKind::Cell,
                title: cell.scenario.title.clone(),
                cells: vec![cell],
                left_out: Vec::new(),
            });
        }
        let mut issues = catalogue.known_issues.iter();
        if let Some(issue) = issues.find(|issue| issue.id.eq_ignore_ascii_case(what)) {
            return Ok(Self::of_issue(catalogue, issue));
        }
        Self::of_rule(catalogue, what)
    }

    fn of_issue(catalogue: &Catalogue, issue: &KnownIssue) -> Self {
        let affected = |cell: &Cell| {
            issue.affects.iter().any(|affects| {
                affects.scenario == cell.scenario.id
                    && any_matches(&affects.when, &cell.combination())
                    && affects.observed.of(&cell.combination()).is_some()
            })
        };
        Self {
            name: issue.id.clone(),
            kind: QuestionKind::KnownIssue,
            title: issue.title.clone(),
            cells: cells(catalogue).filter(affected).collect(),
            left_out: Vec::new(),
        }
    }

    fn of_rule<'a>(catalogue: &'a Catalogue, what: &str) -> Result<Self, QuestionError> {
        let rules = || {
            catalogue.scenarios.iter().flat_map(|scenario| {
                let named =
                    move |rule: &'a Rule| (format!("{}/{}", scenario.id, rule.id), scenario, rule);
                scenario.rules.iter().map(named)
            })
        };
        let meant: Vec<_> = rules()
            .filter(|(name, _, rule)| name == what || rule.id == what)
            .collect();
        let [(name, scenario, rule)] = &meant[..] else {
            if let [(_, _, rule), ..] = &meant[..] {
                return Err(QuestionError::Ambiguous {
                    rule: rule.id.clone(),
                    scenarios: meant
                        .iter()
                        .map(|(_, scenario, _)| scenario.id.clone())
                        .collect(),
                });
            }
            let mut names: Vec<String> = cells(catalogue).map(|cell| cell.id()).collect();
            names.extend(catalogue.known_issues.iter().map(|issue| issue.id.clone()));
            names.extend(rules().flat_map(|(name, _, rule)| [name, rule.id.clone()]));
            return Err(QuestionError::Unknown {
                what: what.to_owned(),
                nearest: nearest(what, names.iter().map(String::as_str)).map(str::to_owned),
            });
        };
        let under = |cell: &Cell| {
            cell.scenario.id == scenario.id
                && any_matches(&rule.when, &cell.combination())
                && rule.expect.of(&cell.combination()).is_some()
        };
        Ok(Self {
            name: name.clone(),
            kind: QuestionKind::Rule,
            title: rule.title.clone(),
            cells: cells(catalogue).filter(under).collect(),
            left_out: Vec::new(),
        })
    }

    /// Releases with which, as rules and known issues say, the answer to one of the cells changes. Hints, nothing more.
    pub fn hints(&self, catalogue: &Catalogue) -> BTreeSet<Version> {
        let mut hints = BTreeSet::new();
        for cell in &self.cells {
            let rules = cell.scenario.rules.iter();
            let rules = rules.filter(|rule| any_matches(&rule.when, &cell.combination()));
            let issues = catalogue
                .known_issues
                .iter()
                .flat_map(|issue| &issue.affects);
            let issues = issues.filter(|affects| {
                affects.scenario == cell.scenario.id
                    && any_matches(&affects.when, &cell.combination())
            });
            let ranges = rules
                .map(|rule| &rule.range)
                .chain(issues.map(|affects| &affects.range));
            for range in ranges {
                hints.extend(range.since.iter().chain(&range.until).cloned());
            }
        }
        hints
    }

    /// Why none of the cells can be asked of a release, if so.
    pub fn not_applicable(&self, catalogue: &Catalogue, release: &Version) -> Option<String> {
        let mut reasons = self
            .cells
            .iter()
            .map(|cell| not_applicable(catalogue, release, cell));
        let first = reasons.next()??;
        reasons.all(|reason| reason.is_some()).then_some(first)
    }

    /// Leaves out the cells that cannot be asked of every release of a line, unless none would be left: those then that cannot be
    /// asked of both ends. So that every release answers the same question.
    ///
    /// # Errors
    /// No cell can be asked of both ends.
    pub fn narrow(&mut self, catalogue: &Catalogue, line: &[Version]) -> Result<(), QuestionError> {
        let reason = |cell: &Cell, releases: &[&Version]| {
            releases.iter().find_map(|release| {
                let reason = not_applicable(catalogue, release, cell)?;
                Some(format!("not on {release}: {reason}"))
            })
        };
        let everywhere: Vec<&Version> = line.iter().collect();
        let ends: Vec<&Version> = line.first().into_iter().chain(line.last()).collect();
        for releases in [everywhere, ends] {
            let mut kept = Vec::new();
            let mut left_out = Vec::new();
            for cell in &self.cells {
                match reason(cell, &releases) {
                    None => kept.push(cell.clone()),
                    Some(reason) => left_out.push((cell.id(), reason)),
                }
            }
            if !kept.is_empty() {
                self.cells = kept;
                self.left_out = left_out;
                return Ok(());
            }
            self.left_out = left_out;
        }
        let (cell, reason) = self.left_out.pop().unwrap_or_default();
        Err(QuestionError::NotApplicable { cell, reason })
    }

    /// Ids of the cells.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        self.cells.iter().map(Cell::id)
    }
}
