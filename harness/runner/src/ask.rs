//! Asking a running gateway: the positive control, then every cell, then the sequences.

mod before;
mod queue;
mod sending;
mod steps;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::proxies::Proxies;
use super::seen::{AllSeen, Missed, Seen};
use super::target::Target;
use super::verdicts::LaunchJudge;
use super::{Context, RunEvent};
use base::redact::Redactor;
use base::secret::Secrets;
use contract::exchange::Exchange;
use contract::plan::{Cell, PlannedCell, PlannedCells, Way};
use contract::request::Place;
use contract::scenario::model::{Direction, Kind, ModelSaw, Protocol};
use machine::clients::Staying;
use machine::launch::Gateway;
use machine::send::{Connections, Peer, SendError, send};
use machine::upstream::Upstream;
use queue::{Queue, note};
use record::observe::{Reached, cut, observe};

/// How long after the last request a gateway's end is still noticed.
const EXIT_NOTICE: Duration = Duration::from_millis(50);
/// Bad gateway, service unavailable, gateway timeout.
const PROXY_ERRORS: [u16; 3] = [502, 503, 504];
/// The page of a proxy that has no answer is shorter than this, in bytes.
const PROXY_PAGE: usize = 600;
/// So many requests in a row without any answer, beyond those in flight, and the launch is given up.
const SILENCES: usize = 3;

/// How long a gateway that answers first and works later is waited for.
const WORK: Duration = Duration::from_secs(120);
/// How often is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// The number of the canary that a request carried, and what was seen, or why nothing was.
pub(super) type Answer = (u32, Seen);

/// What came of a launch's requests.
pub(super) struct Answers {
    /// By place of the cell.
    pub(super) cells: AllSeen,
    /// Of requests that are sent before the one that is judged.
    pub(super) earlier: Vec<Answer>,
    /// Whether the positive control reached the model.
    pub(super) control: bool,
}

/// Asks the cells of one running gateway.
pub(super) struct Asker<'a> {
    pub(super) context: &'a Arc<Context>,
    pub(super) target: &'a Target,
    pub(super) profile: &'a str,
    /// The gateway, from where a proxy would be.
    pub(super) peer: Peer,
    /// The gateway, from where callers are.
    pub(super) past_proxies: Peer,
    /// The gateway, from its own machine.
    pub(super) at_gateway: Peer,
    pub(super) proxies: &'a Proxies,
    /// Whether the positive control is sent, too.
    pub(super) has_control: bool,
    /// Those that scenarios use again.
    pub(super) connections: Connections,
    pub(super) redactor: Redactor,
    pub(super) upstream: &'a Upstream,
    pub(super) secrets: &'a Secrets,
    /// Fires when asking on is pointless.
    pub(super) ended: CancellationToken,
    /// Why it is pointless.
    pub(super) why: std::sync::OnceLock<String>,
    pub(super) silences: AtomicUsize,
    /// The launch's folder, for what senders need.
    pub(super) folder: PathBuf,
    /// Senders that take one request after the other.
    pub(super) staying: Staying,
    /// How often in a row each sender has failed.
    pub(super) failures: Mutex<BTreeMap<String, usize>>,
    /// When the last caller was denied, or told that its work is done later.
    pub(super) denied: Mutex<Option<Instant>>,
    /// What was sent before requests that are judged.
    pub(super) earlier: Mutex<Vec<Answer>>,
    /// Fires when the last step of the sequences is over.
    pub(super) last_step: CancellationToken,
}

impl Asker<'_> {
    /// Asks all cells that send something: first those that may overlap, then the sequences, in order.
    pub(super) async fn ask_all(&self, asked: &PlannedCells, gateway: &mut Gateway) -> Answers {
        let options = &self.context.options;
        // Other clients send one after the other in any case, and a gateway has room for few sockets that are not logged in
        // (2026.4.1: 503).
        let is_denied = |cell: &Cell| {
            let plain = cell.scenario.request.protocol == Protocol::Http && cell.sender().is_none();
            options.denials > 0 && plain && cell.must_be_denied(&self.target.version)
        };
        let [mut denied, mut others, mut steps]: [Queue; 3] = Default::default();
        for (place, PlannedCell { cell, .. }) in asked.iter().enumerate() {
            match cell.scenario.kind {
                Kind::Start => {}
                Kind::Sequence => steps.add(place),
                Kind::Requests if is_denied(&cell) => denied.add(place),
                Kind::Requests => others.add(place),
            }
        }
        let any = [&denied, &others, &steps]
            .iter()
            .any(|queue| !queue.cells.is_empty());
        let all = Mutex::new(AllSeen::nothing(asked.len()));
        let seen = &all;
        let workers = (0..options.denials)
            .map(|number| (number, &denied))
            .chain((0..options.jobs.max(1)).map(|number| (number, &others)));
        let workers = workers.map(|(number, queue)| self.work(asked, queue, number, seen));
        let workers = futures_util::future::join_all(workers);
        let work = async { tokio::join!(workers, self.control(any)).1 };
        let mut work = Box::pin(work);
        let control = tokio::select! {
            biased;
            control = &mut work => control,
            exit = gateway.exited() => {
                self.give_up(format!("the gateway ended while it was asked: {exit}"));
                (&mut work).await
            }
        };
        drop(work);
        self.steps(asked, &steps.cells, gateway, seen).await;
        self.staying.end().await;
        Answers {
            cells: all.into_inner().unwrap_or_else(PoisonError::into_inner),
            earlier: std::mem::take(&mut *self.earlier()),
            control,
        }
    }

    /// The positive control: a request that must reach the model. Without it a denial proves nothing.
    async fn control(&self, any: bool) -> bool {
        let Some(profile) = self.context.catalogue.profiles.get(self.profile) else {
            return false;
        };
        // A profile without a control says why, and launches that ask nothing need no proof.
        if !any || !self.has_control || profile.no_control.is_some() {
            return true;
        }
        let (number, canary) = self.upstream.new_canary();
        let control = &self.context.catalogue.base.control;
        let Ok(request) = contract::request::build_control(
            control,
            self.caller(),
            &self.place(&canary, &BTreeMap::new()),
        ) else {
            return false;
        };
        let sent = send(self.peer.clone(), request, self.context.options.timeout);
        tokio::select! {
            biased;
            () = self.ended.cancelled() => {}
            () = self.context.cancel.cancelled() => {}
            _ = sent => {}
        }
        self.upstream.calls(number) > 0
    }

    fn place<'b>(&'b self, canary: &'b str, words: &'b BTreeMap<String, String>) -> Place<'b> {
        Place {
            words,
            secrets: self.secrets,
            canary,
            port: self.peer.address.port(),
        }
    }

    /// The header lines of a caller whom the mode lets in.
    fn caller(&self) -> &[String] {
        let profile = self.context.catalogue.profiles.get(self.profile);
        profile.map_or(&[], |profile| &profile.caller)
    }

    /// The calls that follow an answer with this status, where the contract or a known issue says that the work is done later.
    fn awaited(&self, cell: &Cell, status: u16) -> Option<u32> {
        let (catalogue, release) = (&self.context.catalogue, &self.target.version);
        // What a release does, it does whether or not its issue still excuses it.
        let known = cell.known(catalogue, release, Date::MIN);
        let told = cell.expected(release).into_iter();
        let mut told = told.chain(known.map(|(_, outcome)| outcome));
        let later = told.find(|outcome| outcome.runs_later && outcome.status == Some(status));
        later.map(|outcome| outcome.model_calls)
    }

    /// How often a request has reached the model, once it has as often as `awaited`, or is not going to.
    async fn calls(&self, awaited: Option<u32>, canary: u32) -> u32 {
        if let Some(awaited) = awaited {
            let worked = async {
                while self.upstream.calls(canary) < awaited {
                    tokio::time::sleep(LOOK).await;
                }
            };
            tokio::select! {
                () = self.context.cancel.cancelled() => {}
                () = self.ended.cancelled() => {}
                _ = tokio::time::timeout(WORK, worked) => {}
            }
            self.note_end();
        }
        self.upstream.calls(canary)
    }

    /// After this, calls of the model that nobody may make are waited for.
    fn note_end(&self) {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        *denied = Some(Instant::now());
    }

    async fn ask(&self, cell: &Cell) -> Answer {
        let (number, canary) = self.upstream.new_canary();
        self.ask_with(cell, number, &canary).await
    }

    /// Asks a cell with this canary.
    async fn ask_with(&self, cell: &Cell, number: u32, canary: &str) -> Answer {
        // What failed only because of that is no reason of its own.
        if self.context.cancel.is_cancelled() {
            return (number, Err(Missed::Interrupted));
        }
        let peer = match self.way(cell) {
            Ok(peer) => peer,
            Err(reason) => return (number, Err(reason.into())),
        };
        let before = match self.before(cell, &peer).await {
            Ok(before) => before,
            Err(missed) => return (number, Err(missed)),
        };
        let peer = match before.port(cell) {
            Ok(None) => peer,
            Ok(Some(port)) => peer.at(port),
            Err(reason) => {
                let reason = cut(&self.redactor.text(&reason));
                return (number, Err(reason.into()));
            }
        };
        let place = self.place(canary, &before.words);
        let request = match contract::request::build(cell, self.caller(), &place) {
            Ok(request) => request,
            Err(error) => return (number, Err(error.to_string().into())),
        };
        let view = cell.scenario.request.model_view;
        if view {
            self.upstream.watch(number);
        }
        // What comes until the time of the run is over counts.
        let limit = self.context.options.timeout;
        let timeout = self
            .context
            .time_left()
            .map_or(limit, |left| left.min(limit));
        let sent = tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => return (number, Err(Missed::Interrupted)),
            () = self.ended.cancelled() => return (number, Err(self.why.get().cloned().unwrap_or_default().into())),
            sent = self.send(cell, peer, request, timeout) => sent,
        };
        let asked = RunEvent::Asked {
            gateway: self.target.gateway.clone(),
            profile: self.profile.to_owned(),
            cell: cell.id(),
            ports: sending::ports(cell, before.ports.clone(), &sent),
        };
        self.context.events.tell_in_turn(asked).await;
        let sent = match sent {
            // Whoever is told yes, or a secret, has been let in, however the answer ends.
            Err(SendError::Unfinished { exchange, why }) => {
                let told = cell.must_be_denied(&self.target.version)
                    && ((200..300).contains(&exchange.response.status)
                        || record::observe::tells(&exchange.response, &self.redactor));
                match told {
                    true => Ok(*exchange),
                    false => Err(SendError::Unfinished { exchange, why }),
                }
            }
            sent => sent,
        };
        // Whatever it was that waited for the answer, the time ended it. What is no HTTP was answered.
        let is_answered = |error: &SendError| matches!(error, SendError::NotHttp(_));
        let is_over = self.context.time_left() == Some(Duration::ZERO);
        if is_over && sent.as_ref().is_err_and(|error| !is_answered(error)) {
            return (number, Err(Missed::Interrupted));
        }
        let seen = match sent {
            Ok(exchange) if self.is_of_a_proxy(cell, &exchange) => Err(format!(
                "the proxy has no answer of the gateway: it says {} itself",
                exchange.response.status
            )
            .into()),
            Ok(exchange) => {
                let took = exchange.took;
                tracing::trace!(
                    cell = cell.id(),
                    status = exchange.response.status,
                    ?took,
                    "asked"
                );
                self.silences.store(0, Ordering::Relaxed);
                let awaited = self.awaited(cell, exchange.response.status);
                let calls = self.calls(awaited, number).await;
                let saw = view.then(|| self.upstream.saw(number, &before.numbers()));
                let reached = Reached {
                    calls: Some(calls),
                    saw: saw.flatten().map(|(model, earlier_words)| ModelSaw {
                        model,
                        earlier_words,
                    }),
                };
                let outcomes = &self.context.catalogue.outcomes;
                let words = before.names(canary);
                let seen = observe(&exchange, &reached, &words, &self.redactor, outcomes);
                if seen.direction == Direction::Deny {
                    self.note_end();
                }
                Ok(seen)
            }
            Err(error) => {
                tracing::debug!(cell = cell.id(), %error, "no answer");
                // Whoever refuses connections, or breaks them off, is about to be seen to have ended.
                let through = matches!(cell.way(), Way::Through(_));
                if matches!(error, SendError::Connect(_)) || (through && error.is_silence()) {
                    tokio::time::sleep(EXIT_NOTICE).await;
                }
                let error_text = cut(&self.redactor.text(&error.to_string()));
                Err(match cell.way() {
                    Way::Through(proxy) if self.proxies.has_ended(proxy) => {
                        format!("proxy {proxy} ended while it was asked: {error_text}").into()
                    }
                    Way::Through(_) | Way::AsProxy | Way::PastProxies | Way::AtGateway => {
                        self.note_silence(&error);
                        match error {
                            SendError::NotHttp(_) => Missed::Odd(error_text),
                            _ => Missed::Silence(error_text),
                        }
                    }
                })
            }
        };
        (number, seen)
    }

    fn earlier(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a cell's request goes, and from where; or why it cannot.
    fn way(&self, cell: &Cell) -> Result<Peer, String> {
        match cell.way() {
            Way::AsProxy => Ok(self.peer.clone()),
            Way::PastProxies => Ok(self.past_proxies.clone()),
            Way::AtGateway => Ok(self.at_gateway.clone()),
            Way::Through(proxy) => self.proxies.peer(proxy),
        }
    }

    /// Whether an answer is what a proxy says when it gets none from the gateway, which never answers so itself.
    fn is_of_a_proxy(&self, cell: &Cell, exchange: &Exchange) -> bool {
        let Way::Through(proxy) = cell.way() else {
            return false;
        };
        let (response, proxies) = (&exchange.response, &self.context.catalogue.proxies);
        let page = String::from_utf8_lossy(&response.body);
        let is_its_page = |words: &String| page.contains(words.as_str());
        PROXY_ERRORS.contains(&response.status)
            && page.len() < PROXY_PAGE
            && proxies
                .get(proxy)
                .is_some_and(|proxy| proxy.no_answer.iter().any(is_its_page))
    }

    fn note_silence(&self, error: &SendError) {
        if !error.is_silence() {
            return;
        }
        let silences = 1 + self.silences.fetch_add(1, Ordering::Relaxed);
        let options = &self.context.options;
        if silences >= SILENCES + options.jobs + options.denials {
            self.give_up(format!("given up after {silences} requests in a row without an answer; the last one: {error}"));
        }
    }

    fn give_up(&self, reason: String) {
        let _ = self.why.set(reason);
        self.ended.cancel();
    }
}
