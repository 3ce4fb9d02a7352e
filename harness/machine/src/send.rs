//! The sender: one request over one fresh connection, header lines byte for byte.
//!
//! HTTP client libraries fold duplicate header lines, change the case of names, trim values or refuse odd bytes. The
//! point of a cell is what exactly went over the wire, so the request is written by hand; the response is parsed by
//! `httparse`. Each request has a connection of its own, so that no cell can be answered by what is left of another;
//! [`Connections`] is for scenarios that ask for less.

mod connections;
mod device;
mod frame;
mod reader;
mod tls;
mod websocket;

pub use connections::Connections;
pub use tls::{Tls, TlsError};
pub use websocket::{Held, websocket, websocket_held};

use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio_util::either::Either;

use contract::exchange::{Exchange, Request, Response};
use reader::Reader;

pub use crate::network::Peer;

const MAX_HEAD: usize = 64 * 1024;
/// Of what comes beside the body so many bytes are kept.
const MAX_ASIDE: usize = 4 * MAX_HEAD;
/// So many bytes of what is no HTTP are quoted: more than is shown, so that secrets are found before the quote is cut.
const MAX_QUOTED: usize = 1024;

/// No answer came, or nothing that is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection could not be made.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The gateway closed the connection before a full answer.
    #[error("the connection was closed {0}")]
    Closed(&'static str),
    /// What came is not HTTP.
    #[error("the answer is not HTTP: {0}")]
    NotHttp(String),
    /// Another client was to send it, and brought no answer.
    #[error("{sender}: {why}")]
    Sender {
        /// Id of the sender.
        sender: String,
        /// What happened.
        why: String,
    },
    /// The answer broke off within its body.
    #[error("{why}")]
    Unfinished {
        /// What came until then.
        exchange: Box<Exchange>,
        /// How it broke off.
        why: Box<SendError>,
    },
    /// The time was up.
    #[error("no full answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
}

impl SendError {
    /// Whether the gateway may be gone or stuck, rather than having said something odd.
    pub fn is_silence(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Broken(_) | Self::Closed(_) | Self::Timeout(_) => true,
            Self::Unfinished { why, .. } => why.is_silence(),
            Self::NotHttp(_) | Self::Sender { .. } => false,
        }
    }
}

/// Sends one request and reads the answer to its end, or to `data: [DONE]` of an event stream.
///
/// # Errors
/// A [`SendError`] where no complete answer came within `timeout`.
pub async fn send(
    peer: impl Into<Peer>,
    request: Request,
    timeout: Duration,
) -> Result<Exchange, SendError> {
    let peer = peer.into();
    let (started, deadline) = (Instant::now(), Deadline::new(timeout));
    let ended = exchange(&peer, None, &request, deadline).await?;
    exchanged(request, ended, started.elapsed())
}

/// As [`send`], but reads only what comes until `enough`: an answer that goes on then is as good as one that has ended.
///
/// # Errors
/// A [`SendError`] where the head of an answer does not come within `timeout`, or where the answer breaks off.
pub async fn listen(
    peer: Peer,
    request: Request,
    timeout: Duration,
    enough: impl Future<Output = ()>,
) -> Result<Exchange, SendError> {
    let (started, deadline) = (Instant::now(), Deadline::new(timeout));
    let stream = deadline.within(connected(&peer)).await?;
    let mut reader = Reader::new(Either::Left(stream));
    let bytes = request.encode(peer.address, false);
    let (mut response, _) = deadline.within(reader.head_of(&bytes)).await?;
    let end = tokio::select! {
        end = reader.body(&mut response) => Some(end),
        () = enough => None,
    };
    let response = reader.taken(response, matches!(end, Some(Ok(()))));
    exchanged(
        request,
        (response, end.unwrap_or(Ok(()))),
        started.elapsed(),
    )
}

/// As [`send`], over TLS.
///
/// # Errors
/// A [`SendError`] where no complete answer came within `timeout`.
pub async fn send_encrypted(
    peer: Peer,
    tls: &Tls,
    request: Request,
    timeout: Duration,
) -> Result<Exchange, SendError> {
    let (started, deadline) = (Instant::now(), Deadline::new(timeout));
    let ended = exchange(&peer, Some(tls), &request, deadline).await?;
    exchanged(request, ended, started.elapsed())
}

/// An answer within the time that it may take, and how long it took.
async fn timed<T>(
    timeout: Duration,
    exchange: impl Future<Output = Result<T, SendError>>,
) -> Result<(T, Duration), SendError> {
    let started = Instant::now();
    let response = tokio::time::timeout(timeout, exchange)
        .await
        .map_err(|_| SendError::Timeout(timeout))??;
    Ok((response, started.elapsed()))
}

/// When the time of a request is up.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: tokio::time::Instant,
    timeout: Duration,
}

impl Deadline {
    fn new(timeout: Duration) -> Self {
        let at = tokio::time::Instant::now() + timeout;
        Self { at, timeout }
    }

    async fn within<T>(
        self,
        work: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        let done = tokio::time::timeout_at(self.at, work).await;
        done.unwrap_or(Err(SendError::Timeout(self.timeout)))
    }
}

/// An answer, and how it ended where that was within its body.
type Ended = (Response, Result<(), SendError>);

/// The exchange that an answer makes, if it is whole.
fn exchanged(request: Request, ended: Ended, took: Duration) -> Result<Exchange, SendError> {
    let (response, end) = ended;
    let end = end.and_then(|()| has_one_length(&response));
    let exchange = Exchange {
        request,
        response,
        took,
    };
    match end {
        Ok(()) => Ok(exchange),
        Err(why) => Err(SendError::Unfinished {
            exchange: Box::new(exchange),
            why: Box::new(why),
        }),
    }
}

async fn exchange(
    peer: &Peer,
    tls: Option<&Tls>,
    request: &Request,
    deadline: Deadline,
) -> Result<Ended, SendError> {
    let connect = async {
        let stream = connected(peer).await?;
        let Some(tls) = tls else {
            return Ok(Either::Left(stream));
        };
        let stream = tls.over(stream).await;
        let stream = stream.map_err(|error| SendError::Connect(error.to_string()))?;
        Ok(Either::Right(Box::new(stream)))
    };
    let mut reader = Reader::new(deadline.within(connect).await?);
    let bytes = request.encode(peer.address, false);
    reader.ask(&bytes, &request.method, deadline).await
}

async fn connected(peer: &Peer) -> Result<TcpStream, SendError> {
    let stream = peer.connect().await;
    let stream = stream.map_err(|error| SendError::Connect(error.to_string()))?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// The port of this machine that a connection has.
fn port(stream: &TcpStream) -> u16 {
    stream.local_addr().map_or(0, |address| address.port())
}

/// Whether a length that is told is one, and always the same one (RFC 9112, 6.3): clients and proxies would end the answer elsewhere. An
/// answer to HEAD has no body, and tells a length all the same.
fn has_one_length(response: &Response) -> Result<(), SendError> {
    let mut lengths = response
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim_ascii());
    let Some(first) = lengths.next() else {
        return Ok(());
    };
    let is_number = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    let other = lengths.find(|length| *length != first);
    match other.or((!is_number).then_some(first)) {
        None => Ok(()),
        Some(wrong) => {
            let wrong = String::from_utf8_lossy(&wrong[..wrong.len().min(MAX_QUOTED)]);
            Err(SendError::NotHttp(format!(
                "its Content-Length is {wrong:?}"
            )))
        }
    }
}

#[cfg(test)]
mod tests;
