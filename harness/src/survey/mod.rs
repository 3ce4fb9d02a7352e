//! A survey: many releases, one record each, and what the records say together.
//!
//! [`carry_out`] runs what has no record yet and keeps the records in a [`Folder`]; [`Table`] is what they say release by
//! release, and pure.

mod asked;
mod folder;
mod install;
mod state;
mod work;

pub use asked::{Asked, Todo, Why};
pub use folder::{Folder, FolderError, Kept};
pub use install::Dropped;
pub use state::{State, StateKind};
pub use work::{Event, Job, Outcome, SurveyError, carry_out};
