//! Mutants of a release's own code: which are chosen, who reaches them, what became of them, and the score.
//!
//! Read [`Chosen`] and [`MutantReport`]. A mutant is known by its [`Change::id`], which is the same for every run of a release.

mod chosen;
mod report;

pub use chosen::{Change, Chosen, MismatchError, choose};
pub use report::{Fate, MutantHead, MutantReport, MutantResult, Score};

#[cfg(test)]
mod tests;
