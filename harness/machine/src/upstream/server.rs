//! The stand-in's side of the wire: HTTP/1.1 read from raw bytes, so that also what is no request leaves its mark.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::ledger::Ledger;
use super::reply::Reply;

/// A call may be so long; of a longer one the rest is not read.
const MAX_CALL: usize = 32 * 1024 * 1024;
/// How long to wait before the next connection is taken where this machine could not take one.
const PAUSE: Duration = Duration::from_millis(50);

/// What the connections share.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) ledger: Ledger,
    /// Connections that are open.
    pub(super) open: AtomicUsize,
    /// Why a connection could not be taken.
    pub(super) failure: OnceLock<String>,
}

/// Takes connections until it is dropped.
#[derive(Debug)]
pub(super) struct Server(AbortHandle);

impl Server {
    pub(super) fn start(listener: TcpListener, state: Arc<State>) -> Self {
        Self(tokio::spawn(accept(listener, state)).abort_handle())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Ends with this task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let open = Open::new(Arc::clone(&state));
                connections.spawn(async move { serve(stream, &open.0).await });
            }
            // The caller has gone already.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                let why = format!("the model stand-in cannot take a connection: {error}");
                let _ = state.failure.set(why);
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Counts an open connection.
struct Open(Arc<State>);

impl Open {
    fn new(state: Arc<State>) -> Self {
        state.open.fetch_add(1, Ordering::AcqRel);
        Self(state)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Answers one call after the other. Bytes that make no whole call are noted, too.
async fn serve(stream: TcpStream, state: &State) {
    let _ = stream.set_nodelay(true);
    let mut wire = Wire {
        stream,
        bytes: Vec::new(),
    };
    loop {
        let call = wire.call().await;
        match call {
            Ok(call) => {
                let path = call.target.split('?').next().unwrap_or_default();
                let place = format!("{} {path}", call.method);
                let reply = Reply::to(&call.method, path, &call.body);
                // The canaries may be in the head as well; a chunked body is searched without its sizes.
                let bytes = [&wire.bytes[..call.head], b"\n", &call.body[..]].concat();
                state.ledger.note(&place, &bytes, &reply.model, &reply.said);
                wire.bytes.drain(..call.length);
                let head = format!(
                    "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
                    reply.status,
                    reply.content_type,
                    reply.body.len()
                );
                let body = match call.method.as_str() {
                    "HEAD" => "",
                    _ => &reply.body,
                };
                let answer = [head.as_bytes(), body.as_bytes()].concat();
                if wire.stream.write_all(&answer).await.is_err() || call.last {
                    return;
                }
            }
            Err(_) if wire.bytes.is_empty() => return,
            Err(no_call) => {
                state.ledger.note(no_call.place(), &wire.bytes, "", &[]);
                let answer =
                    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                let _ = wire.stream.write_all(answer).await;
                return;
            }
        }
    }
}

/// A call as it was read.
struct Call {
    method: String,
    target: String,
    /// Length of the head.
    head: usize,
    /// Length of everything that belongs to it.
    length: usize,
    body: Vec<u8>,
    /// Whether the connection ends with it.
    last: bool,
}

/// No whole call came.
#[derive(Clone, Copy)]
enum NoCall {
    /// The connection ended, or brought more than a call may be long.
    Unfinished,
    /// The bytes are not HTTP.
    Garbage,
}

impl NoCall {
    fn place(self) -> &'static str {
        match self {
            Self::Unfinished => "an unfinished HTTP request",
            Self::Garbage => "bytes that are no HTTP request",
        }
    }
}

/// How a body is delimited.
enum Framing {
    Length(usize),
    Chunked,
}

struct Head {
    method: String,
    target: String,
    length: usize,
    framing: Framing,
    last: bool,
    waits: bool,
}

struct Wire {
    stream: TcpStream,
    /// What was read and is not answered yet.
    bytes: Vec<u8>,
}

impl Wire {
    async fn fill(&mut self) -> Result<(), NoCall> {
        if self.bytes.len() > MAX_CALL {
            return Err(NoCall::Unfinished);
        }
        match self.stream.read_buf(&mut self.bytes).await {
            Ok(0) | Err(_) => Err(NoCall::Unfinished),
            Ok(_) => Ok(()),
        }
    }

    /// The next call; its bytes stay in the buffer.
    async fn call(&mut self) -> Result<Call, NoCall> {
        let head = loop {
            match parse(&self.bytes)? {
                Some(head) => break head,
                None => self.fill().await?,
            }
        };
        if head.waits {
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.stream
                .write_all(go_on)
                .await
                .map_err(|_| NoCall::Unfinished)?;
        }
        let (body, end) = match head.framing {
            Framing::Length(length) => {
                let end = head.length.saturating_add(length);
                while self.bytes.len() < end {
                    self.fill().await?;
                }
                (self.bytes[head.length..end].to_vec(), end)
            }
            Framing::Chunked => self.chunked(head.length).await?,
        };
        Ok(Call {
            method: head.method,
            target: head.target,
            head: head.length,
            length: end,
            body,
            last: head.last,
        })
    }

    /// A chunked body from `start` on, and where it ends.
    async fn chunked(&mut self, start: usize) -> Result<(Vec<u8>, usize), NoCall> {
        let (mut body, mut at) = (Vec::new(), start);
        loop {
            match httparse::parse_chunk_size(&self.bytes[at..]) {
                Ok(httparse::Status::Complete((digits, size))) => {
                    let size = usize::try_from(size).map_err(|_| NoCall::Garbage)?;
                    let data = at + digits;
                    let end = data.saturating_add(size);
                    while self.bytes.len() < end.saturating_add(2) {
                        self.fill().await?;
                    }
                    body.extend_from_slice(&self.bytes[data..end]);
                    at = end + 2;
                    if size == 0 {
                        return Ok((body, at));
                    }
                }
                Ok(httparse::Status::Partial) => self.fill().await?,
                Err(_) => return Err(NoCall::Garbage),
            }
        }
    }
}

/// The head of a call, once it is whole.
fn parse(bytes: &[u8]) -> Result<Option<Head>, NoCall> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(NoCall::Garbage),
    };
    let value = |name: &str| {
        let mut headers = request.headers.iter();
        let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(header.value).to_ascii_lowercase())
    };
    let chunked = value("transfer-encoding").is_some_and(|value| value.contains("chunked"));
    let framing = match value("content-length") {
        _ if chunked => Framing::Chunked,
        Some(length) => Framing::Length(length.trim().parse().map_err(|_| NoCall::Garbage)?),
        None => Framing::Length(0),
    };
    let closes = value("connection").is_some_and(|value| value.contains("close"));
    Ok(Some(Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        length,
        framing,
        last: closes || request.version == Some(0),
        waits: value("expect").is_some_and(|value| value.contains("100-continue")),
    }))
}
