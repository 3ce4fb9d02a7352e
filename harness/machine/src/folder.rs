//! The temporary folder of a run: it goes with the run, and if the run was killed, with its keepers or at the next start.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::getuid;
use tempfile::TempDir;

/// How the names of such folders begin.
const PREFIX: &str = "clawgauge-";
/// A file in it that is locked as long as the run lives. A folder without it belongs to somebody who wants to keep it.
const LOCK: &str = ".run";
/// Others who clear the same folder away, and a process that is just dying, are waited for so long.
const PATIENCE: Duration = Duration::from_secs(3);

/// A folder for what a run puts on the disk.
#[derive(Debug)]
pub struct RunFolder {
    folder: TempDir,
    /// Locked; `None` where the folder stays.
    _lock: Option<File>,
}

impl RunFolder {
    /// Makes one, and removes those of runs that were killed; with `keep` it stays when it is dropped.
    ///
    /// # Errors
    /// No temporary folder can be made.
    pub fn make(keep: bool) -> io::Result<Self> {
        let temp = std::env::temp_dir();
        if temp.to_str().is_none() {
            // Configurations name files in it, and are text.
            let message = format!("the name of {} is not UTF-8", temp.display());
            return Err(io::Error::other(message));
        }
        sweep(&temp);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(std::fs::Permissions::from_mode(0o700))
            .disable_cleanup(keep)
            .tempdir()?;
        let lock = match keep {
            true => None,
            false => {
                let lock = File::create_new(folder.path().join(LOCK))?;
                lock.lock()?;
                Some(lock)
            }
        };
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if self._lock.is_some()
            && let Err(error) = remove_all(self.path())
        {
            tracing::warn!(%error, "a temporary folder cannot be removed");
        }
    }
}

/// Removes the folders of runs that were killed.
fn sweep(temp: &Path) {
    let entries = std::fs::read_dir(temp).into_iter().flatten().flatten();
    for entry in entries {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|data| data.is_dir() && data.uid() == getuid().as_raw());
        if ours && remove_unused(&entry.path()) == Some(true) {
            tracing::debug!(folder = %entry.path().display(), "the folder of a dead run");
        }
    }
}

/// Removes the folder of a run that is dead, or about to be; `within` is anything in it.
pub(crate) fn remove_dead(within: &Path) {
    let folder = within
        .ancestors()
        .find(|folder| folder.join(LOCK).is_file());
    let Some(folder) = folder.map(PathBuf::from) else {
        return;
    };
    let deadline = Instant::now() + PATIENCE;
    while remove_unused(&folder) == Some(false) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Removes a folder unless its run lives; `None` if it is no such folder (any more).
fn remove_unused(folder: &Path) -> Option<bool> {
    let lock = File::options()
        .read(true)
        .custom_flags(i32::try_from((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits()).ok()?)
        .open(folder.join(LOCK))
        .ok()?;
    match lock.try_lock() {
        Ok(()) => Some(remove_all(folder).is_ok()),
        Err(TryLockError::WouldBlock) => Some(false),
        Err(TryLockError::Error(_)) => None,
    }
}

/// Removes a folder, its lock last: what could not be removed is then tried again by others.
fn remove_all(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() != LOCK {
            remove(&entry.path())?;
        }
    }
    fs_err::remove_dir_all(folder)
}

/// Removes a file or a folder, even one that its maker made unreadable.
///
/// # Errors
/// Something in it cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    if !std::fs::symlink_metadata(path)?.is_dir() {
        return fs_err::remove_file(path);
    }
    match fs_err::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        done => return done,
    }
    let open = |folder: &Path| {
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder, mode)
    };
    open(path)?;
    // A folder is opened before it is read.
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)?.flatten() {
            if entry.file_type()?.is_dir() {
                open(&entry.path())?;
                folders.push(entry.path());
            }
        }
    }
    fs_err::remove_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(temp: &Path, name: &str) -> PathBuf {
        let folder = temp.join(name);
        std::fs::create_dir_all(folder.join("none/home")).unwrap();
        std::fs::write(folder.join("none/home/file"), "x").unwrap();
        folder
    }

    #[test]
    fn only_folders_of_dead_runs_are_removed() {
        let temp = tempfile::tempdir().unwrap();
        let temp = temp.path();
        let dead = run(temp, "clawgauge-dead");
        let living = run(temp, "clawgauge-living");
        let kept = run(temp, "clawgauge-kept");
        let other = run(temp, "other");
        let elsewhere = run(temp, "elsewhere");
        std::os::unix::fs::symlink(&elsewhere, temp.join("clawgauge-link")).unwrap();
        for folder in [&dead, &living, &other, &elsewhere] {
            File::create(folder.join(LOCK)).unwrap();
        }
        let lock = File::open(living.join(LOCK)).unwrap();
        lock.lock().unwrap();
        sweep(temp);
        assert!(!dead.exists());
        for stays in [&living, &kept, &other, &elsewhere] {
            assert!(stays.join("none/home/file").is_file(), "{stays:?}");
        }
        remove_dead(&kept.join("none"));
        assert!(kept.exists());
        lock.unlock().unwrap();
        remove_dead(&living.join("none/home"));
        assert!(!living.exists());
    }

    #[test]
    fn what_is_unreadable_is_removed() {
        let folder = RunFolder::make(false).unwrap();
        let path = folder.path().to_path_buf();
        let closed = path.join("a/closed/inner");
        std::fs::create_dir_all(&closed).unwrap();
        for folder in [&closed, closed.parent().unwrap(), &path.join("a")] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o0)).unwrap();
        }
        drop(folder);
        assert!(!path.exists());
        let kept = RunFolder::make(true).unwrap();
        let path = kept.path().to_path_buf();
        drop(kept);
        assert!(path.exists());
        std::fs::remove_dir(path).unwrap();
    }
}
