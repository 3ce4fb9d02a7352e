//! The alphabet of cells: what a reader sees of one in a matrix, a table or a page.

use contract::scenario::model::Direction;

use serde::Serialize;

use crate::CellRecord;
use crate::judge::{Deviation, VerdictKind};

/// How a cell looks; one letter each, so that colours are not needed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CellSymbol {
    /// Let in, as it must be.
    In,
    /// Refused, as it must be.
    Out,
    /// Let in, or given more than the rule says: the gravest there is.
    Allow,
    /// Denied, or given less than the rule says.
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
    /// Was not asked: the machine lacked something that it takes.
    NotAsked,
}

impl CellSymbol {
    /// All of them, the gravest first.
    pub const ALL: [Self; 14] = [
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
        Self::NotAsked,
    ];

    /// How a cell of a record looks.
    pub fn of(cell: &CellRecord) -> Self {
        match (cell.verdict, cell.direction) {
            (VerdictKind::Conforms, _) => match cell.asked() {
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
            (VerdictKind::NotAsked, _) => Self::NotAsked,
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
            Self::NotAsked => "-",
        }
    }

    /// What the letter means.
    pub fn words(self) -> &'static str {
        match self {
            Self::In => "let in, as it must be",
            Self::Out => "refused, as it must be",
            Self::Allow => "let in or given more than the rule says",
            Self::Deny => "denied or given less than the rule says",
            Self::Denial => "refused for another reason or in another shape",
            Self::Body => "let in, but the answer is another",
            Self::KnownAllow => "let in or given more than the rule says: known issue",
            Self::KnownDeny => "denied or given less than the rule says: known issue",
            Self::Known => "another deviation: known issue",
            Self::Stale => "as it must be, though a known issue says it is not",
            Self::New => "as its rule says, nobody has accepted the answer",
            Self::Lost => "could not be asked, or proves nothing",
            Self::NotApplicable => "cannot be asked of the release",
            Self::NotAsked => "not asked: this machine lacks what it takes",
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
            Self::NotAsked => "unasked",
        }
    }

    /// Whether a client developer may rely on it: it is as the contract says.
    pub fn is_sound(self) -> bool {
        matches!(self, Self::In | Self::Out | Self::New | Self::Stale)
    }

    /// Whether it says nothing about the release.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Lost | Self::NotApplicable | Self::NotAsked)
    }
}
