//! Asking a running gateway: the positive control, then every cell, then the sequences.

mod before;
mod sending;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::proxies::Proxies;
use super::seen::{Missed, Seen};
use super::target::Target;
use super::verdicts::LaunchJudge;
use super::{Context, RunEvent};
use base::redact::Redactor;
use base::secret::Secrets;
use contract::exchange::Exchange;
use contract::plan::{Cell, PlannedCell, Way};
use contract::request::Place;
use contract::scenario::model::{Direction, Kind, ModelSaw, Protocol};
use machine::launch::Gateway;
use machine::send::{Connections, Peer, SendError, send};
use machine::upstream::Upstream;
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

/// The canary that a request carried, and what was seen, or why nothing was.
pub(super) type Answer = (String, Seen);

/// What came of a launch's requests.
pub(super) struct Answers {
    /// By position of the asked cell.
    pub(super) cells: Vec<Answer>,
    /// By position of the asked cell: whether it must be denied.
    pub(super) to_deny: Vec<bool>,
    /// Of requests that are sent before the one that is judged.
    pub(super) earlier: Vec<Answer>,
    /// Whether the positive control reached the model.
    pub(super) control: bool,
}

/// Cells, by their position, that several workers ask one after the other.
struct Queue {
    cells: Vec<usize>,
    next: AtomicUsize,
}

impl Queue {
    fn of(cells: Vec<usize>) -> Self {
        let next = AtomicUsize::new(0);
        Self { cells, next }
    }

    fn next(&self) -> Option<usize> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.cells.get(next).copied()
    }
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
    /// How often in a row each sender has failed.
    pub(super) failures: Mutex<BTreeMap<String, usize>>,
    /// When the last caller was denied, or told that its work is done later.
    pub(super) denied: Mutex<Option<Instant>>,
    /// What was sent before requests that are judged.
    pub(super) earlier: Mutex<Vec<Answer>>,
}

impl Asker<'_> {
    /// Asks all cells: first those that may overlap, then the sequences, in order.
    pub(super) async fn ask_all(&self, asked: &[&PlannedCell], gateway: &mut Gateway) -> Answers {
        let is_step = |planned: &PlannedCell| planned.cell.scenario.kind == Kind::Sequence;
        let (steps, free): (Vec<usize>, Vec<usize>) =
            (0..asked.len()).partition(|index| is_step(asked[*index]));
        let options = &self.context.options;
        // Other clients send one after the other in any case, and a gateway has room for few sockets that are not logged in
        // (2026.4.1: 503).
        let is_denied = |index: &usize| {
            let cell = &asked[*index].cell;
            let plain = cell.scenario.request.protocol == Protocol::Http && cell.sender().is_none();
            options.denials > 0 && plain && cell.must_be_denied(&self.target.version)
        };
        let (denied, others): (Vec<usize>, Vec<usize>) = free.into_iter().partition(is_denied);
        let (denied, others) = (Queue::of(denied), Queue::of(others));
        let workers = (0..options.denials)
            .map(|_| &denied)
            .chain((0..options.jobs.max(1)).map(|_| &others));
        let workers = workers.map(|queue| self.work(asked, queue));
        let workers = futures_util::future::join_all(workers);
        let work = async { tokio::join!(workers, self.control(asked)) };
        let mut work = std::pin::pin!(work);
        let (done, control) = tokio::select! {
            biased;
            done = &mut work => done,
            exit = gateway.exited() => {
                self.give_up(format!("the gateway ended while it was asked: {exit}"));
                work.await
            }
        };
        let mut cells: Vec<_> = done.into_iter().flatten().collect();
        for index in steps {
            let answer = self.step(&asked[index].cell, gateway).await;
            cells.push((index, answer));
        }
        cells.sort_by_key(|(index, _)| *index);
        let to_deny = asked
            .iter()
            .map(|planned| planned.cell.must_be_denied(&self.target.version));
        Answers {
            to_deny: to_deny.collect(),
            cells: cells.into_iter().map(|(_, answer)| answer).collect(),
            earlier: std::mem::take(&mut *self.earlier()),
            control,
        }
    }

    /// One step of a sequence: change the configuration, wait, send as often as it says.
    async fn step(&self, cell: &Arc<Cell>, gateway: &Gateway) -> Answer {
        for value in cell.values() {
            if value
                .set_config
                .as_object()
                .is_some_and(|table| !table.is_empty())
                && let Err(error) = gateway.change_config(&value.set_config)
            {
                return (
                    String::new(),
                    Err(format!("its configuration cannot be changed: {error}").into()),
                );
            }
        }
        let wait: Duration = cell.values().map(|value| value.wait).sum();
        tokio::select! {
            () = self.context.cancel.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        let repeat = cell.values().map(|value| value.repeat).max().unwrap_or(1);
        let mut answers = Vec::new();
        let canary = self.upstream.new_canary();
        for _ in 0..repeat.max(1) {
            answers.push(self.ask_with(cell, canary.clone()).await);
        }
        // All of them are the same request: the one that is answered worst is judged.
        let judge = LaunchJudge {
            context: self.context,
            target: self.target,
        };
        let worst = (0..answers.len()).max_by_key(|place| {
            let seen = answers[*place].1.clone();
            judge.rank(cell, seen)
        });
        let judged = answers.remove(worst.unwrap_or(0));
        self.earlier().extend(answers);
        judged
    }

    /// Asks one cell after the other until there is none left.
    async fn work(&self, asked: &[&PlannedCell], queue: &Queue) -> Vec<(usize, Answer)> {
        let mut answers = Vec::new();
        while let Some(index) = queue.next() {
            answers.push((index, self.ask(&asked[index].cell).await));
        }
        answers
    }

    /// The positive control: a request that must reach the model. Without it a denial proves nothing.
    async fn control(&self, asked: &[&PlannedCell]) -> bool {
        let Some(profile) = self.context.catalogue.profiles.get(self.profile) else {
            return false;
        };
        // A profile without a control says why, and launches that ask nothing need no proof.
        if asked.is_empty() || !self.has_control || profile.no_control.is_some() {
            return true;
        }
        let canary = self.upstream.new_canary();
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
        self.upstream.calls(&canary) > 0
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
    async fn calls(&self, awaited: Option<u32>, canary: &str) -> u32 {
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
        self.ask_with(cell, self.upstream.new_canary()).await
    }

    async fn ask_with(&self, cell: &Cell, canary: String) -> Answer {
        // What failed only because of that is no reason of its own.
        if self.context.cancel.is_cancelled() {
            return (canary, Err(Missed::Interrupted));
        }
        let peer = match self.way(cell) {
            Ok(peer) => peer,
            Err(reason) => return (canary, Err(reason.into())),
        };
        let before = match self.before(cell, &peer).await {
            Ok(before) => before,
            Err(missed) => return (canary, Err(missed)),
        };
        let place = self.place(&canary, &before.words);
        let request = match contract::request::build(cell, self.caller(), &place) {
            Ok(request) => request,
            Err(error) => return (canary, Err(error.to_string().into())),
        };
        let view = cell.scenario.request.model_view;
        if view {
            self.upstream.watch(&canary);
        }
        // What comes until the time of the run is over counts.
        let left = self.context.time_left();
        let timeout = left.map_or(self.context.options.timeout, |left| {
            left.min(self.context.options.timeout)
        });
        let sent = tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => return (canary, Err(Missed::Interrupted)),
            () = self.ended.cancelled() => return (canary, Err(self.why.get().cloned().unwrap_or_default().into())),
            sent = self.send(cell, peer, request, timeout) => sent,
        };
        self.context.emit(RunEvent::Asked {
            gateway: self.target.gateway.clone(),
            profile: self.profile.to_owned(),
            cell: cell.id.clone(),
            ports: sending::ports(cell, before.ports.clone(), &sent),
        });
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
        if left.is_some_and(|left| left <= timeout) && sent.as_ref().is_err_and(SendError::is_late)
        {
            return (canary, Err(Missed::Interrupted));
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
                    cell = cell.id,
                    status = exchange.response.status,
                    ?took,
                    "asked"
                );
                self.silences.store(0, Ordering::Relaxed);
                let awaited = self.awaited(cell, exchange.response.status);
                let calls = self.calls(awaited, &canary).await;
                let saw = view.then(|| self.upstream.saw(&canary, &before.canaries));
                let reached = Reached {
                    calls: Some(calls),
                    saw: saw.flatten().map(|(model, earlier_words)| ModelSaw {
                        model,
                        earlier_words,
                    }),
                };
                let outcomes = &self.context.catalogue.outcomes;
                let words = before.names(&canary);
                let seen = observe(&exchange, &reached, &words, &self.redactor, outcomes);
                if seen.direction == Direction::Deny {
                    self.note_end();
                }
                Ok(seen)
            }
            Err(error) => {
                tracing::debug!(cell = cell.id, %error, "no answer");
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
        (canary, seen)
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
