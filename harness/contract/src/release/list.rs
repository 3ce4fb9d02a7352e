//! The releases that there are, and how one walks through them.
//!
//! The order is that of [`Version`]. Long-term lines are branches: nobody walks through them, or through betas, unless
//! [`Walk`] says so or one of the two ends stands on one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::range::{NameError, ReleaseName};
use super::version::Line;
use super::{RangeError, ReleaseRange, Version};

/// The releases that there are, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Releases {
    versions: Vec<Version>,
    latest: Option<Version>,
    published: BTreeMap<Version, Timestamp>,
}

/// What one passes on the way through the releases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walk {
    /// Betas, too.
    pub betas: bool,
    /// Long-term lines, too.
    pub long_term: bool,
}

impl Walk {
    fn passes(self, version: &Version) -> bool {
        (self.betas || !version.is_beta()) && (self.long_term || !version.is_long_term())
    }
}

impl Releases {
    /// Takes in versions in any order; `latest` is the one that the registry calls so. Publish times are for display:
    /// a mirror's can be wrong, so that nothing is ordered by them.
    pub fn new(
        versions: impl IntoIterator<Item = Version>,
        latest: Option<Version>,
        published: BTreeMap<Version, Timestamp>,
    ) -> Self {
        let mut versions: Vec<Version> = versions.into_iter().collect();
        versions.sort();
        versions.dedup();
        Self {
            latest: latest.filter(|latest| versions.binary_search(latest).is_ok()),
            versions,
            published,
        }
    }

    /// All of them, in order: betas and long-term lines, too.
    pub fn all(&self) -> &[Version] {
        &self.versions
    }

    /// Whether there is such a release.
    pub fn contains(&self, version: &Version) -> bool {
        self.versions.binary_search(version).is_ok()
    }

    /// When a release was published, as the registry says; for display only.
    pub fn published(&self, version: &Version) -> Option<Timestamp> {
        self.published.get(version).copied()
    }

    /// The one that the registry calls latest, else the last one of the main line.
    pub fn latest(&self) -> Option<&Version> {
        self.latest.as_ref().or_else(|| self.main().last())
    }

    /// The main line without betas.
    fn main(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.walked(Walk::default())
    }

    /// The releases from one end to the other, both included, in order; which end comes first does not matter.
    ///
    /// Between two ends on the same long-term line that line is walked. Towards an end on a long-term line the main line
    /// is walked until that line branched off.
    pub fn between(&self, one: &Version, other: &Version, walk: Walk) -> Vec<Version> {
        let (first, last) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        let line = match (first.line(), last.line()) {
            (_, line @ Line::LongTerm { .. }) => Some(line),
            (Line::LongTerm { .. } | Line::Main, Line::Main) => None,
        };
        let on_the_way = |version: &&Version| {
            let stage = walk.betas || !version.is_beta();
            let own_line = Some(version.line()) == line;
            stage && (own_line || walk.long_term || !version.is_long_term())
        };
        let inside = self
            .versions
            .iter()
            .filter(|version| first < *version && *version < last)
            .filter(on_the_way);
        let mut path = vec![first.clone()];
        path.extend(inside.cloned());
        if first != last {
            path.push(last.clone());
        }
        path
    }

    /// The one release that a name stands for: a version, `latest`, `latest-5`, `beta`.
    ///
    /// # Errors
    /// It is no such name, or there is no such release.
    pub fn named(&self, text: &str) -> Result<Version, RangeError> {
        let name: ReleaseName = text.parse()?;
        self.find(&name)
    }

    /// The one release that a name stands for.
    ///
    /// # Errors
    /// There is no such release.
    pub fn find(&self, name: &ReleaseName) -> Result<Version, RangeError> {
        let found = match name {
            ReleaseName::Exact(version) => Some(version).filter(|version| self.contains(version)),
            ReleaseName::Latest(0) => self.latest(),
            ReleaseName::Latest(back) => {
                let earlier: Vec<&Version> = self
                    .main()
                    .filter(|version| Some(*version) < self.latest())
                    .collect();
                let place = earlier.len().checked_sub(*back);
                let place = place.ok_or_else(|| RangeError::TooFar {
                    name: name.to_string(),
                    count: earlier.len(),
                })?;
                earlier.get(place).copied()
            }
            ReleaseName::Beta => self.versions.iter().rfind(|version| version.is_beta()),
        };
        found.cloned().ok_or_else(|| RangeError::Unknown {
            name: name.to_string(),
            nearest: match name {
                ReleaseName::Exact(version) => self.neighbours(version),
                ReleaseName::Latest(_) | ReleaseName::Beta => Vec::new(),
            },
        })
    }

    /// The releases that a range selects, in order.
    ///
    /// # Errors
    /// A name in it stands for nothing, or it selects nothing.
    pub fn select(&self, range: &ReleaseRange, walk: Walk) -> Result<Vec<Version>, RangeError> {
        range.select(self, walk)
    }

    /// The releases that a walk passes.
    pub(super) fn walked(&self, walk: Walk) -> impl DoubleEndedIterator<Item = &Version> {
        self.versions
            .iter()
            .filter(move |version| walk.passes(version))
    }

    /// The releases before and after one that there is not.
    pub fn neighbours(&self, version: &Version) -> Vec<String> {
        let walk = Walk {
            betas: version.is_beta(),
            long_term: version.is_long_term(),
        };
        let (before, after) = (
            self.walked(walk).rfind(|other| *other < version),
            self.walked(walk).find(|other| *other > version),
        );
        let both = before.into_iter().chain(after);
        both.map(Version::to_string).collect()
    }
}

impl From<NameError> for RangeError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

#[cfg(test)]
mod tests;
