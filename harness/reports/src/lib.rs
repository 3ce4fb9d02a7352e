//! Reports: renderings of a [`record::Record`], and the progress of a run. Nothing here decides anything.
//!
//! A format is a file of its own that writes bytes; [`Format`] names them all, and [`write_report`] is the only writer.

mod access;
mod annotations;
mod bisection;
mod cases;
mod comparison;
mod coverage;
mod ctrf;
mod explore;
mod facts;
mod figures;
mod findings;
mod format;
mod granted;
mod history;
mod html;
mod junit;
mod markdown;
mod matrix;
mod mutants;
mod outputs;
mod part;
mod passages;
mod progress;
pub mod repro;
mod routes;
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
pub use coverage::{coverage_change_text, coverage_html, coverage_text};
pub use explore::{explore_markdown, explore_text};
pub use figures::figures;
pub use format::{Format, ReportError, render, write_report};
pub use mutants::mutants_text;
pub use passages::passages_text;
pub use progress::Progress;
pub use routes::{routes_change_text, routes_markdown, routes_text};
pub use style::Paint;
pub use survey::{INDEX, markdown as survey_markdown, site, write_site};
pub use terminal::{Detail, terminal};
