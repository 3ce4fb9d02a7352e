//! The routes of a release: which paths its code and its documentation name, and who was let in there.
//!
//! [`inventory`] finds them, [`judge`] says what the answers mean, [`Routes`] is the document, [`RoutesChange`] what differs between two.

mod change;
mod document;
mod inventory;
mod judge;
mod paths;

pub use change::{Changed, RoutesChange, Side};
pub use document::{
    Credential, Finding, FindingKind, Guard, Route, RouteSource, RouteVerdict, Routes,
};
pub use inventory::{Found, Piece, Wanted, inventory};
pub use judge::{Asked, Reply, judge};

#[cfg(test)]
mod tests;
