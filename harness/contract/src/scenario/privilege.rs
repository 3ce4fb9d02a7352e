//! What an answer is worth to its caller: what it lets the caller do, and what a denial tells.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Direction;

/// What an answer shows that its caller can do; later is more, and includes what comes before.
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
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// Nothing: the caller is denied.
    #[default]
    None,
    /// The caller is let in, and nothing is shown to it or done for it.
    Access,
    /// Something is shown to the caller that is not for everybody.
    Read,
    /// Something is done for the caller: the model is called, a tool runs, a turn of an agent begins.
    Write,
    /// Something is done for the caller that requires operator.admin.
    Admin,
    /// The caller holds a secret of the gateway, and can be whoever it likes.
    Owner,
}

impl Privilege {
    /// All of them, the least first.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Access,
        Self::Read,
        Self::Write,
        Self::Admin,
        Self::Owner,
    ];

    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Access => "access",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// What it means for the caller.
    pub fn title(self) -> &'static str {
        match self {
            Self::None => "the caller is denied",
            Self::Access => "the caller is let in, and nothing is shown to it or done for it",
            Self::Read => "something is shown to the caller that is not for everybody",
            Self::Write => {
                "something is done for the caller: the model is called, a tool runs, a turn of an agent begins"
            }
            Self::Admin => "something is done for the caller that requires operator.admin",
            Self::Owner => "the caller holds a secret of the gateway",
        }
    }

    /// Whether the caller is let in.
    pub fn direction(self) -> Direction {
        match self {
            Self::None => Direction::Deny,
            Self::Access | Self::Read | Self::Write | Self::Admin | Self::Owner => Direction::Allow,
        }
    }
}

impl From<Direction> for Privilege {
    /// The least that is known of a caller who is let in or denied.
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Allow => Self::Access,
            Direction::Deny => Self::None,
        }
    }
}

/// Something that a denial may tell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Told {
    /// What it is, as the end of "it tells".
    pub title: String,
    /// Words by which an answer is known to tell it, in small letters.
    pub words: Vec<String>,
}

/// What denials may tell, by name.
pub type Tellable = IndexMap<String, Told>;

/// What an answer tells, by its words. `text` may be in any case.
pub fn told<'a>(tellable: &'a Tellable, text: &str) -> BTreeSet<&'a str> {
    let text = text.to_lowercase();
    let tells = tellable
        .iter()
        .filter(|(_, told)| told.words.iter().any(|word| text.contains(word.as_str())));
    tells.map(|(name, _)| name.as_str()).collect()
}
