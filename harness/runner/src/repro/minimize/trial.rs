//! One try: launch a gateway with what is left, ask it, and see whether the deviation still shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::reduce::candidates;
use super::{Bench, MinimizeError};
use crate::repro::Repro;
use base::redact::Redactor;
use base::secret::random_secret;
use contract::request::{Place, Written, fill};
use contract::scenario::model::{Outcome, Protocol, Start};
use machine::install::Program;
use machine::launch::{Gateway, LaunchError, LaunchSpec, launch};
use machine::send::{send, websocket};
use machine::upstream::Upstream;
use record::observe::{Observation, observe, observe_start};

/// What must stay the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sight {
    pub(super) outcome: Option<String>,
    status: Option<u16>,
    start: Option<Start>,
    error_type: Option<String>,
    message: Option<String>,
    model_calls: Option<u32>,
}

impl From<Observation> for Sight {
    fn from(seen: Observation) -> Self {
        Self {
            // Why a gateway does not start is told with paths and places, so only the named reason counts.
            message: seen.message.filter(|_| seen.start.is_none()),
            outcome: seen.outcome,
            status: seen.status,
            start: seen.start,
            error_type: seen.error_type,
            model_calls: seen.model_calls,
        }
    }
}

/// What a gateway must answer.
pub(super) enum Want {
    /// The same as the whole cell.
    Same(Sight),
    /// What the rule asks for.
    Outcome(Option<String>),
}

impl Want {
    pub(super) fn is_met(&self, seen: &Sight) -> bool {
        match self {
            Self::Same(whole) => seen == whole,
            Self::Outcome(outcome) => outcome.is_some() && seen.outcome == *outcome,
        }
    }
}

pub(super) struct Trial<'a> {
    pub(super) repro: &'a Repro,
    pub(super) bench: &'a Bench<'a>,
}

/// A running gateway with what is needed to ask it.
pub(super) struct Running {
    gateway: Gateway,
    upstream: Upstream,
    secrets: BTreeMap<String, String>,
    /// Removed as soon as this is dropped: releases leave thousands of files, and there are dozens of launches.
    _folder: tempfile::TempDir,
}

impl Trial<'_> {
    pub(super) fn unasked(&self, why: String) -> MinimizeError {
        if self.bench.cancel.is_cancelled() {
            return MinimizeError::Cancelled;
        }
        MinimizeError::Unasked {
            cell: self.repro.cell.clone(),
            why,
        }
    }

    pub(super) fn check(&self) -> Result<(), MinimizeError> {
        if self.bench.cancel.is_cancelled() {
            return Err(MinimizeError::Cancelled);
        }
        Ok(())
    }

    pub(super) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.bench.outcomes.iter().map(Arc::as_ref)
    }

    /// Whether every gateway answers as it must.
    pub(super) async fn holds(
        &self,
        sides: &[(&Program, Want)],
        config: &Value,
        repro: &Repro,
    ) -> bool {
        for (program, want) in sides {
            let seen = self.see(program, config, repro).await;
            if !seen.is_ok_and(|seen| want.is_met(&seen)) {
                return false;
            }
        }
        true
    }

    /// Launches a configuration and asks what a reproduction asks.
    pub(super) async fn see(
        &self,
        program: &Program,
        config: &Value,
        repro: &Repro,
    ) -> Result<Sight, String> {
        let running = match self.start(program, config, repro).await {
            Ok(running) => running,
            Err(LaunchError::Refused {
                reason, said, took, ..
            }) if repro.steps.is_empty() => {
                let seen = observe_start(Start::Refused, &reason, &said, took, self.outcomes());
                return Ok(seen.into());
            }
            Err(error) => return Err(error.to_string()),
        };
        let seen = match repro.steps.last() {
            None => Ok(observe_start(Start::Up, "", "", Duration::ZERO, self.outcomes()).into()),
            Some(step) => self.ask(&running, &step.request, step.protocol).await,
        };
        running.gateway.stop().await;
        seen
    }

    async fn start(
        &self,
        program: &Program,
        config: &Value,
        repro: &Repro,
    ) -> Result<Running, LaunchError> {
        let upstream = Upstream::start().map_err(|error| LaunchError::Prepare {
            profile: "minimal".to_owned(),
            what: "the model stand-in",
            error: error.to_string(),
        })?;
        let secrets: BTreeMap<String, String> = repro
            .secrets
            .iter()
            .map(|name| (name.clone(), random_secret()))
            .collect();
        let how = &repro.launches[0];
        let spec = LaunchSpec {
            profile: "minimal".to_owned(),
            command: program.command.clone(),
            args: program.args.clone(),
            path_dirs: program.path_dirs.clone(),
            profile_args: how.args.clone(),
            env: how.env.clone(),
            config: config.clone(),
            secrets: secrets.clone(),
            upstream_url: upstream.base_url(),
            ready: repro.ready.clone(),
            refusals: repro.refusals.clone(),
            ready_timeout: self.bench.ready_timeout,
            stop_grace: Duration::from_secs(5),
            network: None,
        };
        // A folder of its own for each launch: what one leaves behind is no part of the next.
        let folder =
            tempfile::tempdir_in(self.bench.folder).map_err(|error| LaunchError::Prepare {
                profile: spec.profile.clone(),
                what: "a folder",
                error: error.to_string(),
            })?;
        let gateway = launch(&spec, folder.path(), self.bench.cancel).await?;
        Ok(Running {
            gateway,
            upstream,
            secrets,
            _folder: folder,
        })
    }

    async fn ask(
        &self,
        running: &Running,
        request: &Written,
        protocol: Protocol,
    ) -> Result<Sight, String> {
        let canary = running.upstream.new_canary();
        let peer = running.gateway.peer();
        let place = Place {
            secrets: &running.secrets,
            canary: &canary,
            port: peer.address.port(),
        };
        let request = fill(request.clone(), &place).map_err(|error| error.to_string())?;
        let timeout = self.bench.timeout;
        let sent = async {
            match protocol {
                Protocol::Http => send(peer, request, timeout).await,
                Protocol::Websocket => websocket(peer, request, timeout).await,
            }
        };
        let exchange = tokio::select! {
            () = self.bench.cancel.cancelled() => return Err("interrupted".to_owned()),
            sent = sent => sent.map_err(|error| error.to_string())?,
        };
        let calls = running.upstream.calls(&canary);
        let redactor = Redactor::new(&running.secrets);
        Ok(observe(&exchange, calls, &canary, &redactor, self.outcomes()).into())
    }

    /// Takes header lines and fields of the body away, one at a time, on one launch of each gateway.
    pub(super) async fn requests(
        &self,
        small: &mut Repro,
        sides: &[(&Program, Want)],
    ) -> Result<(), MinimizeError> {
        let config = small.launches[0].config.clone();
        let mut running = Vec::new();
        for (program, want) in sides {
            let gateway = self.start(program, &config, small).await;
            running.push((
                gateway.map_err(|error| self.unasked(error.to_string()))?,
                want,
            ));
        }
        let Some(step) = small.steps.last_mut() else {
            return Ok(());
        };
        for (name, candidate) in candidates(&step.request) {
            // Later candidates must go without what earlier ones have done without.
            let mut smaller = step.request.clone();
            candidate(&mut smaller);
            if smaller == step.request {
                continue;
            }
            let mut same = true;
            for (gateway, want) in &running {
                same = same
                    && self
                        .ask(gateway, &smaller, step.protocol)
                        .await
                        .is_ok_and(|seen| want.is_met(&seen));
            }
            let word = if same { "still shows" } else { "too little" };
            (self.bench.say)(&format!("without {name}: {word}"));
            if same {
                step.request = smaller;
                small.removed.push(name);
            }
        }
        for (running, _) in running {
            running.gateway.stop().await;
        }
        self.check()
    }
}
