//! A proxy's life: spawn, wait until it accepts connections, stop.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::error::{Exit, LaunchError};
use super::gateway::{LOG_LINES, PORT_TRIES, TAKEN, command_line, write_private};
use super::port::Ports;
use super::ready::accepts;
use super::running::{ProcessLog, Running};
use crate::keeper;
use crate::network::Network;
use crate::send::Peer;
use crate::which::which;
use base::redact::Redactor;
use base::secret::{ExposeSecret as _, Secrets};
use base::template::expand;
use contract::scenario::Proxy;

/// How long a proxy may take until it accepts connections; it takes milliseconds.
const READY: Duration = Duration::from_secs(20);
/// How long a proxy may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Which proxy to start, and before which gateway.
#[derive(Debug)]
pub struct ProxySpec<'a> {
    /// The proxy.
    pub proxy: &'a Proxy,
    /// The gateway, as seen from where the proxy is.
    pub gateway: SocketAddr,
    /// The launch's secrets by name.
    pub secrets: &'a Secrets,
    /// Hides them.
    pub redactor: &'a Redactor,
    /// The network of the launch; `None` for the machine's own, on the loopback.
    pub network: Option<&'a Arc<Network>>,
}

/// A running proxy. Dropping it kills it and everything it started.
#[derive(Debug)]
pub struct RunningProxy {
    running: Running,
    peer: Peer,
    id: String,
    _ports: Ports,
}

/// Starts a proxy below the launch's `folder` and waits until it accepts connections.
///
/// # Errors
/// A [`LaunchError`] about the proxy; nothing of it runs any more then.
pub async fn launch_proxy(
    spec: &ProxySpec<'_>,
    folder: &Path,
    cancel: &CancellationToken,
) -> Result<RunningProxy, LaunchError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_launch(spec, folder, cancel).await {
            Err(LaunchError::Proxy { log, .. })
                if tries < PORT_TRIES && TAKEN.iter().any(|word| log.contains(word)) => {}
            other => return other,
        }
    }
}

async fn try_launch(
    spec: &ProxySpec<'_>,
    folder: &Path,
    cancel: &CancellationToken,
) -> Result<RunningProxy, LaunchError> {
    let proxy = spec.proxy;
    let prepare = |what: &'static str, error: String| LaunchError::PrepareProxy {
        proxy: proxy.id.clone(),
        what,
        error,
    };
    let folder = folder.join(format!("proxy-{}", proxy.id));
    fs_err::create_dir_all(&folder).map_err(|error| prepare("its folder", error.to_string()))?;
    let ports = Ports::take().map_err(|error| prepare("a free port", error.to_string()))?;
    let peer = match spec.network {
        Some(network) => network.proxy_for_callers(ports.port()),
        None => SocketAddr::from((Ipv4Addr::LOCALHOST, ports.port())).into(),
    };
    let config_file = folder.join("proxy.conf");
    let text = |path: &Path| Some(path.to_string_lossy().into_owned());
    let lookup = |name: &str| match name {
        "listen" => Some(peer.address.to_string()),
        "listen-address" => Some(peer.address.ip().to_string()),
        "listen-port" => Some(peer.address.port().to_string()),
        "gateway" => Some(spec.gateway.to_string()),
        "folder" => text(&folder),
        "config" => text(&config_file),
        secret => spec
            .secrets
            .get(secret)
            .map(|secret| secret.expose_secret().to_owned()),
    };
    let configuration = |error: String| prepare("its configuration", error);
    let config =
        expand(&proxy.config, &lookup).map_err(|error| configuration(error.to_string()))?;
    write_private(&config_file, config.as_bytes())
        .map_err(|error| configuration(error.to_string()))?;
    let program = which(&proxy.program).ok_or_else(|| {
        let what = format!("no `{}` on PATH: {}", proxy.program, proxy.install);
        prepare("starting it", what)
    })?;
    let mut command = match spec.network {
        Some(network) => network.proxy.command(&program, &folder),
        None => keeper::command(&program, Some(&folder)),
    };
    command.env_clear().current_dir(&folder);
    for arg in &proxy.args {
        command.arg(expand(arg, &lookup).map_err(|error| configuration(error.to_string()))?);
    }
    // Some look for a home, and all that a proxy starts is known by its folder.
    for name in ["HOME", "TMPDIR"] {
        command.env(name, &folder);
    }
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());

    let redactor = spec.redactor;
    let line = command_line(&command, redactor);
    let started = Instant::now();
    let running = Running::spawn(&mut command, &proxy.id, &folder, redactor.clone());
    let mut running =
        running.map_err(|error| prepare("starting it", format!("{line}: {error}")))?;
    let failed = tokio::select! {
        biased;
        () = cancel.cancelled() => {
            running.stop(GRACE).await;
            return Err(LaunchError::Cancelled(format!("proxy {}", proxy.id)));
        }
        exit = running.exited() => Some(exit.to_string()),
        () = accepts(&peer) => None,
        () = tokio::time::sleep(READY) => Some(format!("it accepted no connection within {} s", READY.as_secs())),
    };
    if let Some(reason) = failed {
        running.kill().await;
        return Err(LaunchError::Proxy {
            proxy: proxy.id.clone(),
            reason,
            command: line,
            config: config_file.display().to_string(),
            log: running.log_tail(LOG_LINES).join("\n"),
        });
    }
    tracing::debug!(proxy = proxy.id, after = ?started.elapsed(), "accepts connections");
    Ok(RunningProxy {
        running,
        peer,
        id: proxy.id.clone(),
        _ports: ports,
    })
}

impl RunningProxy {
    /// Where callers connect to it, and from where.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Its end, if it has come; nobody asked for it.
    pub fn ended(&mut self) -> Option<Exit> {
        self.running.ended()
    }

    /// The last lines that it wrote, redacted.
    pub fn log_tail(&self) -> Vec<String> {
        self.running.log_tail(LOG_LINES)
    }

    /// What it writes, to be read once it has stopped.
    pub fn log(&self) -> ProcessLog {
        self.running.log()
    }

    /// Asks it to stop, waits for the grace, kills what is left.
    pub async fn stop(self) {
        let report = self.running.stop(GRACE).await;
        tracing::debug!(proxy = self.id, ?report, "stopped");
    }
}
