//! Locks on entries of the cache: one for whoever installs or removes, shared ones for whoever uses.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// An entry that nobody else may change until this is dropped.
#[derive(Debug)]
pub(in crate::install) struct Lock {
    _held: Held,
}

/// A locked file. It is unlocked by name: a program that another thread starts at the same moment has the file open, too, until
/// it is executed, and closing it here alone would leave it locked.
#[derive(Debug)]
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// An entry that is in use: nobody removes it until this and all its clones are dropped.
#[derive(Debug, Clone)]
pub struct Lease(#[expect(dead_code, reason = "held, never read")] Option<Arc<Held>>);

/// What is held says nothing about what is executed.
impl PartialEq for Lease {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Lease {}

/// Takes the lock of an entry, unless somebody has it or uses the entry.
pub(super) fn lock(path: &Path) -> std::io::Result<Option<Lock>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _held: Held(file) })),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Uses an entry, unless somebody installs or removes it, and notes when. In a cache that cannot be written nobody removes
/// anything, so that nothing need be held.
pub(super) fn lease(path: &Path) -> std::io::Result<Option<Lease>> {
    let file = match open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            return Ok(Some(Lease(None)));
        }
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => {
            // Whoever prunes takes the file's time for the time of the last use; without it the entry goes sooner.
            let _ = file.set_modified(SystemTime::now());
            Ok(Some(Lease(Some(Arc::new(Held(file))))))
        }
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Whether somebody uses, installs or removes an entry.
pub(super) fn is_held(path: &Path) -> bool {
    let file = File::options()
        .read(true)
        .custom_flags(without_blocking())
        .open(path);
    let Ok(file) = file else { return false };
    match file.try_lock() {
        Ok(()) => {
            drop(Held(file));
            false
        }
        Err(error) => matches!(error, std::fs::TryLockError::WouldBlock),
    }
}

/// Opens a lock; a pipe or a device in its place would block, or be no lock.
fn open(path: &Path) -> std::io::Result<File> {
    let file = File::options()
        .create(true)
        .append(true)
        .custom_flags(without_blocking())
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(std::io::Error::other(format!(
            "{} is no regular file",
            path.display()
        ))),
    }
}

fn without_blocking() -> i32 {
    i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default()
}
