//! The judge: what was expected against what was observed. Pure: no IO, no clock, no printing.

mod causes;
mod relations;
mod verdict;

pub use causes::{Cause, Difference, causes};
pub use relations::{Broken, broken_relations};
pub use verdict::{Deviation, Proof, SnapshotView, Verdict, judge};
