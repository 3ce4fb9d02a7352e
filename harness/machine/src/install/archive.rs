//! A tarball, as `npm pack` makes it: its hash, the manifest in it, and the copy that is installed.

use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::problem::InstallError;
use base::files::sha256;

/// The name that tarballs share in the cache; their versions are their hashes.
pub(super) const TARBALL: &str = "tarball";
/// The copy that npm installs, relative to the folder of the entry.
pub(super) const ARCHIVE: &str = "./archive.tgz";
/// A manifest is not larger, in bytes.
const MAX_MANIFEST: u64 = 4 << 20;
/// What is unpacked to find a manifest is not larger, in bytes.
const MAX_UNPACKED: u64 = 4 << 30;

/// The SHA-256 of a tarball, and the manifest in it.
pub(super) fn read(path: &Path) -> Result<(String, Value), InstallError> {
    let bytes = std::fs::read(path).map_err(|error| InstallError::Path {
        path: path.display().to_string(),
        why: format!("cannot be read: {error}"),
        help: None,
    })?;
    let find = || -> std::io::Result<Option<Value>> {
        let unpacked = GzDecoder::new(&*bytes).take(MAX_UNPACKED);
        for file in tar::Archive::new(unpacked).entries()? {
            let file = file?;
            if is_manifest(&file.path()?) {
                let mut text = Vec::new();
                file.take(MAX_MANIFEST).read_to_end(&mut text)?;
                return Ok(serde_json::from_slice(&text).ok());
            }
        }
        Ok(None)
    };
    match find() {
        Ok(Some(manifest)) => Ok((sha256(&bytes), manifest)),
        Ok(None) => Err(no_package(
            path,
            "there is no package.json in it that can be read",
        )),
        Err(error) => Err(no_package(path, &error.to_string())),
    }
}

/// npm takes away the first folder, whatever its name.
fn is_manifest(path: &Path) -> bool {
    path.components().count() == 2 && path.ends_with("package.json")
}

/// Copies a tarball to where npm installs it from, if it is still the one that was hashed.
pub(super) fn copy(archive: &Path, folder: &Path, hash: &str) -> Result<(), InstallError> {
    let bytes = fs_err::read(archive)?;
    if sha256(&bytes) != hash {
        return Err(InstallError::Path {
            path: archive.display().to_string(),
            why: "was changed while it was read".to_owned(),
            help: Some("run it again when it is written".to_owned()),
        });
    }
    Ok(fs_err::write(folder.join(ARCHIVE), bytes)?)
}

/// A tarball that npm would not install.
pub(super) fn no_package(path: &Path, why: &str) -> InstallError {
    InstallError::Path {
        path: path.display().to_string(),
        why: format!("is no package of npm: {why}"),
        help: Some("make one in a built checkout: npm pack --ignore-scripts".to_owned()),
    }
}
