//! The only sender of attach: one request at a time, within the limits, and none after a sign of trouble.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::limits::Spent;
use super::probe::Question;
use super::select::Chosen;
use super::{AttachOptions, Limits};
use base::secret::{Secrets, new_canary};
use contract::exchange::{Exchange, Request};
use contract::plan::Cell;
use contract::request::{Place, Written, build, fill};
use machine::send::{SendError, send, send_encrypted};

/// So many requests in a row without an answer, and nothing more is asked.
const SILENCES: u32 = 3;
/// How long a request that may reach the model may take, if others may not take longer.
const MODEL_TIMEOUT: Duration = Duration::from_secs(120);

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("interrupted")]
    Cancelled,
    #[error("the budget of requests was used up")]
    Budget,
    /// Nothing more is asked.
    #[error("{0}")]
    Stopped(String),
    #[error("{0}")]
    Failed(String),
}

/// A gateway that is being asked.
#[derive(Debug)]
pub(super) struct Session<'a> {
    options: &'a AttachOptions,
    secrets: &'a Secrets,
    cancel: &'a CancellationToken,
    /// Header lines of a caller whom the mode lets in, with placeholders.
    pub(super) caller: Vec<String>,
    spent: Spent,
    next: Instant,
    silences: u32,
    /// Why nothing more is asked, and whether the gateway is gone.
    stopped: Option<(String, bool)>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        options: &'a AttachOptions,
        secrets: &'a Secrets,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self {
            options,
            secrets,
            cancel,
            caller: Vec::new(),
            spent: Spent::default(),
            next: Instant::now(),
            silences: 0,
            stopped: None,
        }
    }

    /// Requests that were sent.
    pub(super) fn sent(&self) -> u32 {
        self.spent.requests
    }

    /// Why the gateway counts as gone, if it does.
    pub(super) fn died(&self) -> Option<String> {
        let (why, gone) = self.stopped.as_ref()?;
        gone.then(|| why.clone())
    }

    fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Sends a question of the probe. One that shows a credential may turn out to show a wrong one.
    pub(super) async fn probe(
        &mut self,
        question: Question,
        request: Written,
    ) -> Result<Exchange, NoAnswer> {
        let answer = self
            .send(request, &new_canary(), self.limits().timeout)
            .await?;
        if question.shows_credential() {
            match answer.response.status {
                401 => self.spent.wrong(),
                _ => self.spent.right(),
            }
        }
        Ok(answer)
    }

    /// Asks a cell; the canary comes back with the answer.
    pub(super) async fn ask(
        &mut self,
        cell: &Cell,
        chosen: Chosen,
    ) -> Result<(Exchange, String), NoAnswer> {
        let canary = new_canary();
        let mut timeout = self.limits().timeout;
        match chosen {
            Chosen::Harmless => {}
            Chosen::Model if self.spent.model_calls < self.limits().model_calls => {
                self.spent.model_calls += 1;
                timeout = timeout.max(MODEL_TIMEOUT);
            }
            Chosen::Model => return Err(NoAnswer::Budget),
            Chosen::Wrong => {
                if self.spent.needs_the_right_one() {
                    self.show_the_right_one().await?;
                }
                if !self.spent.has_room_for_wrong(self.limits()) {
                    let why = "another wrong credential could lock this address out";
                    return Err(NoAnswer::Failed(why.to_owned()));
                }
            }
        }
        let words = BTreeMap::new();
        let place = Place {
            words: &words,
            secrets: self.secrets,
            canary: &canary,
            port: self.options.address.socket.port(),
        };
        // Checked before the limits are used up; what is sent is built once more, with the Host.
        build(cell, &self.caller, &place).map_err(|error| NoAnswer::Failed(error.to_string()))?;
        if chosen == Chosen::Wrong && self.stopped.is_none() {
            self.spent.wrong();
        }
        let written =
            contract::request::with_caller(contract::request::written(cell), &self.caller);
        let exchange = self.send(written, &canary, timeout).await?;
        match &self.stopped {
            Some((why, _)) => Err(NoAnswer::Stopped(why.clone())),
            None => Ok((exchange, canary)),
        }
    }

    /// Resets the gateway's count of wrong credentials.
    async fn show_the_right_one(&mut self) -> Result<(), NoAnswer> {
        if self.caller.is_empty() {
            return Ok(());
        }
        let mut request = Question::Models.request(0);
        request.headers.extend(self.caller.clone());
        request
            .headers
            .push("x-openclaw-scopes: operator.read".to_owned());
        let answer = self
            .send(request, &new_canary(), self.limits().timeout)
            .await?;
        // Whoever is told of a missing scope or of a missing route was known.
        if answer.response.status != 401 {
            self.spent.right();
        }
        Ok(())
    }

    async fn exchange(&self, request: Request, timeout: Duration) -> Result<Exchange, SendError> {
        let socket = self.options.address.socket;
        match &self.options.tls {
            Some(tls) => send_encrypted(socket.into(), tls, request, timeout).await,
            None => send(socket, request, timeout).await,
        }
    }

    async fn send(
        &mut self,
        mut written: Written,
        canary: &str,
        timeout: Duration,
    ) -> Result<Exchange, NoAnswer> {
        if let Some((why, _)) = &self.stopped {
            return Err(NoAnswer::Stopped(why.clone()));
        }
        if !self.spent.has_room(self.limits()) {
            return Err(NoAnswer::Budget);
        }
        let host = format!("Host: {}", self.options.address.host);
        let own = std::iter::once(host).chain(self.options.headers());
        written.headers.splice(0..0, own);
        let words = BTreeMap::new();
        let place = Place {
            words: &words,
            secrets: self.secrets,
            canary,
            port: self.options.address.socket.port(),
        };
        let request = fill(written, &place).map_err(|error| NoAnswer::Failed(error.to_string()))?;
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(NoAnswer::Cancelled),
            () = tokio::time::sleep_until(self.next) => {}
        }
        self.next = Instant::now() + self.limits().pause;
        self.spent.requests += 1;
        let answer = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(NoAnswer::Cancelled),
            answer = self.exchange(request, timeout) => answer,
        };
        match answer {
            Ok(mut exchange) => {
                self.silences = 0;
                // Whatever stands before the gateway may have put in lines of its own.
                exchange.response.partial = true;
                if exchange.response.status == 429 {
                    let why = "the gateway answered 429, so nothing more was asked";
                    self.stopped = Some((why.to_owned(), false));
                }
                Ok(exchange)
            }
            Err(error) => {
                self.silences += 1;
                if self.silences >= SILENCES {
                    let why = format!(
                        "given up after {SILENCES} requests in a row without an answer; the last one: {error}"
                    );
                    self.stopped = Some((why, true));
                }
                Err(NoAnswer::Failed(error.to_string()))
            }
        }
    }
}
