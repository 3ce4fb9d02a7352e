//! Keeps what a gateway or a file says from being commands to a workflow of GitHub.
//!
//! A workflow obeys lines that look like commands, on stdout and stderr alike, until it is told to stop; the word that
//! ends this is told to nobody else. Reports of annotations are commands, and are written after it has ended.

use std::ffi::OsString;
use std::io::Write as _;
use std::sync::Mutex;

use base::secret::new_canary;

/// What a command writes to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdout {
    /// Text for people, which may quote a gateway or a file.
    Text,
    /// Something for a program or a file, in which nothing else may stand.
    Data,
    /// Only what clawgauge itself says.
    Own,
}

#[derive(Debug, Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

/// From its beginning to its end, a workflow obeys no commands.
#[derive(Debug, Default)]
pub(super) struct WorkflowCommandGuard {
    /// Whether there is a workflow that would obey.
    in_workflow: bool,
    /// How it ends, and where.
    word: Mutex<Option<(Stream, String)>>,
}

/// Whether this runs in a workflow of GitHub.
pub(super) fn in_workflow(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    variable("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

impl WorkflowCommandGuard {
    /// Begins, where there is a workflow and something to keep from it. It must see the beginning and the end in line with
    /// what stands between them; only where stdout is no place for either they are on stderr.
    pub(super) fn begin(stdout: Stdout) -> Self {
        let in_workflow = in_workflow(|name| std::env::var_os(name));
        let into_file = || std::fs::metadata("/dev/stdout").is_ok_and(|data| data.is_file());
        let stream = match stdout {
            Stdout::Text if into_file() => Stream::Stderr,
            Stdout::Text => Stream::Stdout,
            Stdout::Data => Stream::Stderr,
            Stdout::Own => return Self::default(),
        };
        let word = in_workflow.then(|| {
            let word = new_canary();
            stream.command(&format!("stop-commands::{word}"));
            (stream, word)
        });
        Self {
            in_workflow,
            word: Mutex::new(word),
        }
    }

    /// Commands are obeyed again.
    pub(super) fn end(&self) {
        // Nobody panics while holding it.
        let word = self.word.lock().ok().and_then(|mut word| word.take());
        if let Some((stream, word)) = word {
            stream.command(&format!("{word}::"));
        }
    }

    /// A text that is no command, even where commands are obeyed.
    pub(super) fn harmless(&self, text: String) -> String {
        match self.in_workflow && (text.contains("::") || text.contains("##[")) {
            false => text,
            true => {
                let quoted = |line: &str| match line.trim_start().starts_with("::") {
                    true => format!("| {line}"),
                    false => line.to_owned(),
                };
                let lines: Vec<String> = text.split('\n').map(quoted).collect();
                lines.join("\n").replace("##[", "# #[")
            }
        }
    }
}

impl Stream {
    /// Nobody who reads it is a reason to go on without it.
    fn command(self, command: &str) {
        let line = format!("::{command}\n");
        let _ = match self {
            Self::Stdout => {
                let mut stdout = std::io::stdout().lock();
                stdout
                    .write_all(line.as_bytes())
                    .and_then(|()| stdout.flush())
            }
            Self::Stderr => std::io::stderr().lock().write_all(line.as_bytes()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::WorkflowCommandGuard;

    #[test]
    fn only_a_workflow_is_kept_from_commands() {
        let text = "a\n ::error::b\n##[error]c ::d".to_owned();
        let guard = WorkflowCommandGuard::default();
        assert_eq!(guard.harmless(text.clone()), text);
        let guard = WorkflowCommandGuard {
            in_workflow: true,
            ..guard
        };
        assert_eq!(guard.harmless(text), "a\n|  ::error::b\n# #[error]c ::d");
    }
}
