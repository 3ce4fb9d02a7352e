//! What is told on stderr while something runs.

use std::io::IsTerminal as _;

use crate::cli::output::{Failure, Output};
use reports::{Detail, Progress};

impl Output {
    /// Whether a person watches stderr: no live progress in CI or into a file.
    pub(super) fn live(&self) -> bool {
        std::io::stderr().is_terminal()
            && std::env::var_os("CI").is_none()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Shows a run's events on stderr.
    pub(super) fn progress(&self, detail: Detail) -> Progress {
        Progress::new(self.live(), detail, self.paint_err())
    }
}

impl Failure {
    /// As [`Self::help`], where there is something to do.
    pub(super) fn helped(mut self, help: Option<impl Into<String>>) -> Self {
        self.help = help.map(Into::into);
        self
    }
}
