//! Launches and requests that no scenario knows: [`Launches`] and [`Requests`] choose them, a [`Maker`] makes scenario files of
//! them, which are asked and judged as any others are, and [`World`] folds what is wrong into the findings of an [`Exploration`].
//!
//! What is expected of a cell says an oracle: another gateway that was asked the same. What must hold whatever anybody answers,
//! `scenarios/explore.toml` says, and two laws are built in: no answer tells a secret, and none is a server error.

mod afford;
mod document;
mod explain;
mod findings;
mod launches;
mod laws;
mod project;
mod requests;
mod smaller;
mod texts;

pub use afford::affordable;
pub use document::{Exploration, Finding, SCHEMA};
pub use findings::{Known, World, known_on};
pub use launches::{Launches, Tried};
pub use project::{Expected, ExploredProject, Maker, Questions, STARTS, check, expected};
pub use requests::{Combo, Requests};
pub use smaller::{Candidate, fold_into_larger};

#[cfg(test)]
mod tests;
