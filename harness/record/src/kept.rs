//! Results as a recorder keeps them: what many cells have in common is kept once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use crate::events::{CellResult, Facts};
use contract::plan::Cell;

/// A cell and what came of it.
#[derive(Debug, Clone)]
pub struct KeptResult {
    /// The cell.
    pub cell: Arc<Cell>,
    /// What came of it, but for the time it took: most cells of a run share that with others.
    pub facts: Arc<Facts>,
    /// From connecting to the end of the answer.
    pub took: Duration,
}

impl Facts {
    /// What rules and answers are told by: the key of [`Pool`].
    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.gateway.hash(&mut hasher);
        self.verdict.name().hash(&mut hasher);
        self.accepted.hash(&mut hasher);
        self.attempts.hash(&mut hasher);
        let rule = self.expected.as_ref().map(|expected| &expected.origin);
        rule.hash(&mut hasher);
        let answer = self.observed.as_ref().map(|observed| &observed.answer);
        answer.hash(&mut hasher);
        hasher.finish()
    }

    fn same(&self, other: &Self) -> bool {
        let rule = |facts: &Self| {
            let expected = facts.expected.as_ref()?;
            Some((
                expected.rule.clone(),
                expected.origin.clone(),
                Arc::as_ptr(&expected.outcome),
            ))
        };
        let issue = |facts: &Self| facts.known_issue.as_ref().map(Arc::as_ptr);
        self.gateway == other.gateway
            && self.verdict == other.verdict
            && self.observed == other.observed
            && self.accepted == other.accepted
            && self.difference == other.difference
            && self.severity == other.severity
            && self.attempts == other.attempts
            && issue(self) == issue(other)
            && rule(self) == rule(other)
    }
}

/// The facts that were kept so far, each once.
#[derive(Debug, Default)]
pub(super) struct Pool(HashMap<u64, Vec<Arc<Facts>>>);

impl Pool {
    /// Keeps a result.
    pub(super) fn keep(&mut self, result: &CellResult) -> KeptResult {
        let mut facts = result.facts.clone();
        let observed = facts.observed.as_mut();
        let took = observed.map(|observed| std::mem::take(&mut observed.took));
        let known = self.0.entry(facts.hash()).or_default();
        let facts = match known.iter().find(|known| known.same(&facts)) {
            Some(known) => Arc::clone(known),
            None => {
                known.push(Arc::new(facts));
                Arc::clone(&known[known.len() - 1])
            }
        };
        KeptResult {
            cell: Arc::clone(&result.cell),
            facts,
            took: took.unwrap_or_default(),
        }
    }
}
