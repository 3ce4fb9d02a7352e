//! Programs on `PATH`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// The first executable of that name on `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.into_iter().find(|place| {
        let about = std::fs::metadata(place);
        about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    })
}
