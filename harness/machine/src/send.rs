//! The sender: one request over one fresh connection, header lines byte for byte.
//!
//! HTTP client libraries fold duplicate header lines, change the case of names, trim values or refuse odd bytes. The
//! point of a cell is what exactly went over the wire, so the request is written by hand; the response is parsed by
//! `httparse`. Each request has a connection of its own, so that no cell can be answered by what is left of another;
//! [`Connections`] is for scenarios that ask for less.

mod connections;
mod device;
mod frame;
mod tls;
mod websocket;

pub use connections::Connections;
pub use tls::{Tls, TlsError};
pub use websocket::websocket;

use std::io;
use std::time::{Duration, Instant};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use contract::exchange::{Exchange, MAX_BODY, Request, Response};

pub use crate::network::Peer;

const MAX_HEAD: usize = 64 * 1024;
/// Of what comes beside the body so many bytes are kept.
const MAX_ASIDE: usize = 4 * MAX_HEAD;
/// A read has room for so many bytes at least.
const ROOM: usize = 4 * 1024;
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
    /// Whether the time was up.
    pub fn is_late(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Unfinished { why, .. } => why.is_late(),
            _ => false,
        }
    }

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
        end = reader.body(&mut response) => end,
        () = enough => Ok(()),
    };
    reader.keep_rest(&mut response);
    exchanged(request, (response, end), started.elapsed())
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
async fn timed(
    timeout: Duration,
    exchange: impl Future<Output = Result<Response, SendError>>,
) -> Result<(Response, Duration), SendError> {
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

/// A connection, in plain or over TLS.
type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The port of this machine that a connection has.
fn port(stream: &TcpStream) -> u16 {
    stream.local_addr().map_or(0, |address| address.port())
}

/// Buffers what the connection brings.
struct Reader {
    stream: Stream,
    buffer: BytesMut,
    ended: bool,
    /// What came beside the body, up to a bound.
    aside: Vec<u8>,
    /// Bytes that came.
    read: usize,
    /// Whether the answer ended where it said that it would, and did not say that the connection would.
    delimited: bool,
}

impl Reader {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            buffer: BytesMut::with_capacity(ROOM),
            ended: false,
            aside: Vec::new(),
            read: 0,
            delimited: false,
        }
    }

    /// Writes a request and reads the answer, as far as it comes.
    async fn ask(
        &mut self,
        request: &[u8],
        method: &str,
        deadline: Deadline,
    ) -> Result<Ended, SendError> {
        let (mut response, written) = deadline.within(self.head_of(request)).await?;
        if method == "HEAD" || response.status == 204 || response.status == 304 {
            self.delimited &= written;
            response.aside = std::mem::take(&mut self.aside);
            return Ok((response, Ok(())));
        }
        let end = deadline.within(self.body(&mut response)).await;
        self.delimited &= written && end.is_ok();
        if end.is_err() {
            self.keep_rest(&mut response);
        }
        response.aside = std::mem::take(&mut self.aside);
        Ok((response, end))
    }

    /// Adds what came of a body that broke off.
    fn keep_rest(&self, response: &mut Response) {
        let room = MAX_BODY.saturating_sub(response.body.len());
        let left = self.buffer.len().min(room);
        response.body.extend_from_slice(&self.buffer[..left]);
    }

    /// Writes a request and reads the head of its answer; also whether all of the request was written. A gateway may answer and
    /// close before it has read it: what it said still counts.
    async fn head_of(&mut self, request: &[u8]) -> Result<(Response, bool), SendError> {
        let written = self.stream.write_all(request).await;
        match (self.response().await, written) {
            (Err(SendError::Closed("before it answered")), Err(error)) => {
                Err(SendError::Broken(error.to_string()))
            }
            (response, written) => Ok((response?, written.is_ok())),
        }
    }

    /// Keeps so many bytes, if there is room.
    fn set_aside(&mut self, length: usize) {
        let room = MAX_ASIDE.saturating_sub(self.aside.len());
        let length = length.min(self.buffer.len()).min(room);
        self.aside.extend_from_slice(&self.buffer[..length]);
    }

    /// Whether nothing came.
    fn untouched(&self) -> bool {
        self.read == 0
    }

    /// Whether another request may follow the answer.
    fn is_reusable(&self) -> bool {
        self.delimited && !self.ended && self.buffer.is_empty()
    }

    async fn fill(&mut self) -> Result<(), SendError> {
        // Into the buffer itself: an array on the way would be part of every future up to the launch's, and moved with them.
        if self.buffer.capacity() - self.buffer.len() < ROOM {
            self.buffer.reserve(4 * ROOM);
        }
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => self.ended = true,
            Ok(count) => self.read += count,
            // Who closes without saying so in TLS has closed.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.ended = true,
            Err(error) => return Err(SendError::Broken(error.to_string())),
        }
        Ok(())
    }

    /// The head of the answer, after those of interim answers.
    async fn response(&mut self) -> Result<Response, SendError> {
        let mut interim = Vec::new();
        loop {
            let response = self.head().await?;
            if !(100..200).contains(&response.status) {
                return Ok(Response {
                    interim,
                    ..response
                });
            }
            interim.push(response.status);
        }
    }

    async fn head(&mut self) -> Result<Response, SendError> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 128];
            let mut parsed = httparse::Response::new(&mut headers);
            match parsed.parse(&self.buffer) {
                Ok(httparse::Status::Complete(length)) => {
                    let response = Response {
                        status: parsed.code.unwrap_or(0),
                        reason: parsed.reason.unwrap_or_default().to_owned(),
                        headers: parsed
                            .headers
                            .iter()
                            .map(|header| (header.name.to_owned(), header.value.to_vec()))
                            .collect(),
                        port: port(match &self.stream {
                            Either::Left(plain) => plain,
                            Either::Right(tls) => tls.get_ref().0,
                        }),
                        ..Response::default()
                    };
                    self.delimited = parsed.version == Some(1);
                    self.set_aside(length);
                    self.buffer.advance(length);
                    return Ok(response);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() > MAX_HEAD => {
                    return Err(SendError::NotHttp(format!(
                        "no end of the headers within {MAX_HEAD} bytes"
                    )));
                }
                Ok(httparse::Status::Partial) if self.ended && self.buffer.is_empty() => {
                    return Err(SendError::Closed("before it answered"));
                }
                Ok(httparse::Status::Partial) if self.ended => {
                    return Err(SendError::Closed("within the headers"));
                }
                Ok(httparse::Status::Partial) => self.fill().await?,
                Err(error) => {
                    let start = &self.buffer[..self.buffer.len().min(MAX_QUOTED)];
                    let start = String::from_utf8_lossy(start);
                    return Err(SendError::NotHttp(format!(
                        "{error}; it begins with {start:?}"
                    )));
                }
            }
        }
    }

    async fn body(&mut self, response: &mut Response) -> Result<(), SendError> {
        let header = |name: &str| {
            response
                .headers
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase())
        };
        let chunked = header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let length = header("content-length").and_then(|value| value.trim().parse::<usize>().ok());
        let events =
            header("content-type").is_some_and(|value| value.starts_with("text/event-stream"));
        let closes = header("connection").is_some_and(|value| value != "keep-alive");
        self.delimited &= length.is_some() && !chunked && !closes;
        match (chunked, length) {
            (true, _) => self.chunked(response, events).await,
            (false, Some(length)) => {
                while self.buffer.len() < length.min(MAX_BODY) {
                    if self.ended {
                        return Err(SendError::Closed("within the body"));
                    }
                    self.fill().await?;
                }
                response.cut = length > MAX_BODY;
                response.surplus = self.buffer.len() > length;
                self.delimited &= !response.surplus;
                self.buffer.truncate(length.min(MAX_BODY));
                response.body = std::mem::take(&mut self.buffer).into();
                Ok(())
            }
            (false, None) => {
                while !self.ended
                    && self.buffer.len() <= MAX_BODY
                    && !(events && is_done(&self.buffer))
                {
                    self.fill().await?;
                }
                response.cut = self.buffer.len() > MAX_BODY;
                self.buffer.truncate(MAX_BODY);
                response.body = std::mem::take(&mut self.buffer).into();
                Ok(())
            }
        }
    }

    async fn chunked(&mut self, response: &mut Response, events: bool) -> Result<(), SendError> {
        loop {
            let (start, size) = loop {
                match httparse::parse_chunk_size(&self.buffer) {
                    Ok(httparse::Status::Complete((start, size))) => {
                        break (start, usize::try_from(size).unwrap_or(usize::MAX));
                    }
                    Ok(httparse::Status::Partial) if self.ended => {
                        return Err(SendError::Closed("within the body"));
                    }
                    Ok(httparse::Status::Partial) => self.fill().await?,
                    Err(_) => return Err(SendError::NotHttp("a chunk has no size".to_owned())),
                }
            };
            if size == 0 {
                // Trailers, as far as they have come; the line end before them is that of the size.
                self.set_aside(self.buffer.len());
                let rest = &self.buffer[start - 2..];
                let end = rest.windows(4).position(|end| end == b"\r\n\r\n");
                response.surplus = end.is_some_and(|end| rest.len() > end + 4);
                return Ok(());
            }
            self.set_aside(start);
            self.buffer.advance(start);
            let room = MAX_BODY - response.body.len();
            let wanted = size.min(room);
            while self.buffer.len() < wanted.saturating_add(if size > room { 0 } else { 2 }) {
                if self.ended {
                    return Err(SendError::Closed("within the body"));
                }
                self.fill().await?;
            }
            response.body.extend_from_slice(&self.buffer[..wanted]);
            if size > room {
                response.cut = true;
                return Ok(());
            }
            self.buffer.advance(size + 2);
            if events && is_done(&response.body) {
                return Ok(());
            }
        }
    }
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

/// The useful part of an event stream is over; some releases keep the connection open for seconds after it.
fn is_done(body: &[u8]) -> bool {
    let tail = &body[body.len().saturating_sub(64)..];
    tail.windows(12).any(|window| window == b"data: [DONE]")
}

#[cfg(test)]
mod tests;
