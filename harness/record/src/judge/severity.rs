//! How severe a finding is, in three steps.

use serde::{Deserialize, Serialize};

use super::{Deviation, Verdict};

/// How severe a finding is; later is more severe.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The outcome is the right one and only the text of the answer differs; or the files are out of date.
    #[default]
    Cosmetic,
    /// Another reason or another shape: a client that reads more than "in" or "out" notices.
    Shape,
    /// Somebody gets in who must not, or is kept out who must get in, or is told a secret.
    Blocker,
}

impl Severity {
    /// The word that files, flags and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Shape => "shape",
            Self::Blocker => "blocker",
        }
    }

    /// How severe a verdict is; `None` where there is nothing to weigh. `as_ruled` says that the outcome is the one that
    /// the rule asks for.
    pub fn of(verdict: &Verdict, as_ruled: bool) -> Option<Self> {
        match verdict {
            Verdict::Deviates(deviation) | Verdict::Known(deviation) => {
                Some(Self::of_deviation(*deviation, as_ruled))
            }
            Verdict::Stale | Verdict::New => Some(Self::Cosmetic),
            Verdict::Conforms
            | Verdict::NotApplicable(_)
            | Verdict::NotAsked(_)
            | Verdict::CouldNotRun(_) => None,
        }
    }

    /// How severe a deviation is.
    pub fn of_deviation(deviation: Deviation, as_ruled: bool) -> Self {
        match (deviation, as_ruled) {
            (Deviation::UnexpectedAllow | Deviation::UnexpectedDeny, _) => Self::Blocker,
            (Deviation::WrongDenial | Deviation::WrongBody, false) => Self::Shape,
            (Deviation::WrongDenial | Deviation::WrongBody, true) => Self::Cosmetic,
        }
    }
}
