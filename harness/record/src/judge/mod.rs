//! The judge: what was expected against what was observed. Pure: no IO, no clock, no printing.

mod causes;
mod cell;
mod joined;
mod proof;
mod relations;
mod severity;
mod verdict;

pub use causes::{Cause, CausePart, Difference, causes};
pub use cell::{Judge, Seen};
pub use proof::{ModelCalls, Proof};
pub use relations::{Broken, broken_relations};
pub use severity::Severity;
pub use verdict::{Deviation, SnapshotView, Verdict, VerdictKind, judge, judge_outcome};
