//! The reports that a command is asked for: `--report FORMAT=PATH`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum as _;

use super::output::Failure;
use crate::record::Results;
use crate::report::{Format, write_report};
use crate::scenario::nearest;

/// One report to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportRequest {
    /// What to write.
    pub(super) format: Format,
    /// Where to; `-` is stdout.
    pub(super) path: PathBuf,
}

impl FromStr for ReportRequest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Format::value_variants().iter().map(|format| format.name());
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err("write FORMAT=PATH, for example junit=results.xml".to_owned());
        };
        let format = Format::value_variants()
            .iter()
            .find(|format| format.name() == name);
        match format {
            Some(format) => Ok(Self {
                format: *format,
                path: path.into(),
            }),
            None => Err(match nearest(name, names()) {
                Some(close) => format!("there is no format {name:?}; did you mean {close:?}?"),
                None => format!(
                    "there is no format {name:?}; formats: {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            }),
        }
    }
}

/// The reports of a run.
#[derive(Debug)]
pub(super) struct Reports<'a> {
    requests: &'a [ReportRequest],
}

impl<'a> Reports<'a> {
    /// Takes them in; one that cannot be written is found out before anything is launched.
    pub(super) fn new(requests: &'a [ReportRequest]) -> Result<Self, Failure> {
        for (index, request) in requests.iter().enumerate() {
            check_writable(&request.path)?;
            let twin = requests[..index]
                .iter()
                .find(|other| other.path == request.path && request.path.as_os_str() != "-");
            if let Some(twin) = twin {
                let path = request.path.display();
                return Err(Failure::usage(format!(
                    "both the {} and the {} report go to {path}",
                    twin.format, request.format
                ))
                .help("give each a file of its own"));
            }
        }
        Ok(Self { requests })
    }

    /// Writes them all.
    pub(super) fn write(&self, results: &Results<'_>) -> Result<(), Failure> {
        for request in self.requests {
            write_report(request.format, results, &request.path)
                .map_err(|error| Failure::usage(error.to_string()))?;
        }
        Ok(())
    }
}

pub(super) fn check_writable(path: &Path) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return Ok(());
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let fail = |error: String| {
        Failure::usage(format!("cannot write {}: {error}", path.display()))
            .help("name a file in a folder that exists")
    };
    if path.is_dir() {
        return Err(fail("it is a folder".to_owned()));
    }
    tempfile::NamedTempFile::new_in(folder)
        .map(drop)
        .map_err(|error| fail(error.to_string()))
}
