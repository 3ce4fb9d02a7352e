//! `clawgauge cases`: which cells ask the questions of other test suites.

use clap::Args;

use super::output::{Failure, Output, Shape};
use contract::cases::Cases;
use contract::scenario::Catalogue;
use reports::{cases_markdown, cases_text};

/// Arguments of `cases`.
#[derive(Debug, Args)]
pub(super) struct CasesArgs {
    /// What to print: for a terminal, a table to paste, or the map itself
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Shape,
}

/// Prints the map of questions.
pub(super) fn cases(
    args: &CasesArgs,
    catalogue: &Catalogue,
    output: &Output,
) -> Result<(), Failure> {
    let Some(cases) = Cases::load(catalogue)? else {
        return Err(Failure::usage(
            "these data have no questions: there is no scenarios/cases.toml",
        )
        .help("clawgauge schema describes the file; clawgauge list shows the cells"));
    };
    match args.format {
        Shape::Text => output.result(&cases_text(&cases, output.paint())),
        Shape::Markdown => output.data(&cases_markdown(&cases)),
        Shape::Json => output.json(&cases),
    }
}
