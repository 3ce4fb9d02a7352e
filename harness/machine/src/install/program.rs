//! What is executed to run a gateway.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::{CompileCache, Lease};
use contract::release::Version;

/// A command that takes `gateway run ...` as its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The executable: Node, or the gateway itself.
    pub command: PathBuf,
    /// Arguments before the gateway's own: the entry point, where the executable is Node.
    pub args: Vec<OsString>,
    /// The release, if it is known.
    pub version: Option<Version>,
    /// Integrity of the package, where it came from a registry.
    pub integrity: Option<String>,
    /// Version of Node, where it runs on Node.
    pub node: Option<String>,
    /// What was done so that it runs; for reports.
    pub notes: Vec<String>,
    /// Variables that it gets besides those of its launch.
    pub env: BTreeMap<String, String>,
    /// Folders to put first on `PATH`.
    pub path_dirs: Vec<PathBuf>,
    /// Its compile cache, where it is installed in the cache of releases.
    pub compile_cache: Option<CompileCache>,
    /// What keeps its files in the cache while it is used.
    pub leases: Vec<Lease>,
}
