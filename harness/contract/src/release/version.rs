//! The order of releases: calendar versions, not SemVer.
//!
//! `YEAR.MONTH.PATCH`, with `-beta.N` before the release and a numeric suffix for a re-publish after it. Patch numbers
//! from 33 on are long-term lines that branched off in their month; by number they come before the next month, so a
//! rule of a later month does not hold on them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A published version of OpenClaw.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version {
    year: u16,
    month: u8,
    patch: u16,
    stage: Stage,
}

/// Patch numbers from here on are long-term lines.
const FIRST_LONG_TERM: u16 = 33;

/// A sequence of releases that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// The one that everybody is on.
    Main,
    /// One that branched off in a month and goes on beside the main line.
    LongTerm {
        /// The year it branched off.
        year: u16,
        /// The month it branched off.
        month: u8,
    },
}

/// What the suffix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stage {
    Beta(u32),
    Release,
    Republish(u32),
}

/// Not a version of OpenClaw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a release; write YEAR.MONTH.PATCH such as 2026.9.6, 2026.3.23-2 or 2026.8.1-beta.1"
)]
pub struct VersionError(String);

impl Version {
    /// Before every release there is.
    pub fn earliest() -> Self {
        Self {
            year: 0,
            month: 1,
            patch: 0,
            stage: Stage::Beta(0),
        }
    }

    /// The line of releases that it belongs to.
    pub fn line(&self) -> Line {
        match self.patch {
            0..FIRST_LONG_TERM => Line::Main,
            FIRST_LONG_TERM.. => Line::LongTerm {
                year: self.year,
                month: self.month,
            },
        }
    }

    /// Whether it belongs to a long-term line.
    pub fn is_long_term(&self) -> bool {
        self.line() != Line::Main
    }

    /// Whether it came before the release of its number.
    pub fn is_beta(&self) -> bool {
        matches!(self.stage, Stage::Beta(_))
    }

    /// Year and month, and the patch number.
    pub(super) fn numbers(&self) -> (u16, u8, u16) {
        (self.year, self.month, self.patch)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.year, self.month, self.patch, self.stage).cmp(&(
            other.year,
            other.month,
            other.patch,
            other.stage,
        ))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let parse = || {
            let (core, suffix) = match text.split_once('-') {
                Some((core, suffix)) => (core, Some(suffix)),
                None => (text, None),
            };
            let mut parts = core.split('.').map(digits);
            let (year, month, patch) = (parts.next()??, parts.next()??, parts.next()??);
            if parts.next().is_some()
                || !(2000..=9999).contains(&year)
                || !(1..=12).contains(&month)
            {
                return None;
            }
            let stage = match suffix {
                None => Stage::Release,
                Some(suffix) => match suffix.strip_prefix("beta.") {
                    Some(number) => Stage::Beta(digits(number)?),
                    None => Stage::Republish(digits(suffix)?),
                },
            };
            Some(Self {
                year: u16::try_from(year).ok()?,
                month: u8::try_from(month).ok()?,
                patch: u16::try_from(patch).ok()?,
                stage,
            })
        };
        parse().ok_or_else(|| VersionError(text.to_owned()))
    }
}

/// A number without sign or leading zero.
fn digits(text: &str) -> Option<u32> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.year, self.month, self.patch)?;
        match self.stage {
            Stage::Beta(number) => write!(f, "-beta.{number}"),
            Stage::Release => Ok(()),
            Stage::Republish(number) => write!(f, "-{number}"),
        }
    }
}

/// Releases from one on, until another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionRange {
    /// The first release in the range; `None` for no bound.
    pub since: Option<Version>,
    /// The first release that is no longer in the range; `None` for no bound.
    pub until: Option<Version>,
}

impl VersionRange {
    /// Whether a release is in the range.
    pub fn contains(&self, version: &Version) -> bool {
        self.since.as_ref().is_none_or(|since| since <= version)
            && self.until.as_ref().is_none_or(|until| version < until)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.since, &self.until) {
            (None, None) => f.write_str("every release"),
            (Some(since), None) => write!(f, "since {since}"),
            (None, Some(until)) => write!(f, "before {until}"),
            (Some(since), Some(until)) => write!(f, "since {since}, before {until}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn releases_come_in_calendar_order() {
        let ordered = [
            "2026.1.29",
            "2026.2.3",
            "2026.2.3-1",
            "2026.2.23-beta.1",
            "2026.2.23",
            "2026.3.2",
            "2026.3.13",
            "2026.3.23",
            "2026.3.23-1",
            "2026.3.23-2",
            "2026.3.24-beta.2",
            "2026.3.24",
            "2026.3.28",
            "2026.4.9",
            "2026.4.10",
            "2026.6.11-beta.2",
            "2026.6.11",
            "2026.6.33",
            "2026.6.35",
            "2026.7.1-beta.6",
            "2026.7.1",
            "2026.7.1-1",
            "2026.7.1-2",
            "2026.7.2-beta.10",
            "2026.7.33",
            "2026.8.1-beta.1",
            "2026.8.1",
            "2026.9.6",
        ];
        for pair in ordered.windows(2) {
            assert!(
                version(pair[0]) < version(pair[1]),
                "{} < {}",
                pair[0],
                pair[1]
            );
        }
    }

    #[rstest]
    #[case("2026.13.1")]
    #[case("2026.3")]
    #[case("2026.3.28.1")]
    #[case("v2026.3.28")]
    #[case("2026.03.28")]
    #[case("2026.3.28-rc.1")]
    #[case("2026.3.+8")]
    #[case("26.3.28")]
    #[case("")]
    fn refuses(#[case] text: &str) {
        assert!(text.parse::<Version>().is_err());
    }

    #[rstest]
    #[case("2026.6.35", false)]
    #[case("2026.7.2-beta.7", false)]
    #[case("2026.8.1-beta.3", false)]
    #[case("2026.8.1", true)]
    #[case("2026.9.6", true)]
    fn a_rule_of_august(#[case] release: &str, #[case] holds: bool) {
        let range = VersionRange {
            since: Some(version("2026.8.1")),
            until: None,
        };
        assert_eq!(range.contains(&version(release)), holds);
    }

    proptest! {
        #[test]
        fn text_and_version_agree(year in 2000u16..=9999, month in 1u8..=12, patch in 0u16..=99, beta in prop::option::of(0u32..50), again in prop::option::of(0u32..50)) {
            let mut text = format!("{year}.{month}.{patch}");
            match (beta, again) {
                (Some(number), _) => text.push_str(&format!("-beta.{number}")),
                (None, Some(number)) => text.push_str(&format!("-{number}")),
                (None, None) => {}
            }
            prop_assert_eq!(version(&text).to_string(), text);
        }
    }
}
