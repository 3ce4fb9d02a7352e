//! The formats of reports, and the one writer.

use base::files::{is_special, replace};
use std::fmt;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{annotations, ctrf, html, junit, markdown, outputs, sarif, summary, tap};
use record::{Results, ResultsError};

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Format {
    /// The record itself; every other report can be made from it.
    Json,
    /// JUnit XML: a suite a gateway and profile, a case a cell.
    Junit,
    /// SARIF 2.1.0: a result a cause.
    Sarif,
    /// Common Test Report Format: a test a cell.
    Ctrf,
    /// TAP 14: a line a cell.
    Tap,
    /// For an issue or a chat.
    Markdown,
    /// Workflow commands of GitHub, one a cause.
    Annotations,
    /// The step summary of GitHub; added to what the file holds.
    Summary,
    /// NAME=VALUE lines for later steps of a pipeline: counts, broken rules, known issues.
    Outputs,
    /// One HTML file for people: verdict, causes, matrices, every cell with what was sent and answered.
    Html,
}

impl Format {
    /// The word that flags use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Ctrf => "ctrf",
            Self::Tap => "tap",
            Self::Markdown => "markdown",
            Self::Annotations => "annotations",
            Self::Summary => "summary",
            Self::Outputs => "outputs",
            Self::Html => "html",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {format} report to {}: {error}", path.display())]
pub struct ReportError {
    format: Format,
    path: PathBuf,
    error: ResultsError,
}

/// Renders a report.
///
/// # Errors
/// The record cannot be read any more, or `out` takes no more.
pub fn render(
    format: Format,
    results: &Results<'_>,
    out: &mut dyn Write,
) -> Result<(), ResultsError> {
    match format {
        Format::Json => results.write(out),
        Format::Junit => junit::write(results, out),
        Format::Sarif => sarif::write(results, out),
        Format::Ctrf => ctrf::write(results, out),
        Format::Tap => tap::write(results, out),
        Format::Markdown => markdown::write(results, out),
        Format::Annotations => annotations::write(results, out),
        Format::Summary => summary::write(results, summary::LIMIT, out),
        Format::Outputs => outputs::write(results, out),
        Format::Html => html::write(results, out),
    }
}

/// Writes a report to a file in one step: readers see the whole file or none. A step summary is added to what the file
/// holds, and a device or a pipe is written to as it is.
///
/// # Errors
/// The folder does not exist, the disk is full, or the record cannot be read any more.
pub fn write_report(format: Format, results: &Results<'_>, path: &Path) -> Result<(), ReportError> {
    write_file(format, results, path).map_err(|error| ReportError {
        format,
        path: path.to_path_buf(),
        error,
    })
}

fn write_file(format: Format, results: &Results<'_>, path: &Path) -> Result<(), ResultsError> {
    // A file in place of /dev/null would be a nasty surprise.
    let special = is_special(path);
    if format == Format::Summary || special {
        let file = fs_err::OpenOptions::new()
            .append(true)
            .create(!special)
            .open(path)?;
        return append(format, results, file);
    }
    replace(path, |out| render(format, results, out))
}

fn append(
    format: Format,
    results: &Results<'_>,
    mut file: fs_err::File,
) -> Result<(), ResultsError> {
    if format != Format::Summary {
        let mut out = BufWriter::new(file);
        render(format, results, &mut out)?;
        return Ok(out.flush()?);
    }
    let holds = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut text = Vec::new();
    summary::write(results, summary::LIMIT.saturating_sub(holds), &mut text)?;
    Ok(file.write_all(&text)?)
}
