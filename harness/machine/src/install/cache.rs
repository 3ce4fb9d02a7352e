//! The cache of releases and Nodes: installed once, seen whole or not at all, shared by all runs of a machine.
//!
//! An entry is a folder with an `install.json` that was written last. It is installed in a folder beside it and moved
//! into place, under a lock of its own. Whoever runs it holds a [`Lease`], so that nobody removes it meanwhile.

mod entries;
pub(super) mod files;
mod lease;

use base::files::replace_bytes;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use entries::{Entry, EntryState, Footprint, Removal, prunable};
pub use lease::Lease;

use entries::footprint;
pub(super) use entries::free_bytes;
use lease::Lock;

use super::listing::Listing;
use super::package::{ENTRY, Packed};
use super::venv::{VENV, in_venv};

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
    /// What was installed; [`Cache::commit`] counts it.
    #[serde(default)]
    pub(super) footprint: Option<Footprint>,
    /// SHA-256 of the list of its files' hashes; [`Cache::commit`] makes it.
    #[serde(default)]
    pub(super) files: Option<String>,
    /// What it is, where it is a gateway and no release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) packed: Option<Packed>,
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

    /// What is free on its disk, in bytes; `None` where nobody can tell.
    pub fn free_bytes(&self) -> Option<u64> {
        free_bytes(&self.root)
    }

    /// The folder of the cache.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn lock_file(&self, package: &str, version: &str) -> PathBuf {
        self.root.join(package).join(format!(".{version}.lock"))
    }

    /// Where it is kept what a package's version takes: beside its folder, of which every file is known.
    pub(super) fn timings_file(&self, package: &str, version: &str) -> PathBuf {
        self.root
            .join(package)
            .join(format!(".{version}.timings.json"))
    }

    fn record(&self, package: &str, version: &str) -> Option<Installed> {
        let bytes = std::fs::read(self.folder(package, version).join(RECORD)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// The record of an entry that is whole and holds `file`.
    pub(super) fn get(&self, package: &str, version: &str, file: &str) -> Option<Installed> {
        let record = self.whole(package, version).ok()?;
        let there = self.folder(package, version).join(file).is_file();
        there.then_some(record)
    }

    /// The record of an entry that is whole: the record is valid, the package has that version, and each package that npm
    /// noted as installed is there.
    ///
    /// # Errors
    /// What is missing, in words.
    pub(super) fn whole(&self, package: &str, version: &str) -> Result<Installed, String> {
        let modules = self.folder(package, version).join("node_modules");
        let record = self.record(package, version);
        let record = record
            .filter(|record| record.package == package && record.version == version)
            .ok_or_else(|| format!("its {RECORD} is missing or wrong"))?;
        if record.files.is_none() {
            return Err("it was installed without the hashes of its files".to_owned());
        }
        let library = package.strip_prefix(VENV);
        if let Some(library) = library.filter(|_| record.packed.is_none()) {
            let there = in_venv(&self.folder(package, version), library, version);
            return there.then_some(record).ok_or_else(|| {
                format!("{library} itself or its interpreter is missing, or of another version")
            });
        }
        let json = |path: &Path| -> Option<serde_json::Value> {
            serde_json::from_slice(&std::fs::read(path).ok()?).ok()
        };
        let (name, number) = match &record.packed {
            Some(packed) => (&*packed.name, &*packed.version),
            None => (package, version),
        };
        let manifest = json(&modules.join(name).join("package.json"));
        let found = manifest
            .as_ref()
            .and_then(|manifest| manifest.get("version")?.as_str());
        let there = record.packed.is_none() || self.entry_of(&record).is_file();
        if found != Some(number) || !there {
            return Err(format!("{name} itself is missing or of another version"));
        }
        let noted = json(&modules.join(".package-lock.json"));
        let packages = noted
            .as_ref()
            .and_then(|noted| noted.get("packages")?.as_object());
        let missing = packages
            .into_iter()
            .flat_map(|packages| packages.keys())
            .find(|path| {
                let folder = modules.join("..").join(path);
                !folder.join("package.json").is_file()
            });
        match missing {
            Some(missing) => Err(format!("{missing} is missing")),
            None => Ok(record),
        }
    }

    /// What runs an installed gateway.
    pub(super) fn entry_of(&self, installed: &Installed) -> PathBuf {
        let folder = self.folder(&installed.package, &installed.version);
        let packed = installed.packed.as_ref();
        folder.join(packed.map_or(ENTRY, |packed| &packed.entry))
    }

    /// How an entry differs from what was installed, in words; each file is read for that.
    pub(super) async fn difference(
        &self,
        installed: &Installed,
        cancel: &CancellationToken,
    ) -> std::io::Result<Option<String>> {
        let (folder, list, cancel) = (
            self.folder(&installed.package, &installed.version),
            installed.files.clone(),
            cancel.clone(),
        );
        let read = move || files::difference(&folder, list.as_deref(), &cancel);
        tokio::task::spawn_blocking(read).await?
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
        replace_bytes(&self.root.join(LISTING), &serde_json::to_vec(listing)?)
    }

    /// Takes the lock of an entry, unless somebody has it or uses the entry.
    pub(super) fn lock(&self, package: &str, version: &str) -> std::io::Result<Option<Lock>> {
        fs_err::create_dir_all(self.root.join(package))?;
        lease::lock(&self.lock_file(package, version))
    }

    /// Uses an entry, unless somebody installs or removes it.
    pub(super) fn lease(&self, package: &str, version: &str) -> std::io::Result<Option<Lease>> {
        lease::lease(&self.lock_file(package, version))
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
    pub(super) fn commit(&self, mut record: Installed, _lock: &Lock) -> std::io::Result<Installed> {
        let partial = self.partial(&record.package, &record.version);
        record.footprint = Some(footprint(&partial)?);
        record.files = Some(files::keep(&partial)?);
        fs_err::write(partial.join(RECORD), serde_json::to_vec_pretty(&record)?)?;
        let folder = self.folder(&record.package, &record.version);
        remove_if_there(&folder)?;
        fs_err::rename(partial, folder)?;
        Ok(record)
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
