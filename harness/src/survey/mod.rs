//! A survey: many releases, one record each, and what the records say together.
//!
//! [`carry_out`] runs what has no record yet and keeps the records in a [`Folder`]. What follows is pure: [`Table`] is what the
//! records say, release by release, [`spans()`] since which release until which, [`access()`] who gets in, [`SurveyDocument`] all of
//! it for programs.

mod access;
mod asked;
mod changes;
mod document;
mod folder;
mod install;
mod mark;
mod spans;
mod state;
mod table;
mod work;

pub use access::{Access, Entry, Wrong, access};
pub use asked::{Again, Asked, Todo, Why};
pub use changes::{Change, changes};
pub use document::{SURVEY_SCHEMA, SurveyDocument};
pub use folder::{Folder, FolderError, Kept};
pub use install::Dropped;
pub use mark::{Look, Mark};
pub use spans::{Open, Span, spans};
pub use state::{State, StateKind};
pub use table::{Issue, Release, Row, Table, TableError};
pub use work::{Event, Job, Outcome, SurveyError, carry_out};

#[cfg(test)]
mod tests;
