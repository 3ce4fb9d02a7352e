//! Files: their hashes, and how one is written so that half of it never shows.

use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex(sha2::Sha256::new_with_prefix(bytes))
}

/// What was hashed so far, in hex.
pub fn hex(hash: sha2::Sha256) -> String {
    use sha2::Digest as _;
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts a file in place of the one that may be there, so that half of it never shows: what is written goes into a
/// temporary file beside it, which takes its place at the end. Everybody may read it. A link is followed; a device or a
/// pipe is written to and stays.
///
/// # Errors
/// The folder or the file cannot be written. A file that was there is still whole then.
pub fn replace<E: From<std::io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    if is_special(path) {
        let mut out = BufWriter::new(fs_err::OpenOptions::new().write(true).open(path)?);
        write(&mut out)?;
        out.flush()?;
        return Ok(());
    }
    let target: PathBuf = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    let file = out
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Whether there is something that is no plain file: a folder, a device, a pipe.
pub fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// As [`replace`], of bytes that are there already.
///
/// # Errors
/// As [`replace`].
pub fn replace_bytes(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    replace(path, |out| out.write_all(bytes))
}
