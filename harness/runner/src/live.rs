//! A gateway that is up, with what belongs to its launch.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Context;
use super::proxies::Proxies;
use base::secret::Secrets;
use contract::scenario::model::Start;
use machine::launch::{Gateway, StopReport};
use machine::network::Network;
use machine::upstream::Upstream;
use record::observe::{Observation, observe_start};

/// A gateway that is up, with what belongs to its launch.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) proxies: Proxies,
    pub(super) gateway: Gateway,
    pub(super) upstream: Upstream,
    pub(super) secrets: Secrets,
    /// Removed last, when nothing runs in it any more.
    pub(super) network: Option<Arc<Network>>,
}

impl Live {
    /// Stops it.
    pub(super) async fn stop(self) -> StopReport {
        self.proxies.stop().await;
        self.gateway.stop().await
    }

    /// The folder of its launch.
    pub(super) fn folder(&self) -> &Path {
        self.gateway.folder()
    }

    /// Whether it still runs.
    pub(super) async fn is_up(&mut self) -> bool {
        let ended = tokio::time::timeout(Duration::ZERO, self.gateway.exited());
        ended.await.is_err()
    }

    /// That it started, as an answer.
    pub(super) fn started(&self, context: &Context) -> Observation {
        let (took, outcomes) = (self.gateway.ready_after(), &context.catalogue.outcomes);
        observe_start(Start::Up, None, "", "", took, outcomes)
    }
}
