//! A launched process: its group, both pipes drained, and the folder by which everything that it started is known.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::task::JoinHandle;

use super::error::Exit;
use super::output::Output;
use super::strays::sweep;
use crate::process::Group;
use base::redact::Redactor;

/// A process that runs. Dropping it kills it and everything it started.
#[derive(Debug)]
pub(super) struct Running {
    group: Group,
    folder: PathBuf,
    output: Output,
    drains: Vec<JoinHandle<()>>,
}

/// What a process wrote; it outlives the process.
#[derive(Debug)]
pub struct ProcessLog(Output);

impl ProcessLog {
    /// All lines that are kept, the first and the last ones, redacted.
    pub fn lines(&self) -> Vec<String> {
        self.0.tail(usize::MAX)
    }
}

/// How a process stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopReport {
    /// From asking it to stop until it had.
    pub duration: Duration,
    /// Its exit code, if it had one.
    pub exit_code: Option<i32>,
    /// Whether it had to be killed.
    pub killed: bool,
    /// Processes outside its group that had to be killed.
    pub strays: usize,
}

impl Running {
    /// Spawns a command whose environment names `folder`; `name` is what the log calls it.
    pub(super) fn spawn(
        command: &mut Command,
        name: &str,
        folder: &Path,
        redactor: Redactor,
    ) -> std::io::Result<Self> {
        // A program may have killed its keeper before anybody knew its id.
        let mut group = Group::spawn(command).inspect_err(|_| {
            sweep(folder);
        })?;
        let output = Output::new(name, redactor);
        let (stdout, stderr) = group.pipes();
        let drains = vec![
            tokio::spawn(output.clone().drain(stdout)),
            tokio::spawn(output.clone().drain(stderr)),
        ];
        Ok(Self {
            group,
            folder: folder.to_path_buf(),
            output,
            drains,
        })
    }

    /// Waits for its end, which nobody asked for.
    pub(super) async fn exited(&mut self) -> Exit {
        match self.group.wait().await {
            Ok(status) => status.into(),
            Err(_) => Exit {
                code: None,
                signal: None,
            },
        }
    }

    /// Its end, if it has come.
    pub(super) fn ended(&mut self) -> Option<Exit> {
        self.group.ended().map(Exit::from)
    }

    /// What it writes.
    pub(super) fn output(&self) -> &Output {
        &self.output
    }

    /// The last lines that it wrote, redacted.
    pub(super) fn log_tail(&self, lines: usize) -> Vec<String> {
        self.output.tail(lines)
    }

    /// What it writes, to be read once it has stopped.
    pub(super) fn log(&self) -> ProcessLog {
        ProcessLog(self.output.clone())
    }

    /// Asks it to stop, waits for the grace, kills what is left.
    pub(super) async fn stop(mut self, grace: Duration) -> StopReport {
        let asked = Instant::now();
        self.group.terminate();
        let ended = tokio::time::timeout(grace, self.group.wait()).await;
        let killed = ended.is_err();
        // Members of the group may outlive its leader.
        let strays = self.group.kill();
        let status = match ended {
            Ok(status) => status.ok(),
            Err(_) => self.group.wait().await.ok(),
        };
        let duration = asked.elapsed();
        let strays = self.settle(strays).await;
        StopReport {
            duration,
            exit_code: status.and_then(|status| status.code()),
            killed,
            strays,
        }
    }

    /// Kills it and what it started.
    pub(super) async fn kill(&mut self) {
        let strays = self.group.kill();
        self.settle(strays).await;
    }

    /// Ends strays, if nobody has, and the drains of the pipes.
    async fn settle(&mut self, strays: Option<usize>) -> usize {
        let strays = strays.unwrap_or_else(|| sweep(&self.folder));
        for drain in self.drains.drain(..) {
            let abort = drain.abort_handle();
            if tokio::time::timeout(Duration::from_millis(500), drain)
                .await
                .is_err()
            {
                abort.abort();
            }
        }
        strays
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.group.ended().is_none() {
            let strays = self.group.kill();
            strays.unwrap_or_else(|| sweep(&self.folder));
        }
    }
}
