//! What commands write, and how they end: the only place that knows stdout, stderr and colours.
//!
//! Whatever a gateway or a file said passes through here on its way to a terminal or to a workflow of GitHub, which would
//! obey some of it. The last line on stderr says why the exit code is not 0.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use base::text::printable;
use contract::plan::SelectionError;
use contract::scenario::Problems;
use contract::snapshots::SnapshotError;
use record::{Ending, Record};
use reports::{Detail, Paint};

use super::exit::Exit;
use super::guard::{Stdout, WorkflowCommandGuard};

/// Why a command does not end with exit code 0.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    message: String,
    pub(super) help: Option<String>,
    problems: Option<Problems>,
}

impl Failure {
    pub(super) fn new(exit: impl Into<Exit>, message: impl Into<String>) -> Self {
        Self {
            exit: exit.into(),
            message: message.into(),
            help: None,
            problems: None,
        }
    }

    /// Wrong usage.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The filters select nothing.
    pub(super) fn no_cell() -> Self {
        Self::new(Ending::Incomplete, "the filters together select no cell")
            .help("clawgauge list shows every cell")
    }

    /// Adds the next thing to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self {
            problems: Some(problems),
            ..Self::usage("the scenario files are not valid")
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

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::usage(error.to_string())
    }
}

/// How much is told: flags of every command that asks or shows cells.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Loudness {
    /// Say only what makes it fail
    #[arg(long, short, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Show everything: each launch, matrix, cause and place
    #[arg(long, short)]
    pub(super) verbose: bool,
}

impl Loudness {
    pub(super) fn detail(self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Normal,
        }
    }
}

/// What a command prints: for a terminal, as a note to paste, or for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Shape {
    Text,
    Markdown,
    Json,
}

impl Shape {
    pub(super) fn stdout(self) -> Stdout {
        match self {
            Self::Text => Stdout::Text,
            Self::Markdown | Self::Json => Stdout::Data,
        }
    }
}

/// How a command ends that is about a run or the like: only where that holds it does not fail.
pub(super) fn ended((ending, why): (Ending, String)) -> Result<(), Failure> {
    match ending {
        Ending::Holds => Ok(()),
        ending => Err(Failure::new(ending, why)),
    }
}

/// As [`ended`], of a record.
pub(super) fn ended_as(record: &Record) -> Result<(), Failure> {
    let lacking = record.summary.skipped_unexpectedly() > 0;
    ended(record.ending()).map_err(|failure| match lacking {
        true => failure.help("clawgauge doctor   # what to install, and what may be skipped"),
        false => failure,
    })
}

/// Where results and messages go.
#[derive(Debug, Clone)]
pub(super) struct Output {
    choice: anstream::ColorChoice,
    guard: Arc<WorkflowCommandGuard>,
}

impl Output {
    pub(super) fn new(color: clap::ColorChoice, stdout: Stdout) -> Self {
        let choice = match color {
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self {
            choice,
            guard: Arc::new(WorkflowCommandGuard::begin(stdout)),
        }
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

    /// Writes a result for people.
    pub(super) fn result(&self, text: &str) -> Result<(), Failure> {
        self.data(&printable(text, self.paint().color))
    }

    /// Writes a result for a program or a file, as it is.
    pub(super) fn data(&self, text: &str) -> Result<(), Failure> {
        Ok(self.stdout(|out| out.write_all(text.as_bytes()))?)
    }

    /// Writes a result as JSON.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
        self.data(&format!("{text}\n"))
    }

    /// Writes to stdout. A reader that closed the pipe early has seen enough.
    pub(super) fn stdout<E: From<std::io::Error>>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut out = std::io::BufWriter::new(UntilClosed(std::io::stdout().lock()));
        write(&mut out)?;
        Ok(out.flush()?)
    }

    /// Writes lines to stderr.
    pub(super) fn note(&self, text: &str) {
        let text = printable(text, self.paint_err().color);
        let text = self.guard.harmless(text);
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// From here on a workflow obeys commands again.
    pub(super) fn obey_commands(&self) {
        self.guard.end();
    }

    /// Of several things that a command did, the failure that counts; the others are told.
    pub(super) fn first(
        &self,
        done: impl IntoIterator<Item = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let mut first: Option<Failure> = None;
        for failure in done.into_iter().filter_map(Result::err) {
            let (counts, other) = match first.take() {
                None => (failure, None),
                Some(before) if failure.exit.precedence() > before.exit.precedence() => {
                    (failure, Some(before))
                }
                Some(before) => (before, Some(failure)),
            };
            if let Some(other) = other {
                self.tell(&other);
            }
            first = Some(counts);
        }
        first.map_or(Ok(()), Err)
    }

    /// Tells a failure that does not end the command.
    pub(super) fn tell(&self, failure: &Failure) {
        let name = self.paint_err().bad("failed:");
        self.note(&format!("{name} {}", failure.message));
        self.explain(failure);
    }

    /// Ends a command: the last line says why the exit code is not 0.
    pub(super) fn end(&self, done: Result<ExitCode, Failure>) -> ExitCode {
        let failure = match done {
            Err(failure) => failure,
            Ok(code) => {
                self.guard.end();
                return code;
            }
        };
        self.explain(&failure);
        let (first, more) = match failure.message.split_once('\n') {
            None => (failure.message.as_str(), ""),
            Some(parts) => parts,
        };
        if !more.is_empty() {
            self.note(&failure.message);
        }
        self.guard.end();
        let (name, code) = (self.paint_err().bad("clawgauge:"), failure.exit.code());
        self.note(&format!("{name} {first} (exit code {code})"));
        ExitCode::from(code)
    }

    /// What is wrong in detail, and what to do about it.
    fn explain(&self, failure: &Failure) {
        let paint = self.paint_err();
        if let Some(problems) = &failure.problems {
            self.note(&problems.render(paint.color));
        }
        if let Some(help) = &failure.help {
            self.note(&format!("{} {help}", paint.bold("help:")));
        }
    }
}

/// A writer whose reader may leave: what it would not read is written all the same.
struct UntilClosed<W>(W);

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Carries out a command. A panic is a bug: it is told when it happens, and ends the command once everything on the stack
/// has been cleaned up.
pub(super) fn guarded<T>(command: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    std::panic::set_hook(Box::new(|info| {
        let trace = std::backtrace::Backtrace::force_capture();
        tracing::error!("a bug in clawgauge: {info}\n{trace}");
        let text = printable(&info.to_string(), false);
        let _ = writeln!(
            std::io::stderr().lock(),
            "clawgauge: a bug in clawgauge: {text}"
        );
    }));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(command)).unwrap_or_else(|_| {
        Err(Failure::new(
            Exit::Bug,
            "a bug in clawgauge; please report it with the lines above",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn failed(exit: Exit) -> Result<(), Failure> {
        Err(Failure::new(exit, "x"))
    }

    fn code(done: &Result<(), Failure>) -> u8 {
        done.as_ref().err().map_or(0, |failure| failure.exit.code())
    }

    /// Each goes before all that stand after it, in whatever order they happen.
    #[test]
    fn the_precedence_of_endings() {
        let order = [
            failed(Exit::Bug),
            failed(Ending::Interrupted.into()),
            failed(Ending::Broken.into()),
            failed(Ending::Gateway.into()),
            failed(Ending::Incomplete.into()),
            failed(Exit::Usage),
            Ok(()),
        ];
        let codes = order.each_ref().map(code);
        assert_eq!(codes, [70, 130, 1, 3, 4, 2, 0]);
        let output = Output::new(clap::ColorChoice::Never, Stdout::Own);
        let again = |code: &u8| match code {
            0 => Ok(()),
            2 => failed(Exit::Usage),
            70 => failed(Exit::Bug),
            1 => failed(Ending::Broken.into()),
            3 => failed(Ending::Gateway.into()),
            4 => failed(Ending::Incomplete.into()),
            _ => failed(Ending::Interrupted.into()),
        };
        for (place, first) in codes.iter().enumerate() {
            for second in &codes[place..] {
                assert_eq!(code(&output.first([again(first), again(second)])), *first);
                assert_eq!(code(&output.first([again(second), again(first)])), *first);
            }
        }
    }

    #[rstest]
    #[case(std::io::ErrorKind::BrokenPipe, true)]
    #[case(std::io::ErrorKind::StorageFull, false)]
    fn a_reader_that_leaves_is_no_failure(#[case] kind: std::io::ErrorKind, #[case] fine: bool) {
        struct Closed(std::io::ErrorKind);
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(self.0.into())
            }
        }
        let mut out = UntilClosed(Closed(kind));
        assert_eq!(out.write_all(b"text").is_ok(), fine);
        assert_eq!(out.flush().is_ok(), fine);
    }
}
