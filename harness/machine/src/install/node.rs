//! Which Node runs a release: the machine's own where it satisfies the package, else one from the registry.

use std::path::Path;

use contract::release::NODES;
use node_semver::{Range, Version};

/// Where a Node comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NodeChoice {
    /// The machine's own, of this version.
    Machine(String),
    /// One to install, of this version.
    Install(String),
    /// None of the known ones; the registry must be asked for one in this range.
    Search,
}

/// Chooses a Node for a package's `engines.node`; no range means any Node.
pub(super) fn choose(engines: Option<&str>, machine: Option<&str>) -> NodeChoice {
    let range = engines.and_then(|text| Range::parse(text).ok());
    let fits = |version: &&str| match (&range, Version::parse(version)) {
        (_, Err(_)) => false,
        (None, Ok(_)) => true,
        (Some(range), Ok(version)) => range.satisfies(&version),
    };
    if let Some(machine) = machine.filter(fits) {
        return NodeChoice::Machine(machine.to_owned());
    }
    NODES
        .iter()
        .copied()
        .find(fits)
        .map_or(NodeChoice::Search, |version| {
            NodeChoice::Install(version.to_owned())
        })
}

/// The greatest of `versions` that is in the range.
pub(super) fn greatest<'a>(
    engines: Option<&str>,
    versions: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let range = Range::parse(engines.unwrap_or("*")).ok()?;
    versions
        .into_iter()
        .filter_map(|text| Some((Version::parse(text).ok()?, text)))
        .filter(|(version, _)| range.satisfies(version))
        .max_by(|a, b| a.0.cmp(&b.0))
        .map(|(_, text)| text.to_owned())
}

/// Name of the package that holds Node for this machine.
pub(super) fn package() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("node-{os}-{arch}")
}

/// The plain binary in that package's folder of the cache.
pub(super) fn binary() -> String {
    format!("node_modules/{}/bin/node", package())
}

/// Version of the Node that a command starts, if it starts one.
pub(super) async fn version_of(command: &Path) -> Option<String> {
    let text = super::said(command, "--version").await?;
    Some(text.strip_prefix('v')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some(">=22.14.0"), Some("22.20.0"), NodeChoice::Machine("22.20.0".into()))]
    #[case(Some(">=22.14.0"), Some("20.20.2"), NodeChoice::Install("24.21.0".into()))]
    #[case(Some(">=22.14.0"), None, NodeChoice::Install("24.21.0".into()))]
    #[case(Some(">=22.22.3 <23 || >=24.15.0 <25 || >=25.9.0"), Some("23.1.0"), NodeChoice::Install("24.21.0".into()))]
    #[case(Some(">=24.16.0 <25 || >=26.1.0"), Some("26.2.0"), NodeChoice::Machine("26.2.0".into()))]
    #[case(Some(">=22 <23"), None, NodeChoice::Install("22.22.0".into()))]
    #[case(Some(">=26.1.0"), Some("24.21.0"), NodeChoice::Search)]
    #[case(None, Some("20.20.2"), NodeChoice::Machine("20.20.2".into()))]
    #[case(None, Some("not a version"), NodeChoice::Install("24.21.0".into()))]
    fn chooses(
        #[case] engines: Option<&str>,
        #[case] machine: Option<&str>,
        #[case] choice: NodeChoice,
    ) {
        assert_eq!(choose(engines, machine), choice);
    }

    #[test]
    fn takes_the_greatest_in_range() {
        assert_eq!(
            greatest(
                Some(">=24.16 <25"),
                ["24.9.0", "24.21.0", "24.18.1", "25.0.0"]
            )
            .as_deref(),
            Some("24.21.0")
        );
        assert_eq!(greatest(Some(">=30"), ["24.9.0"]), None);
    }
}
