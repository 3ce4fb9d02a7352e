//! What a change of one cell is: in which direction, what it means for the contract, and how grave that is.

use serde::{Deserialize, Serialize};

use super::cells::{Seen, Texts};
use contract::cell_id::CellId;
use contract::scenario::model::Direction;
use record::judge::{Deviation, Severity};
use record::sameness::Sameness;

/// In which way an answer changed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Refused on A, let in on B.
    LetIn,
    /// Let in on A, refused on B.
    ShutOut,
    /// Refused on both, in another way.
    DenialChanged,
    /// Let in on both, with another answer.
    AnswerChanged,
    /// The answer is the same, but one side must not give it.
    SameAnswer,
}

impl Kind {
    /// What it is when A and B change places.
    pub fn mirrored(self) -> Self {
        match self {
            Self::LetIn => Self::ShutOut,
            Self::ShutOut => Self::LetIn,
            Self::DenialChanged | Self::AnswerChanged | Self::SameAnswer => self,
        }
    }

    /// In words that reports use.
    pub fn words(self) -> &'static str {
        match self {
            Self::LetIn => "refused -> let in",
            Self::ShutOut => "let in -> refused",
            Self::DenialChanged => "refused otherwise",
            Self::AnswerChanged => "answered otherwise",
            Self::SameAnswer => "answered as before",
        }
    }
}

/// What a change means for the contract.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Bearing {
    /// B breaks its contract, and A kept its own, or broke it less.
    Breaks,
    /// Both break it, in another way but no worse.
    StillBreaks,
    /// Both keep it, and it is another contract.
    ContractChanged,
    /// Both keep it, and the contract leaves this open.
    BothConform,
    /// A broke it, and B keeps it or breaks it less.
    Mends,
}

/// How grave a change is; earlier is graver.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// B lets somebody in whom its contract refuses, or refuses somebody whom it lets in, and A did not.
    Blocker,
    /// The contract itself changed, and B follows it.
    ContractChange,
    /// A client that reads more than "in" or "out" notices.
    Shape,
    /// The text of the answer differs.
    Cosmetic,
    /// Something that was wrong on A is right on B.
    Improvement,
}

impl Weight {
    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::ContractChange => "contract-change",
            Self::Shape => "shape",
            Self::Cosmetic => "cosmetic",
            Self::Improvement => "improvement",
        }
    }
}

/// Whether a cell keeps its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// It does.
    Holds,
    /// It does not, in this way and so gravely; a known issue does not excuse that here.
    Breaks(Deviation, Severity),
}

/// A cell on both sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Twin<'a> {
    pub(super) before: &'a Seen,
    pub(super) after: &'a Seen,
}

/// A cell that changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) id: &'a str,
    pub(super) twin: Twin<'a>,
    pub(super) kind: Kind,
    pub(super) bearing: Bearing,
    pub(super) weight: Weight,
}

impl Change<'_> {
    /// Id of its scenario.
    pub(super) fn scenario(&self) -> &str {
        CellId::of(self.id).scenario()
    }
}

/// Weighs a cell; `None` where nothing changed.
pub(super) fn weigh(twin: Twin<'_>, texts: &Texts) -> Option<(Kind, Bearing, Weight)> {
    let Twin { before, after } = twin;
    let (a, b) = (texts.answer(before), texts.answer(after));
    let same = before.answer == after.answer || a.same(b, Sameness::Text);
    let kind = match (same, a.direction, b.direction) {
        (true, _, _) => Kind::SameAnswer,
        (false, Direction::Deny, Direction::Allow) => Kind::LetIn,
        (false, Direction::Allow, Direction::Deny) => Kind::ShutOut,
        (false, Direction::Deny, Direction::Deny) => Kind::DenialChanged,
        (false, Direction::Allow, Direction::Allow) => Kind::AnswerChanged,
    };
    let asked = |seen: &Seen| seen.rule.map(|(_, outcome)| outcome);
    let (bearing, weight) = match (before.keeps, after.keeps) {
        (Keeps::Holds, Keeps::Holds) if asked(before) != asked(after) && !same => {
            (Bearing::ContractChanged, Weight::ContractChange)
        }
        (Keeps::Holds, Keeps::Holds) if same => return None,
        (Keeps::Holds, Keeps::Holds) => (Bearing::BothConform, by_text(twin, texts)),
        (Keeps::Holds, Keeps::Breaks(_, severity)) => (Bearing::Breaks, weight(severity)),
        // The contract caught up with what the gateway does.
        (Keeps::Breaks(..), Keeps::Holds) if same => {
            (Bearing::ContractChanged, Weight::ContractChange)
        }
        (Keeps::Breaks(..), Keeps::Holds) => (Bearing::Mends, Weight::Improvement),
        (Keeps::Breaks(old, was), Keeps::Breaks(new, is)) => match (is.cmp(&was), same) {
            (std::cmp::Ordering::Greater, _) => (Bearing::Breaks, weight(is)),
            (std::cmp::Ordering::Less, _) => (Bearing::Mends, Weight::Improvement),
            // Whoever was wrongly in is now wrongly out, or the other way round.
            (std::cmp::Ordering::Equal, _) if is == Severity::Blocker && old != new => {
                (Bearing::Breaks, Weight::Blocker)
            }
            (std::cmp::Ordering::Equal, true) => return None,
            (std::cmp::Ordering::Equal, false) => (Bearing::StillBreaks, by_text(twin, texts)),
        },
    };
    Some((kind, bearing, weight))
}

fn weight(severity: Severity) -> Weight {
    match severity {
        Severity::Blocker => Weight::Blocker,
        Severity::Shape => Weight::Shape,
        Severity::Cosmetic => Weight::Cosmetic,
    }
}

/// Whether more than a text changed.
fn by_text(twin: Twin<'_>, texts: &Texts) -> Weight {
    let (a, b) = (texts.answer(twin.before), texts.answer(twin.after));
    match a.same(b, Sameness::Shape) {
        true => Weight::Cosmetic,
        false => Weight::Shape,
    }
}
