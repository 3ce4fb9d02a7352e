//! Where a command finds its data and its project's defaults.

use std::path::PathBuf;

use super::output::Failure;
use clawgauge::project::Project;
use contract::data::Data;
use contract::scenario::Catalogue;

/// What the command line says about it.
pub(super) struct Place {
    pub(super) root: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
}

impl Place {
    /// The project that the current folder belongs to.
    pub(super) fn project(&self) -> Result<Project, Failure> {
        match &self.config {
            Some(path) => Ok(Project::read(path)?),
            None => Ok(Project::find(&here()?)?),
        }
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
            None => Data::find(&here()?),
        };
        let catalogue = Catalogue::load(&data)?;
        catalogue.check_tables()?;
        Ok(catalogue)
    }
}

fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::usage(format!("no current folder: {error}")))
}
