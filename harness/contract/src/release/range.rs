//! Which releases somebody means: `2026.3.28`, `latest-5`, `2026.3.*`, `>=2026.3.28, <2026.4.1`.
//!
//! What carries an operator bounds one range, what carries none is added to it: `>=2026.8.1, <2026.9.1, latest` is August
//! and the newest.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::version::Line;
use super::{Releases, Version, VersionError, Walk};

/// The name of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseName {
    /// `2026.3.28`.
    Exact(Version),
    /// `latest`, or so many before it on the main line: `latest-5`.
    Latest(usize),
    /// `beta`: the newest beta.
    Beta,
}

/// Not the name of a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no release; write a version such as 2026.9.6, `latest`, `latest-5` or `beta`")]
pub struct NameError(String);

impl ReleaseName {
    /// The version, where the name is one: the others depend on what there is.
    pub fn version(&self) -> Option<&Version> {
        match self {
            Self::Exact(version) => Some(version),
            Self::Latest(_) | Self::Beta => None,
        }
    }
}

impl FromStr for ReleaseName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "latest" => return Ok(Self::Latest(0)),
            "beta" => return Ok(Self::Beta),
            _ => {}
        }
        let wrong = || NameError(text.to_owned());
        match text.strip_prefix("latest-") {
            Some(back) => back.parse().map(Self::Latest).map_err(|_| wrong()),
            None => text
                .parse()
                .map(Self::Exact)
                .map_err(|_: VersionError| wrong()),
        }
    }
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(f),
            Self::Latest(0) => f.write_str("latest"),
            Self::Latest(back) => write!(f, "latest-{back}"),
            Self::Beta => f.write_str("beta"),
        }
    }
}

/// Some releases, as somebody names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRange {
    text: String,
    bounds: Vec<(Bound, ReleaseName)>,
    named: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtLeast,
    Above,
    AtMost,
    Below,
}

const OPERATORS: [(&str, Bound); 4] = [
    (">=", Bound::AtLeast),
    ("<=", Bound::AtMost),
    (">", Bound::Above),
    ("<", Bound::Below),
];

impl Bound {
    fn is_lower(self) -> bool {
        matches!(self, Self::AtLeast | Self::Above)
    }

    fn holds(self, version: &Version, bound: &Version) -> bool {
        match self {
            Self::AtLeast => version >= bound,
            Self::Above => version > bound,
            Self::AtMost => version <= bound,
            Self::Below => version < bound,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    One(ReleaseName),
    /// `2026.*`.
    Year(u16),
    /// `2026.3.*`.
    Month(u16, u8),
}

/// Releases that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// A part of it is no name.
    #[error("{0}")]
    Name(NameError),
    /// There is nothing between two commas.
    #[error(
        "`{0}` is no range of releases; write for example `>=2026.3.28, <2026.4.1` or `2026.3.*`"
    )]
    Syntax(String),
    /// There is no such release.
    #[error("there is no release {name}{}", closest(.nearest))]
    Unknown {
        /// As somebody named it.
        name: String,
        /// The releases around it.
        nearest: Vec<String>,
    },
    /// There are not so many releases.
    #[error("there is no {name}: {count} releases come before the latest")]
    TooFar {
        /// As somebody named it.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// It selects nothing.
    #[error("`{0}` selects no release")]
    Empty(String),
}

/// What stands around a release that there is not, as the end of a message.
pub fn closest(releases: &[String]) -> String {
    match releases {
        [] => String::new(),
        some => format!("; the closest: {}", some.join(" and ")),
    }
}

impl FromStr for ReleaseRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let mut range = Self {
            text: text.trim().to_owned(),
            bounds: Vec::new(),
            named: Vec::new(),
        };
        for part in text.split(',').map(str::trim) {
            if part.is_empty() {
                return Err(RangeError::Syntax(text.to_owned()));
            }
            let bound = OPERATORS
                .iter()
                .find_map(|(sign, bound)| Some((*bound, part.strip_prefix(sign)?)));
            match bound {
                Some((bound, name)) => range.bounds.push((bound, name.trim().parse()?)),
                None => range.named.push(part_of(part)?),
            }
        }
        Ok(range)
    }
}

fn part_of(text: &str) -> Result<Part, RangeError> {
    let Some(start) = text.strip_suffix(".*") else {
        return Ok(Part::One(text.parse()?));
    };
    let wrong = || RangeError::Syntax(text.to_owned());
    // A month is valid where its first release would be.
    let (month, whole) = match start.split_once('.') {
        Some(_) => (start.to_owned(), false),
        None => (format!("{start}.1"), true),
    };
    let version: Version = format!("{month}.0").parse().map_err(|_| wrong())?;
    let (year, month, _) = version.numbers();
    Ok(match whole {
        true => Part::Year(year),
        false => Part::Month(year, month),
    })
}

impl fmt::Display for ReleaseRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ReleaseRange {
    pub(super) fn select(
        &self,
        releases: &Releases,
        walk: Walk,
    ) -> Result<Vec<Version>, RangeError> {
        let mut selected = BTreeSet::new();
        if !self.bounds.is_empty() {
            selected.extend(self.bounded(releases, walk)?);
        }
        for part in &self.named {
            match part {
                Part::One(name) => {
                    selected.insert(releases.find(name)?);
                }
                Part::Year(year) => selected.extend(
                    releases
                        .walked(walk)
                        .filter(|version| version.numbers().0 == *year)
                        .cloned(),
                ),
                Part::Month(year, month) => selected.extend(
                    releases
                        .walked(walk)
                        .filter(|version| {
                            let (of_year, of_month, _) = version.numbers();
                            (of_year, of_month) == (*year, *month)
                        })
                        .cloned(),
                ),
            }
        }
        if selected.is_empty() {
            return Err(RangeError::Empty(self.text.clone()));
        }
        Ok(selected.into_iter().collect())
    }

    /// What lies within all bounds. A bound need not be a release, so that `<2026.10.1` may be said before there is one.
    fn bounded(&self, releases: &Releases, walk: Walk) -> Result<Vec<Version>, RangeError> {
        let mut bounds = Vec::new();
        for (bound, name) in &self.bounds {
            let version = match name {
                ReleaseName::Exact(version) => version.clone(),
                ReleaseName::Latest(_) | ReleaseName::Beta => releases.find(name)?,
            };
            bounds.push((*bound, version));
        }
        // Whoever names a long-term line below and above means that line.
        let lines: Vec<Line> = bounds.iter().map(|(_, version)| version.line()).collect();
        let both_sides = bounds.iter().any(|(bound, _)| bound.is_lower())
            && bounds.iter().any(|(bound, _)| !bound.is_lower());
        let own = match lines.first() {
            Some(line @ Line::LongTerm { .. })
                if both_sides && lines.iter().all(|other| other == line) =>
            {
                Some(*line)
            }
            Some(_) | None => None,
        };
        let walk = Walk {
            long_term: walk.long_term || own.is_some(),
            ..walk
        };
        let inside = releases
            .walked(walk)
            .filter(|version| own.is_none_or(|line| version.line() == line))
            .filter(|version| bounds.iter().all(|(bound, end)| bound.holds(version, end)));
        Ok(inside.cloned().collect())
    }
}
