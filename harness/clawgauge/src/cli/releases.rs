//! Releases as people name them on the command line, and what goes wrong on the way to them.

use clap::Args;

use super::output::{Failure, USAGE};
use contract::release::{RangeError, ReleaseRange, Releases, Version, Walk};
use machine::install::InstallError;

/// Exit code where a release cannot be had.
pub(super) const NOT_HAD: u8 = 3;
/// Exit code where somebody stopped it.
const INTERRUPTED: u8 = 130;

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
        let code = match error {
            InstallError::Cancelled => INTERRUPTED,
            InstallError::Name(_) => USAGE,
            _ => NOT_HAD,
        };
        let failure = Self::usage(error.to_string()).code(code);
        match error.help() {
            Some(help) => failure.help(help),
            None => failure,
        }
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
