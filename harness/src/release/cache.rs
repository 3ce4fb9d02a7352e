//! The cache of releases and Nodes: installed once, seen whole or not at all, shared by all runs of a machine.
//!
//! An entry is a folder with an `install.json` that was written last. It is installed in a folder beside it and moved
//! into place, under a lock of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::registry::Listing;

const RECORD: &str = "install.json";
/// The list of releases that the registry told last.
const LISTING: &str = "releases.json";

/// Where installed packages are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

/// What is known about an installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Installed {
    /// Name of the package.
    pub(super) package: String,
    /// Its version.
    pub(super) version: String,
    /// Integrity of its archive, as the registry gave it.
    pub(super) integrity: Option<String>,
    /// The Node that it asks for.
    pub(super) engines: Option<String>,
    /// Dependencies that were taken from elsewhere than the package asks, because its own source cannot be reached.
    pub(super) overrides: Vec<String>,
    /// Packages that were installed beside it, because it does not bring them along.
    #[serde(default)]
    pub(super) beside: Vec<String>,
    /// When it was installed.
    pub(super) installed: String,
}

/// An entry that nobody else may change until this is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Cache {
    /// `$XDG_CACHE_HOME/clawgauge`, or `~/.cache/clawgauge`.
    pub fn from_env() -> Option<Self> {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
        Some(Self {
            root: base.join("clawgauge"),
        })
    }

    /// A cache in a folder of its own.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of a package's version.
    pub(super) fn folder(&self, package: &str, version: &str) -> PathBuf {
        self.root.join(package).join(version)
    }

    /// The record of an entry that is whole: its record is valid and its `file` is there.
    pub(super) fn get(&self, package: &str, version: &str, file: &str) -> Option<Installed> {
        let folder = self.folder(package, version);
        let record: Installed =
            serde_json::from_slice(&std::fs::read(folder.join(RECORD)).ok()?).ok()?;
        let manifest = folder
            .join("node_modules")
            .join(package)
            .join("package.json");
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(manifest).ok()?).ok()?;
        let whole = record.package == package
            && record.version == version
            && manifest.get("version").and_then(serde_json::Value::as_str) == Some(version)
            && folder.join(file).is_file();
        whole.then_some(record)
    }

    /// Versions of a package that are installed.
    pub fn versions(&self, package: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.root.join(package)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join(RECORD).is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// The list of releases that was kept last.
    pub(super) fn listing(&self) -> Option<Listing> {
        serde_json::from_slice(&std::fs::read(self.root.join(LISTING)).ok()?).ok()
    }

    /// Keeps a list of releases.
    pub(super) fn keep_listing(&self, listing: &Listing) -> std::io::Result<()> {
        fs_err::create_dir_all(&self.root)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.root)?;
        serde_json::to_writer(&mut file, listing)?;
        file.persist(self.root.join(LISTING))
            .map_err(|error| error.error)?;
        Ok(())
    }

    /// Takes the lock of an entry; `waiting` is called once if somebody else has it.
    pub(super) async fn lock(
        &self,
        package: &str,
        version: &str,
        waiting: impl FnOnce(),
        cancel: &CancellationToken,
    ) -> std::io::Result<Lock> {
        let folder = self.root.join(package);
        fs_err::create_dir_all(&folder)?;
        let file = File::options()
            .create(true)
            .append(true)
            .open(folder.join(format!(".{version}.lock")))?;
        let mut waiting = Some(waiting);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
            if let Some(waiting) = waiting.take() {
                waiting();
            }
            tokio::select! {
                () = cancel.cancelled() => return Err(std::io::Error::other("cancelled")),
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }

    /// An empty folder to install into. What an earlier, interrupted installation left is removed; the lock must be held.
    pub(super) fn begin(
        &self,
        package: &str,
        version: &str,
        _lock: &Lock,
    ) -> std::io::Result<PathBuf> {
        let partial = self.partial(package, version);
        remove_if_there(&partial)?;
        fs_err::create_dir_all(&partial)?;
        Ok(partial)
    }

    /// Makes what was installed into [`Cache::begin`]'s folder the entry.
    pub(super) fn commit(&self, record: &Installed, _lock: &Lock) -> std::io::Result<()> {
        let partial = self.partial(&record.package, &record.version);
        fs_err::write(partial.join(RECORD), serde_json::to_vec_pretty(record)?)?;
        let folder = self.folder(&record.package, &record.version);
        remove_if_there(&folder)?;
        fs_err::rename(partial, folder)
    }

    /// Removes what a failed installation left.
    pub(super) fn abort(&self, package: &str, version: &str, _lock: &Lock) {
        let _ = remove_if_there(&self.partial(package, version));
    }

    fn partial(&self, package: &str, version: &str) -> PathBuf {
        self.root.join(package).join(format!(".{version}.partial"))
    }
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs_err::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
