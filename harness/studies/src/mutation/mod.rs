//! Mutants of a release's own code: which are chosen, who reaches them, what became of them, and the score.
//!
//! Read [`Chosen`] and [`MutantReport`]. A mutant is known by its [`Mutant::id`], which is the same for every run of a release.

mod chosen;
mod report;

pub use chosen::{Chosen, MismatchError, Mutant, choose};
pub use report::{Fate, MutantHead, MutantReport, MutantResult, Score};

#[cfg(test)]
mod tests;
