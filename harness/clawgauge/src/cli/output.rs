//! What commands write, and how they fail: the only place that knows stdout, stderr and colours.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use contract::plan::SelectionError;
use contract::scenario::Problems;
use contract::snapshots::SnapshotError;
use machine::limits::TooFewFiles;
use reports::Paint;

/// Exit code for wrong usage and invalid scenario files.
pub(super) const USAGE: u8 = 2;
/// Exit code where nothing could be run.
const INCOMPLETE: u8 = 4;
/// Exit code for a bug in clawgauge.
const BUG: u8 = 70;

/// A command that cannot be carried out.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    message: String,
    help: Option<String>,
    problems: Option<Problems>,
}

impl Failure {
    /// Wrong usage.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            message: message.into(),
            help: None,
            problems: None,
        }
    }

    /// Adds the next thing to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another exit code.
    pub(super) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self {
            code: USAGE,
            message: "the scenario files are not valid".to_owned(),
            help: None,
            problems: Some(problems),
        }
    }
}

impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Self {
        Self::usage(error.to_string()).help("clawgauge list shows every cell")
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Invalid(problem) => Problems::from(problem).into(),
            SnapshotError::Io(error) => Self::usage(format!("snapshots: {error}")),
        }
    }
}

impl From<TooFewFiles> for Failure {
    fn from(error: TooFewFiles) -> Self {
        Self::usage(error.to_string())
            .help("raise the limit of open files and run again: ulimit -n 4096")
            .code(INCOMPLETE)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::usage(error.to_string())
    }
}

/// Where results and messages go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    choice: anstream::ColorChoice,
}

impl Output {
    pub(super) fn new(color: clap::ColorChoice) -> Self {
        let choice = match color {
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self { choice }
    }

    /// Colours for stdout.
    pub(super) fn paint(&self) -> Paint {
        Paint {
            color: self.colored(&std::io::stdout()),
        }
    }

    /// Colours for stderr.
    pub(super) fn paint_err(&self) -> Paint {
        Paint {
            color: self.colored(&std::io::stderr()),
        }
    }

    fn colored(&self, stream: &impl anstream::stream::RawStream) -> bool {
        match self.choice {
            anstream::ColorChoice::Auto => {
                anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
            }
            choice => choice != anstream::ColorChoice::Never,
        }
    }

    /// Whether a person watches stderr: no live progress in CI or into a file.
    pub(super) fn live(&self) -> bool {
        std::io::stderr().is_terminal()
            && std::env::var_os("CI").is_none()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Writes a result; a reader that closed the pipe early has seen enough.
    pub(super) fn result(&self, text: &str) -> Result<u8, Failure> {
        let mut stdout = std::io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            Ok(()) | Err(_) => Ok(0),
        }
    }

    /// Writes a result as JSON.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> Result<u8, Failure> {
        let text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
        self.result(&format!("{text}\n"))
    }

    /// Writes a line to stderr.
    pub(super) fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Says why a command failed; the reason stands on the last line.
    pub(super) fn failure(&self, failure: &Failure) -> ExitCode {
        let paint = self.paint_err();
        if let Some(problems) = &failure.problems {
            self.note(&problems.render(paint.color));
        }
        if let Some(help) = &failure.help {
            self.note(&format!("{} {help}", paint.bold("help:")));
        }
        self.note(&format!("{} {}", paint.bad("clawgauge:"), failure.message));
        ExitCode::from(failure.code)
    }
}

/// Runs a command. A panic is a bug: it is told as such and ends in exit code 70, once everything on the stack has been
/// cleaned up.
pub(super) fn guarded(command: impl FnOnce() -> ExitCode) -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let trace = std::backtrace::Backtrace::force_capture();
        tracing::error!("a bug in clawgauge: {info}\n{trace}");
        let _ = writeln!(
            std::io::stderr().lock(),
            "clawgauge: a bug in clawgauge: {info}"
        );
    }));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(command))
        .unwrap_or_else(|_| ExitCode::from(BUG))
}
