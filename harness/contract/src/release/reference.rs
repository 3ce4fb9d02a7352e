//! How people name a gateway: `reference`, `openclaw@2026.3.28`, `openclaw@latest`, `openclaw@latest-5`, or a path.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::ReleaseName;

/// A gateway as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayRef {
    /// The reference gateway that is part of clawgauge.
    Reference,
    /// A release from the package registry.
    Published(ReleaseName),
    /// An `openclaw.mjs`, or an executable.
    Path(PathBuf),
}

/// Not a gateway's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayRefError {
    /// It looks like a release but is none.
    #[error("{0}")]
    Version(#[from] super::NameError),
    /// A running gateway cannot be launched.
    #[error(
        "`{0}` is a running gateway; this command launches its own, from `openclaw@VERSION` or a path"
    )]
    Url(String),
    /// It is nothing that is known.
    #[error(
        "`{0}` is neither `reference`, nor `openclaw@VERSION`, nor an existing file; a path needs a slash, such as ./openclaw.mjs"
    )]
    Unknown(String),
}

impl FromStr for GatewayRef {
    type Err = GatewayRefError;

    fn from_str(text: &str) -> Result<Self, GatewayRefError> {
        if text == "reference" {
            return Ok(Self::Reference);
        }
        if let Some(version) = text.strip_prefix("openclaw@") {
            return Ok(Self::Published(version.parse()?));
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Err(GatewayRefError::Url(text.to_owned()));
        }
        if text.contains(std::path::is_separator) || Path::new(text).exists() {
            return Ok(Self::Path(text.into()));
        }
        Err(GatewayRefError::Unknown(text.to_owned()))
    }
}

impl fmt::Display for GatewayRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference => f.write_str("reference"),
            Self::Published(name) => write!(f, "openclaw@{name}"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("reference", GatewayRef::Reference)]
    #[case("openclaw@latest", GatewayRef::Published(ReleaseName::Latest(0)))]
    #[case("openclaw@latest-5", GatewayRef::Published(ReleaseName::Latest(5)))]
    #[case("openclaw@beta", GatewayRef::Published(ReleaseName::Beta))]
    #[case("openclaw@2026.3.28", GatewayRef::Published(ReleaseName::Exact("2026.3.28".parse().unwrap())))]
    #[case("./dist/openclaw.mjs", GatewayRef::Path("./dist/openclaw.mjs".into()))]
    fn names(#[case] text: &str, #[case] meant: GatewayRef) {
        assert_eq!(text.parse::<GatewayRef>().unwrap(), meant);
        assert_eq!(meant.to_string(), text);
    }

    #[rstest]
    #[case("openclaw@lastest", "`lastest` names no release")]
    #[case("openclaw", "`openclaw` is neither")]
    #[case("http://127.0.0.1:18789", "is a running gateway")]
    fn refuses(#[case] text: &str, #[case] message: &str) {
        assert!(
            text.parse::<GatewayRef>()
                .unwrap_err()
                .to_string()
                .contains(message)
        );
    }
}
