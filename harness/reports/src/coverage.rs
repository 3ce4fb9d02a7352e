//! Coverage of a release's own code, and what differs between that of two.

mod html;
#[cfg(test)]
mod tests;
mod text;

pub use html::coverage_html;
pub use text::{coverage_change_text, coverage_text};

use studies::coverage::Share;

/// A share in words: `525/1437`.
fn share((reached, all): (usize, usize)) -> String {
    format!("{reached}/{all}")
}

/// A share in percent, rounded down: only all is 100.
pub(crate) fn percent((reached, all): (usize, usize)) -> usize {
    (reached * 100).checked_div(all).unwrap_or(100)
}

/// Functions and branches in words.
fn shares(of: &Share) -> String {
    format!(
        "{} of {} functions ({} %), {} of {} branches ({} %)",
        of.functions.0,
        of.functions.1,
        percent(of.functions),
        of.branches.0,
        of.branches.1,
        percent(of.branches),
    )
}
