//! Node's compile cache of a release, kept with the release from one launch to the next.
//!
//! Node keeps it in `$TMPDIR/node-compile-cache` if a program asks for that, as OpenClaw does; every launch has a temporary
//! folder of its own and would compile everything again. A launch gets links to the files: Node replaces a file, and never
//! writes into one. The files are hashed as those of the release are, and go with it.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use tokio_util::sync::CancellationToken;

use super::cache::files;

/// Where Node keeps it in a temporary folder.
const IN_TEMP: &str = "node-compile-cache";
/// What is kept: Node's folder, and the list of hashes beside it.
const KEPT: &str = "kept";
/// The hash of the list of its files' hashes.
const HASH: &str = "sha256";

/// The compile cache of one release under one Node; there may be nothing in it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileCache {
    folder: PathBuf,
}

impl CompileCache {
    /// That of an entry of the cache of releases. One that has changed since it was kept is removed.
    pub(crate) fn of(entry: &Path, node: &str) -> Self {
        let folder = entry.join(files::COMPILE_CACHE).join(node);
        let kept = Self { folder };
        if kept.folder.exists() && !kept.is_as_kept() {
            tracing::warn!(folder = %kept.folder.display(), "the compile cache has changed, and is made anew");
            let _ = fs::remove_dir_all(&kept.folder);
        }
        kept
    }

    fn is_as_kept(&self) -> bool {
        let hash = fs::read_to_string(self.folder.join(HASH));
        hash.is_ok_and(|hash| {
            let (kept, cancel) = (self.folder.join(KEPT), CancellationToken::new());
            let difference = files::difference(&kept, Some(&hash), &cancel);
            matches!(difference, Ok(None))
        })
    }

    /// Lays what there is into the temporary folder of a launch.
    ///
    /// # Errors
    /// A file can neither be linked nor copied.
    pub fn lay(&self, temp: &Path) -> io::Result<()> {
        match self.folder.exists() {
            true => each_file(
                &self.folder.join(KEPT).join(IN_TEMP),
                &temp.join(IN_TEMP),
                |from, to| {
                    // On another disk there are no links.
                    std::fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
                },
            ),
            false => Ok(()),
        }
    }

    /// Keeps what Node left in the temporary folder of a launch that has ended, unless there is something already.
    ///
    /// # Errors
    /// It cannot be moved, copied or hashed; nothing is kept then.
    pub fn keep(&self, temp: &Path) -> io::Result<()> {
        let left = temp.join(IN_TEMP);
        if self.folder.exists() || !left.is_dir() {
            return Ok(());
        }
        let parent = self.folder.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent)?;
        let partial = tempfile::Builder::new()
            .prefix(".partial-")
            .tempdir_in(parent)?;
        let kept = partial.path().join(KEPT);
        fs::create_dir(&kept)?;
        let place = kept.join(IN_TEMP);
        if std::fs::rename(&left, &place).is_err() {
            each_file(&left, &place, |from, to| fs::copy(from, to).map(drop))?;
        }
        let hash = files::keep(&kept)?;
        fs::write(partial.path().join(HASH), hash)?;
        // Whoever was faster is not replaced: a folder that holds something is none to move to.
        std::fs::rename(partial.path(), &self.folder)
    }
}

/// Makes the same folders elsewhere, and does something with each file; what is neither is left out.
fn each_file(
    from: &Path,
    to: &Path,
    place: impl Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let inside = entry.path().strip_prefix(from).map_err(io::Error::other)?;
        let there = to.join(inside);
        if entry.file_type().is_dir() {
            fs::create_dir_all(there)?;
        } else if entry.file_type().is_file() {
            place(entry.path(), &there)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(temp: &Path, text: &str) {
        fs::create_dir_all(temp.join("node-compile-cache/v24")).unwrap();
        fs::write(temp.join("node-compile-cache/v24/one"), text).unwrap();
    }

    #[test]
    fn the_first_launch_leaves_it_to_the_others() {
        let (entry, temps) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let temp = |name: &str| {
            let temp = temps.path().join(name);
            fs::create_dir_all(&temp).unwrap();
            temp
        };
        let cache = || CompileCache::of(entry.path(), "24.21.0");
        cache().lay(&temp("first")).unwrap();
        assert!(!temp("first").join(IN_TEMP).exists());
        left(&temp("first"), "of the first");
        left(&temp("second"), "of the second");
        cache().keep(&temp("first")).unwrap();
        cache().keep(&temp("second")).unwrap();
        cache().lay(&temp("third")).unwrap();
        let one = temp("third").join("node-compile-cache/v24/one");
        assert_eq!(fs::read_to_string(&one).unwrap(), "of the first");
        // Under another Node there is none.
        CompileCache::of(entry.path(), "22.0.0")
            .lay(&temp("other"))
            .unwrap();
        assert!(!temp("other").join(IN_TEMP).exists());
    }

    /// A file that somebody has changed, or added, is run by nobody.
    #[test]
    fn what_has_changed_is_removed() {
        for change in ["one", "two"] {
            let (entry, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            left(temp.path(), "compiled");
            let cache = CompileCache::of(entry.path(), "24.21.0");
            cache.keep(temp.path()).unwrap();
            assert_eq!(CompileCache::of(entry.path(), "24.21.0"), cache);
            assert!(cache.folder.exists());
            let file = cache
                .folder
                .join("kept/node-compile-cache/v24")
                .join(change);
            fs::write(file, "changed").unwrap();
            CompileCache::of(entry.path(), "24.21.0");
            assert!(!cache.folder.exists(), "{change}");
        }
    }
}
