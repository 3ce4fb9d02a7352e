//! `clawgauge repro`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::args::{REFERENCE_RELEASE, reference};
use super::exit::Exit;
use super::output::{Failure, Output};
use super::releases::say_step;
use super::session::Session;
use super::tuning::parse_seconds;
use base::nearest::nearest;
use contract::plan::{Cell, cells};
use contract::release::{GatewayRef, ReleaseName, Version};
use contract::scenario::Catalogue;
use machine::install::{InstallContext, resolve};
use record::{Ending, Results};
use runner::repro::{
    Bench, MinimizeError, Repro, ReproError, first_affected, markdown, minimize, script,
};

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

    /// Launch the gateway again and again to find the smallest configuration and request that still show the deviation
    #[arg(long)]
    minimize: bool,

    /// With --minimize: try it on this gateway instead of the release, for example a build
    #[arg(long, value_name = "REF", requires = "minimize")]
    on: Option<GatewayRef>,

    /// With --minimize: a gateway without the bug, which the smallest script must let pass [default: the release on which the known
    /// issue was looked for and not seen]
    #[arg(long, value_name = "REF", requires = "minimize")]
    mended: Option<GatewayRef>,

    /// With --minimize: seconds that a gateway may take to get ready
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = parse_seconds)]
    ready_timeout: Duration,
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
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let (cell, release, seen) = subject(args, catalogue)?;
    let mut repro = Repro::new(catalogue, &cell, &release)?;
    repro.seen = seen;
    if args.minimize {
        repro =
            session.run(async |cancel| smallest(args, &repro, catalogue, cancel, output).await)?;
    }
    output.data(&match args.format {
        Format::Bash => script(&repro),
        Format::Markdown => markdown(&repro),
    })
}

/// Looks for the smallest reproduction, and tells on stderr what it tries.
async fn smallest(
    args: &ReproArgs,
    repro: &Repro,
    catalogue: &Catalogue,
    cancel: &CancellationToken,
    output: &Output,
) -> Result<Repro, Failure> {
    let published = GatewayRef::Published(ReleaseName::Exact(repro.release.clone()));
    let gateway = args.on.as_ref().unwrap_or(&published);
    let context = InstallContext::from_env(reference()?, catalogue.needs.clone());
    let folder = tempfile::Builder::new().prefix("clawgauge-").tempdir()?;
    let step = |step| say_step(output, &step);
    let find = async |gateway: &GatewayRef| {
        resolve(gateway, &context, &step, cancel)
            .await
            .map_err(|error| Failure::new(Ending::Gateway, error.to_string()).helped(error.help()))
    };
    let program = find(gateway).await?;
    let mended = match mended(args, repro) {
        Some(gateway) => Some(find(&gateway).await?),
        None => {
            output.note("no gateway without the bug is known, so nobody can tell whether the smallest script lets one pass; name it: --mended REF");
            None
        }
    };
    let newest = newest()?;
    let bench = Bench {
        program: &program,
        mended: mended
            .as_ref()
            .map(|mended| (mended, mended.version.as_ref().unwrap_or(&newest))),
        outcomes: catalogue.outcomes.values().cloned().collect(),
        folder: folder.path(),
        ready_timeout: args.ready_timeout,
        timeout: Duration::from_secs(120),
        say: &|text| output.note(text),
        cancel,
    };
    let small = minimize(repro, &bench).await?;
    let removed = small.removed.join(", ");
    output.note(&match small.removed.len() {
        0 => "nothing can be left out".to_owned(),
        count => format!("left out, {count}: {removed}"),
    });
    Ok(small)
}

/// A gateway without the bug: as named, or the release of the known issue, if it is started in the same way.
fn mended(args: &ReproArgs, repro: &Repro) -> Option<GatewayRef> {
    if args.mended.is_some() {
        return args.mended.clone();
    }
    let release = repro.issue.as_ref()?.issue.gone_on.clone()?;
    let how = repro
        .launches
        .iter()
        .find(|launch| launch.range.contains(&repro.release))?;
    how.range
        .contains(&release)
        .then_some(GatewayRef::Published(ReleaseName::Exact(release)))
}

fn newest() -> Result<Version, Failure> {
    REFERENCE_RELEASE
        .parse()
        .map_err(|_| Failure::usage("no release is known"))
}

impl From<MinimizeError> for Failure {
    fn from(error: MinimizeError) -> Self {
        let exit = match &error {
            MinimizeError::Sequence(_) | MinimizeError::Conforms { .. } => Exit::Usage,
            MinimizeError::Unasked { .. } => Ending::Incomplete.into(),
            MinimizeError::Cancelled => Ending::Interrupted.into(),
        };
        Self::new(exit, error.to_string())
    }
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
    cells(catalogue).find(|cell| cell.id == id).ok_or_else(|| {
        let ids: Vec<String> = cells(catalogue).map(|cell| cell.id).collect();
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
        GatewayRef::Reference | GatewayRef::Path(_) => {
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
