//! A gateway's life: spawn, wait until it is ready, stop.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::error::{Exit, LaunchError};
use super::output::Output;
use super::port::Ports;
use super::ready::ready;
use super::spec::{Folders, LaunchSpec};
use super::strays::sweep;
use crate::process::Group;
use crate::redact::Redactor;
use crate::scenario::merge;
use crate::template::{TemplateError, expand, expand_json};

/// How long a gateway that has refused is given to end by itself.
const REFUSAL_GRACE: Duration = Duration::from_secs(3);
/// Words of a port that somebody else has taken.
const TAKEN: [&str; 3] = ["EADDRINUSE", "address already in use", "already listening"];
/// How often a launch is tried with other ports.
const PORT_TRIES: usize = 3;
/// Lines of the log in an error.
const LOG_LINES: usize = 12;

/// A running gateway. Dropping it kills it and everything it started.
#[derive(Debug)]
pub struct Gateway {
    group: Group,
    folders: Folders,
    ports: Ports,
    output: Output,
    drains: Vec<JoinHandle<()>>,
    redactor: Redactor,
    ready_after: Duration,
    spec: LaunchSpec,
}

/// What a gateway wrote; it outlives the gateway.
#[derive(Debug)]
pub struct GatewayLog {
    output: Output,
    redactor: Redactor,
}

impl GatewayLog {
    /// All lines that are kept, the first and the last ones, redacted.
    pub fn lines(&self) -> Vec<String> {
        self.output.clean_tail(usize::MAX, &self.redactor)
    }
}

/// How a gateway stopped.
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

/// Launches a gateway below `parent` and waits until it is ready.
///
/// # Errors
/// A [`LaunchError`]; nothing of the launch runs any more then.
pub async fn launch(
    spec: &LaunchSpec,
    parent: &Path,
    cancel: &CancellationToken,
) -> Result<Gateway, LaunchError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_launch(spec, parent, cancel).await {
            Err(LaunchError::Refused { log, .. })
                if tries < PORT_TRIES && TAKEN.iter().any(|word| log.contains(word)) => {}
            other => return other,
        }
    }
}

async fn try_launch(
    spec: &LaunchSpec,
    parent: &Path,
    cancel: &CancellationToken,
) -> Result<Gateway, LaunchError> {
    let prepare = |what: &'static str, error: String| LaunchError::Prepare {
        profile: spec.profile.clone(),
        what,
        error,
    };
    let folders = Folders::create(parent, &spec.profile)
        .map_err(|error| prepare("its folders", error.to_string()))?;
    let ports = Ports::take().map_err(|error| prepare("a free port", error.to_string()))?;
    let lookup = |name: &str| folders.lookup(spec, ports.port(), name);
    let config = expand_json(&spec.config, &lookup)
        .map_err(|error| prepare("its config", error.to_string()))?;
    write_private(&folders.config(), &config)
        .map_err(|error| prepare("its config", error.to_string()))?;
    let mut command =
        command(spec, &lookup).map_err(|error| prepare("its command", error.to_string()))?;
    command.current_dir(folders.root.join("workspace"));

    let started = Instant::now();
    let mut group = Group::spawn(&mut command).map_err(|error| {
        prepare(
            "starting it",
            format!("{}: {error}", spec.command.display()),
        )
    })?;
    let line = command_line(&command, &Redactor::new(&spec.secrets));
    tracing::debug!(profile = spec.profile, port = ports.port(), folder = %folders.root.display(), "spawned {line}");
    let output = Output::new(&spec.profile);
    let (stdout, stderr) = group.pipes();
    let drains = vec![
        tokio::spawn(output.clone().drain(stdout)),
        tokio::spawn(output.clone().drain(stderr)),
    ];
    let mut gateway = Gateway {
        group,
        folders,
        ports,
        output,
        drains,
        redactor: Redactor::new(&spec.secrets),
        ready_after: Duration::ZERO,
        spec: spec.clone(),
    };

    let refused = tokio::select! {
        biased;
        () = cancel.cancelled() => {
            gateway.stop().await;
            return Err(LaunchError::Cancelled(spec.profile.clone()));
        }
        exit = gateway.group.wait() => exit.ok().map(Exit::from).map(|exit| (exit.to_string(), exit.code)),
        line = refusal(gateway.output.clone(), &spec.refusals) => {
            let exit = tokio::time::timeout(REFUSAL_GRACE, gateway.group.wait()).await.ok().and_then(Result::ok);
            Some((gateway.redactor.text(&line).into_owned(), exit.and_then(|exit| exit.code())))
        }
        () = ready(gateway.ports.address(), &spec.ready) => None,
        () = tokio::time::sleep(spec.ready_timeout) => {
            gateway.group.kill();
            gateway.settle().await;
            return Err(LaunchError::NotReady {
                profile: spec.profile.clone(),
                seconds: spec.ready_timeout.as_secs_f64(),
                probes: spec.ready.join(", "),
                command: command_line(&command, &gateway.redactor),
                config: gateway.folders.config().display().to_string(),
                log: gateway.log_tail(LOG_LINES).join("\n"),
            });
        }
    };
    if let Some((reason, code)) = refused {
        gateway.group.kill();
        gateway.settle().await;
        return Err(LaunchError::Refused {
            profile: spec.profile.clone(),
            reason,
            code,
            command: command_line(&command, &gateway.redactor),
            config: gateway.folders.config().display().to_string(),
            log: gateway.log_tail(LOG_LINES).join("\n"),
            said: gateway.log_tail(usize::MAX).join("\n"),
            took: started.elapsed(),
        });
    }
    gateway.ready_after = started.elapsed();
    tracing::debug!(profile = spec.profile, after = ?gateway.ready_after, "ready");
    Ok(gateway)
}

impl Gateway {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.ports.address()
    }

    /// From spawning to the first good answer of a probe.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Merges something into its configuration file while it runs; placeholders are filled as at the start.
    ///
    /// # Errors
    /// The file cannot be read, is no JSON any more, or cannot be written; it is then as it was.
    pub fn change_config(&self, change: &serde_json::Value) -> std::io::Result<()> {
        let path = self.folders.config();
        let mut config: serde_json::Value = serde_json::from_slice(&fs_err::read(&path)?)?;
        let lookup = |name: &str| self.folders.lookup(&self.spec, self.ports.port(), name);
        let change = expand_json(change, &lookup).map_err(std::io::Error::other)?;
        merge(&mut config, change);
        let pending = path.with_extension("json.new");
        write_private(&pending, &config)?;
        fs_err::rename(&pending, &path)
    }

    /// Waits for its end, which nobody asked for.
    pub async fn exited(&mut self) -> Exit {
        match self.group.wait().await {
            Ok(status) => status.into(),
            Err(_) => Exit {
                code: None,
                signal: None,
            },
        }
    }

    /// The last lines that it wrote, redacted.
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        self.output.clean_tail(lines, &self.redactor)
    }

    /// What it writes, to be read once it has stopped.
    pub fn log(&self) -> GatewayLog {
        GatewayLog {
            output: self.output.clone(),
            redactor: self.redactor.clone(),
        }
    }

    /// Asks it to stop, waits for the grace, kills what is left.
    pub async fn stop(mut self) -> StopReport {
        let asked = Instant::now();
        self.group.terminate();
        let ended = tokio::time::timeout(self.spec.stop_grace, self.group.wait()).await;
        let killed = ended.is_err();
        // Members of the group may outlive its leader.
        self.group.kill();
        let status = match ended {
            Ok(status) => status.ok(),
            Err(_) => self.group.wait().await.ok(),
        };
        let duration = asked.elapsed();
        let strays = self.settle().await;
        let report = StopReport {
            duration,
            exit_code: status.and_then(|status| status.code()),
            killed,
            strays,
        };
        tracing::debug!(profile = self.spec.profile, ?report, "stopped");
        report
    }

    /// Ends strays and the drains of the pipes.
    async fn settle(&mut self) -> usize {
        let strays = sweep(&self.folders.root);
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

impl Drop for Gateway {
    fn drop(&mut self) {
        if self.group.ended().is_none() {
            self.group.kill();
            sweep(&self.folders.root);
        }
    }
}

fn command(
    spec: &LaunchSpec,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Command, TemplateError> {
    let mut command = Command::new(&spec.command);
    command.args(&spec.args).env_clear();
    for arg in &spec.profile_args {
        command.arg(expand(arg, lookup)?);
    }
    for (name, value) in &spec.env {
        command.env(name, expand(value, lookup)?);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = spec
        .path_dirs
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path));
    command.env(
        "PATH",
        std::env::join_paths(folders).unwrap_or(path.clone()),
    );
    Ok(command)
}

/// The command line as one would type it, redacted.
fn command_line(command: &Command, redactor: &Redactor) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    redactor.text(&words.join(" ")).into_owned()
}

/// Waits for a line by which the gateway says that it will not start.
async fn refusal(output: Output, refusals: &[String]) -> String {
    loop {
        if let Some(line) = output.find(refusals) {
            return line;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Writes a file that nobody else may read.
fn write_private(path: &Path, config: &serde_json::Value) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&serde_json::to_vec_pretty(config)?)
}
