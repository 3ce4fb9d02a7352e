//! The evidence bundle of a run: `run --bundle FILE`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::output::Failure;
use crate::cli::reports::check_writable;
use contract::scenario::Catalogue;
use record::clean::Cleaner;
use record::events::LaunchInfo;
use record::{Record, Results};
use studies::bundle::{PackError, Run, pack};

/// What is known before the run.
#[derive(Debug)]
pub(super) struct Evidence {
    path: PathBuf,
    data: BTreeMap<String, String>,
    baseline: Option<Record>,
    cleaner: Cleaner,
}

impl Evidence {
    /// Takes in what is judged by, as it is now; a file that cannot be written is found out before anything is launched.
    pub(super) fn begin(
        path: &Path,
        baseline: Option<&Path>,
        catalogue: &Catalogue,
    ) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Err(Failure::usage("a bundle does not go to stdout")
                .help("name a file: --bundle evidence.tar.gz"));
        }
        check_writable(path)?;
        let baseline = baseline.map(|path| Results::open(path)?.load()).transpose();
        Ok(Self {
            path: path.to_path_buf(),
            data: catalogue.data.judged_by()?,
            baseline: baseline.map_err(|error| Failure::usage(format!("the baseline: {error}")))?,
            cleaner: Cleaner::of_this_machine(),
        })
    }

    /// Writes the bundle.
    pub(super) fn write(
        &self,
        results: &Results<'_>,
        launches: &[LaunchInfo],
        catalogue: &Catalogue,
    ) -> Result<(), Failure> {
        let fail = |error: PackError| {
            Failure::usage(format!(
                "cannot write the bundle {}: {error}",
                self.path.display()
            ))
        };
        let record = results.load();
        let record = record.map_err(|error| Failure::usage(format!("the record: {error}")))?;
        let run = Run {
            record: &record,
            baseline: self.baseline.as_ref(),
            launches,
            catalogue,
            data: &self.data,
        };
        let bundle = pack(&run, &self.cleaner).map_err(fail)?;
        bundle.write(&self.path).map_err(fail)
    }
}
