//! What cells have in common, kept once.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::events::{CellResult, Expected, Facts};
use contract::scenario::model::Outcome;

impl Hash for Facts {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.gateway.hash(hasher);
        self.verdict.name().hash(hasher);
        self.accepted.hash(hasher);
        self.attempts.hash(hasher);
        let rule = self.expected.as_ref().map(|expected| &expected.origin);
        rule.hash(hasher);
        let answer = self.observed.as_ref().map(|observed| &observed.answer);
        answer.hash(hasher);
    }
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        fn rule(expected: &Expected) -> (&str, &str, *const Outcome) {
            (
                &expected.rule,
                &expected.origin,
                Arc::as_ptr(&expected.outcome),
            )
        }
        let issue = |facts: &Self| facts.known_issue.as_ref().map(Arc::as_ptr);
        self.gateway == other.gateway
            && self.verdict == other.verdict
            && self.observed == other.observed
            && self.accepted == other.accepted
            && self.difference == other.difference
            && self.severity == other.severity
            && self.attempts == other.attempts
            && issue(self) == issue(other)
            && self.expected.as_ref().map(rule) == other.expected.as_ref().map(rule)
    }
}

impl Eq for Facts {}

/// The facts that were kept so far, each once.
#[derive(Debug, Default)]
pub(super) struct Pool(HashSet<Arc<Facts>>);

impl Pool {
    /// The same result; what another one has, too, is shared with it.
    pub(super) fn keep(&mut self, result: &CellResult) -> CellResult {
        let facts = match self.0.get(&result.facts) {
            Some(known) => Arc::clone(known),
            None => {
                self.0.insert(Arc::clone(&result.facts));
                Arc::clone(&result.facts)
            }
        };
        CellResult {
            cell: result.cell.clone(),
            facts,
            took: result.took,
        }
    }
}
