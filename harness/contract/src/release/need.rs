//! What some releases need beside them.

use super::VersionRange;

/// Packages that some releases need and do not bring along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The releases.
    pub range: VersionRange,
    /// The packages, as npm takes them: `name@version`.
    pub packages: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Versions of Node that are known to run releases, best first.
pub const NODES: [&str; 2] = ["24.21.0", "22.22.0"];
