//! What is in an installed package: the names that all of this folder share, and its manifest.

use std::path::Path;

use serde_json::Value;

use super::problem::InstallError;

/// Name of the package.
pub(super) const PACKAGE: &str = "openclaw";
/// What runs a release, in the folder that it is installed in.
pub(super) const ENTRY: &str = "node_modules/openclaw/openclaw.mjs";

pub(super) fn engines_of(manifest: &Value) -> Option<String> {
    manifest
        .pointer("/engines/node")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

pub(super) fn read_json(path: &Path) -> Result<Value, InstallError> {
    serde_json::from_slice(&fs_err::read(path)?)
        .map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())).into())
}
