//! What is in the cache, how much of the disk it takes, whether it is whole, and how it is removed.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::FILES;
use super::{Cache, Installed, RECORD, lease, remove_if_there};
use crate::install::archive::TARBALL;
use crate::install::package::PACKAGE;
use contract::release::Version;

/// So much of a hash tells tarballs apart.
const HASH_DIGITS: usize = 12;

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
    /// Name of the package: `openclaw`, that of a Node, a library or a fork, or `tarball`.
    pub package: String,
    /// Its version; of a tarball its SHA-256.
    pub version: String,
    /// Whether it is a gateway: a release, a fork or a tarball.
    #[serde(skip)]
    pub is_gateway: bool,
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

    /// What people call it: package and version, of a tarball the start of its hash.
    pub fn name(&self) -> String {
        let digits = match self.package == TARBALL {
            true => HASH_DIGITS,
            false => usize::MAX,
        };
        let version: String = self.version.chars().take(digits).collect();
        format!("{}@{version}", self.package)
    }
}

impl Cache {
    /// Everything in the cache: by package, in the order of releases.
    pub fn entries(&self) -> Vec<Entry> {
        let packages = subfolders(&self.root).into_iter();
        // npm's scopes are folders of packages.
        let packages = packages.flat_map(|(name, folder)| match name.starts_with('@') {
            false => vec![(name, folder)],
            true => {
                let scoped = subfolders(&folder).into_iter();
                scoped
                    .map(|(inside, folder)| (format!("{name}/{inside}"), folder))
                    .collect()
            }
        });
        let mut entries: Vec<Entry> = packages
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
        let packed = record
            .as_ref()
            .is_some_and(|record| record.packed.is_some());
        Entry {
            is_gateway: package == PACKAGE || package == TARBALL || packed,
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

    /// What runs the gateway that an entry is.
    pub fn entry_point(&self, entry: &Entry) -> Option<PathBuf> {
        let installed = self.record(&entry.package, &entry.version)?;
        entry.is_gateway.then(|| self.entry_of(&installed))
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
        let packed = self.packed.iter().filter(|_| self.package == TARBALL);
        let packed = packed.map(|packed| format!("{} {}", packed.name, packed.version));
        packed.chain(overridden).chain(beside).collect()
    }
}

/// What goes when only the `keep` gateways that were used last are to stay: the others, and whatever is not whole.
/// What is in use stays in any case.
pub fn prunable(entries: &[Entry], keep: usize) -> Vec<Entry> {
    let mut whole: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.is_gateway && entry.state == EntryState::Whole)
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
