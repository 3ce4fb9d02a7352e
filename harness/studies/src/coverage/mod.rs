//! What of a release's own code the cells reach, and what nobody does.
//!
//! A changed copy of the release writes down which points of its code each request reaches ([`Reach::read`]); [`Map`] says what
//! the points are. [`Coverage`] is both together, as a document; [`CoverageChange`] is what differs between two of them.

mod change;
mod document;
mod map;
mod rank;
mod reach;
mod sets;

pub use change::{ChangedFunction, CoverageChange, FunctionChange};
pub use document::{Coverage, CoverageHead, CoverageRegion, CoveredPoint, Share};
pub use map::{Map, MapMutant, MapPoint, MapRegion, PointKind};
pub use rank::{Ranks, Unreached};
pub use reach::{Reach, ReachError, Reached};
pub use sets::{Runs, Sets};

#[cfg(test)]
mod tests;
