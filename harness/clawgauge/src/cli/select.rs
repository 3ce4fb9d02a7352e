//! The cells that a command is about.

use super::output::Failure;
use contract::plan::{Selection, cells};
use contract::scenario::Catalogue;

/// The cells that globs and conditions select together: some, or it is an error.
pub(super) fn selected(
    catalogue: &Catalogue,
    globs: &[String],
    conditions: &[String],
) -> Result<Selection, Failure> {
    let selection = Selection::parse(catalogue, globs, conditions)?;
    match cells(catalogue).any(|cell| selection.accepts(&cell)) {
        true => Ok(selection),
        false => Err(Failure::no_cell()),
    }
}
