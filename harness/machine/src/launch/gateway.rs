//! A gateway's life: spawn, wait until it is ready, stop.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::error::{Exit, LaunchError};
use super::output::Output;
use super::port::Ports;
use super::ready::{accepts, ready};
use super::running::{ProcessLog, Running, StopReport};
use super::spec::{Folders, LaunchSpec};
use crate::keeper;
use crate::send::Peer;
use base::redact::Redactor;
use base::template::{TemplateError, expand, expand_json};
use contract::scenario::merge;

/// How long after a gateway's end somebody who came from it may begin to serve.
const EXIT_GRACE: Duration = Duration::from_millis(200);
/// How long a gateway that has refused is given to end by itself, or to serve all the same.
const REFUSAL_GRACE: Duration = Duration::from_secs(5);
/// Words of a port that somebody else has taken.
pub(super) const TAKEN: [&str; 4] = [
    "EADDRINUSE",
    "address already in use",
    "Address already in use",
    "already listening",
];
/// How often a launch is tried with other ports.
pub(super) const PORT_TRIES: usize = 3;
/// Lines of the log in an error.
pub(super) const LOG_LINES: usize = 12;

/// A running gateway. Dropping it kills it and everything it started.
#[derive(Debug)]
pub struct Gateway {
    running: Running,
    folders: Folders,
    ports: Ports,
    ready_after: Duration,
    spec: LaunchSpec,
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
    if let Some(cache) = spec.compile_cache.clone() {
        let temp = folders.temp();
        let laid = tokio::task::spawn_blocking(move || cache.lay(&temp)).await;
        // Without it the gateway starts as well, and later.
        if let Err(error) = laid.map_err(std::io::Error::from).flatten() {
            tracing::warn!(%error, "the compile cache cannot be laid into the launch's folder");
        }
    }
    let ports = Ports::take().map_err(|error| prepare("a free port", error.to_string()))?;
    let lookup = |name: &str| folders.lookup(spec, ports.port(), name);
    let config = expand_json(&spec.config, &lookup)
        .map_err(|error| prepare("its config", error.to_string()))?;
    write_json(&folders.config(), &config)
        .map_err(|error| prepare("its config", error.to_string()))?;
    for (name, text) in &spec.files {
        let text =
            expand(text, &lookup).map_err(|error| prepare("its files", error.to_string()))?;
        let path = folders.root.join("home").join(name);
        write_below(&path, text.as_bytes())
            .map_err(|error| prepare("its files", error.to_string()))?;
    }
    let mut command = command(spec, &folders.root, &lookup)
        .map_err(|error| prepare("its command", error.to_string()))?;
    command.current_dir(folders.root.join("workspace"));

    let started = Instant::now();
    let redactor = spec.redactor.clone();
    let line = command_line(&command, &redactor);
    let running = Running::spawn(&mut command, &spec.profile, &folders.root, redactor);
    let running = running.map_err(|error| {
        prepare(
            "starting it",
            format!("{}: {error}", spec.command.display()),
        )
    })?;
    tracing::debug!(profile = spec.profile, port = ports.port(), folder = %folders.root.display(), "spawned {line}");
    let mut gateway = Gateway {
        running,
        folders,
        ports,
        ready_after: Duration::ZERO,
        spec: spec.clone(),
    };
    let peer = gateway.peer();
    // Of a source in a trusted range, a gateway wants to know whom it speaks for.
    let prober = gateway.peer_past_proxies();
    let output = gateway.running.output().clone();

    let refused = tokio::select! {
        biased;
        () = cancel.cancelled() => {
            gateway.stop().await;
            return Err(LaunchError::Cancelled(spec.profile.clone()));
        }
        exit = gateway.running.exited() => {
            // What it left behind may serve in its place. Where somebody else had the port, that is not it.
            let serves = tokio::time::timeout(EXIT_GRACE, accepts(&peer)).await.is_ok();
            let log = gateway.log_tail(LOG_LINES).join("\n");
            let taken = TAKEN.iter().any(|word| log.contains(word));
            (taken || !serves).then(|| (exit.to_string(), exit.code))
        }
        said = refusal(output, &spec.refusals) => {
            // Whoever says so and serves all the same has started.
            tokio::select! {
                biased;
                exit = gateway.running.exited() => Some((said, exit.code)),
                () = accepts(&peer) => None,
                () = tokio::time::sleep(REFUSAL_GRACE) => Some((said, None)),
            }
        }
        () = ready(&prober, &spec.ready) => None,
        () = tokio::time::sleep(spec.ready_timeout) => {
            gateway.running.kill().await;
            return Err(LaunchError::NotReady {
                profile: spec.profile.clone(),
                seconds: spec.ready_timeout.as_secs_f64(),
                probes: spec.ready.join(", "),
                command: line,
                config: gateway.folders.config().display().to_string(),
                log: gateway.log_tail(LOG_LINES).join("\n"),
            });
        }
    };
    if let Some((reason, code)) = refused {
        gateway.running.kill().await;
        return Err(LaunchError::Refused {
            profile: spec.profile.clone(),
            reason,
            code,
            command: line,
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
    /// Where it listens, for somebody who stands where a proxy does.
    pub fn peer(&self) -> Peer {
        let port = self.ports.port();
        match &self.spec.network {
            Some(network) => network.gateway_for_proxies(port),
            None => self.ports.address().into(),
        }
    }

    /// Where it listens, for a caller who comes past the proxies.
    pub fn peer_past_proxies(&self) -> Peer {
        let port = self.ports.port();
        match &self.spec.network {
            Some(network) => network.gateway_past_proxies(port),
            None => self.ports.address().into(),
        }
    }

    /// Where it listens, for a caller on its own machine who does not use the loopback.
    pub fn peer_at_gateway(&self) -> Peer {
        let port = self.ports.port();
        match &self.spec.network {
            Some(network) => network.gateway_for_itself(port),
            None => self.ports.address().into(),
        }
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
        let mut config: serde_json::Value = serde_json::from_slice(&read_config(&path)?)?;
        let lookup = |name: &str| self.folders.lookup(&self.spec, self.ports.port(), name);
        let change = expand_json(change, &lookup).map_err(std::io::Error::other)?;
        merge(&mut config, change);
        let pending = path.with_extension("json.new");
        write_json(&pending, &config)?;
        fs_err::rename(&pending, &path)
    }

    /// Waits for its end, which nobody asked for.
    pub async fn exited(&mut self) -> Exit {
        self.running.exited().await
    }

    /// The last lines that it wrote, redacted.
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        self.running.log_tail(lines)
    }

    /// What it writes, to be read once it has stopped.
    pub fn log(&self) -> ProcessLog {
        self.running.log()
    }

    /// Hides the secrets of its launch.
    pub fn redactor(&self) -> &Redactor {
        &self.spec.redactor
    }

    /// The folder of its launch.
    pub fn folder(&self) -> &Path {
        &self.folders.root
    }

    /// The temporary folder in it.
    pub fn temp(&self) -> PathBuf {
        self.folders.temp()
    }

    /// Asks it to stop, waits for the grace, kills what is left.
    pub async fn stop(self) -> StopReport {
        let report = self.running.stop(self.spec.stop_grace).await;
        tracing::debug!(profile = self.spec.profile, ?report, "stopped");
        report
    }
}

fn command(
    spec: &LaunchSpec,
    folder: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Command, TemplateError> {
    let mut command = match &spec.network {
        Some(network) => network.gateway.command(&spec.command, folder),
        None => keeper::command(&spec.command, Some(folder)),
    };
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
pub(super) fn command_line(command: &Command, redactor: &Redactor) -> String {
    redactor
        .text(&keeper::words(command).join(" "))
        .into_owned()
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

/// Reads a configuration that a gateway may have replaced by anything.
fn read_config(path: &Path) -> std::io::Result<Vec<u8>> {
    const LARGEST: u64 = 1024 * 1024;
    let data = fs_err::symlink_metadata(path)?;
    match data.is_file() && data.len() <= LARGEST {
        true => fs_err::read(path),
        false => Err(std::io::Error::other(
            "the gateway has put something else in its place",
        )),
    }
}

fn write_json(path: &Path, config: &serde_json::Value) -> std::io::Result<()> {
    write_private(path, &serde_json::to_vec_pretty(config)?)
}

/// Writes a file that nobody else may read, and makes the folders that it lies in.
fn write_below(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_private(path, bytes)
}

/// Writes a file that nobody else may read.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}
