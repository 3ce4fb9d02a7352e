//! `clawgauge.toml`: a project's own defaults for the flags of a run.
//!
//! It is looked for in the current folder and above. A flag on the command line goes before it; a list on the command line
//! replaces the whole list here.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use contract::data::Data;
use contract::scenario::{Problem, Problems, SourceFile, parse_toml, schema_version};
use record::FailOn;
use record::judge::Severity;

/// Name of the file.
pub const FILE: &str = "clawgauge.toml";

/// A project's defaults; paths are relative to the file's folder until [`Project::path`] resolves them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProjectFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Option<Spanned<u32>>,
    /// Folder with `scenarios/`, `snapshots/` and `fixtures/`.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// Defaults of `clawgauge run`.
    #[serde(default)]
    pub run: RunDefaults,
}

/// Defaults of `clawgauge run`: the flags of the same names.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunDefaults {
    /// Only cells whose id matches one of these.
    #[serde(default)]
    pub cells: Vec<String>,
    /// The gateways.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub gateway: Option<Vec<Spanned<String>>>,
    /// Only cells with these values.
    #[serde(default, rename = "where")]
    pub conditions: Vec<String>,
    /// What this machine may lack, by name, or globs of cells that need not be asked for want of it.
    #[serde(default)]
    pub may_skip: Vec<String>,
    /// Reports to write, FORMAT=PATH.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub report: Vec<Spanned<String>>,
    /// Requests at a time within a launch.
    pub jobs: Option<NonZeroUsize>,
    /// Launches at a time.
    pub launches: Option<NonZeroUsize>,
    /// Seconds that a request may take.
    #[schemars(with = "Option<f64>")]
    pub timeout: Option<Spanned<f64>>,
    /// Seconds that a gateway may take to get ready.
    #[schemars(with = "Option<f64>")]
    pub ready_timeout: Option<Spanned<f64>>,
    /// Judge a gateway that does not tell its version as this release.
    #[schemars(with = "Option<String>")]
    pub release: Option<Spanned<String>>,
    /// Whether known issues excuse what they explain.
    pub known_issues: Option<bool>,
    /// What makes the run fail.
    pub fail_on: Option<FailOn>,
    /// What is less severe does not make the run fail.
    pub severity: Option<Severity>,
    /// A record; what the gateway answered the same there does not make the run fail.
    pub baseline: Option<PathBuf>,
    /// Whether an excuse of the baseline that is not needed any more makes the run fail.
    pub baseline_strict: Option<bool>,
    /// How often what failed for reasons of its surroundings is tried again.
    pub retries: Option<u32>,
    /// Stop at the first cell that makes the run fail.
    pub fail_fast: Option<bool>,
    /// Where to write what is needed to debug clawgauge itself.
    pub log: Option<PathBuf>,
}

/// A project's defaults, and where they stand.
#[derive(Debug, Default)]
pub struct Project {
    /// What the file says.
    pub file: ProjectFile,
    source: Option<SourceFile>,
    folder: PathBuf,
}

impl Project {
    /// Looks for the file in `start` and above; a project without one has no defaults.
    pub fn find(start: &Path) -> Option<PathBuf> {
        start
            .ancestors()
            .map(|folder| folder.join(FILE))
            .find(|path| path.is_file())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read or is not valid.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let source = SourceFile::read(&Data::Folder(folder.to_path_buf()), &name)?;
        let file: ProjectFile = parse_toml(&source)?;
        let mut problems = Problems::default();
        if let Some(schema) = &file.schema {
            schema_version(&source, schema, &mut problems);
        }
        problems.into_result(Self {
            file,
            source: Some(source),
            folder: folder.to_path_buf(),
        })
    }

    /// A path of the file, from where the command runs.
    pub fn path(&self, path: &Path) -> PathBuf {
        match path.as_os_str() == "-" {
            true => path.to_path_buf(),
            false => self.folder.join(path),
        }
    }

    /// Reads a text of the file as the flag of the same name would.
    ///
    /// # Errors
    /// The text is not what the flag takes, with its place.
    pub fn value<T>(&self, text: &Spanned<String>) -> Result<T, Problem>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let parsed = text.get_ref().parse::<T>();
        parsed.map_err(|error| self.problem(text.span(), error.to_string()))
    }

    /// Something that is wrong at a place of the file.
    pub fn problem(&self, span: std::ops::Range<usize>, message: String) -> Problem {
        match &self.source {
            Some(source) => Problem::at(source, span, message, "here"),
            None => Problem::nowhere(message),
        }
    }
}
