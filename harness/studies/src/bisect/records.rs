//! A folder of records, one a tested release: what it holds for the same contract is not asked again.

use base::files::replace;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::question::Question;
use super::tested::Tested;
use contract::release::Version;
use record::{Record, Results};

/// A folder of records.
#[derive(Debug, Clone)]
pub struct Records {
    folder: PathBuf,
    table_hash: String,
}

impl Records {
    /// A folder, made if it is not there; `table_hash` says by what its records must be judged.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path, table_hash: &str) -> std::io::Result<Self> {
        fs_err::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            table_hash: table_hash.to_owned(),
        })
    }

    /// What the folder's records say of releases of the line. Other files, and records of another contract, of other cells or
    /// of releases that did not tell, are passed over.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn read(&self, question: &Question, line: &[Version]) -> std::io::Result<Vec<Tested>> {
        let mut found: Vec<Tested> = Vec::new();
        let mut paths: Vec<PathBuf> = fs_err::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .collect();
        paths.sort();
        for path in paths {
            let Ok(results) = Results::open(&path) else {
                continue;
            };
            let run = &results.head().run;
            let same = run.table_hash == self.table_hash
                && run.harness == env!("CARGO_PKG_VERSION")
                && !run.interrupted;
            let Some(record) = same.then(|| results.load().ok()).flatten() else {
                continue;
            };
            for release in line {
                let tested = Tested::of(&record, release, question.ids());
                if let Some(tested) = tested.filter(|tested| tested.trouble.is_none())
                    && !found.iter().any(|other| other.release == *release)
                {
                    found.push(Tested {
                        kept: true,
                        ..tested
                    });
                }
            }
        }
        Ok(found)
    }

    /// Keeps the record of a release, whole or not at all. The name tells release and question apart from all others.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(
        &self,
        record: &Record,
        question: &Question,
        release: &Version,
    ) -> std::io::Result<()> {
        let mut hash = Sha256::new();
        for id in question.ids() {
            hash.update(id);
            hash.update("\n");
        }
        let digest = hash.finalize();
        let short: String = digest
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = self.folder.join(format!("bisect-{short}-{release}.json"));
        replace(&path, |out| {
            serde_json::to_writer_pretty(&mut *out, record)?;
            out.write_all(b"\n")
        })
    }
}
