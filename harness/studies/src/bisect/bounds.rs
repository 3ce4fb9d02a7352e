//! What somebody says about releases before anything is tested: which are good, which are bad, and what is looked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::search::{Probes, Towards};
use contract::release::Version;

/// What a release is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Good.
    Good,
    /// Bad.
    Bad,
    /// Neither: only an end of what is searched.
    End,
}

impl Label {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::End => "an end",
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Find {
    /// The first bad release after a good one.
    Break,
    /// The first good release after a bad one.
    Fix,
}

/// Releases with what they are called, and what is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    labels: BTreeMap<Version, Label>,
    find: Option<Find>,
}

/// Bounds that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoundsError {
    /// Nothing is claimed.
    #[error("no release is named")]
    None,
    /// Good and bad at once.
    #[error("{0} is called good and bad")]
    Both(Version),
    /// The two ends are one.
    #[error("{0} is both ends: there is nothing between them")]
    Same(Version),
    /// The order of the releases is not that of what is looked for.
    #[error("{older} is called {} and {newer} {}: what lies between them is a {}", .called.name(), .then.name(), match .called { Label::Good => "break, not a fix", Label::Bad | Label::End => "fix, not a break" })]
    Order {
        /// The older release.
        older: Version,
        /// What it is called.
        called: Label,
        /// The newer one.
        newer: Version,
        /// What that is called.
        then: Label,
    },
}

impl BoundsError {
    /// The next thing to do.
    pub fn help(&self) -> String {
        match self {
            Self::None => "--good V --bad V finds the release between them, --between V V every change between two, and one of --good and \
                --bad alone looks for the other".to_owned(),
            Self::Both(_) => "call it one or the other".to_owned(),
            Self::Same(_) => "name two releases".to_owned(),
            Self::Order { called: Label::Good, .. } => "--find break, or swap them".to_owned(),
            Self::Order { .. } => "--find fix, or swap them".to_owned(),
        }
    }
}

impl Bounds {
    /// Takes in what was said.
    ///
    /// # Errors
    /// It says nothing, or contradicts itself.
    pub fn new(
        said: impl IntoIterator<Item = (Version, Label)>,
        find: Option<Find>,
    ) -> Result<Self, BoundsError> {
        let mut labels: BTreeMap<Version, Label> = BTreeMap::new();
        for (version, label) in said {
            match labels.insert(version.clone(), label) {
                Some(Label::End) => return Err(BoundsError::Same(version)),
                Some(before) if before != label => return Err(BoundsError::Both(version)),
                Some(_) | None => {}
            }
        }
        if labels.is_empty() {
            return Err(BoundsError::None);
        }
        let sides: Vec<(&Version, Label)> = labels
            .iter()
            .map(|(version, label)| (version, *label))
            .collect();
        let wanted = match find {
            None => None,
            Some(Find::Break) => Some((Label::Good, Label::Bad)),
            Some(Find::Fix) => Some((Label::Bad, Label::Good)),
        };
        let pairs = || sides.windows(2).filter(|pair| pair[0].1 != pair[1].1);
        if let (Some(wanted), Some(pair)) = (wanted, pairs().next())
            && pairs().all(|pair| (pair[0].1, pair[1].1) != wanted)
        {
            return Err(BoundsError::Order {
                older: pair[0].0.clone(),
                called: pair[0].1,
                newer: pair[1].0.clone(),
                then: pair[1].1,
            });
        }
        Ok(Self { labels, find })
    }

    /// The releases, in order, with what they are called.
    pub fn labels(&self) -> impl Iterator<Item = (&Version, Label)> {
        self.labels.iter().map(|(version, label)| (version, *label))
    }

    /// Where only one side is known: which way the other one is looked for.
    pub fn towards(&self) -> Option<Towards> {
        let mut labels = self.labels.values();
        let (only, None) = (labels.next()?, labels.next()) else {
            return None;
        };
        match (only, self.find) {
            (Label::Good, None | Some(Find::Break)) | (Label::Bad, Some(Find::Fix)) => {
                Some(Towards::Later)
            }
            (Label::Bad, None | Some(Find::Break)) | (Label::Good, Some(Find::Fix)) => {
                Some(Towards::Earlier)
            }
            (Label::End, _) => None,
        }
    }

    /// How far to look between ends that agree, where nobody has said: not at all where a good and a bad end are named.
    pub fn probes(&self, most: usize) -> Probes {
        let named = |label| self.labels.values().any(|other| *other == label);
        match (named(Label::Good) && named(Label::Bad)) || self.labels.len() == 1 {
            true => Probes::None,
            false => Probes::UntilAChange(most),
        }
    }
}
