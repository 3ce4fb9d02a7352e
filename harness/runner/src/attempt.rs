//! One attempt: start the gateway, ask cells, stop it or keep it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::ask::{Answers, Asker};
use super::live::Live;
use super::proxies::Proxies;
use super::seen::{AllSeen, Missed, Seen, complete, is_start, starved};
use super::slots::Slots;
use super::target::Target;
use super::verdicts::{Settled, settle};
use super::{Context, RunEvent};
use base::redact::Redactor;
use base::secret::Secrets;
use contract::plan::PlannedCells;
use contract::scenario::Launch;
use contract::scenario::Outcomes;
use contract::scenario::model::Start;
use machine::clients::Staying;
use machine::install::CompileCache;
use machine::launch::{LaunchError, LaunchSpec, launch};
use machine::network::Network;
use machine::send::Connections;
use machine::upstream::Upstream;
use record::events::{LaunchInfo, LaunchLog};
use record::judge::Proof;
use record::observe::observe_start;

/// How long a gateway that answers no more is given to show that it has ended: that says more than its silence.
const LAST_WORD: Duration = Duration::from_secs(1);
/// How long after the last denial a call of the model is waited for, before the gateway is stopped.
const LATE: Duration = Duration::from_millis(1500);
/// How long what a stopped gateway left behind may stay connected to the model.
const CLOSING: Duration = Duration::from_secs(2);
/// How long a call may still come once nobody is connected.
const AFTERMATH: Duration = Duration::from_millis(100);

/// What came of asking.
struct Asked {
    answers: Answers,
    /// When the last caller was denied, or told that its work is done later.
    denied: Option<Instant>,
}

/// One attempt to launch a profile and to ask its cells.
pub(super) struct Attempt<'a> {
    pub(super) context: &'a Arc<Context>,
    pub(super) target: &'a Target,
    pub(super) profile: &'a str,
    pub(super) config: &'a Launch,
    /// From 1.
    pub(super) number: u32,
    /// Whether another one follows if this one fails.
    pub(super) again: bool,
}

impl Attempt<'_> {
    /// Starts, asks, stops: what was seen, cell by cell, and whether a denial proves anything.
    pub(super) async fn run(&self, cells: &PlannedCells, slots: &Slots) -> (AllSeen, Proof) {
        let slot = slots.take().await;
        let mut live = match self.start(cells).await {
            Ok(live) => live,
            Err(seen) => {
                self.clear(None).await;
                return (seen, Proof::Shown);
            }
        };
        let (asked, died) = self.ask(cells, &mut live, true).await;
        let _settling = slot.settle().await;
        let (waited, gone) = self
            .wait_for_late_calls(&asked, &mut live, died.is_none())
            .await;
        let died = died.or(gone);
        let started = live.started(self.context);
        let ready = live.gateway.ready_after();
        let Live {
            proxies,
            gateway,
            upstream,
            network,
            ..
        } = live;
        let (log, temp) = (gateway.log(), gateway.temp());
        let said = proxies.stop().await;
        let stopped = gateway.stop().await;
        drop(network);
        let log = [log.lines(), said].concat();
        let open = upstream.closed(CLOSING).await;
        if !waited.is_zero() {
            tokio::time::sleep(AFTERMATH).await;
        }
        let Settled {
            mut seen,
            proof,
            model,
        } = settle(
            asked.answers,
            cells,
            &self.target.version,
            &upstream,
            waited,
            open,
        );
        let failure = upstream.failure().map(str::to_owned);
        let starved = failure.or_else(|| starved(&log, &seen));
        let (release, why) = (&self.target.version, starved.as_deref());
        complete(&mut seen, cells, release, &started, why);
        let chatted = died.is_none() && model.calls > 0;
        self.clear(chatted.then_some(temp)).await;
        let doubt = model.doubt();
        for why in starved.iter().chain(&doubt) {
            self.failed(format!("profile {}: {why}", self.profile), None);
        }
        self.context.emit(RunEvent::LaunchEnded(LaunchInfo {
            gateway: self.target.gateway.clone(),
            profile: self.profile.to_owned(),
            attempt: self.number,
            ready: Some(ready),
            stop: Some(stopped.duration),
            exit: stopped.exit_code,
            killed: stopped.killed,
            failure: died.or(starved).or(doubt),
            proof: Some(proof),
            model: Some(model),
            log: self.log(log),
        }));
        (seen, proof)
    }

    /// Asks a gateway that is up and stays so.
    pub(super) async fn ask_and_keep(
        &self,
        cells: &PlannedCells,
        live: &mut Live,
    ) -> (AllSeen, Proof) {
        let (asked, _) = self.ask(cells, live, true).await;
        let (waited, _) = self.wait_for_late_calls(&asked, live, true).await;
        let (release, upstream) = (&self.target.version, &live.upstream);
        let Settled {
            mut seen, proof, ..
        } = settle(asked.answers, cells, release, upstream, waited, 0);
        let started = live.started(self.context);
        complete(&mut seen, cells, release, &started, upstream.failure());
        (seen, proof)
    }

    /// Asks a gateway that is up and stays so, without a positive control and without waiting for late calls of the model.
    pub(super) async fn ask_at_once(&self, cells: &PlannedCells, live: &mut Live) -> Vec<Seen> {
        let (asked, _) = self.ask(cells, live, false).await;
        let seen = &asked.answers.cells;
        (0..cells.len()).map(|place| seen.get(place)).collect()
    }

    /// Starts the gateway; what was seen instead where it does not start.
    pub(super) async fn start(&self, cells: &PlannedCells) -> Result<Live, AllSeen> {
        let not_asked = || AllSeen::of(cells, |_| Err(Missed::NotAsked));
        if self.context.cancel.is_cancelled() {
            return Err(not_asked());
        }
        self.context.emit(RunEvent::LaunchStarted {
            gateway: self.target.gateway.clone(),
            profile: self.profile.to_owned(),
        });
        let (network, upstream) = match self.surroundings() {
            Ok(surroundings) => surroundings,
            Err(error) => return Err(self.not_started(cells, &error)),
        };
        let secrets: Secrets = self
            .context
            .catalogue
            .base
            .secrets
            .iter()
            .map(|name| (name.clone(), base::secret::random_secret().into()))
            .collect();
        let redactor = Redactor::new(&secrets);
        machine::log::hide(&redactor);
        let spec = self.spec(&secrets, redactor, &upstream, network.clone());
        match launch(&spec, &self.place(), &self.context.cancel).await {
            Ok(gateway) => {
                self.context.emit(RunEvent::LaunchReady {
                    gateway: self.target.gateway.clone(),
                    profile: self.profile.to_owned(),
                    after: gateway.ready_after(),
                });
                Ok(Live {
                    proxies: Proxies::default(),
                    gateway,
                    upstream,
                    secrets,
                    network,
                })
            }
            Err(_) if self.context.cancel.is_cancelled() => {
                self.ended(None, None, LaunchLog::default());
                Err(not_asked())
            }
            Err(error) => Err(self.not_started(cells, &error)),
        }
    }

    /// The network of the launch, if it has one of its own, and the model stand-in in it.
    fn surroundings(&self) -> Result<(Option<Arc<Network>>, Upstream), Box<LaunchError>> {
        let failed = |what: &'static str, error: String| {
            Box::new(LaunchError::Prepare {
                profile: self.profile.to_owned(),
                what,
                error,
            })
        };
        let model = |error: std::io::Error| failed("the model stand-in", error.to_string());
        let profile = self.context.catalogue.profiles.get(self.profile);
        let own_calls = profile.map_or(&[][..], |profile| &profile.own_calls);
        if !profile.is_some_and(|profile| profile.own_network) {
            let upstream = Upstream::start().map_err(model)?;
            upstream.expect_own(own_calls);
            return Ok((None, upstream));
        }
        let network = Network::build().map_err(|error| failed("its network", error.to_string()))?;
        let upstream = Upstream::start_within(&network.gateway).map_err(model)?;
        upstream.expect_own(own_calls);
        Ok((Some(Arc::new(network)), upstream))
    }

    /// Asks a gateway that is up; also says why it, or a proxy before it, is not any more.
    async fn ask(
        &self,
        cells: &PlannedCells,
        live: &mut Live,
        control: bool,
    ) -> (Asked, Option<String>) {
        let place = super::proxies::Place {
            catalogue: &self.context.catalogue,
            gateway: live.gateway.peer().address,
            folder: live.gateway.folder(),
            secrets: &live.secrets,
            redactor: live.gateway.redactor(),
            network: live.network.as_ref(),
        };
        let cancel = &self.context.cancel;
        let mut failure = None;
        for error in live.proxies.start(cells, &place, cancel).await {
            failure.get_or_insert_with(|| error.brief());
            self.failed(format!("profile {}: {error}", self.profile), error.help());
        }
        let asker = Asker {
            context: self.context,
            target: self.target,
            profile: self.profile,
            peer: live.gateway.peer(),
            past_proxies: live.gateway.peer_past_proxies(),
            at_gateway: live.gateway.peer_at_gateway(),
            proxies: &live.proxies,
            has_control: control,
            connections: Connections::default(),
            redactor: live.gateway.redactor().clone().with_folder(&self.folder()),
            upstream: &live.upstream,
            secrets: &live.secrets,
            ended: CancellationToken::new(),
            why: std::sync::OnceLock::new(),
            silences: AtomicUsize::new(0),
            folder: self.place().join(self.profile),
            staying: Staying::default(),
            failures: std::sync::Mutex::default(),
            denied: std::sync::Mutex::default(),
            earlier: std::sync::Mutex::default(),
            last_step: CancellationToken::new(),
        };
        let gateway = &mut live.gateway;
        let answers = asker.ask_all(cells, gateway).await;
        // Whoever has ended has failed, even if nobody has noticed yet: the last request may be the one that did it.
        let why = asker.why.get().cloned();
        let is_silent = why.is_some() || asker.silences.load(Ordering::Relaxed) > 0;
        let patience = if is_silent { LAST_WORD } else { Duration::ZERO };
        let died = match tokio::time::timeout(patience, gateway.exited()).await {
            Ok(exit) => Some(format!("the gateway ended while it was asked: {exit}")),
            Err(_) => why,
        };
        if let Some(reason) = &died
            && !self.context.cancel.is_cancelled()
        {
            let (profile, name) = (self.profile, &self.target.gateway);
            let log = gateway.log_tail(12).join("\n");
            self.failed(
                format!("profile {profile}: {reason}\nlast lines of its log:\n{log}"),
                Some(format!("look at it alone: clawgauge run --where profile={profile} --gateway {name} --keep-temp")),
            );
        }
        for reason in live.proxies.ended() {
            let profile = self.profile;
            failure.get_or_insert_with(|| reason.lines().next().unwrap_or_default().to_owned());
            self.failed(
                format!("profile {profile}: {reason}"),
                Some(format!(
                    "look at it alone: clawgauge run --where profile={profile} --keep-temp"
                )),
            );
        }
        let denied = *asker.denied.lock().unwrap_or_else(PoisonError::into_inner);
        (Asked { answers, denied }, died.or(failure))
    }

    /// Gives a gateway that has denied somebody the time to call its model all the same; how long that was at least, and that
    /// it ended meanwhile, if it did.
    ///
    /// The reference gateway is part of clawgauge, and makes no call after its answer; a gateway that is not told where the
    /// model is cannot make one.
    async fn wait_for_late_calls(
        &self,
        asked: &Asked,
        live: &mut Live,
        is_up: bool,
    ) -> (Duration, Option<String>) {
        let own = &self.context.options.install.reference.command;
        let can_call = self.target.program.command != *own && self.config.knows_model();
        let Some(denied) = asked.denied.filter(|_| can_call) else {
            return (Duration::ZERO, None);
        };
        tokio::select! {
            () = self.context.interrupted.cancelled() => (Duration::ZERO, None),
            () = tokio::time::sleep(LATE.saturating_sub(denied.elapsed())) => (LATE, None),
            exit = live.gateway.exited(), if is_up => {
                let why = format!("the gateway ended while late calls of its model were waited for: {exit}");
                self.failed(format!("profile {}: {why}", self.profile), None);
                (denied.elapsed(), Some(why))
            }
        }
    }

    /// A gateway that does not start: for cells about the start that is the answer, for all others there is none.
    fn not_started(&self, cells: &PlannedCells, error: &LaunchError) -> AllSeen {
        let refused = match error {
            LaunchError::Refused {
                reason,
                said,
                code,
                took,
                ..
            } if cells.iter().any(|planned| is_start(&planned.cell)) => {
                // Nothing of this machine goes into a record.
                let clean = |text: &str| text.replace(&self.folder(), "[launch]");
                let (reason, said) = (clean(reason), clean(said));
                let outcomes = self.outcomes();
                let start = Start::Refused;
                Some(observe_start(start, *code, &reason, &said, *took, outcomes))
            }
            _ => None,
        };
        if refused.is_none() {
            self.failed(error.to_string(), error.help());
        }
        let failure = refused
            .is_none()
            .then(|| error.brief().replace(&self.folder(), "[launch]"));
        let lines = error.said().lines().map(str::to_owned).collect();
        self.ended(error.exit_code(), failure, self.log(lines));
        AllSeen::of(cells, |cell| match (&refused, is_start(cell)) {
            (Some(seen), true) => Ok(seen.clone()),
            (None, true) => Err("the gateway did not get ready".into()),
            (_, false) => Err("the gateway did not start".into()),
        })
    }

    fn failed(&self, error: String, help: Option<String>) {
        self.context.emit(RunEvent::LaunchFailed {
            gateway: self.target.gateway.clone(),
            profile: self.profile.to_owned(),
            error,
            help,
            again: self.again,
        });
    }

    /// Nothing of this machine goes into a record.
    fn log(&self, lines: Vec<String>) -> LaunchLog {
        let folder = self.folder();
        let lines = lines.iter().map(|line| line.replace(&folder, "[launch]"));
        LaunchLog(lines.collect())
    }

    /// Tells that a launch is over that was not asked the contract's cells.
    pub(super) fn ended(&self, exit: Option<i32>, failure: Option<String>, log: LaunchLog) {
        self.context.emit(RunEvent::LaunchEnded(LaunchInfo {
            gateway: self.target.gateway.clone(),
            profile: self.profile.to_owned(),
            attempt: self.number,
            ready: None,
            stop: None,
            exit,
            killed: false,
            failure,
            proof: None,
            model: None,
            log,
        }));
    }

    fn outcomes(&self) -> &Outcomes {
        &self.context.catalogue.outcomes
    }

    /// The launch's folder, as its gateway knows it.
    fn folder(&self) -> String {
        let folder = self.place().join(self.profile);
        folder.to_string_lossy().into_owned()
    }

    /// Where the launch's folder is made: no attempt finds what an earlier one left.
    fn place(&self) -> PathBuf {
        match self.number {
            1 => self.target.folder.clone(),
            number => self.target.folder.join(format!("attempt-{number}")),
        }
    }

    fn spec(
        &self,
        secrets: &Secrets,
        redactor: Redactor,
        upstream: &Upstream,
        network: Option<Arc<Network>>,
    ) -> LaunchSpec {
        let (program, options) = (&self.target.program, &self.context.options);
        LaunchSpec {
            profile: self.profile.to_owned(),
            command: program.command.clone(),
            args: program.args.clone(),
            path_dirs: program.path_dirs.clone(),
            profile_args: self.config.args.clone(),
            env: self
                .config
                .env
                .iter()
                .chain(&program.env)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            files: self.config.files.clone(),
            config: self.config.config.clone(),
            secrets: secrets.clone(),
            redactor,
            upstream_url: upstream.base_url(),
            ready: self.context.catalogue.base.ready.clone(),
            refusals: self.context.catalogue.base.refusals.clone(),
            ready_timeout: options.ready_timeout,
            stop_grace: options.stop_grace,
            compile_cache: self.compile_cache().cloned(),
            network,
        }
    }

    /// The compile cache of the release, if launches share it.
    fn compile_cache(&self) -> Option<&CompileCache> {
        let shared = self.context.options.compile_cache;
        self.target
            .program
            .compile_cache
            .as_ref()
            .filter(|_| shared)
    }

    /// Removes what a launch left on the disk, but for its compile cache; `chatted` is the temporary folder of one that has
    /// answered chats.
    async fn clear(&self, chatted: Option<PathBuf>) {
        let compile_cache = self.compile_cache().cloned().zip(chatted);
        let keep_temp = self.context.options.keep_temp;
        let folder = self.place().join(self.profile);
        let clear = move || {
            if let Some(Err(error)) = compile_cache.map(|(cache, temp)| cache.keep(&temp)) {
                tracing::debug!(%error, "the compile cache is not kept");
            }
            // What cannot be removed now is tried again at the end of the run.
            if !keep_temp && let Err(error) = machine::folder::remove(&folder) {
                tracing::debug!(%error, "the folder of a launch is not removed yet");
            }
        };
        let _ = tokio::task::spawn_blocking(clear).await;
    }
}
