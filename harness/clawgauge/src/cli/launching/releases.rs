//! Releases as people name them on the command line, and what goes wrong on the way to them.

use std::path::Path;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::output::{Failure, Output};
use contract::release::{
    GatewayRef, RangeError, ReleaseRange, Releases, Version, Walk, is_tarball,
};
use machine::install::{InstallError, Progress};
use record::Ending;

/// What a range passes.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct WalkArgs {
    /// Ranges hold betas, too
    #[arg(long)]
    pub(super) betas: bool,

    /// Ranges hold long-term lines, too
    #[arg(long)]
    pub(super) long_term: bool,
}

impl From<WalkArgs> for Walk {
    fn from(args: WalkArgs) -> Self {
        Self {
            betas: args.betas,
            long_term: args.long_term,
        }
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        let exit = match error {
            InstallError::Cancelled => Ending::Interrupted.into(),
            InstallError::Name(_) => Exit::Usage,
            _ => Ending::Gateway.into(),
        };
        Self::new(exit, error.to_string()).helped(error.help())
    }
}

impl From<RangeError> for Failure {
    fn from(error: RangeError) -> Self {
        InstallError::from(error).into()
    }
}

/// The ranges that somebody typed; `openclaw@` before a name is what other commands want, and welcome here.
pub(super) fn ranges(texts: &[String]) -> Result<Vec<ReleaseRange>, Failure> {
    let parse = |text: &String| text.strip_prefix("openclaw@").unwrap_or(text).parse();
    Ok(texts.iter().map(parse).collect::<Result<_, RangeError>>()?)
}

/// What somebody typed to be installed: packages and tarballs, and ranges of releases.
pub(super) fn installable(
    texts: &[String],
) -> Result<(Vec<GatewayRef>, Vec<ReleaseRange>), Failure> {
    let (mut gateways, mut ranged) = (Vec::new(), Vec::new());
    for text in texts {
        let prefixed = text.starts_with("npm:") || text.starts_with("docker:");
        if !prefixed && !is_tarball(Path::new(text)) {
            ranged.push(text.clone());
            continue;
        }
        let gateway = text.parse::<GatewayRef>();
        match gateway.map_err(|error| Failure::usage(error.to_string()))? {
            GatewayRef::Published(name) => ranged.push(name.to_string()),
            GatewayRef::Image(image) => {
                let message = format!("{text} is an image, and none is kept in the cache");
                return Err(Failure::usage(message).help(format!("docker pull {image}")));
            }
            other => gateways.push(other),
        }
    }
    Ok((gateways, ranges(&ranged)?))
}

/// The releases in any of the ranges, in order.
pub(super) fn select(
    ranges: &[ReleaseRange],
    releases: &Releases,
    walk: Walk,
) -> Result<Vec<Version>, RangeError> {
    let mut selected = Vec::new();
    for range in ranges {
        selected.extend(releases.select(range, walk)?);
    }
    selected.sort();
    selected.dedup();
    Ok(selected)
}

/// Says what an installation does. It tells of every second; once in a while is enough.
pub(super) fn say_step(output: &Output, step: &Progress) {
    if !matches!(step, Progress::Installing(_, time) if time.as_secs() % 15 != 0) {
        output.note(&step.to_string());
    }
}
