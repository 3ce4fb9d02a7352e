//! Virtual environments of Python: their names in the cache, and whether one is whole.

use std::path::{Path, PathBuf};

/// How the names of entries begin that are virtual environments.
pub(super) const VENV: &str = "python-";
/// The interpreter of a virtual environment, relative to it.
pub(super) const PYTHON: &str = "bin/python";

/// The file by which a virtual environment shows that a package is in it.
pub(super) fn metadata(package: &str, version: &str) -> String {
    let name = package.replace('-', "_");
    format!("{name}-{version}.dist-info/METADATA")
}

/// Whether a virtual environment has its interpreter and a package.
pub(super) fn in_venv(folder: &Path, package: &str, version: &str) -> bool {
    let metadata = metadata(package, version);
    let libraries = std::fs::read_dir(folder.join("lib")).into_iter().flatten();
    let mut libraries = libraries.filter_map(Result::ok).map(|entry| entry.path());
    let there = |path: PathBuf| path.join("site-packages").join(&metadata).is_file();
    folder.join(PYTHON).exists() && libraries.any(there)
}
