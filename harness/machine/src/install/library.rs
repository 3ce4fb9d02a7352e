//! Other people's libraries and what they run on: found in the cache, or installed there once.
//!
//! Like releases they are seen whole or not at all. Finding never installs and never asks a registry.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::cache::{Cache, Installed, Lease, Removal};
use super::context::{INSTALL_PATIENCE, InstallContext};
use super::installer::Installer;
use super::node::{self, NodeChoice};
use super::npm::{NpmError, npm};
use super::package::{Wanted, read_json};
use super::problem::{InstallError, Progress};
use super::venv::{PYTHON, VENV, metadata};

/// How pip is called: only archives that run nothing when they are installed, and nothing that was not named.
const PIP: [&str; 10] = [
    "-m",
    "pip",
    "install",
    "--no-input",
    "--no-deps",
    "--only-binary=:all:",
    "--disable-pip-version-check",
    "--no-warn-script-location",
    "--progress-bar=off",
    "--report=pip.json",
];

/// A library that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// The interpreter that runs a script which uses it.
    pub command: PathBuf,
    /// The folder that it was installed into.
    pub folder: PathBuf,
    /// The interpreter and its version.
    pub runtime: String,
    /// Integrity of the library's archive, as the registry gave it.
    pub integrity: Option<String>,
    /// What keeps its files in the cache while it is used.
    pub leases: Vec<Lease>,
}

/// A package of Python with all that it needs, pinned.
#[derive(Debug, Clone, Copy)]
pub struct PythonLibrary<'a> {
    /// The package.
    pub package: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What is installed with it: `name==version`.
    pub beside: &'a [String],
}

/// A package of Node.
#[derive(Debug, Clone, Copy)]
pub struct NodeLibrary<'a> {
    /// The package.
    pub package: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The Nodes that it runs on, as a range.
    pub engines: &'a str,
}

impl PythonLibrary<'_> {
    /// Where it is in the cache. npm has packages of the same names.
    fn entry(&self) -> String {
        format!("{VENV}{}", self.package)
    }

    /// The record of its entry, if that is whole and holds what is pinned now.
    fn installed(&self, cache: &Cache) -> Option<Installed> {
        let installed = cache.whole(&self.entry(), self.version).ok();
        installed.filter(|installed| installed.beside == self.beside)
    }

    /// Whether it is in the cache, for whoever only plans; [`PythonLibrary::find`] says whether it is as it was installed.
    pub fn is_there(&self, cache: &Cache) -> bool {
        self.installed(cache).is_some()
    }

    /// The library, if it is installed whole.
    pub async fn find(&self, cache: &Cache) -> Option<Library> {
        let installed = self.installed(cache)?;
        let lease = cache.lease(&self.entry(), self.version).ok()??;
        if !unchanged(cache, &installed).await {
            return None;
        }
        let folder = cache.folder(&self.entry(), self.version);
        let command = folder.join(PYTHON);
        // The interpreter leads to the machine's own, which may be another by now: its packages are elsewhere then.
        let python = said(&command, "--version").await?;
        let python = python.strip_prefix("Python ")?;
        let (minor, _) = python.rsplit_once('.')?;
        let metadata = metadata(self.package, self.version);
        let packages = folder.join(format!("lib/python{minor}/site-packages"));
        packages.join(metadata).is_file().then_some(Library {
            command,
            folder,
            runtime: format!("Python {python}"),
            integrity: installed.integrity,
            leases: vec![lease],
        })
    }

    /// Installs it into the cache, unless it is there; `python` is the machine's own.
    ///
    /// # Errors
    /// An [`InstallError`]; a virtual environment that is not whole is not kept.
    pub async fn install(
        &self,
        python: &Path,
        context: &InstallContext,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Library, InstallError> {
        let installer = Installer {
            context,
            progress,
            cancel,
        };
        let cache = installer.cache()?;
        if let Some(library) = self.find(cache).await {
            return Ok(library);
        }
        let (entry, what) = (self.entry(), format!("{} {}", self.package, self.version));
        // Whole for another Python than there is now.
        if self.installed(cache).is_some() && cache.remove(&entry, self.version)? == Removal::InUse
        {
            return Err(InstallError::InUse(what));
        }
        let tick = |time| progress(Progress::Installing(format!("{what} for Python"), time));
        let tick: &(dyn Fn(Duration) + Send + Sync) = &tick;
        let install = |folder: PathBuf| {
            async move { self.install_into(&folder, python, tick, cancel).await }.boxed()
        };
        let found = || self.installed(cache);
        installer
            .entry(&entry, self.version, found, install)
            .await?;
        self.find(cache).await.ok_or(InstallError::Python {
            what,
            code: Some(0),
            tail: vec!["it was installed, and its interpreter does not start".to_owned()],
        })
    }

    async fn install_into(
        &self,
        folder: &Path,
        python: &Path,
        tick: &(dyn Fn(Duration) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Installed, InstallError> {
        let make = ["-I", "-m", "venv", "."];
        self.step(python, folder, &make, tick, cancel).await?;
        let wanted = format!("{}=={}", self.package, self.version);
        let named = std::iter::once(wanted.as_str()).chain(self.beside.iter().map(String::as_str));
        let args: Vec<&str> = PIP.into_iter().chain(named).collect();
        let python = folder.join(PYTHON);
        self.step(&python, folder, &args, tick, cancel).await?;
        let report = read_json(&folder.join("pip.json")).unwrap_or(Value::Null);
        Ok(Installed {
            package: self.entry(),
            version: self.version.to_owned(),
            integrity: integrity(&report, self.package),
            engines: None,
            overrides: Vec::new(),
            beside: self.beside.to_vec(),
            installed: format!("{:.0}", base::time::now()),
            footprint: None,
            files: None,
            packed: None,
        })
    }
}

impl PythonLibrary<'_> {
    /// Runs one command of an installation.
    async fn step(
        &self,
        command: &Path,
        folder: &Path,
        args: &[&str],
        tick: &(dyn Fn(Duration) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<(), InstallError> {
        let command = command.as_os_str();
        let done = npm(command, folder, args, INSTALL_PATIENCE, tick, cancel).await;
        done.map(drop).map_err(|error| match error {
            NpmError::Missing(error) => InstallError::NoPython(error),
            NpmError::Cancelled => InstallError::Cancelled,
            NpmError::Silent(patience) => InstallError::Silent(patience),
            NpmError::Failed { code, tail } => InstallError::Python {
                what: format!("{} {}", self.package, self.version),
                code,
                tail,
            },
        })
    }
}

/// Whether all that was installed is there as it was.
async fn unchanged(cache: &Cache, installed: &Installed) -> bool {
    let difference = cache.difference(installed, &CancellationToken::new()).await;
    matches!(difference, Ok(None))
}

/// The first line that a command prints when it is called with one argument, if it starts and ends well.
pub(crate) async fn said(command: &Path, argument: &str) -> Option<String> {
    let mut process = tokio::process::Command::new(command);
    process.arg(argument).kill_on_drop(true);
    process.stdin(std::process::Stdio::null());
    let output = tokio::time::timeout(Duration::from_secs(10), process.output());
    let output = output.await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().map(|line| line.trim().to_owned());
    line.filter(|_| output.status.success())
}

/// The hash of a package's archive in pip's report.
fn integrity(report: &Value, package: &str) -> Option<String> {
    let all = report.get("install")?.as_array()?;
    let entry = all.iter().find(|entry| {
        let name = entry.pointer("/metadata/name").and_then(Value::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case(package))
    })?;
    let hash = entry.pointer("/download_info/archive_info/hashes/sha256")?;
    Some(format!("sha256:{}", hash.as_str()?))
}

impl NodeLibrary<'_> {
    fn file(&self) -> String {
        format!("node_modules/{}/package.json", self.package)
    }

    /// Whether it is in the cache, for whoever only plans; [`NodeLibrary::find`] says whether it is as it was installed, and
    /// whether there is a Node for it.
    pub fn is_there(&self, cache: &Cache) -> bool {
        cache
            .get(self.package, self.version, &self.file())
            .is_some()
    }

    /// The library, if it is installed whole and there is a Node for it: the machine's own or one in the cache.
    pub async fn find(&self, machine: &Path, cache: &Cache) -> Option<Library> {
        let installed = cache.get(self.package, self.version, &self.file())?;
        let mut leases = vec![cache.lease(self.package, self.version).ok()??];
        if !unchanged(cache, &installed).await {
            return None;
        }
        let version = node::version_of(machine).await;
        let (command, version) = match node::choose(Some(self.engines), version.as_deref()) {
            NodeChoice::Machine(version) => (machine.to_path_buf(), version),
            NodeChoice::Install(version) => {
                let (package, binary) = (node::package(), node::binary());
                let node = cache.get(&package, &version, &binary)?;
                leases.push(cache.lease(&package, &version).ok()??);
                if !unchanged(cache, &node).await {
                    return None;
                }
                (cache.folder(&package, &version).join(binary), version)
            }
            NodeChoice::Search => return None,
        };
        Some(Library {
            command,
            folder: cache.folder(self.package, self.version),
            runtime: format!("Node {version}"),
            integrity: installed.integrity,
            leases,
        })
    }

    /// Installs it and a Node that fits into the cache, unless they are there.
    ///
    /// # Errors
    /// An [`InstallError`]; what is not whole is not kept.
    pub async fn install(
        &self,
        context: &InstallContext,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Library, InstallError> {
        let installer = Installer {
            context,
            progress,
            cancel,
        };
        let file = self.file();
        let wanted = Wanted::file(self.package, self.version, &file);
        let (installed, lease) = installer.package(&wanted).await?;
        let node = installer.program(Path::new(""), Some(self.engines), None, None);
        let node = node.await?;
        Ok(Library {
            command: node.command,
            folder: installer.cache()?.folder(self.package, self.version),
            runtime: format!("Node {}", node.node.unwrap_or_default()),
            integrity: installed.integrity,
            leases: [vec![lease], node.leases].concat(),
        })
    }
}

#[cfg(test)]
#[path = "library/tests.rs"]
mod tests;
