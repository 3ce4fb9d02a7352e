//! The matrices of what is red, in Markdown.

use super::{Section, escape};
use crate::Paint;
use crate::facts::{Facts, Suite};
use crate::matrix::{LEGEND, Layout, Matrix};
use record::{Results, ResultsError};

/// At most so many matrices are shown.
const MOST: usize = 6;
/// A matrix of more cells than this is no small picture any more.
const MOST_CELLS: usize = 1_000;

/// A matrix for each scenario and profile in which something is red and something is not: where all cells are red the
/// cause says it already.
pub(super) fn sections(results: &Results<'_>, facts: &Facts) -> Result<Vec<Section>, ResultsError> {
    let record = results.head();
    let helps = |suite: &&Suite| {
        let cells = suite.cells.all();
        (2..=MOST_CELLS).contains(&cells) && (1..cells).contains(&suite.cells.red())
    };
    let per_profile = |suite: &&Suite| {
        let scenario = record.scenario(&suite.scenario);
        scenario.is_some_and(|scenario| {
            !scenario.axes.is_empty() && matches!(Layout::of(scenario), Layout::PerProfile(_))
        })
    };
    let suites = || facts.suites.iter().filter(helps).filter(per_profile);
    let chosen: Vec<&Suite> = suites().take(MOST).collect();
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let mut matrices: Vec<Option<Matrix<'_>>> = chosen
        .iter()
        .map(|suite| {
            let scenario = record.scenario(&suite.scenario)?;
            Some(Matrix::new(scenario, Layout::of(scenario)))
        })
        .collect();
    results.each_cell(&mut |cell| {
        let place = chosen.iter().position(|suite| {
            suite.gateway == cell.gateway
                && suite.scenario == cell.scenario()
                && suite.profile == cell.profile()
        });
        if let Some(matrix) = place.and_then(|place| matrices[place].as_mut()) {
            matrix.cell(cell);
        }
        Ok(())
    })?;
    let mut sections = Vec::new();
    for (suite, matrix) in chosen.iter().zip(matrices) {
        let Some(matrix) = matrix else {
            continue;
        };
        let drawn = matrix.text(Paint { color: false });
        let on = match record.gateways.len() {
            0 | 1 => String::new(),
            _ => format!(" on {}", escape::code(&suite.gateway)),
        };
        let heading = match sections.is_empty() {
            true => "### Where it is broken\n\n",
            false => "",
        };
        let name = format!(
            "{} under {}",
            escape::code(&suite.scenario),
            escape::code(&suite.profile)
        );
        let drawn = escape::fenced(&drawn, "text", "");
        sections.push(Section::new(
            "a matrix",
            format!("{heading}{name}{on}\n\n{drawn}"),
        ));
    }
    let left = suites().count() - chosen.len();
    let mut legend = escape::fenced(LEGEND, "text", "");
    if left > 0 {
        legend.push_str(&format!(
            "\nand {left} more matrices, which `clawgauge report RECORD` draws\n"
        ));
    }
    sections.push(Section::new("what the signs mean", legend));
    Ok(sections)
}
