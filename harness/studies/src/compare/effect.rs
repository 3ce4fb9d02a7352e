//! The names of what a change is: in which way an answer changed, what that means for the contract, and how severe it is.

use serde::{Deserialize, Serialize};

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
    /// Let in on both, and B grants more.
    GrantedMore,
    /// Let in on both, and B grants less.
    GrantedLess,
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
            Self::GrantedMore => Self::GrantedLess,
            Self::GrantedLess => Self::GrantedMore,
            Self::DenialChanged | Self::AnswerChanged | Self::SameAnswer => self,
        }
    }

    /// In words that reports use.
    pub fn words(self) -> &'static str {
        match self {
            Self::LetIn => "refused -> let in",
            Self::ShutOut => "let in -> refused",
            Self::GrantedMore => "granted more",
            Self::GrantedLess => "granted less",
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
pub enum ContractEffect {
    /// B breaks its contract, and A kept its own, or broke it less.
    Breaks,
    /// Both break it, in another way but no worse.
    StillBreaks,
    /// Both keep it, and it is another contract.
    ContractChanged,
    /// Both keep it, and the contract leaves this open.
    BothConform,
    /// A broke it, and B keeps it or breaks it less.
    Fixes,
}

/// How severe a change is; earlier is more severe.
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
pub enum ChangeSeverity {
    /// B lets somebody in whom its contract refuses, or refuses somebody whom it lets in, or grants more or less than its contract
    /// says, and A did not.
    Blocker,
    /// A denial of B tells more than it should, or lacks what a client needs.
    Severe,
    /// The contract itself changed, and B follows it.
    ContractChange,
    /// A client that reads more than "in" or "out" notices.
    Shape,
    /// The text of the answer differs.
    Cosmetic,
    /// Something that was wrong on A is right on B.
    Improvement,
}

impl ChangeSeverity {
    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::Severe => "severe",
            Self::ContractChange => "contract-change",
            Self::Shape => "shape",
            Self::Cosmetic => "cosmetic",
            Self::Improvement => "improvement",
        }
    }
}
