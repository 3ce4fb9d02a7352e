//! The hashes of what was installed, so that nothing else is run under its name.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use base::files::sha256;
use base::parallel;
use tokio_util::sync::CancellationToken;

use super::RECORD;

/// The hashes of an entry's files, kept among them.
pub(super) const FILES: &str = "files.json";
/// The compile cache that launches leave, which has a list of its own.
pub(in crate::install) const COMPILE_CACHE: &str = "compile-cache";

/// SHA-256 of every file of a folder by its path in it, and of every link where it leads.
type Hashes = BTreeMap<String, String>;

/// Hashes the files of an entry, keeps the list among them, and returns the hash of the list.
pub(in crate::install) fn keep(folder: &Path) -> io::Result<String> {
    let list = serde_json::to_vec_pretty(&hashes(folder, &CancellationToken::new())?)?;
    fs_err::write(folder.join(FILES), &list)?;
    Ok(sha256(&list))
}

/// How the files of an entry differ from those that were installed, in words; `list` is what [`keep`] returned.
pub(in crate::install) fn difference(
    folder: &Path,
    list: Option<&str>,
    cancel: &CancellationToken,
) -> io::Result<Option<String>> {
    let kept = fs_err::read(folder.join(FILES))?;
    if Some(sha256(&kept).as_str()) != list {
        return Ok(Some(format!("{FILES} has changed")));
    }
    let (was, is): (Hashes, Hashes) = (serde_json::from_slice(&kept)?, hashes(folder, cancel)?);
    let paths: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let mut differ = paths
        .into_iter()
        .filter(|path| was.get(*path) != is.get(*path));
    let Some(first) = differ.next() else {
        return Ok(None);
    };
    let how = match (was.contains_key(first), is.contains_key(first)) {
        (true, true) => "has changed",
        (true, false) => "is missing",
        (false, _) => "was added",
    };
    Ok(Some(match differ.count() {
        0 => format!("{first} {how}"),
        others => format!("{first} {how}, and {others} more differ"),
    }))
}

fn hashes(folder: &Path, cancel: &CancellationToken) -> io::Result<Hashes> {
    let mut files = Vec::new();
    let mut hashes = Hashes::new();
    let entries = walkdir::WalkDir::new(folder).min_depth(1);
    let is_compile_cache = |entry: &walkdir::DirEntry| {
        entry.depth() == 1 && entry.file_name() == COMPILE_CACHE && entry.file_type().is_dir()
    };
    for entry in entries
        .into_iter()
        .filter_entry(|entry| !is_compile_cache(entry))
    {
        let entry = entry?;
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let (path, kind) = (path.to_string_lossy().into_owned(), entry.file_type());
        if kind.is_file() && path != RECORD && path != FILES {
            files.push((path, entry.into_path()));
        } else if kind.is_symlink() {
            let target = fs_err::read_link(entry.path())?;
            hashes.insert(path, format!("link to {}", target.to_string_lossy()));
        } else if !kind.is_dir() && !kind.is_file() {
            hashes.insert(path, "no file".to_owned());
        }
    }
    let hash = |(path, file): &(String, std::path::PathBuf)| match cancel.is_cancelled() {
        true => Ok(None),
        false => Ok(Some((path.clone(), sha256(&fs_err::read(file)?)))),
    };
    for hashed in parallel::map(&files, hash) {
        let hashed: io::Result<_> = hashed;
        hashes.extend(hashed?);
    }
    Ok(hashes)
}
