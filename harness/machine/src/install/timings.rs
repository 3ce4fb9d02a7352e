//! What earlier runs of a release took on this machine: a small file beside the release in the cache, which goes with it.

use super::Cache;
use super::package::PACKAGE;
use base::files::replace_bytes;
use contract::plan::budget::Measured;
use contract::release::Version;

/// What earlier runs of a release took; `None` where nothing is known, or nothing that can be read.
pub fn read(cache: &Cache, release: &Version) -> Option<Measured> {
    let file = cache.timings_file(PACKAGE, &release.to_string());
    Measured::read(&std::fs::read_to_string(file).ok()?)
}

/// Keeps it, where the release is installed.
///
/// # Errors
/// It cannot be written.
pub fn keep(cache: &Cache, release: &Version, measured: &Measured) -> std::io::Result<()> {
    if !cache.has_release(release) {
        return Ok(());
    }
    let file = cache.timings_file(PACKAGE, &release.to_string());
    replace_bytes(&file, measured.write().as_bytes())
}
