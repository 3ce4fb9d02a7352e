//! A gateway that is installed ahead of its use, and put right where it is damaged.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::Program;
use super::archive::TARBALL;
use super::cache::{Cache, Entry, Removal};
use super::context::InstallContext;
use super::installer::{Installer, resolve};
use super::package::PACKAGE;
use super::problem::{InstallError, Progress};
use base::files::sha256;
use contract::release::{GatewayRef, ReleaseName, is_tarball};

/// An installed gateway.
#[derive(Debug, Clone)]
pub struct Installation {
    /// What runs it.
    pub program: Program,
    /// Its folder in the cache.
    pub folder: PathBuf,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Whether it was installed just now.
    pub fresh: bool,
}

/// Installs a gateway that npm installs, unless it is there and every file of it, too; `again` installs it in any case.
///
/// # Errors
/// As [`super::resolve`]; also where it is to be installed again and somebody uses it, and where the gateway is none that is
/// installed.
pub async fn install(
    gateway: &GatewayRef,
    again: bool,
    context: &InstallContext,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Installation, InstallError> {
    let cache = context.cache.as_ref().ok_or(InstallError::NoCache)?;
    let installer = Installer {
        context,
        progress,
        cancel,
    };
    let named = match gateway {
        GatewayRef::Published(name) => {
            let version = installer.version(name).await?;
            &GatewayRef::Published(ReleaseName::Exact(version))
        }
        other => other,
    };
    let (package, version) = entry_name(named)?.ok_or_else(|| InstallError::Path {
        path: gateway.to_string(),
        why: "is not installed: it runs where it is".to_owned(),
        help: None,
    })?;
    let folder = cache.folder(&package, &version);
    let damage = match folder.is_dir() {
        true => damage(cache, &package, &version, cancel).await?,
        false => None,
    };
    if let Some(damage) = &damage {
        progress(Progress::Note(format!("{gateway} is damaged: {damage}")));
    }
    if (again || damage.is_some()) && cache.remove(&package, &version)? == Removal::InUse {
        return Err(InstallError::InUse(gateway.to_string()));
    }
    let fresh = !folder.is_dir();
    let program = resolve(gateway, context, progress, cancel).await?;
    let entries = cache.entries();
    let mine = |entry: &&Entry| entry.package == package && entry.version == version;
    Ok(Installation {
        program,
        folder,
        bytes: entries.iter().find(mine).map_or(0, |entry| entry.bytes),
        fresh,
    })
}

/// Package and version of the entry that a gateway is in the cache, or would be; a tarball is read for that.
///
/// # Errors
/// The tarball cannot be read.
pub fn entry_name(gateway: &GatewayRef) -> std::io::Result<Option<(String, String)>> {
    Ok(match gateway {
        GatewayRef::Published(name) => name
            .version()
            .map(|version| (PACKAGE.to_owned(), version.to_string())),
        GatewayRef::Package { name, version } => Some((name.clone(), version.clone())),
        GatewayRef::Path(path) if is_tarball(path) => {
            Some((TARBALL.to_owned(), sha256(&fs_err::read(path)?)))
        }
        GatewayRef::Path(_) | GatewayRef::Image(_) | GatewayRef::Reference => None,
    })
}

/// What is wrong with an installed gateway, in words.
async fn damage(
    cache: &Cache,
    package: &str,
    version: &str,
    cancel: &CancellationToken,
) -> Result<Option<String>, InstallError> {
    Ok(match cache.whole(package, version) {
        Ok(installed) => cache.difference(&installed, cancel).await?,
        Err(why) => Some(why),
    })
}
