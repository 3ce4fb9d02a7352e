//! From a gateway's name to a program: installs what is missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Program;
use super::archive::{ARCHIVE, copy};
use super::cache::{Cache, Installed, Lease, free_bytes};
use super::compile_cache::CompileCache;
use super::context::{INSTALL_PATIENCE, InstallContext, view};
use super::node::{self, NodeChoice};
use super::npm::{NpmError, npm};
use super::package::{Packed, Wanted, engines_of, entry_of, read_json, text_of};
use super::problem::{InstallError, Progress};
use super::registry::releases;
use super::version::say_version;
use base::nearest::nearest;
use contract::release::{GatewayRef, Need, ReleaseName, Releases, Version};

/// With less than this left, a disk is full.
const LAST_BYTES: u64 = 8 * 1024 * 1024;
/// How long to wait before looking again whether somebody else is done with an entry.
const LOCK_PAUSE: Duration = Duration::from_millis(200);
/// How long the first start of a release may take; it takes a second or two.
const FIRST_START: Duration = Duration::from_secs(60);
/// Some releases depend on a package from a git host; the registry has a build of it.
const GIT_DEPENDENCY: (&str, &str) = ("libsignal", "2.0.1");

/// Finds or installs what a reference names.
///
/// # Errors
/// An [`InstallError`] that says what failed and, through [`InstallError::help`], what to do.
pub async fn resolve(
    reference: &GatewayRef,
    context: &InstallContext,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Program, InstallError> {
    let installer = Installer {
        context,
        progress,
        cancel,
    };
    match reference {
        GatewayRef::Reference => Ok(context.reference.clone()),
        GatewayRef::Published(name) => {
            let version = installer.version(name).await?;
            installer.release(version).await
        }
        GatewayRef::Package { name, version } => {
            let wanted = Wanted::fork(name, version);
            installer.gateway(&wanted, None).await
        }
        GatewayRef::Image(image) => installer.image(image).await,
        GatewayRef::Path(path) => installer.path(path).await,
    }
}

/// Installs what is missing.
pub(super) struct Installer<'a> {
    pub(super) context: &'a InstallContext,
    pub(super) progress: &'a (dyn Fn(Progress) + Send + Sync),
    pub(super) cancel: &'a CancellationToken,
}

impl Installer<'_> {
    /// The version that a name stands for.
    pub(super) async fn version(&self, name: &ReleaseName) -> Result<Version, InstallError> {
        match name.version() {
            Some(version) => Ok(version.clone()),
            None => {
                let known = releases(self.context, self.progress, self.cancel).await?;
                Ok(known.find(name)?)
            }
        }
    }

    async fn release(&self, version: Version) -> Result<Program, InstallError> {
        let beside = self.need(Some(&version));
        let beside = beside.map_or(&[][..], |need| &need.packages);
        let wanted = Wanted::release(&version.to_string(), beside);
        self.gateway(&wanted, Some(version)).await
    }

    /// What a release needs beside it.
    pub(super) fn need(&self, release: Option<&Version>) -> Option<&Need> {
        let mut needs = self.context.needs.iter();
        needs.find(|need| release.is_some_and(|release| need.range.contains(release)))
    }

    /// A gateway that npm installs into the cache, which is this release.
    pub(super) async fn gateway(
        &self,
        wanted: &Wanted,
        release: Option<Version>,
    ) -> Result<Program, InstallError> {
        let (installed, lease) = self.package(wanted).await?;
        let mut notes = Vec::new();
        if let Some(need) = self.need(release.as_ref()) {
            notes.push(format!(
                "{} is installed beside it: {}",
                need.packages.join(" and "),
                need.reason
            ));
        }
        for dependency in &installed.overrides {
            notes.push(format!(
                "{dependency} comes from the registry instead of its git host"
            ));
        }
        for note in &notes {
            (self.progress)(Progress::Note(note.clone()));
        }
        let cache = self.cache()?;
        let folder = cache.folder(&wanted.package, &wanted.version);
        let mut program = self
            .program(
                &cache.entry_of(&installed),
                installed.engines.as_deref(),
                release,
                installed.integrity,
            )
            .await?;
        program.leases.push(lease);
        let node = program.node.clone().unwrap_or_default();
        let compile_cache =
            tokio::task::spawn_blocking(move || CompileCache::of(&folder, &node)).await;
        let compile_cache = compile_cache.map_err(std::io::Error::from)?;
        Ok(Program {
            notes,
            compile_cache: Some(compile_cache),
            ..program
        })
    }

    /// A program that runs an entry point on a Node that fits.
    pub(super) async fn program(
        &self,
        entry: &Path,
        engines: Option<&str>,
        version: Option<Version>,
        integrity: Option<String>,
    ) -> Result<Program, InstallError> {
        let machine = node::version_of(&self.context.node).await;
        let package = node::package();
        let wanted = match node::choose(engines, machine.as_deref()) {
            NodeChoice::Machine(node) => {
                return Ok(Program {
                    command: self.context.node.clone(),
                    args: vec![entry.into()],
                    version,
                    integrity,
                    node: Some(node),
                    ..Program::default()
                });
            }
            NodeChoice::Install(wanted) => wanted,
            NodeChoice::Search => {
                let versions = self.view(&package, "versions").await?;
                let versions = versions
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str);
                node::greatest(engines, versions)
                    .ok_or_else(|| InstallError::NoNode(engines.unwrap_or("*").to_owned()))?
            }
        };
        let binary = node::binary();
        let (_, lease) = self
            .package(&Wanted::file(&package, &wanted, &binary))
            .await?;
        let command = self.cache()?.folder(&package, &wanted).join(binary);
        Ok(Program {
            path_dirs: command
                .parent()
                .map(Path::to_path_buf)
                .into_iter()
                .collect(),
            command,
            args: vec![entry.into()],
            version,
            integrity,
            node: Some(wanted),
            leases: vec![lease],
            ..Program::default()
        })
    }

    /// Installs a package into the cache, unless it is there.
    pub(super) async fn package(
        &self,
        wanted: &Wanted,
    ) -> Result<(Installed, Lease), InstallError> {
        let cache = self.cache()?;
        let (package, version) = (&wanted.package, &wanted.version);
        let found = || {
            let installed = match &wanted.file {
                Some(file) => cache.get(package, version, file),
                None => {
                    let whole = cache.whole(package, version).ok();
                    whole.filter(|installed| installed.packed.is_some())
                }
            };
            installed.filter(|installed| installed.beside == wanted.beside)
        };
        let install = |folder: PathBuf| {
            let install = async move { self.install_into(&folder, wanted).await };
            install.boxed()
        };
        self.entry(package, version, found, install).await
    }

    /// Leases an entry of the cache, and lets it be installed into a folder first where `found` does not find it.
    pub(super) async fn entry<'f>(
        &self,
        package: &str,
        version: &str,
        found: impl Fn() -> Option<Installed>,
        install_into: impl Fn(PathBuf) -> BoxFuture<'f, Result<Installed, InstallError>>,
    ) -> Result<(Installed, Lease), InstallError> {
        let cache = self.cache()?;
        let mut waiting = Some(Progress::Waiting(format!("{package}@{version}")));
        let mut fresh = false;
        loop {
            // What is there may be removed until it is leased.
            if found().is_some()
                && let Some(lease) = cache.lease(package, version)?
                && let Some(installed) = found()
            {
                if !fresh {
                    self.unchanged(&installed).await?;
                }
                return Ok((installed, lease));
            }
            let Some(lock) = cache.lock(package, version)? else {
                if let Some(waiting) = waiting.take() {
                    (self.progress)(waiting);
                }
                tokio::select! {
                    () = self.cancel.cancelled() => return Err(InstallError::Cancelled),
                    () = tokio::time::sleep(LOCK_PAUSE) => continue,
                }
            };
            // Whoever held the lock may have installed it.
            if found().is_some() {
                continue;
            }
            let install = async {
                let folder = cache.begin(package, version, &lock)?;
                let record = install_into(folder).await?;
                Ok(cache.commit(record, &lock)?)
            };
            if let Err(error) = install.await {
                cache.abort(package, version, &lock);
                return Err(error);
            }
            fresh = true;
        }
    }

    /// What runs has to be what was installed: a record names the integrity of that.
    async fn unchanged(&self, installed: &Installed) -> Result<(), InstallError> {
        let cache = self.cache()?;
        let difference = cache.difference(installed, self.cancel).await?;
        if self.cancel.is_cancelled() {
            return Err(InstallError::Cancelled);
        }
        match difference {
            None => Ok(()),
            Some(how) => Err(InstallError::Changed {
                what: format!("{}@{}", installed.package, installed.version),
                how,
                folder: cache.folder(&installed.package, &installed.version),
            }),
        }
    }

    async fn install_into(
        &self,
        folder: &Path,
        wanted: &Wanted,
    ) -> Result<Installed, InstallError> {
        let what = wanted.what();
        let mut overrides = Vec::new();
        let mut result = self.npm_install(folder, wanted, None).await?;
        if matches!(&result, Err(NpmError::Failed { code, tail }) if is_git_failure(*code, tail)) {
            let (name, replacement) = GIT_DEPENDENCY;
            (self.progress)(Progress::Note(format!(
                "{what} wants {name} from a git host that cannot be reached; taking {name}@{replacement} from the registry"
            )));
            overrides.push(format!("{name}@{replacement}"));
            result = self
                .npm_install(folder, wanted, Some(GIT_DEPENDENCY))
                .await?;
        }
        match result {
            Ok(()) => {}
            Err(NpmError::Missing(error)) => return Err(InstallError::NoNpm(error)),
            Err(NpmError::Cancelled) => return Err(InstallError::Cancelled),
            Err(NpmError::Silent(patience)) => return Err(InstallError::Silent(patience)),
            Err(NpmError::Failed { code, tail }) => {
                let text = tail.join("\n");
                let unknown = text.contains("ETARGET") || text.contains("E404");
                if unknown && wanted.archive.is_none() {
                    return Err(self.no_such_version(wanted).await);
                }
                return Err(InstallError::Npm { what, code, tail });
            }
        }
        if wanted.archive.is_some() {
            fs_err::remove_file(folder.join(ARCHIVE))?;
        }
        let package = Path::new("node_modules").join(&wanted.name);
        let manifest = read_json(&folder.join(&package).join("package.json"))?;
        let odd = |why: String| InstallError::NoProgram {
            what: what.clone(),
            why,
        };
        let runs = || -> Result<String, InstallError> {
            let entry = entry_of(&manifest).ok_or_else(|| {
                odd(
                    "its package.json names no command `openclaw`, and not exactly one other"
                        .to_owned(),
                )
            })?;
            Ok(package.join(entry).to_string_lossy().into_owned())
        };
        let file = wanted.file.clone().map_or_else(runs, Ok)?;
        let number = &wanted.number;
        if text_of(&manifest, "version") != number || !folder.join(&file).is_file() {
            return Err(odd(format!(
                "npm reported success, but {file} of version {number} is not there"
            )));
        }
        let engines = engines_of(&manifest);
        if wanted.gateway {
            self.first_start(&folder.join(&file), engines.as_deref())
                .await?;
        }
        let integrity = match &wanted.archive {
            Some(_) => Some(format!("sha256:{}", wanted.version)),
            None => {
                let lock = read_json(&folder.join("node_modules/.package-lock.json"));
                let lock = lock.unwrap_or(Value::Null);
                let packages = lock.get("packages");
                let package = packages.and_then(|all| all.get(&*package.to_string_lossy()));
                package.map(|package| text_of(package, "integrity").to_owned())
            }
        };
        let packed = wanted.file.is_none().then(|| Packed {
            name: wanted.name.clone(),
            version: number.clone(),
            entry: file,
        });
        Ok(Installed {
            package: wanted.package.clone(),
            version: wanted.version.clone(),
            integrity: integrity.filter(|hash| !hash.is_empty()),
            engines,
            overrides,
            beside: wanted.beside.clone(),
            installed: format!("{:.0}", base::time::now()),
            footprint: None,
            files: None,
            packed,
        })
    }

    async fn no_such_version(&self, wanted: &Wanted) -> InstallError {
        let (package, version) = (&wanted.package, &wanted.version);
        let versions = self.view(package, "versions").await.unwrap_or(Value::Null);
        let known = versions.as_array().into_iter().flatten();
        let known: Vec<&str> = known.filter_map(Value::as_str).collect();
        InstallError::NoSuchVersion {
            nearest: closest_to(version, &known),
            package: package.clone(),
            version: version.clone(),
        }
    }

    /// Starts a release once. Since no script of it runs when it is installed, some finish their installation then, in
    /// their own folder (2026.9.6 removes a mark there).
    fn first_start<'f>(
        &'f self,
        entry: &'f Path,
        engines: Option<&'f str>,
    ) -> BoxFuture<'f, Result<(), InstallError>> {
        let start = async move {
            let program = self.program(entry, engines, None, None).await?;
            tokio::select! {
                () = self.cancel.cancelled() => Err(InstallError::Cancelled),
                version = say_version(&program, FIRST_START) => {
                    tracing::debug!(entry = %entry.display(), ?version, "started once");
                    Ok(())
                }
            }
        };
        start.boxed()
    }

    async fn npm_install(
        &self,
        folder: &Path,
        wanted: &Wanted,
        replace: Option<(&str, &str)>,
    ) -> Result<Result<(), NpmError>, InstallError> {
        let what = &wanted.what();
        let mut manifest = serde_json::json!({ "name": "clawgauge-cache-entry", "private": true });
        if let Some((name, version)) = replace {
            manifest["overrides"] = serde_json::json!({ name: version });
        }
        fs_err::write(folder.join("package.json"), manifest.to_string())?;
        if let Some(archive) = &wanted.archive {
            copy(archive, folder, &wanted.version)?;
        }
        let flags = [
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-progress",
        ];
        // A copy: what is installed is what was hashed.
        let spec = match &wanted.archive {
            Some(_) => ARCHIVE,
            None => what,
        };
        let packages = wanted.beside.iter().map(String::as_str);
        let args: Vec<&str> = ["install", spec]
            .into_iter()
            .chain(packages)
            .chain(flags)
            .collect();
        // npm goes on trying for many minutes when it cannot write any more.
        let stop = self.cancel.child_token();
        let full = AtomicBool::new(false);
        let tick = |time| {
            (self.progress)(Progress::Installing(what.clone(), time));
            if free_bytes(folder).is_some_and(|free| free < LAST_BYTES) {
                full.store(true, Ordering::Relaxed);
                stop.cancel();
            }
        };
        let npm = npm(
            &self.context.npm,
            folder,
            &args,
            INSTALL_PATIENCE,
            &tick,
            &stop,
        );
        let done = npm.await.map(drop);
        match done {
            Err(NpmError::Cancelled) if full.load(Ordering::Relaxed) => {
                Err(InstallError::Full(what.clone()))
            }
            done => Ok(done),
        }
    }

    async fn view(&self, package: &str, field: &str) -> Result<Value, InstallError> {
        view(self.context, package, &[field], self.progress, self.cancel).await
    }

    pub(super) fn cache(&self) -> Result<&Cache, InstallError> {
        self.context.cache.as_ref().ok_or(InstallError::NoCache)
    }
}

fn is_git_failure(code: Option<i32>, tail: &[String]) -> bool {
    code == Some(128)
        || tail
            .iter()
            .any(|line| line.contains("git ls-remote") || line.contains("git --no-replace-objects"))
}

/// The releases before and after one that there is not; of what is no release, the name that resembles it most.
fn closest_to(version: &str, known: &[&str]) -> Vec<String> {
    let releases = known.iter().filter_map(|name| name.parse::<Version>().ok());
    match version.parse::<Version>() {
        Ok(version) => Releases::new(releases, None, BTreeMap::new()).neighbours(&version),
        Err(_) => nearest(version, known.iter().copied())
            .map(str::to_owned)
            .into_iter()
            .collect(),
    }
}

#[cfg(test)]
mod tests;
