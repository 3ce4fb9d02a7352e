//! What upstream says about a known issue, and that the releases in its file do not say otherwise.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{KnownIssue, parse_date};
use crate::release::Version;
use crate::scenario::parse::parse_version;
use crate::scenario::{Problem, Problems, SourceFile};

/// What upstream says about an issue.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct UpstreamTable {
    /// Whether upstream takes it for done.
    state: UpstreamState,
    /// The release with which upstream says that it is mended.
    #[schemars(with = "Option<String>")]
    fixed_in: Option<Spanned<String>>,
    /// Where that is said: the issue, a changelog of a release.
    source: String,
    /// The day on which it was read (YYYY-MM-DD).
    #[schemars(with = "String")]
    on: Spanned<String>,
}

/// Whether upstream takes an issue for done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamState {
    /// It does not.
    Open,
    /// It does.
    Closed,
}

/// What upstream says about an issue, and when that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Whether it takes it for done.
    pub state: UpstreamState,
    /// The release with which it says that it is mended.
    pub fixed_in: Option<Version>,
    /// Where it says so.
    pub source: String,
    /// The day on which that was read.
    pub on: Date,
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.state {
            UpstreamState::Open => "open",
            UpstreamState::Closed => "closed",
        })?;
        if let Some(release) = &self.fixed_in {
            write!(f, ", fixed in {release}")?;
        }
        write!(f, " ({}, read on {})", self.source, self.on)
    }
}

pub(super) fn upstream(
    file: &SourceFile,
    table: &UpstreamTable,
    problems: &mut Problems,
) -> Option<Upstream> {
    let fixed_in = table.fixed_in.as_ref();
    let fixed_in = fixed_in.and_then(|text| parse_version(file, text, problems));
    Some(Upstream {
        state: table.state,
        fixed_in,
        source: table.source.clone(),
        on: parse_date(file, &table.on, problems)?,
    })
}

/// What upstream says must be what the ranges say, or `bytes-say` must tell how the published bytes differ.
pub(super) fn check_upstream(issue: &KnownIssue, table: &UpstreamTable, problems: &mut Problems) {
    let Some(upstream) = &issue.upstream else {
        return;
    };
    let (until, span) = (issue.range().until, table.on.span());
    let contradiction = match (&upstream.fixed_in, until, upstream.state) {
        _ if !issue.bytes_say.is_empty() => None,
        (Some(fixed), Some(until), _) if *fixed != until => Some(format!(
            "upstream says that it is fixed in {fixed}, and `until` says {until}"
        )),
        (Some(fixed), None, _) => Some(format!(
            "upstream says that it is fixed in {fixed}, and there is no `until`"
        )),
        (None, Some(until), UpstreamState::Open) => Some(format!(
            "upstream has it open, and `until` says that it is gone in {until}"
        )),
        (Some(fixed), _, UpstreamState::Open) => Some(format!(
            "upstream has it open, and says that it is fixed in {fixed}"
        )),
        _ => None,
    };
    if let Some(contradiction) = contradiction {
        let label = "as it was read on this day";
        let problem = Problem::at(&issue.file, span, contradiction, label);
        problems.0.push(problem.help(
            "read it again, or run the releases; where the published bytes differ, say how in `bytes-say`",
        ));
    }
}
