//! What two gateways answer differently, for people: at a terminal, and as a note to paste into an issue.

mod markdown;
mod terminal;
mod words;

pub use markdown::comparison_markdown;
pub use terminal::comparison_text;
