//! The gate: what makes a run fail.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CellRecord, GateEffect, MaySkip, PartRecord, RelationRecord, Results, ResultsError};
use crate::judge::{Severity, VerdictKind};
use crate::observe::Observation;
use crate::sameness::{RecordedAnswer, Sameness};

/// What makes a run fail, besides what always does.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Only what no known issue explains.
    #[default]
    Deviates,
    /// Known issues, too.
    Known,
}

/// What makes a run fail.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    /// Whether known issues do.
    pub fail_on: FailOn,
    /// What is less severe than this does not.
    pub severity: Severity,
    /// What the gateway answered the same in this run does not.
    pub baseline: Option<Baseline>,
    /// Whether an excuse of the baseline that is not needed any more does.
    pub strict: bool,
    /// What this machine cannot ask, and need not.
    pub may_skip: MaySkip,
}

impl Gate {
    /// What a cell with this verdict and this answer does to the run; `None` where its verdict lets a run pass, and where
    /// nothing excuses that it was not asked or could not run.
    pub fn standing(
        &self,
        gateway: &str,
        cell: &str,
        verdict: VerdictKind,
        severity: Option<Severity>,
        observed: Option<&Observation>,
    ) -> Option<GateEffect> {
        match verdict {
            VerdictKind::Conforms | VerdictKind::NotApplicable | VerdictKind::CouldNotRun => {
                return None;
            }
            VerdictKind::NotAsked => {
                return self
                    .may_skip
                    .accepts(cell)
                    .then_some(GateEffect::ExpectedSkip);
            }
            VerdictKind::Known if self.fail_on == FailOn::Deviates => return None,
            VerdictKind::Known | VerdictKind::Deviates | VerdictKind::Stale | VerdictKind::New => {}
        }
        if severity.is_some_and(|severity| severity < self.severity) {
            return Some(GateEffect::BelowSeverity);
        }
        let before = self
            .baseline
            .as_ref()
            .and_then(|baseline| baseline.cell(gateway, cell));
        let same = before.zip(observed).is_some_and(|(before, observed)| {
            let answer = RecordedAnswer::from(observed);
            before.answer.same(&answer, Sameness::Text)
        });
        match same {
            true => Some(GateEffect::AsInBaseline),
            false => Some(GateEffect::Fails),
        }
    }

    /// Whether a cell that lets the run pass made the baseline's run fail.
    pub fn is_better(&self, gateway: &str, cell: &str, verdict: VerdictKind) -> bool {
        verdict == VerdictKind::Conforms && self.is_excused(gateway, cell)
    }

    /// Whether a cell made the baseline's run fail.
    pub(crate) fn is_excused(&self, gateway: &str, cell: &str) -> bool {
        let baseline = self.baseline.as_ref();
        let before = baseline.and_then(|baseline| baseline.cell(gateway, cell));
        before.is_some_and(|before| before.failed)
    }

    /// Whether a relation that does not hold makes the run fail.
    pub fn relation_fails(&self, gateway: &str, id: &str, unexplained: usize) -> bool {
        let before = self
            .baseline
            .as_ref()
            .map_or(0, |baseline| baseline.relation(gateway, id));
        unexplained > before && self.severity <= Severity::Shape
    }
}

/// An earlier run whose answers are excused.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// Random name of the run.
    pub run: String,
    gateways: Vec<String>,
    cells: HashMap<(usize, String), Before>,
    relations: Vec<RelationRecord>,
}

/// What a cell was in the baseline.
#[derive(Debug, Clone)]
struct Before {
    answer: RecordedAnswer,
    failed: bool,
}

/// A record that cannot serve as a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ResultsError),
    /// It is a part of the contract only.
    #[error("{0}, and what it did not ask would count as newly broken")]
    Part(String),
    /// It holds no answers.
    #[error("it holds no cell that was answered, so it excuses nothing")]
    Empty,
    /// It is not clear which of its gateways is meant.
    #[error("it holds {0}, and none of them is {1}")]
    Gateways(String, String),
}

impl Baseline {
    /// Reads a record.
    ///
    /// # Errors
    /// The file is no record, or nothing in it was answered.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        Self::of(&Results::open(path)?)
    }

    /// Takes in a record.
    ///
    /// # Errors
    /// It cannot be read any more, or nothing in it was answered.
    pub fn of(results: &Results<'_>) -> Result<Self, BaselineError> {
        let head = results.head();
        if let Some(part) = head.run.budget.as_ref().and_then(PartRecord::is_a_part) {
            return Err(BaselineError::Part(part));
        }
        let gateways: Vec<String> = head
            .gateways
            .iter()
            .map(|gateway| gateway.reference.clone())
            .collect();
        let texts: Vec<Arc<str>> = head
            .answers
            .iter()
            .map(|text| text.as_str().into())
            .collect();
        let mut cells = HashMap::new();
        results.each_cell(&mut |cell: &CellRecord| {
            let place = gateways.iter().position(|name| *name == cell.gateway);
            let observed = cell.observed.as_ref();
            let answer = observed.and_then(|observed| {
                let text = texts.get(observed.answer?)?;
                Some(RecordedAnswer::of(observed, Arc::clone(text)))
            });
            if let (Some(place), Some(answer)) = (place, answer) {
                let before = Before {
                    answer,
                    failed: !cell.verdict.passes(),
                };
                cells.insert((place, cell.id.clone()), before);
            }
            Ok(())
        })?;
        if cells.is_empty() {
            return Err(BaselineError::Empty);
        }
        Ok(Self {
            run: head.run.id.clone(),
            relations: head.relations.clone(),
            gateways,
            cells,
        })
    }

    /// Whether it speaks about a gateway: it names it, or names only one.
    ///
    /// # Errors
    /// It names several others.
    pub fn check(&self, gateway: &str) -> Result<(), BaselineError> {
        match self.place(gateway) {
            Some(_) => Ok(()),
            None => Err(BaselineError::Gateways(
                self.gateways.join(", "),
                gateway.to_owned(),
            )),
        }
    }

    /// How many cells of a gateway made its run fail.
    pub(crate) fn excuses(&self, gateway: &str) -> usize {
        let place = self.place(gateway);
        let cells = self.cells.iter();
        cells
            .filter(|((of, _), before)| Some(*of) == place && before.failed)
            .count()
    }

    fn place(&self, gateway: &str) -> Option<usize> {
        let named = self.gateways.iter().position(|name| name == gateway);
        named.or((self.gateways.len() == 1).then_some(0))
    }

    fn cell(&self, gateway: &str, cell: &str) -> Option<&Before> {
        self.cells.get(&(self.place(gateway)?, cell.to_owned()))
    }

    /// Pairs that broke a relation.
    fn relation(&self, gateway: &str, id: &str) -> usize {
        let name = self.place(gateway).map(|place| &self.gateways[place]);
        self.relations
            .iter()
            .find(|relation| relation.id == id && Some(&relation.gateway) == name)
            .map_or(0, |relation| relation.unexplained)
    }
}
