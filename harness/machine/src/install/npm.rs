//! Calls to npm: the one way in which releases and Nodes are fetched.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio_util::sync::CancellationToken;

use crate::keeper;
use crate::process::Group;

/// So many lines of npm's output are kept for an error.
const TAIL: usize = 30;

/// npm did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NpmError {
    /// It cannot be started.
    Missing(String),
    /// It ended with an error; the last lines that it wrote.
    Failed {
        code: Option<i32>,
        tail: Vec<String>,
    },
    /// It said nothing for so long.
    Silent(Duration),
    /// Somebody pressed Ctrl-C.
    Cancelled,
}

/// npm waits five minutes for an answer, three times; whoever set something of their own knows better.
const FETCH: [(&str, &str); 2] = [("fetch_timeout", "60000"), ("fetch_retries", "1")];

/// Runs npm, or another installer in its place, in a folder, for no longer than `patience`, and returns what it wrote to stdout.
///
/// `tick` is called about once a second while it runs.
pub(super) async fn npm(
    command: &OsStr,
    folder: &Path,
    args: &[&str],
    patience: Duration,
    tick: &(dyn Fn(Duration) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<String, NpmError> {
    let mut process = keeper::command(command, None);
    process
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("npm_config_update_notifier", "false");
    for (name, value) in FETCH {
        let (lower, upper) = (format!("npm_config_{name}"), name.to_ascii_uppercase());
        let set = [&lower, &format!("NPM_CONFIG_{upper}")];
        if set.iter().all(|name| std::env::var_os(name).is_none()) {
            process.env(lower, value);
        }
    }
    tracing::debug!(folder = %folder.display(), "npm {}", args.join(" "));
    let mut group =
        Group::spawn(&mut process).map_err(|error| NpmError::Missing(error.to_string()))?;
    let (stdout, stderr) = group.pipes();
    let output = async { tokio::join!(lines(stdout), lines(stderr)) };
    let mut output = std::pin::pin!(output);
    let started = std::time::Instant::now();
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    // However soon it ends, it is heard that it began: whoever removes what was installed goes by that.
    clock.tick().await;
    tick(Duration::ZERO);
    let (out, err) = loop {
        tokio::select! {
            done = &mut output => break done,
            () = cancel.cancelled() => {
                group.kill();
                let _ = group.wait().await;
                return Err(NpmError::Cancelled);
            }
            () = tokio::time::sleep_until((started + patience).into()) => {
                group.kill();
                let _ = group.wait().await;
                return Err(NpmError::Silent(patience));
            }
            _ = clock.tick() => tick(started.elapsed()),
        }
    };
    let status = group.wait().await;
    tracing::debug!(?status, took = ?started.elapsed(), "npm ended");
    match status {
        Ok(status) if status.success() => Ok(out.join("\n")),
        Ok(status) => {
            // With --json npm tells its errors on stdout.
            let mut tail: Vec<String> = out.into_iter().chain(err).collect();
            tail.drain(..tail.len().saturating_sub(TAIL));
            Err(NpmError::Failed {
                code: status.code(),
                tail,
            })
        }
        Err(error) => Err(NpmError::Missing(error.to_string())),
    }
}

async fn lines(pipe: Option<impl AsyncRead + Unpin>) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(pipe) = pipe else { return lines };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(count) if count > 0) {
        lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    lines
}
