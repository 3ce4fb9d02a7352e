//! The log for whoever debugs clawgauge itself: every step, command, request and line of a gateway's output, in one file.
//!
//! Off unless `--log FILE` asks for it. Its writer takes out every secret that was made since, whatever wrote the line.

use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::uptime;

use base::redact::Redactor;

/// The variable that narrows the log down, as `RUST_LOG` does elsewhere.
const FILTER: &str = "CLAWGAUGE_LOG";

/// What must not be in the log.
static HIDDEN: OnceLock<Mutex<Vec<Redactor>>> = OnceLock::new();

/// Why the log is not whole, if it is not.
static TROUBLE: OnceLock<String> = OnceLock::new();

/// Why the log is not whole: the first error that writing it brought.
pub fn trouble() -> Option<&'static str> {
    TROUBLE.get().map(String::as_str)
}

/// Starts the log; everything that this process does from then on goes into it. A file that is there is replaced.
///
/// # Errors
/// The file cannot be written, or a log was started before.
pub fn start(path: &Path) -> std::io::Result<()> {
    let file = fs_err::File::create(path)?;
    let _ = HIDDEN.set(Mutex::default());
    let filter =
        EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new("warn,clawgauge=trace"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(uptime())
        .with_ansi(false)
        .with_writer(Mutex::new(Redacting(file)))
        .try_init()
        .map_err(std::io::Error::other)
}

/// Keeps the secrets of a launch out of the log.
pub fn hide(secrets: &Redactor) {
    if let Some(hidden) = HIDDEN.get() {
        let mut hidden = hidden.lock().unwrap_or_else(PoisonError::into_inner);
        hidden.push(secrets.clone());
    }
}

/// Writes what is left of an event without its secrets. An event comes in one piece.
struct Redacting<W>(W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let mut text = String::from_utf8_lossy(event).into_owned();
        if let Some(hidden) = HIDDEN.get() {
            let hidden = hidden.lock().unwrap_or_else(PoisonError::into_inner);
            for redactor in hidden.iter() {
                text = redactor.text(&text).into_owned();
            }
        }
        // Whoever writes an event can do nothing about it, and would say so for each.
        if let Err(error) = self.0.write_all(text.as_bytes()) {
            let _ = TROUBLE.set(error.to_string());
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
