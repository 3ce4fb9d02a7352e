//! Which release changed an answer: bisection over published releases.
//!
//! Read [`Hunt`] first: it knows what is asked ([`Question`]), what somebody says about releases ([`Bounds`]) and what was seen
//! of them ([`Tested`]), and says which release to test next. It is pure; whoever drives it launches gateways, and keeps
//! records with [`Records`]. [`Bisection`] is what comes out.

mod bisection;
mod bounds;
mod classifier;
mod endpoints;
mod hunt;
mod question;
mod records;
mod search;
mod tested;

pub use bisection::{
    AnswerRecord, Bisection, CellChange, ChangeKind, ChangeRecord, IssueMention, LeftOut,
    ReleaseRecord,
};
pub use bounds::{Bounds, BoundsError, Find, Label};
pub use endpoints::EndError;
pub use hunt::{Hunt, Next};
pub use question::{Question, QuestionError, QuestionKind};
pub use records::Records;
pub use search::{Probes, Towards};
pub use tested::{Answer, Tested};
