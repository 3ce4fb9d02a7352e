//! One call: the script gets a request, and what its library told becomes an answer like any other.
//!
//! The request goes in through stdin, so that no secret is an argument or stands in an environment. A call has a process
//! group, a home and an environment of its own and a time limit; whatever it spawned ends with it. A script that stays takes
//! one request after the other.

mod staying;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::ChildStdin;

use super::Ready;
use crate::process::Group;
use contract::exchange::{Exchange, MAX_BODY, Request, Response};

pub use staying::Staying;

/// So much of what a script writes to stderr is read.
const MAX_COMPLAINT: u64 = 64 * 1024;
/// At most so many characters of what a script wrote stand in an error. It is cut again where it is told, after secrets are taken
/// out: half a secret would not be recognised as one.
const MAX_SHOWN: usize = 4_096;

/// A sender that brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It cannot be started.
    #[error("it cannot be started: {0}")]
    Start(String),
    /// The time was up.
    #[error("it did not answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// It ended badly.
    #[error("it ended with {ending}: {complaint}")]
    Crash {
        /// Exit code or signal.
        ending: String,
        /// What it wrote to stderr last.
        complaint: String,
    },
    /// What it printed is not one JSON line of the known shape.
    #[error("it must print one JSON line with status and body, and it printed {printed:?}: {why}")]
    Junk {
        /// How that begins.
        printed: String,
        /// What is wrong with it.
        why: String,
    },
    /// The library had no answer to tell of.
    #[error("{0}")]
    NoAnswer(String),
    /// The library cannot send such a request.
    #[error("it cannot send this: {0}")]
    Cannot(String),
}

impl CallError {
    /// Whether the sender is to blame, or its surroundings, rather than the request.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Cannot(_))
    }
}

/// What a script prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// HTTP status.
    status: Option<u16>,
    /// `Content-Type` of the answer, where the library tells it.
    content_type: Option<String>,
    /// A text is the body as it came; anything else is what the library made of it.
    body: Option<serde_json::Value>,
    /// Why there is no answer.
    no_answer: Option<String>,
    /// Why the request cannot be sent.
    cannot: Option<String>,
}

/// Sends one request through a sender. `home` is a folder of its own for scripts and homes; it is made where it is missing.
/// A sender that stays is taken from `staying`, and put there.
///
/// # Errors
/// A [`CallError`] where the library had nothing to tell within `timeout`. Dropping the call kills it.
pub async fn call(
    ready: &Ready,
    address: SocketAddr,
    request: Request,
    home: &Path,
    staying: &Staying,
    timeout: Duration,
) -> Result<Exchange, CallError> {
    let started = Instant::now();
    let lines = as_lines(&request, address);
    let asked = async {
        match ready.sender.stays {
            true => staying.ask(ready, lines, home).await,
            false => answer(&ask(ready, lines, home).await?),
        }
    };
    let response = tokio::time::timeout(timeout, asked)
        .await
        .map_err(|_| CallError::Timeout(timeout))??;
    Ok(Exchange {
        response,
        request,
        took: started.elapsed(),
    })
}

/// The request as scripts read it: method and URL, header lines, an empty line, the body.
fn as_lines(request: &Request, address: SocketAddr) -> Vec<u8> {
    let mut text = format!("{} http://{address}{}\n", request.method, request.target).into_bytes();
    for line in &request.headers {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    if !request.body.is_empty() {
        text.push(b'\n');
        text.extend_from_slice(&request.body);
    }
    text
}

/// Starts the script.
fn start(ready: &Ready, home: &Path) -> Result<(Group, ChildStdin), CallError> {
    let failed = |error: std::io::Error| CallError::Start(error.to_string());
    let file = prepared(ready, home).map_err(failed)?;
    let mut command = tokio::process::Command::new(&ready.command);
    command
        .args(&ready.args)
        .arg(file)
        .current_dir(home)
        .env_clear()
        .envs(environment(home))
        .envs(&ready.env);
    Group::spawn_listening(&mut command).map_err(failed)
}

/// Runs the script, and returns what it printed.
async fn ask(ready: &Ready, request: Vec<u8>, home: &Path) -> Result<Vec<u8>, CallError> {
    let (mut group, mut stdin) = start(ready, home)?;
    let (stdout, stderr) = group.pipes();
    let write = async {
        // A script that does not listen has said why, or says nothing: both are seen below.
        let _ = stdin.write_all(&request).await;
        drop(stdin);
    };
    let limit = u64::try_from(MAX_BODY).unwrap_or(u64::MAX);
    let (printed, complaint, (), status) = tokio::join!(
        read(stdout, limit),
        read(stderr, MAX_COMPLAINT),
        write,
        group.wait()
    );
    let status = status.map_err(|error| CallError::Start(error.to_string()))?;
    match status.success() {
        true => Ok(printed),
        false => Err(crash(ready, &status.to_string(), &complaint)),
    }
}

/// What a script that ended badly said last.
fn crash(ready: &Ready, ending: &str, complaint: &[u8]) -> CallError {
    let mut complaint = String::from_utf8_lossy(complaint).into_owned();
    if let Some(folder) = &ready.folder {
        complaint = complaint.replace(&*folder.to_string_lossy(), "[library]");
    }
    let last = complaint.lines().rfind(|line| !line.trim().is_empty());
    CallError::Crash {
        ending: ending.to_owned(),
        complaint: shown(last.unwrap_or("it said nothing")),
    }
}

/// Reads to the end, and keeps so many bytes.
async fn read(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = (&mut pipe).take(limit).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    kept
}

/// The script as a file. Calls overlap, so that it is never seen half written.
fn prepared(ready: &Ready, home: &Path) -> std::io::Result<std::path::PathBuf> {
    let name = Path::new(&ready.sender.file).file_name();
    let file = home.join(name.unwrap_or_default());
    if !file.is_file() {
        fs_err::create_dir_all(home)?;
        base::files::replace_bytes(&file, ready.sender.script.as_bytes())?;
    }
    Ok(file)
}

/// Nothing of the machine's environment but where its commands are: no keys, no proxies, no settings of somebody's.
fn environment(home: &Path) -> Vec<(&'static str, std::ffi::OsString)> {
    vec![
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("HOME", home.into()),
        ("TMPDIR", home.into()),
        ("LC_ALL", "C".into()),
        ("NO_COLOR", "1".into()),
        ("NO_PROXY", "*".into()),
        ("no_proxy", "*".into()),
    ]
}

/// What a script printed, as an answer.
fn answer(printed: &[u8]) -> Result<Response, CallError> {
    let junk = |why: String| CallError::Junk {
        printed: shown(&String::from_utf8_lossy(printed)),
        why,
    };
    let told: Told = serde_json::from_slice(printed).map_err(|error| junk(error.to_string()))?;
    match told {
        Told {
            cannot: Some(reason),
            ..
        } => Err(CallError::Cannot(reason)),
        Told {
            no_answer: Some(reason),
            ..
        } => Err(CallError::NoAnswer(reason)),
        Told {
            status: Some(status),
            body: Some(body),
            content_type,
            ..
        } => Ok(Response {
            status,
            headers: content_type
                .map(|value| ("Content-Type".to_owned(), value.into_bytes()))
                .into_iter()
                .collect(),
            partial: true,
            body: match body {
                serde_json::Value::String(text) => text.into_bytes(),
                told => told.to_string().into_bytes(),
            },
            cut: printed.len() >= MAX_BODY,
            ..Response::default()
        }),
        Told { .. } => Err(junk("status or body is missing".to_owned())),
    }
}

fn shown(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
