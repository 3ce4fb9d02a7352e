//! What a gateway writes: both pipes drained at once, without secrets, the first and the last lines kept, memory bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

use base::redact::Redactor;

const FIRST: usize = 40;
const LAST: usize = 200;
const MAX_LINE: usize = 2048;
/// So much more of a line is read: a secret is known by all of it, and the line is cut afterwards.
const MARGIN: usize = 512;

/// The first and last lines of a process's output.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    profile: Arc<str>,
    redactor: Arc<Redactor>,
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug, Default)]
struct Lines {
    first: Vec<String>,
    last: VecDeque<String>,
}

impl Output {
    /// Nothing written yet.
    pub(super) fn new(profile: &str, redactor: Redactor) -> Self {
        Self {
            profile: profile.into(),
            redactor: Arc::new(redactor),
            lines: Arc::default(),
        }
    }

    /// Reads a pipe to its end; bytes that are not UTF-8 are replaced, long lines are cut.
    pub(super) async fn drain(self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = vec![0; 16 * 1024];
        let mut line = Vec::new();
        while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
            for part in chunk[..count].split_inclusive(|byte| *byte == b'\n') {
                let room = (MAX_LINE + MARGIN).saturating_sub(line.len());
                line.extend_from_slice(&part[..part.len().min(room)]);
                if part.ends_with(b"\n") {
                    self.push(&line);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            self.push(&line);
        }
    }

    fn push(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let mut line = self.redactor.text(line.trim_end()).into_owned();
        if line.len() > MAX_LINE {
            line.truncate(line.floor_char_boundary(MAX_LINE));
            line.push_str("...");
        }
        tracing::trace!(profile = &*self.profile, "gateway: {line}");
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.first.len() < FIRST {
            lines.first.push(line);
            return;
        }
        if lines.last.len() == LAST {
            lines.last.pop_front();
        }
        lines.last.push_back(line);
    }

    /// The last `count` lines.
    pub(super) fn tail(&self, count: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<&String> = lines
            .first
            .iter()
            .chain(&lines.last)
            .filter(|line| !line.is_empty())
            .collect();
        all[all.len().saturating_sub(count)..]
            .iter()
            .map(|line| (*line).clone())
            .collect()
    }

    /// The first line that contains one of the words.
    pub(super) fn find(&self, words: &[impl AsRef<str>]) -> Option<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .first
            .iter()
            .chain(&lines.last)
            .find(|line| words.iter().any(|word| line.contains(word.as_ref())))
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_beginning_and_the_end() {
        let output = Output::default();
        let text: String = (0..5000).map(|number| format!("line {number}\n")).collect();
        output.clone().drain(Some(text.as_bytes())).await;
        assert_eq!(output.tail(2), ["line 4998", "line 4999"]);
        assert!(
            output
                .find(&["line 7"])
                .is_some_and(|line| line == "line 7")
        );
        let lines = output.lines.lock().unwrap();
        assert_eq!((lines.first.len(), lines.last.len()), (FIRST, LAST));
    }

    /// Wherever a long line is cut, no half of a secret is told, in the log of clawgauge neither.
    #[tokio::test]
    async fn a_cut_line_tells_no_half_of_a_secret() {
        let secret = base::secret::random_secret();
        let secrets = base::secret::Secrets::from([("token".to_owned(), secret.clone().into())]);
        for before in (MAX_LINE - 45..=MAX_LINE).chain(MAX_LINE + MARGIN - 45..=MAX_LINE + MARGIN) {
            let output = Output::new("token", Redactor::new(&secrets));
            let text = format!("{} {secret} and more\n", "x".repeat(before));
            output.clone().drain(Some(text.as_bytes())).await;
            let line = output.tail(1).join("");
            assert!(!line.contains(&secret[..4]), "{before}: {line}");
        }
    }

    #[tokio::test]
    async fn copes_with_junk_and_endless_lines() {
        let output = Output::default();
        let mut text = vec![0xff; 100_000];
        text.extend_from_slice(b"\nend without a line break");
        output.clone().drain(Some(&text[..])).await;
        assert_eq!(output.tail(1), ["end without a line break"]);
        assert!(output.tail(2)[0].len() <= 3 * MAX_LINE);
    }
}
