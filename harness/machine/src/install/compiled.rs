//! What Node compiled of a release in an earlier launch, kept with the release for the next ones.
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

/// What Node compiled of one release; there may be nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    folder: PathBuf,
}

impl Compiled {
    /// That of an entry of the cache under a Node. What has changed since it was kept is removed.
    pub(super) fn of(entry: &Path, node: &str) -> Self {
        let folder = entry.join(files::COMPILED).join(node);
        let kept = Self { folder };
        if kept.folder.exists() && !kept.is_as_kept() {
            tracing::warn!(folder = %kept.folder.display(), "what Node compiled has changed, and is made anew");
            let _ = fs::remove_dir_all(&kept.folder);
        }
        kept
    }

    fn is_as_kept(&self) -> bool {
        let list = fs::read_to_string(self.list());
        list.is_ok_and(|list| {
            let difference =
                files::difference(&self.folder, Some(&list), &CancellationToken::new());
            matches!(difference, Ok(None))
        })
    }

    /// The file that holds the hash of the list of hashes.
    fn list(&self) -> PathBuf {
        let name = self.folder.file_name().unwrap_or_default();
        self.folder
            .with_file_name(format!("{}.sha256", name.to_string_lossy()))
    }

    /// Lays what there is into the temporary folder of a launch.
    ///
    /// # Errors
    /// A file can neither be linked nor copied.
    pub fn lay(&self, temp: &Path) -> io::Result<()> {
        for entry in walkdir::WalkDir::new(self.folder.join(IN_TEMP)) {
            let Ok(entry) = entry else { return Ok(()) };
            let inside = entry.path().strip_prefix(&self.folder);
            let place = temp.join(inside.map_err(io::Error::other)?);
            if entry.file_type().is_dir() {
                fs::create_dir_all(place)?;
            } else if std::fs::hard_link(entry.path(), &place).is_err() {
                // On another disk.
                fs::copy(entry.path(), place)?;
            }
        }
        Ok(())
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
        let place = partial.path().join(IN_TEMP);
        if std::fs::rename(&left, &place).is_err() {
            copy(&left, &place)?;
        }
        let list = files::keep(partial.path())?;
        // Whoever was faster is not replaced: a folder that holds something is none to move to.
        std::fs::rename(partial.path(), &self.folder)?;
        fs::write(self.list(), list)
    }
}

/// Copies a folder of files; what is neither a file nor a folder is left out.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let place = to.join(entry.path().strip_prefix(from).map_err(io::Error::other)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(place)?;
        } else if entry.file_type().is_file() {
            fs::copy(entry.path(), place)?;
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
        let compiled = || Compiled::of(entry.path(), "24.21.0");
        compiled().lay(&temp("first")).unwrap();
        assert!(!temp("first").join(IN_TEMP).exists());
        left(&temp("first"), "of the first");
        left(&temp("second"), "of the second");
        compiled().keep(&temp("first")).unwrap();
        compiled().keep(&temp("second")).unwrap();
        compiled().lay(&temp("third")).unwrap();
        let one = temp("third").join("node-compile-cache/v24/one");
        assert_eq!(fs::read_to_string(&one).unwrap(), "of the first");
        // Under another Node there is none.
        Compiled::of(entry.path(), "22.0.0")
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
            let compiled = Compiled::of(entry.path(), "24.21.0");
            compiled.keep(temp.path()).unwrap();
            assert_eq!(Compiled::of(entry.path(), "24.21.0"), compiled);
            assert!(compiled.folder.exists());
            let file = compiled.folder.join("node-compile-cache/v24").join(change);
            fs::write(file, "changed").unwrap();
            Compiled::of(entry.path(), "24.21.0");
            assert!(!compiled.folder.exists(), "{change}");
        }
    }
}
