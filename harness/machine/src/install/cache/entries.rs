//! What is in the cache, how much of the disk it takes, whether it is whole, and how it is removed.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::FILES;
use super::{Cache, Installed, RECORD, lease, remove_if_there};
use crate::install::package::{ENTRY, PACKAGE};
use contract::release::Version;

/// How many files a folder holds, and how large they are together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A package in the cache, or what is left of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Name of the package: `openclaw`, or that of a Node.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Whether it can be used.
    pub state: EntryState,
    /// Bytes on the disk.
    pub bytes: u64,
    /// When it was installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<String>,
    /// When it was used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// Whether somebody uses or installs it now.
    pub in_use: bool,
    /// Integrity of its archive, as the registry gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// What was done so that it installs and runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whether an entry can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// It can.
    Whole,
    /// Something of it is missing; it is installed again when it is needed.
    Broken(String),
    /// An installation that did not come to its end.
    Partial,
}

/// What became of an entry that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is gone; so many bytes are free again.
    Removed(u64),
    /// Somebody uses or installs it.
    InUse,
    /// It was not there.
    Absent,
}

impl Entry {
    /// The release, if it is one.
    pub fn release(&self) -> Option<Version> {
        (self.package == PACKAGE).then(|| self.version.parse().ok())?
    }
}

impl Cache {
    /// Everything in the cache: by package, in the order of releases.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = subfolders(&self.root)
            .into_iter()
            .flat_map(|(package, folder)| {
                subfolders(&folder)
                    .into_iter()
                    .map(move |(name, _)| (package.clone(), name))
            })
            .map(|(package, name)| self.entry(package, &name))
            .collect();
        entries.sort_by(|a, b| {
            let place = |entry: &Entry| (entry.package.clone(), entry.release());
            (place(a), &a.version).cmp(&(place(b), &b.version))
        });
        entries
    }

    fn entry(&self, package: String, name: &str) -> Entry {
        let (version, partial) = match name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(".partial"))
        {
            Some(version) => (version, true),
            None => (name, false),
        };
        let folder = self.root.join(&package).join(name);
        let record = self.record(&package, version).filter(|_| !partial);
        let state = match partial {
            true => EntryState::Partial,
            false => match self.whole(&package, version) {
                Ok(_) => EntryState::Whole,
                Err(why) => EntryState::Broken(why),
            },
        };
        let counted = record.as_ref().and_then(|record| record.footprint);
        let used = std::fs::metadata(self.lock_file(&package, version))
            .and_then(|data| data.modified())
            .ok();
        Entry {
            state,
            bytes: counted
                .unwrap_or_else(|| footprint(&folder).unwrap_or_default())
                .bytes,
            installed: record.as_ref().map(|record| record.installed.clone()),
            used: used.and_then(|time| Timestamp::try_from(time).ok()),
            in_use: self.in_use(&package, version),
            integrity: record.as_ref().and_then(|record| record.integrity.clone()),
            notes: record.map(|record| record.notes()).unwrap_or_default(),
            version: version.to_owned(),
            package,
        }
    }

    fn in_use(&self, package: &str, version: &str) -> bool {
        lease::is_held(&self.lock_file(package, version))
    }

    /// Removes a package's version, with what an interrupted installation left of it, unless somebody uses it.
    ///
    /// # Errors
    /// Something of it cannot be removed.
    pub fn remove(&self, package: &str, version: &str) -> io::Result<Removal> {
        let (folder, partial) = (
            self.folder(package, version),
            self.partial(package, version),
        );
        if !folder.exists() && !partial.exists() {
            return Ok(Removal::Absent);
        }
        let Some(_lock) = self.lock(package, version)? else {
            return Ok(Removal::InUse);
        };
        let mut bytes = 0;
        for folder in [folder, partial] {
            bytes += footprint(&folder).unwrap_or_default().bytes;
            // Without its record an entry counts as broken, should this stop half-way.
            let _ = std::fs::remove_file(folder.join(RECORD));
            remove_if_there(&folder)?;
        }
        let _ = std::fs::remove_file(self.timings_file(package, version));
        Ok(Removal::Removed(bytes))
    }

    /// Removes a release.
    ///
    /// # Errors
    /// Something of it cannot be removed.
    pub fn remove_release(&self, version: &Version) -> io::Result<Removal> {
        self.remove(PACKAGE, &version.to_string())
    }

    /// Where the entry point of a release is, or would be.
    pub fn entry_point(&self, version: &Version) -> PathBuf {
        self.folder(PACKAGE, &version.to_string()).join(ENTRY)
    }

    /// Whether a release is installed and can be used.
    pub fn has_release(&self, version: &Version) -> bool {
        self.whole(PACKAGE, &version.to_string()).is_ok()
    }
}

impl Installed {
    /// What was done so that it installs and runs.
    fn notes(&self) -> Vec<String> {
        let overridden = self
            .overrides
            .iter()
            .map(|name| format!("{name} instead of a git dependency"));
        let beside = self.beside.iter().map(|name| format!("{name} beside it"));
        overridden.chain(beside).collect()
    }
}

/// What goes when only the `keep` releases that were used last are to stay: the others, and whatever is not whole.
/// What is in use stays in any case.
pub fn prunable(entries: &[Entry], keep: usize) -> Vec<Entry> {
    let mut whole: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.release().is_some() && entry.state == EntryState::Whole)
        .collect();
    whole.sort_by_key(|entry| std::cmp::Reverse((entry.used, entry.release())));
    let broken = entries
        .iter()
        .filter(|entry| entry.state != EntryState::Whole);
    let others = whole.into_iter().skip(keep);
    others
        .chain(broken)
        .filter(|entry| !entry.in_use)
        .cloned()
        .collect()
}

/// Counts a folder without what the cache keeps in it; links are not followed.
pub(in crate::install) fn footprint(folder: &Path) -> io::Result<Footprint> {
    let mut total = Footprint::default();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        let own = entry.depth() == 1 && (entry.file_name() == RECORD || entry.file_name() == FILES);
        if entry.file_type().is_file() && !own {
            total.files += 1;
            total.bytes += entry.metadata()?.len();
        }
    }
    Ok(total)
}

/// What is free on the disk of a folder, or of the one that it would be made in.
pub(in crate::install) fn free_bytes(folder: &Path) -> Option<u64> {
    let folder = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}

fn subfolders(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .collect()
}
