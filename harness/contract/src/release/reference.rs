//! How people name a gateway: `reference`, `openclaw@2026.3.28`, `openclaw@latest-5`, `npm:@scope/fork@1.2.3`, or a path.

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
    /// Another package from the registry, such as a fork.
    Package {
        /// Its name, with its scope.
        name: String,
        /// Its version: one, not a range or a tag.
        version: String,
    },
    /// A container image, as Docker names it.
    Image(String),
    /// An `openclaw.mjs`, an executable, a built checkout, or a tarball as `npm pack` makes it.
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
    /// No package with a version.
    #[error("`{0}` names no package of npm with its version; write npm:@scope/fork@1.2.3")]
    Package(String),
    /// No image.
    #[error("`{0}` names no image; write docker:IMAGE, as after `docker run`")]
    Image(String),
    /// It is nothing that is known.
    #[error(
        "`{0}` is neither `reference`, nor `openclaw@VERSION`, nor `npm:PACKAGE@VERSION`, nor an existing file; a path needs a slash, such as ./openclaw.mjs"
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
        if let Some(package) = text.strip_prefix("npm:") {
            return match package.strip_prefix("openclaw@") {
                Some(version) => Ok(Self::Published(version.parse()?)),
                None => {
                    package_of(package).ok_or_else(|| GatewayRefError::Package(text.to_owned()))
                }
            };
        }
        if let Some(image) = text.strip_prefix("docker:") {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
            let named = image.starts_with(|first: char| first.is_ascii_alphanumeric());
            return match named && image.bytes().all(plain) {
                true => Ok(Self::Image(image.to_owned())),
                false => Err(GatewayRefError::Image(text.to_owned())),
            };
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

/// The package that `NAME@VERSION` names.
fn package_of(text: &str) -> Option<GatewayRef> {
    let (name, version) = text.rsplit_once('@')?;
    let word = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(plain)
    };
    let named = match name.strip_prefix('@') {
        Some(scoped) => {
            let (scope, name) = scoped.split_once('/')?;
            word(scope) && word(name)
        }
        None => word(name),
    };
    // `1.2`, `1.x` and `latest` are ranges and tags: another package tomorrow.
    let (core, suffix) = version.split_once('-').unwrap_or((version, "0"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exact = core.split('.').count() == 3 && core.split('.').all(number) && word(suffix);
    (named && exact).then(|| GatewayRef::Package {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

impl GatewayRef {
    /// Whether it is installed into the cache before it runs: everything but what is on the machine already.
    pub fn is_installed(&self) -> bool {
        match self {
            Self::Published(_) | Self::Package { .. } => true,
            Self::Path(path) => is_tarball(path),
            Self::Reference | Self::Image(_) => false,
        }
    }

    /// Whether the name says which release it is. A path may say it when it is run, a package does not.
    pub fn tells_release(&self) -> bool {
        match self {
            Self::Reference | Self::Published(_) => true,
            Self::Package { .. } | Self::Image(_) | Self::Path(_) => false,
        }
    }
}

/// Whether a path ends as an archive of npm does.
pub fn is_tarball(path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    path.ends_with(b".tgz") || path.ends_with(b".tar.gz")
}

/// Whether the name of a gateway in a record says which release it is, as [`GatewayRef::tells_release`].
pub fn tells_release(reference: &str) -> bool {
    reference == "reference" || reference.starts_with("openclaw@")
}

impl fmt::Display for GatewayRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference => f.write_str("reference"),
            Self::Published(name) => write!(f, "openclaw@{name}"),
            Self::Package { name, version } => write!(f, "npm:{name}@{version}"),
            Self::Image(image) => write!(f, "docker:{image}"),
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
    #[case("npm:@scope/fork@1.2.3-rc.1", GatewayRef::Package { name: "@scope/fork".into(), version: "1.2.3-rc.1".into() })]
    #[case("npm:fork@2026.9.6", GatewayRef::Package { name: "fork".into(), version: "2026.9.6".into() })]
    #[case("docker:ghcr.io/openclaw/openclaw:2026.9.6", GatewayRef::Image("ghcr.io/openclaw/openclaw:2026.9.6".into()))]
    fn names(#[case] text: &str, #[case] meant: GatewayRef) {
        assert_eq!(text.parse::<GatewayRef>().unwrap(), meant);
        assert_eq!(meant.to_string(), text);
    }

    /// npm's own name of a release is that release.
    #[test]
    fn openclaw_is_no_fork() {
        let release: GatewayRef = "npm:openclaw@2026.3.28".parse().unwrap();
        assert_eq!(release.to_string(), "openclaw@2026.3.28");
    }

    #[rstest]
    #[case("reference", false, true)]
    #[case("openclaw@latest", true, true)]
    #[case("npm:fork@1.2.3", true, false)]
    #[case("./openclaw-2026.9.6.tgz", true, false)]
    #[case("docker:openclaw:2026.9.6", false, false)]
    #[case("./openclaw.mjs", false, false)]
    fn what_a_name_says(#[case] text: &str, #[case] installed: bool, #[case] tells: bool) {
        let gateway: GatewayRef = text.parse().unwrap();
        assert_eq!(gateway.is_installed(), installed);
        assert_eq!(gateway.tells_release(), tells);
        assert_eq!(tells_release(text), tells);
    }

    #[rstest]
    #[case("openclaw@lastest", "`lastest` names no release")]
    #[case("openclaw", "`openclaw` is neither")]
    #[case("http://127.0.0.1:18789", "is a running gateway")]
    #[case::no_image("docker:", "names no image")]
    #[case::a_flag_for_docker("docker:--privileged", "names no image")]
    #[case("npm:openclaw@lastest", "`lastest` names no release")]
    #[case::no_version("npm:@scope/fork", "write npm:@scope/fork@1.2.3")]
    #[case::a_tag("npm:@scope/fork@latest", "write npm:@scope/fork@1.2.3")]
    #[case::a_range("npm:fork@1.2", "write npm:@scope/fork@1.2.3")]
    #[case::no_scope("npm:@scope@1.2.3", "write npm:@scope/fork@1.2.3")]
    #[case::a_flag("npm:--global@1.2.3", "write npm:@scope/fork@1.2.3")]
    #[case::a_path_out("npm:@scope/..@1.2.3", "write npm:@scope/fork@1.2.3")]
    #[case::two_levels("npm:@scope/a/b@1.2.3", "write npm:@scope/fork@1.2.3")]
    #[case::a_path_in_its_version("npm:fork@1.2.3-x/..", "write npm:@scope/fork@1.2.3")]
    fn refuses(#[case] text: &str, #[case] message: &str) {
        assert!(
            text.parse::<GatewayRef>()
                .unwrap_err()
                .to_string()
                .contains(message)
        );
    }
}
