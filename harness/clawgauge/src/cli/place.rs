//! Where a command finds its data and its project's defaults.
//!
//! Both say what is launched. What was not named but found is taken only from people who may say so: this user, root, in a
//! pipeline whoever made the checkout; and for root, as in a container with a mounted checkout, whoever owns the folder
//! that it works in.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::output::{Failure, Output};
use base::text::quoted;
use clawgauge::project::{self, Project};
use contract::data::Data;
use contract::scenario::Catalogue;

/// Variables in which a pipeline names the folder of its checkout: GitHub, GitLab.
const CHECKOUTS: [&str; 2] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];

/// What the command line says about it.
pub(super) struct Place {
    pub(super) root: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) output: Output,
}

impl Place {
    /// The project that the current folder belongs to.
    pub(super) fn project(&self) -> Result<Project, Failure> {
        if let Some(path) = &self.config {
            return Ok(Project::read(path)?);
        }
        let Some(path) = Project::find(&here()?) else {
            return Ok(Project::default());
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        self.found(folder, project::FILE, "--config", &path)?;
        Ok(Project::read(&path)?)
    }

    /// The data of that project.
    pub(super) fn catalogue(&self) -> Result<Catalogue, Failure> {
        self.load(&self.project()?)
    }

    /// Reads and proves the data.
    pub(super) fn load(&self, project: &Project) -> Result<Catalogue, Failure> {
        let named = match (&self.root, &project.file.root) {
            (Some(root), _) => Some(root.clone()),
            (None, Some(root)) => Some(project.path(root)),
            (None, None) => None,
        };
        let data = match named {
            Some(root) => Data::Folder(root),
            None => {
                let data = Data::find(&here()?);
                if let Data::Folder(folder) = &data {
                    self.found(folder, "scenarios", "--root", folder)?;
                }
                data
            }
        };
        let catalogue = Catalogue::load(&data)?;
        catalogue.check_tables()?;
        Ok(catalogue)
    }

    /// Something was found, not named: it is refused where others could have put it there, and told where it is not here.
    fn found(&self, folder: &Path, name: &str, flag: &str, value: &Path) -> Result<(), Failure> {
        let path = folder.join(name);
        if let Some(why) = foreign(folder, &path)? {
            let message = format!("{} is not taken: {why}", path.display());
            let value = quoted(&value.display().to_string());
            return Err(
                Failure::usage(message).help(format!("if you trust it, name it: {flag} {value}"))
            );
        }
        if folder != here()? {
            self.output.note(&format!("taking {}", path.display()));
        }
        Ok(())
    }
}

/// Why something in a folder may be the work of others.
fn foreign(folder: &Path, path: &Path) -> Result<Option<String>, Failure> {
    let me = rustix::process::geteuid().as_raw();
    let host = match me {
        0 => fs_err::metadata(here()?)?.uid(),
        me => me,
    };
    let in_checkout = CHECKOUTS.iter().any(|name| {
        std::env::var_os(name).is_some_and(|checkout| {
            !checkout.is_empty() && folder.starts_with(Path::new(&checkout))
        })
    });
    if in_checkout {
        return Ok(None);
    }
    for (path, what) in [(folder, "its folder"), (path, "it")] {
        let data = fs_err::metadata(path)?;
        let (owner, mode) = (data.uid(), data.mode());
        if ![me, 0, host].contains(&owner) {
            return Ok(Some(format!("{what} belongs to another user (id {owner})")));
        }
        // Where the sticky bit is set, only the owner of a file replaces it.
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return Ok(Some(format!("anybody can write {what}")));
        }
    }
    Ok(None)
}

fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::usage(format!("no current folder: {error}")))
}
