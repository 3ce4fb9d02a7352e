//! What is said about one cell on one release: how it looks, what was seen, why it is so.

use serde::Serialize;

use crate::judge::{Deviation, VerdictKind};
use crate::record::{CellRecord, ObservedRecord};
use crate::scenario::model::{Direction, Start};

/// How a cell looks; one letter each, so that colours are not needed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// Let in, as it must be.
    In,
    /// Refused, as it must be.
    Out,
    /// Let in, and must not be: the gravest there is.
    Allow,
    /// Refused, and must not be.
    Deny,
    /// Refused for another reason, or in another shape.
    Denial,
    /// Let in, with another answer.
    Body,
    /// Let in, and must not be, as a known issue says.
    KnownAllow,
    /// Refused, and must not be, as a known issue says.
    KnownDeny,
    /// Another deviation that a known issue names.
    Known,
    /// As it must be, although a known issue says that it is not.
    Stale,
    /// As its rule says, without an accepted answer.
    New,
    /// Could not be asked, or proves nothing.
    Lost,
    /// Cannot be asked of the release.
    NotApplicable,
}

impl Look {
    /// All of them, the gravest first.
    pub const ALL: [Self; 13] = [
        Self::Allow,
        Self::Deny,
        Self::Denial,
        Self::Body,
        Self::KnownAllow,
        Self::KnownDeny,
        Self::Known,
        Self::Stale,
        Self::New,
        Self::Lost,
        Self::In,
        Self::Out,
        Self::NotApplicable,
    ];

    /// How a cell of a record looks.
    pub fn of(cell: &CellRecord) -> Self {
        match (cell.verdict, cell.direction) {
            (VerdictKind::Conforms, _) => match expected(cell) {
                Direction::Allow => Self::In,
                Direction::Deny => Self::Out,
            },
            (VerdictKind::Deviates, Some(Deviation::UnexpectedAllow)) => Self::Allow,
            (VerdictKind::Deviates, Some(Deviation::UnexpectedDeny)) => Self::Deny,
            (VerdictKind::Deviates, Some(Deviation::WrongDenial)) => Self::Denial,
            (VerdictKind::Deviates, Some(Deviation::WrongBody) | None) => Self::Body,
            (VerdictKind::Known, Some(Deviation::UnexpectedAllow)) => Self::KnownAllow,
            (VerdictKind::Known, Some(Deviation::UnexpectedDeny)) => Self::KnownDeny,
            (VerdictKind::Known, Some(Deviation::WrongDenial | Deviation::WrongBody) | None) => {
                Self::Known
            }
            (VerdictKind::Stale, _) => Self::Stale,
            (VerdictKind::New, _) => Self::New,
            (VerdictKind::NotApplicable, _) => Self::NotApplicable,
            (VerdictKind::CouldNotRun, _) => Self::Lost,
        }
    }

    /// The letter that reports show.
    pub fn sign(self) -> &'static str {
        match self {
            Self::In => "+",
            Self::Out => ".",
            Self::Allow => "A",
            Self::Deny => "D",
            Self::Denial => "x",
            Self::Body => "b",
            Self::KnownAllow => "a",
            Self::KnownDeny => "d",
            Self::Known => "k",
            Self::Stale => "s",
            Self::New => "n",
            Self::Lost => "?",
            Self::NotApplicable => "/",
        }
    }

    /// What the letter means.
    pub fn words(self) -> &'static str {
        match self {
            Self::In => "let in, as it must be",
            Self::Out => "refused, as it must be",
            Self::Allow => "let in, must be refused",
            Self::Deny => "refused, must be let in",
            Self::Denial => "refused for another reason or in another shape",
            Self::Body => "let in, but the answer is another",
            Self::KnownAllow => "let in, must be refused: known issue",
            Self::KnownDeny => "refused, must be let in: known issue",
            Self::Known => "another deviation: known issue",
            Self::Stale => "as it must be, though a known issue says it is not",
            Self::New => "as its rule says, nobody has accepted the answer",
            Self::Lost => "could not be asked, or proves nothing",
            Self::NotApplicable => "cannot be asked of the release",
        }
    }

    /// The name of its style.
    pub fn class(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Denial => "denial",
            Self::Body => "body",
            Self::KnownAllow => "known-allow",
            Self::KnownDeny => "known-deny",
            Self::Known => "known",
            Self::Stale => "stale",
            Self::New => "new",
            Self::Lost => "lost",
            Self::NotApplicable => "none",
        }
    }

    /// Whether a client developer may rely on it: it is as the contract says.
    pub fn is_sound(self) -> bool {
        matches!(self, Self::In | Self::Out | Self::New | Self::Stale)
    }

    /// Whether it says nothing about the release.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Lost | Self::NotApplicable)
    }
}

/// What is said about a cell on a release. Cells of which the same is said on every release are one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// How it looks.
    pub look: Look,
    /// What was seen, in a few words: `let in`, `403 forbidden`, `does not start`.
    pub seen: String,
    /// The known issue that says so.
    pub issue: Option<String>,
    /// Why it was not asked.
    pub reason: Option<String>,
}

impl Mark {
    /// Of a cell of a record.
    pub fn of(cell: &CellRecord) -> Self {
        let look = Look::of(cell);
        let seen = match (look.is_silent(), &cell.observed) {
            (false, Some(observed)) => words(observed, is_let_in(cell)),
            (true, _) | (false, None) => match look {
                Look::NotApplicable => "not applicable".to_owned(),
                _ => "not known".to_owned(),
            },
        };
        Self {
            look,
            seen,
            issue: cell.known_issue.clone(),
            reason: cell.reason.clone(),
        }
    }
}

fn expected(cell: &CellRecord) -> Direction {
    cell.expected
        .as_ref()
        .map(|expected| expected.direction)
        .unwrap_or_default()
}

/// Whether a cell that was answered got in.
pub(super) fn is_let_in(cell: &CellRecord) -> bool {
    match cell.direction {
        Some(Deviation::UnexpectedAllow | Deviation::WrongBody) => true,
        Some(Deviation::UnexpectedDeny | Deviation::WrongDenial) => false,
        None => expected(cell) == Direction::Allow,
    }
}

/// What was seen. Answers to whoever was let in differ by route; refusals are told by status and type.
fn words(observed: &ObservedRecord, let_in: bool) -> String {
    match (observed.status, observed.start) {
        (None, Some(Start::Up)) => return "starts".to_owned(),
        (None, Some(Start::Refused) | None) => return "does not start".to_owned(),
        (Some(_), _) => {}
    }
    if let_in {
        return "let in".to_owned();
    }
    let status = observed
        .status
        .map_or(String::new(), |status| status.to_string());
    match &observed.error_type {
        Some(kind) => format!("{status} {kind}"),
        None => status,
    }
}
