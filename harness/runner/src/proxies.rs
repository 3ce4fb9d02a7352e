//! The proxies before one gateway: started when a cell goes through one, and kept as long as the gateway.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use base::redact::Redactor;
use base::secret::Secrets;
use contract::plan::{PlannedCell, PlannedCells, Way};
use contract::scenario::{Catalogue, Proxy};
use machine::launch::{Exit, LaunchError, ProxySpec, RunningProxy, launch_proxy};
use machine::network::Network;
use machine::send::Peer;

/// Proxies by id.
#[derive(Debug, Default)]
pub(super) struct Proxies(BTreeMap<String, Entry>);

/// A proxy that was started.
#[derive(Debug)]
struct Entry {
    /// What it was started from.
    proxy: Proxy,
    /// It, or why it does not run.
    running: Result<Mutex<RunningProxy>, String>,
}

/// The launch that proxies belong to.
pub(super) struct Place<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// The gateway, as seen from where proxies are.
    pub(super) gateway: SocketAddr,
    /// The launch's folder.
    pub(super) folder: &'a Path,
    pub(super) secrets: &'a Secrets,
    pub(super) redactor: &'a Redactor,
    pub(super) network: Option<&'a Arc<Network>>,
}

impl Proxies {
    /// Starts the proxies that cells go through and that do not run yet, or run in another configuration; the errors of
    /// those that do not start.
    pub(super) async fn start(
        &mut self,
        cells: &PlannedCells,
        place: &Place<'_>,
        cancel: &CancellationToken,
    ) -> Vec<LaunchError> {
        let mut errors = Vec::new();
        for PlannedCell { cell, .. } in cells.iter() {
            let Way::Through(id) = cell.way() else {
                continue;
            };
            let Some(proxy) = place.catalogue.proxies.get(id) else {
                continue;
            };
            let serves = |known: &Entry| known.proxy == *proxy && known.exit().is_none();
            if self.0.get(id).is_some_and(serves) {
                continue;
            }
            if let Some(old) = self.0.remove(id)
                && let Ok(running) = old.running
            {
                into_inner(running).stop().await;
            }
            let spec = ProxySpec {
                proxy,
                gateway: place.gateway,
                secrets: place.secrets,
                redactor: place.redactor,
                network: place.network,
            };
            let started = launch_proxy(&spec, place.folder, cancel).await;
            let running = match started {
                Ok(running) => Ok(Mutex::new(running)),
                Err(error) => {
                    let reason = error.brief();
                    if !cancel.is_cancelled() {
                        errors.push(error);
                    }
                    Err(reason)
                }
            };
            let proxy = proxy.clone();
            self.0.insert(id.to_owned(), Entry { proxy, running });
        }
        errors
    }

    /// Where callers connect to a proxy.
    ///
    /// # Errors
    /// Why it does not run.
    pub(super) fn peer(&self, id: &str) -> Result<Peer, String> {
        match self.0.get(id).map(|entry| &entry.running) {
            Some(Ok(running)) => Ok(lock(running).peer().clone()),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err(format!("proxy {id} was not started")),
        }
    }

    /// Whether a proxy that ran does not any more.
    pub(super) fn has_ended(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|entry| entry.exit().is_some())
    }

    /// The proxies that ran and do not any more: how each ended, and what it said last.
    pub(super) fn ended(&self) -> Vec<String> {
        self.0
            .iter()
            .filter_map(|(id, entry)| {
                let exit = entry.exit()?;
                let running = entry.running.as_ref().ok()?;
                let log = lock(running).log_tail().join("\n");
                Some(format!(
                    "proxy {id} ended while it was asked: {exit}\nlast lines of its log:\n{log}"
                ))
            })
            .collect()
    }

    /// Stops all of them; what they wrote.
    pub(super) async fn stop(self) -> Vec<String> {
        let mut said = Vec::new();
        for (id, entry) in self.0 {
            let Ok(running) = entry.running else { continue };
            let running = into_inner(running);
            let log = running.log();
            running.stop().await;
            said.extend(log.lines().iter().map(|line| format!("proxy {id}: {line}")));
        }
        said
    }
}

impl Entry {
    /// How it ended, if it ran and does not any more.
    fn exit(&self) -> Option<Exit> {
        lock(self.running.as_ref().ok()?).ended()
    }
}

fn lock(running: &Mutex<RunningProxy>) -> std::sync::MutexGuard<'_, RunningProxy> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner(running: Mutex<RunningProxy>) -> RunningProxy {
    running.into_inner().unwrap_or_else(PoisonError::into_inner)
}
