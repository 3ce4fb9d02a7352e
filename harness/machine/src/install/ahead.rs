//! A release that is installed ahead of its use, and put right where it is damaged.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::Program;
use super::cache::{Cache, Removal};
use super::context::InstallContext;
use super::installer::Installer;
use super::package::PACKAGE;
use super::problem::{InstallError, Progress};
use contract::release::Version;

/// An installed release.
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

/// Installs a release, unless it is there and every file of it, too; `again` installs it in any case.
///
/// # Errors
/// As [`super::resolve`]; also where it is to be installed again and somebody uses it.
pub async fn install(
    version: &Version,
    again: bool,
    context: &InstallContext,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Installation, InstallError> {
    let text = version.to_string();
    let cache = context.cache.as_ref().ok_or(InstallError::NoCache)?;
    let folder = cache.folder(PACKAGE, &text);
    let damage = match folder.is_dir() {
        true => damage(cache, &text, cancel).await?,
        false => None,
    };
    if let Some(damage) = &damage {
        progress(Progress::Note(format!(
            "{PACKAGE}@{version} is damaged: {damage}"
        )));
    }
    if (again || damage.is_some()) && cache.remove(PACKAGE, &text)? == Removal::InUse {
        return Err(InstallError::InUse(format!("{PACKAGE}@{version}")));
    }
    let fresh = !folder.is_dir();
    let installer = Installer {
        context,
        progress,
        cancel,
    };
    let program = installer.release(&text).await?;
    let entries = cache.entries();
    let mut mine = entries
        .iter()
        .filter(|entry| entry.release().as_ref() == Some(version));
    Ok(Installation {
        program,
        folder,
        bytes: mine.next().map_or(0, |entry| entry.bytes),
        fresh,
    })
}

/// What is wrong with an installed release, in words.
async fn damage(
    cache: &Cache,
    version: &str,
    cancel: &CancellationToken,
) -> Result<Option<String>, InstallError> {
    Ok(match cache.whole(PACKAGE, version) {
        Ok(installed) => cache.difference(&installed, cancel).await?,
        Err(why) => Some(why),
    })
}
