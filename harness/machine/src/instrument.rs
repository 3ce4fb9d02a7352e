//! Changed copies of a release: they count what is reached of its own code, or hold mutants of it.
//!
//! Read [`CopyFolder::make`]. The release itself is never written to: the copy is made of links, and what is changed becomes a
//! file of its own. What runs then is not what was published, and the program of a copy says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use crate::folder::RunFolder;
use crate::install::{
    CompileCache, InstallContext, InstallError, Library, NodeLibrary, Program, Progress,
};
use crate::keeper;
use crate::process::Group;
use contract::scenario::Instrument;

/// How long reading and changing a release's code may take; it takes some seconds.
const PATIENCE: Duration = Duration::from_secs(300);
/// So many bytes of what the instrumenter complains about are kept.
const COMPLAINT: u64 = 8 * 1024;
/// The script that is called.
const SCRIPT: &str = "instrument.cjs";
/// Where the instrumenter writes what it found.
const MAP: &str = "map.json";

/// No changed copy can be made.
#[derive(Debug, thiserror::Error)]
pub enum InstrumentError {
    /// What reads the code cannot be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The gateway is not a package of scripts.
    #[error("{0} is no JavaScript package, so its code cannot be read")]
    NoPackage(String),
    /// The package cannot be copied.
    #[error("the copy of the package: {0}")]
    Copy(#[from] std::io::Error),
    /// None of its code is of interest.
    #[error("{0} has none of the regions that fixtures/coverage/regions.toml names")]
    Nothing(String),
    /// The instrumenter failed.
    #[error("the code of the release cannot be read; the last lines:\n{0}")]
    Failed(String),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Cancelled,
}

impl InstrumentError {
    /// The next thing to do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Install(error) => error.help(),
            Self::NoPackage(_) => Some(
                "name a release, or the openclaw.mjs of a build: --gateway openclaw@2026.9.6"
                    .to_owned(),
            ),
            Self::Copy(_) => {
                Some("set TMPDIR to a folder on the disk of the cache, so that links can be made; else a release is copied, 350 to 1360 MB".to_owned())
            }
            Self::Nothing(_) => Some("releases that mark their regions are known from 2026.3.24 on".to_owned()),
            Self::Failed(_) => {
                Some("fixtures/coverage/ has the scripts; please report it".to_owned())
            }
            Self::Cancelled => None,
        }
    }
}

/// A folder with a copy of a package in it, which can be changed again and again.
#[derive(Debug)]
pub struct CopyFolder {
    folder: RunFolder,
    /// The package that was copied.
    package: PathBuf,
    /// The copy.
    copy: PathBuf,
    original: Program,
    library: Library,
}

/// What a copy is changed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// It counts what is reached.
    Count,
    /// It holds these mutants, by their numbers, as far as they do not overlap.
    Hold(&'a [u32]),
}

impl CopyFolder {
    /// Copies the package of a program, and installs what reads its code.
    ///
    /// # Errors
    /// An [`InstrumentError`].
    pub async fn make(
        program: &Program,
        instrument: &Instrument,
        context: &InstallContext,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Self, InstrumentError> {
        let package = package(program)?;
        let parser = &instrument.parser;
        let library = NodeLibrary {
            package: &parser.package,
            version: &parser.version,
            engines: &parser.engines,
        };
        let library = library.install(context, progress, cancel).await?;
        let folder = RunFolder::make(false)?;
        for (name, text) in &instrument.scripts {
            fs::write(folder.path().join(name), text)?;
        }
        // What a package needs lies beside it.
        let beside = package
            .parent()
            .filter(|parent| parent.ends_with("node_modules"));
        let from = beside.unwrap_or(&package).to_path_buf();
        let to = folder.path().join("copy/node_modules");
        let copy = match beside {
            Some(_) => to.join(package.file_name().unwrap_or_default()),
            None => to.join("openclaw"),
        };
        let place = if beside.is_some() { to } else { copy.clone() };
        tokio::task::spawn_blocking(move || link(&from, &place))
            .await
            .map_err(std::io::Error::other)??;
        Ok(Self {
            folder,
            package,
            copy,
            original: program.clone(),
            library,
        })
    }

    /// A folder of its own beside the copy; it goes with it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn beside(&self, name: &str) -> std::io::Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Changes the copy; returns what was found, as JSON, and the program that runs it.
    ///
    /// # Errors
    /// An [`InstrumentError`]; the copy is of no use then.
    pub async fn change(
        &self,
        instrument: &Instrument,
        change: Change<'_>,
        cancel: &CancellationToken,
    ) -> Result<(Vec<u8>, Program), InstrumentError> {
        let place = self.folder.path();
        let map = place.join(MAP);
        let mut job = json!({
            "folder": self.copy,
            "sources": self.package,
            "regions": instrument.regions,
            "mutants": instrument.mutants,
            "map": map,
        });
        if let Change::Hold(mutants) = change {
            job["hold"] = json!(mutants);
        }
        let file = place.join("job.json");
        fs::write(&file, job.to_string())?;
        let mut command = keeper::command(&self.library.command, Some(place));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .arg(place.join(SCRIPT))
            .arg(&file)
            .current_dir(place)
            .env_clear()
            .env("PATH", path)
            .env("HOME", place)
            .env("NODE_PATH", self.library.folder.join("node_modules"));
        let mut group = Group::spawn(&mut command)?;
        let (stdout, stderr) = group.pipes();
        let complaint = async {
            let mut text = Vec::new();
            if let Some(stderr) = stderr {
                let _ = stderr.take(COMPLAINT).read_to_end(&mut text).await;
            }
            text
        };
        let ended = async { tokio::join!(complaint, group.wait()) };
        let (complaint, status) = tokio::select! {
            () = cancel.cancelled() => return Err(InstrumentError::Cancelled),
            () = tokio::time::sleep(PATIENCE) => {
                return Err(InstrumentError::Failed(format!("no end within {} s", PATIENCE.as_secs())));
            }
            ended = ended => ended,
        };
        drop(stdout);
        if !status?.success() {
            let text = String::from_utf8_lossy(&complaint).into_owned();
            return Err(InstrumentError::Failed(text.trim_end().to_owned()));
        }
        Ok((fs::read(&map)?, self.program(change)))
    }

    /// What runs the copy. It is not what was published.
    fn program(&self, change: Change<'_>) -> Program {
        let inside = |path: &Path| match path.strip_prefix(&self.package) {
            Ok(inside) => self.copy.join(inside),
            Err(_) => path.to_path_buf(),
        };
        let mut program = self.original.clone();
        let args = program.args.iter();
        program.args = args.map(|arg| inside(Path::new(arg)).into()).collect();
        let of = program.integrity.take();
        let of = of.map_or(String::new(), |of| format!(" of the package with {of}"));
        let what = match change {
            Change::Count => "counts what it reaches".to_owned(),
            Change::Hold(mutants) => format!("holds {} mutants", mutants.len()),
        };
        program.notes.push(format!("a changed copy{of}: it {what}"));
        program.compile_cache = program.node.as_deref().map(|node| {
            let kept = self.folder.path().join(match change {
                Change::Count => "counting",
                Change::Hold(_) => "holding",
            });
            CompileCache::of(&kept, node)
        });
        program.env = BTreeMap::new();
        program
    }
}

/// The package that a program runs.
///
/// # Errors
/// It is no package of scripts.
pub(crate) fn package(program: &Program) -> Result<PathBuf, InstrumentError> {
    let entry = program.args.first().map(PathBuf::from);
    let package = entry.as_deref().and_then(package_of);
    package.ok_or_else(|| {
        let run = entry.as_ref().unwrap_or(&program.command);
        InstrumentError::NoPackage(run.display().to_string())
    })
}

/// The folder of the package that a script belongs to.
fn package_of(script: &Path) -> Option<PathBuf> {
    let extension = script.extension()?;
    if !["mjs", "js"].iter().any(|known| extension == *known) {
        return None;
    }
    let mut folders = script.ancestors().skip(1);
    let folder = folders.find(|folder| folder.join("package.json").is_file());
    folder.map(Path::to_path_buf)
}

/// Makes the same folders elsewhere, with links to the files; on another disk they are copied.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let inside = entry
            .path()
            .strip_prefix(from)
            .map_err(std::io::Error::other)?;
        let there = to.join(inside);
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(there)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, there)?;
        } else if kind.is_file() && std::fs::hard_link(entry.path(), &there).is_err() {
            fs::copy(entry.path(), there)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_of_a_script_is_the_nearest_one() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("node_modules/openclaw");
        fs::create_dir_all(package.join("dist")).unwrap();
        fs::write(package.join("package.json"), "{}").unwrap();
        fs::write(folder.path().join("package.json"), "{}").unwrap();
        let script = package.join("dist/index.mjs");
        assert_eq!(package_of(&script), Some(package.clone()));
        assert_eq!(package_of(&package.join("gateway")), None);
    }

    /// Who replaces a file of the copy leaves the package as it is.
    #[test]
    fn a_copy_shares_files_and_no_folders() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("dist")).unwrap();
        fs::write(from.join("dist/a.mjs"), "a").unwrap();
        std::os::unix::fs::symlink("a.mjs", from.join("dist/b.mjs")).unwrap();
        link(&from, &to).unwrap();
        fs::remove_file(to.join("dist/a.mjs")).unwrap();
        fs::write(to.join("dist/a.mjs"), "changed").unwrap();
        assert_eq!(fs::read_to_string(from.join("dist/a.mjs")).unwrap(), "a");
        assert_eq!(
            fs::read_to_string(to.join("dist/b.mjs")).unwrap(),
            "changed"
        );
    }
}
