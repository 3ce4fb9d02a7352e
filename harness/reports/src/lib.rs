//! Reports: renderings of a [`record::Record`], and the progress of a run. Nothing here decides anything.
//!
//! A format is a file of its own that writes bytes; [`Format`] names them all, and [`write_report`] is the only writer.

mod access;
mod annotations;
mod bisection;
mod cases;
mod comparison;
mod ctrf;
mod facts;
mod findings;
mod format;
mod history;
mod html;
mod junit;
mod markdown;
mod matrix;
mod outputs;
mod part;
mod progress;
pub mod repro;
mod sarif;
mod style;
mod summary;
mod survey;
mod tap;
mod terminal;
mod test_status;
mod words;

pub use access::contract;
pub use bisection::{bisection, bisection_markdown};
pub use cases::{cases_markdown, cases_summary, cases_text};
pub use comparison::{comparison_markdown, comparison_text};
pub use format::{Format, ReportError, render, write_report};
pub use progress::Progress;
pub use style::Paint;
pub use survey::{INDEX, markdown as survey_markdown, site, write_site};
pub use terminal::{Detail, terminal};
