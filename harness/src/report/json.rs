//! The record as JSON, one file.

use std::io::Write;
use std::path::Path;

use crate::record::Record;

/// Writes the record in one step: readers see the whole file or none.
///
/// # Errors
/// The folder does not exist or the file cannot be written.
pub fn write_json(record: &Record, path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(std::io::BufWriter::new(file.as_file_mut()), record)?;
    file.write_all(b"\n")?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
