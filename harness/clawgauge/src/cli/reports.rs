//! The reports that a command is asked for: `--report FORMAT=PATH`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum as _;

use super::guard::in_workflow;
use super::output::{Failure, Output};
use base::nearest::nearest;
use record::Results;
use reports::{Detail, Format, render, terminal, write_report};

/// The path that stands for stdout.
const STDOUT: &str = "-";

/// One report to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportRequest {
    /// What to write.
    pub(super) format: Format,
    /// Where to; `-` is stdout.
    pub(super) path: PathBuf,
}

impl ReportRequest {
    /// Whether it goes to stdout and is no command to a workflow.
    pub(super) fn is_data_on_stdout(&self) -> bool {
        self.path == Path::new(STDOUT) && self.format != Format::Annotations
    }

    fn write(&self, results: &Results<'_>, output: &Output) -> Result<(), Failure> {
        let Self { format, path } = self;
        match path == Path::new(STDOUT) {
            true => output
                .stdout(|out| render(*format, results, out))
                .map_err(|error| {
                    Failure::usage(format!(
                        "cannot write the {format} report to stdout: {error}"
                    ))
                }),
            false => write_report(*format, results, path)
                .map_err(|error| Failure::usage(error.to_string())),
        }
    }
}

/// Shows the report for people.
pub(super) fn show(results: &Results<'_>, detail: Detail, output: &Output) -> Result<(), Failure> {
    let text = terminal(results, detail, output.paint());
    let text = text.map_err(|error| Failure::usage(format!("the record: {error}")))?;
    output.result(&text)
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

/// What a run writes by itself in a workflow of GitHub: annotations, and the step's summary. A report of that format that
/// was asked for takes its place; `annotations=/dev/null` is how to have none.
pub(super) fn by_itself(
    requests: &[ReportRequest],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<ReportRequest> {
    if !in_workflow(&variable) {
        return Vec::new();
    }
    let summary = variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let wanted = [
        (Format::Annotations, Some(PathBuf::from("-"))),
        (Format::Summary, summary.map(PathBuf::from)),
    ];
    let asked = |format: Format, path: &Path| {
        let mut requests = requests.iter();
        requests.any(|request| {
            request.format == format || request.path == path && path != Path::new(STDOUT)
        })
    };
    wanted
        .into_iter()
        .filter_map(|(format, path)| Some((format, path?)))
        .filter(|(format, path)| !asked(*format, path))
        .map(|(format, path)| ReportRequest { format, path })
        .collect()
}

/// The reports of a run.
#[derive(Debug)]
pub(super) struct Reports<'a> {
    requests: &'a [ReportRequest],
    by_itself: Vec<ReportRequest>,
}

impl<'a> Reports<'a> {
    /// Takes them in; one that cannot be written is found out before anything is launched.
    pub(super) fn new(requests: &'a [ReportRequest]) -> Result<Self, Failure> {
        for (index, request) in requests.iter().enumerate() {
            check_writable(&request.path)?;
            let twin = requests[..index].iter().find(|other| {
                request.path != Path::new(STDOUT) && is_same_file(&other.path, &request.path)
            });
            if let Some(twin) = twin {
                let path = request.path.display();
                return Err(Failure::usage(format!(
                    "both the {} and the {} report go to {path}",
                    twin.format, request.format
                ))
                .help("give each a file of its own"));
            }
        }
        Ok(Self {
            requests,
            by_itself: Vec::new(),
        })
    }

    /// Sees to it that none of them goes where something else goes.
    pub(super) fn beside(&self, other: Option<&Path>, what: &str) -> Result<(), Failure> {
        let Some(other) = other else { return Ok(()) };
        let mut requests = self.requests.iter();
        match requests.find(|request| is_same_file(&request.path, other)) {
            Some(request) => Err(Failure::usage(format!(
                "both {what} and the {} report go to {}",
                request.format,
                other.display()
            ))
            .help("give each a file of its own")),
            None => Ok(()),
        }
    }

    /// Adds what is written without having been asked for.
    pub(super) fn and(mut self, more: Vec<ReportRequest>) -> Self {
        self.by_itself = more;
        self
    }

    /// Writes them all, as far as they can be written. Annotations on stdout are commands to a workflow; they come last,
    /// when it obeys commands again.
    pub(super) fn write(&self, results: &Results<'_>, output: &Output) -> Result<(), Failure> {
        let commands = |request: &&ReportRequest| {
            request.format == Format::Annotations && request.path == Path::new(STDOUT)
        };
        let (commands, others): (Vec<_>, Vec<_>) = self.requests.iter().partition(commands);
        let write = |request: &ReportRequest| request.write(results, output);
        let mut written: Vec<_> = others.into_iter().map(write).collect();
        output.obey_commands();
        written.extend(commands.into_iter().map(write));
        for request in &self.by_itself {
            // Nobody asked for it, so that it may not change how the run ends.
            if let Err(failure) = write(request) {
                output.tell(&failure);
            }
        }
        output.first(written)
    }
}

/// Whether two paths name the same file, which need not be there yet.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    one == other || (place(one).is_some() && place(one) == place(other))
}

pub(super) fn check_writable(path: &Path) -> Result<(), Failure> {
    // A device or a pipe takes what it gets.
    let special = |metadata: std::fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    if path == Path::new(STDOUT) || path.metadata().is_ok_and(special) {
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::ffi::OsString;

    use rstest::rstest;

    use super::{ReportRequest, by_itself};

    const WORKFLOW: [(&str, &str); 2] =
        [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "/s.md")];

    #[rstest]
    #[case::elsewhere(&[], &[], &[])]
    #[case::not_true(&[("GITHUB_ACTIONS", "false"), ("GITHUB_STEP_SUMMARY", "/s.md")], &[], &[])]
    #[case::in_a_workflow(&WORKFLOW, &[], &["annotations=-", "summary=/s.md"])]
    #[case::beside_others(&WORKFLOW, &["junit=-"], &["annotations=-", "summary=/s.md"])]
    #[case::asked_for(&WORKFLOW, &["annotations=/dev/null", "summary=x"], &[])]
    #[case::another_in_its_file(&WORKFLOW, &["markdown=/s.md"], &["annotations=-"])]
    #[case::without_a_summary(&[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "")], &[], &["annotations=-"])]
    fn what_a_run_writes_by_itself(
        #[case] variables: &[(&str, &str)],
        #[case] asked: &[&str],
        #[case] written: &[&str],
    ) {
        let variables: HashMap<&str, OsString> = variables
            .iter()
            .map(|(name, value)| (*name, value.into()))
            .collect();
        let parse = |texts: &[&str]| -> Vec<ReportRequest> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let found = by_itself(&parse(asked), |name| variables.get(name).cloned());
        assert_eq!(found, parse(written));
    }
}
