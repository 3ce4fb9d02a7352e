//! `clawgauge repro`.

use std::path::PathBuf;

use clap::Args;

use super::output::{Failure, Output};
use super::reference::REFERENCE_RELEASE;
use base::nearest::nearest;
use contract::plan::{Cell, cells};
use contract::release::{GatewayRef, ReleaseName, Version};
use contract::scenario::Catalogue;
use record::Results;
use reports::repro::{Repro, ReproError, first_affected, markdown, script};

/// Arguments of `repro`.
#[derive(Debug, Args)]
pub(super) struct ReproArgs {
    /// Id of a cell, or of a known issue: its first cell that shows on the release
    #[arg(
        value_name = "CELL|ISSUE",
        required_unless_present = "record",
        conflicts_with = "record"
    )]
    what: Option<String>,

    /// The release that the script installs: openclaw@VERSION [default: the newest whose contract is known; for a known issue, the
    /// one it was seen on]
    #[arg(long, value_name = "REF")]
    gateway: Option<GatewayRef>,

    /// Take cell and release from a cause of this record
    #[arg(long, value_name = "FILE", requires = "cause")]
    record: Option<PathBuf>,

    /// The number of the cause in the record
    #[arg(long, value_name = "N", requires = "record")]
    cause: Option<usize>,

    /// What to print: the script, or a bug report around it
    #[arg(long, value_name = "FORMAT", default_value = "bash")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Bash,
    Markdown,
}

/// Prints a script that shows what a release answers to one cell.
pub(super) fn repro(
    args: &ReproArgs,
    catalogue: &Catalogue,
    output: &Output,
) -> Result<(), Failure> {
    let (cell, release, seen) = subject(args, catalogue)?;
    let mut repro = Repro::new(catalogue, &cell, &release)?;
    repro.seen = seen;
    output.data(&match args.format {
        Format::Bash => script(&repro),
        Format::Markdown => markdown(&repro),
    })
}

fn newest() -> Result<Version, Failure> {
    REFERENCE_RELEASE
        .parse()
        .map_err(|_| Failure::usage("no release is known"))
}

impl From<ReproError> for Failure {
    fn from(error: ReproError) -> Self {
        let help = match &error {
            ReproError::Beside { cell, .. } => {
                format!("ask it here: clawgauge run '{cell}' --gateway openclaw@VERSION")
            }
            ReproError::NotApplicable { .. } => {
                "name another release: --gateway openclaw@VERSION".to_owned()
            }
            ReproError::Client { own, .. } => {
                format!("the same request without the library: clawgauge repro '{own}'")
            }
            ReproError::IssueElsewhere {
                shows_on: Some(release),
                ..
            } => format!("--gateway openclaw@{release}"),
            ReproError::OddName { .. } => {
                "letters, digits and underscores can be written".to_owned()
            }
            ReproError::IssueElsewhere { shows_on: None, .. } => {
                "name another release: --gateway openclaw@VERSION".to_owned()
            }
        };
        Self::usage(error.to_string()).help(help)
    }
}

/// The cell that is meant, the release, and what was seen there, if a record tells.
type Subject = (Cell, Version, Option<String>);

fn subject(args: &ReproArgs, catalogue: &Catalogue) -> Result<Subject, Failure> {
    let named = args.gateway.as_ref().map(release).transpose()?;
    if let (Some(path), Some(cause)) = (&args.record, args.cause) {
        let (cell, version, seen) = from_record(path, cause, catalogue)?;
        return Ok(match named {
            Some(named) if named != version => (cell, named, None),
            Some(_) | None => (cell, version, seen),
        });
    }
    let what = args.what.as_deref().unwrap_or_default();
    if let Some(issue) = catalogue
        .known_issues
        .iter()
        .find(|issue| issue.id.eq_ignore_ascii_case(what))
    {
        let release = match named.or_else(|| issue.shows_on.clone()) {
            Some(release) => release,
            None => newest()?,
        };
        let cell = first_affected(catalogue, issue, &release)?;
        return Ok((cell, release, None));
    }
    let release = match named {
        Some(release) => release,
        None => newest()?,
    };
    Ok((find(catalogue, what)?, release, None))
}

fn find(catalogue: &Catalogue, id: &str) -> Result<Cell, Failure> {
    cells(catalogue)
        .find(|cell| cell.id() == id)
        .ok_or_else(|| {
            let ids: Vec<String> = cells(catalogue).map(|cell| cell.id()).collect();
            let issues = catalogue.known_issues.iter().map(|issue| issue.id.as_str());
            let what = if id.contains('/') {
                "cell"
            } else {
                "cell or known issue"
            };
            let failure = Failure::usage(format!("there is no {what} {id}"));
            match nearest(id, ids.iter().map(String::as_str).chain(issues)) {
                Some(id) => failure.help(format!("the closest is {id}")),
                None => failure.help("clawgauge list shows every cell"),
            }
        })
}

/// A script has to fetch its gateway on any machine, so it must be a release.
fn release(gateway: &GatewayRef) -> Result<Version, Failure> {
    match gateway {
        GatewayRef::Published(ReleaseName::Exact(version)) => Ok(version.clone()),
        GatewayRef::Published(ReleaseName::Latest(_) | ReleaseName::Beta) => {
            Err(Failure::usage(format!("a script must name its release, and what {gateway} is changes"))
                .help("name a version: --gateway openclaw@VERSION"))
        }
        GatewayRef::Reference
        | GatewayRef::Package { .. }
        | GatewayRef::Image(_)
        | GatewayRef::Path(_) => {
            Err(Failure::usage(format!("a script installs a published release, not {gateway}"))
                .help("--gateway openclaw@VERSION; whoever runs the script names a path with REPRO_GATEWAY=PATH"))
        }
    }
}

/// Cell and release of a cause in a record.
fn from_record(
    path: &std::path::Path,
    number: usize,
    catalogue: &Catalogue,
) -> Result<Subject, Failure> {
    let wrong = |why: String| Failure::usage(format!("{}: {why}", path.display()));
    let results = Results::open(path).map_err(|error| wrong(error.to_string()))?;
    let record = results.head();
    let Some(cause) = record.causes.iter().find(|cause| cause.id == number) else {
        let last = record.causes.iter().map(|cause| cause.id).max();
        return Err(wrong(match last {
            Some(last) => format!("there is no cause {number}; the last is {last}"),
            None => "it has no causes".to_owned(),
        }));
    };
    let gateway = record
        .gateways
        .iter()
        .find(|gateway| gateway.reference == cause.gateway);
    let version = gateway.and_then(|gateway| gateway.version.as_ref()?.parse().ok());
    let version = version.ok_or_else(|| {
        wrong(format!(
            "cause {number} does not say which release it is about"
        ))
    })?;
    Ok((
        find(catalogue, &cause.example)?,
        version,
        Some(cause.answer.clone()),
    ))
}
