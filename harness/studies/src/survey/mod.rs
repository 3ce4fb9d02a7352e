//! A survey: many releases, one record each, and what the records say together.
//!
//! A [`Folder`] keeps the records; [`SurveyRequest`] says which of them are still missing. What follows is pure: [`Table`] is what the
//! records say, release by release, [`spans()`] since which release until which, [`access()`] who gets in, [`SurveyDocument`] all of
//! it for programs.

mod access;
mod asked;
mod changes;
mod document;
mod folder;
mod mark;
mod spans;
mod state;
mod table;

pub use access::{Access, Entry, Wrong, access};
pub use asked::{Again, Decision, RerunReason, SurveyRequest};
pub use changes::{Change, changes};
pub use document::{SURVEY_SCHEMA, SurveyDocument};
pub use folder::{Folder, FolderError, Kept, reference};
pub use mark::Mark;
pub use spans::{Open, Span, spans};
pub use state::{State, StateKind};
pub use table::{Issue, Release, Row, Table, TableError};

#[cfg(test)]
mod tests;
