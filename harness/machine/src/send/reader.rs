//! Reads an answer from a connection: its head, its body, and what comes beside them.

use std::io;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::{Deadline, Ended, MAX_ASIDE, MAX_HEAD, MAX_QUOTED, SendError, port};
use contract::exchange::{MAX_BODY, Response};

/// A read has room for so many bytes at least.
const ROOM: usize = 4 * 1024;

/// A connection, in plain or over TLS.
type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Buffers what the connection brings.
pub(super) struct Reader {
    pub(super) stream: Stream,
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
    pub(super) fn new(stream: Stream) -> Self {
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
    pub(super) async fn ask(
        &mut self,
        request: &[u8],
        method: &str,
        deadline: Deadline,
    ) -> Result<Ended, SendError> {
        let (mut response, written) = deadline.within(self.head_of(request)).await?;
        if method == "HEAD" || response.status == 204 || response.status == 304 {
            self.delimited &= written;
            return Ok((self.taken(response, true), Ok(())));
        }
        let end = deadline.within(self.body(&mut response)).await;
        self.delimited &= written && end.is_ok();
        Ok((self.taken(response, end.is_ok()), end))
    }

    /// The answer with what came beside it, and of a body that is not whole with all that came.
    pub(super) fn taken(&mut self, mut response: Response, whole: bool) -> Response {
        if !whole {
            let room = MAX_BODY.saturating_sub(response.body.len());
            let left = self.buffer.len().min(room);
            response.body.extend_from_slice(&self.buffer[..left]);
        }
        response.aside = std::mem::take(&mut self.aside);
        response
    }

    /// Writes a request and reads the head of its answer; also whether all of the request was written. A gateway may answer and
    /// close before it has read it: what it said still counts.
    pub(super) async fn head_of(&mut self, request: &[u8]) -> Result<(Response, bool), SendError> {
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
    pub(super) fn untouched(&self) -> bool {
        self.read == 0
    }

    /// Whether another request may follow the answer.
    pub(super) fn is_reusable(&self) -> bool {
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

    /// Reads the body of an answer, to its end or to `data: [DONE]` of an event stream.
    pub(super) async fn body(&mut self, response: &mut Response) -> Result<(), SendError> {
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

/// The useful part of an event stream is over; some releases keep the connection open for seconds after it.
fn is_done(body: &[u8]) -> bool {
    let tail = &body[body.len().saturating_sub(64)..];
    tail.windows(12).any(|window| window == b"data: [DONE]")
}
