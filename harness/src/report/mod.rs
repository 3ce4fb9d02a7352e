//! Reports: renderings of a [`crate::record::Record`], and the progress of a run. Nothing here decides anything.

mod contract;
mod json;
mod matrix;
mod progress;
mod style;
mod terminal;

pub use contract::contract;
pub use json::write_json;
pub use progress::Progress;
pub use style::Paint;
pub use terminal::terminal;
