//! The folder of records: one a release, whole or not there, small enough to be committed.

use base::files::replace_bytes;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use contract::release::Version;
use record::{PartRecord, Record, Results, ResultsError};

/// How the name of a record ends.
const ENDING: &str = ".json.gz";
/// How the name of a record that somebody else wrote may end.
const PLAIN: &str = ".json";

/// A folder of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The release.
    pub version: Version,
    /// Name of the file.
    pub file: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// What it says.
    pub record: Record,
}

/// A file that does not serve as the record of a release.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("{file}: {error}")]
    Read {
        /// Name of the file.
        file: String,
        /// RerunReason.
        error: ResultsError,
    },
    /// It asked a part of the contract only.
    #[error("{file}: {part}")]
    Part {
        /// Name of the file.
        file: String,
        /// How much it asked.
        part: String,
    },
    /// It is about something else than its name says.
    #[error("{file} is about {about}")]
    Foreign {
        /// Name of the file.
        file: String,
        /// What it is about.
        about: String,
    },
}

impl Folder {
    /// A folder, whether it exists or not.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it, unless it is there, and makes sure that it can be written.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn prepare(&self) -> std::io::Result<()> {
        fs_err::create_dir_all(&self.path)?;
        tempfile::NamedTempFile::new_in(&self.path).map(drop)
    }

    /// The record of a release; `None` where there is none.
    ///
    /// # Errors
    /// There is a file that cannot be read, or that is about something else.
    pub fn read(&self, version: &Version) -> Result<Option<Kept>, FolderError> {
        let names = [ENDING, PLAIN].map(|ending| format!("{version}{ending}"));
        match names.iter().find(|name| self.path.join(name).exists()) {
            None => Ok(None),
            Some(name) => self.open(name, version).map(Some),
        }
    }

    /// All records, by release, and what else there is that looks like one.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(&self) -> std::io::Result<(Vec<Kept>, Vec<FolderError>)> {
        let mut names: BTreeMap<Version, String> = BTreeMap::new();
        for entry in fs_err::read_dir(&self.path)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let stem = name
                .strip_suffix(ENDING)
                .or_else(|| name.strip_suffix(PLAIN));
            // Whatever is not named after a release is no record of one.
            if let Some(Ok(version)) = stem.map(str::parse::<Version>)
                && (name.ends_with(ENDING) || !names.contains_key(&version))
            {
                names.insert(version, name);
            }
        }
        let (mut kept, mut wrong) = (Vec::new(), Vec::new());
        for (version, name) in names {
            match self.open(&name, &version) {
                Ok(record) => kept.push(record),
                Err(error) => wrong.push(error),
            }
        }
        Ok((kept, wrong))
    }

    fn open(&self, name: &str, version: &Version) -> Result<Kept, FolderError> {
        let path = self.path.join(name);
        let fail = |error: ResultsError| FolderError::Read {
            file: name.to_owned(),
            error,
        };
        let bytes = fs_err::metadata(&path)
            .map_err(|error| fail(error.into()))?
            .len();
        let record = Results::open(&path)
            .and_then(|results| results.load())
            .map_err(fail)?;
        if let Some(part) = record.run.budget.as_ref().and_then(PartRecord::is_a_part) {
            return Err(FolderError::Part {
                file: name.to_owned(),
                part,
            });
        }
        let about: Vec<&str> = record
            .gateways
            .iter()
            .map(|gateway| gateway.reference.as_str())
            .collect();
        if about != [reference(version)] {
            return Err(FolderError::Foreign {
                file: name.to_owned(),
                about: match about.is_empty() {
                    true => "no gateway".to_owned(),
                    false => about.join(", "),
                },
            });
        }
        Ok(Kept {
            version: version.clone(),
            file: name.to_owned(),
            bytes,
            record,
        })
    }

    /// Keeps the record of a release in place of what is there. Until it is whole, nobody sees it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, version: &Version, record: &Record) -> std::io::Result<Kept> {
        let name = format!("{version}{ENDING}");
        let text = serde_json::to_vec(record)?;
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(&text)?;
        let packed = gzip.finish()?;
        replace_bytes(&self.path.join(&name), &packed)?;
        let bytes = packed.len() as u64;
        let _ = fs_err::remove_file(self.path.join(format!("{version}{PLAIN}")));
        // What is handed on is what a reader of the file gets.
        let mut whole = record.clone();
        whole.fill_in();
        Ok(Kept {
            version: version.clone(),
            file: name,
            bytes,
            record: whole,
        })
    }
}

/// How a survey names the gateway of a release.
pub fn reference(version: &Version) -> String {
    format!("openclaw@{version}")
}
