//! What goes over the wire: a request, its answer, and both with the time they took.

use std::net::SocketAddr;
use std::time::Duration;

/// How the id of a WebSocket frame ends that was answered although the gateway had refused to connect.
pub const SERVED_AFTER: &str = ", after the refusal";

/// At most so many bytes of an answer are read; what lies beyond is dropped and the answer is marked as cut.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// A request as it goes over the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header lines in order, without line ends. `Connection`, and `Host` and `Content-Length` unless they are among them,
    /// are added by [`Request::encode`].
    pub headers: Vec<Vec<u8>>,
    /// The body.
    pub body: Vec<u8>,
}

/// Headers and body hold secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &self.headers.len())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The exact bytes; `keep` where another request may follow on the same connection.
    pub fn encode(&self, address: SocketAddr, keep: bool) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512 + self.body.len());
        bytes.extend_from_slice(format!("{} {} HTTP/1.1\r\n", self.method, self.target).as_bytes());
        let has_own = |name: &[u8]| {
            let mut lines = self.headers.iter();
            lines.any(|line| {
                let own = line.split(|byte| *byte == b':').next();
                own.is_some_and(|own| own.eq_ignore_ascii_case(name))
            })
        };
        if !has_own(b"host") {
            bytes.extend_from_slice(format!("Host: {address}\r\n").as_bytes());
        }
        bytes.extend_from_slice(match keep {
            true => b"Connection: keep-alive\r\n".as_slice(),
            false => b"Connection: close\r\n".as_slice(),
        });
        if (!self.body.is_empty() || self.method == "POST") && !has_own(b"content-length") {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        for line in &self.headers {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// An answer as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// What the first line says after the status.
    pub reason: String,
    /// Header names (as sent) and values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Whether these are not the headers of an answer by the gateway's own HTTP server, or not all of them: what another client
    /// tells, what something before the gateway may have changed, what came to an upgrade.
    pub partial: bool,
    /// The body, transfer coding removed, at most [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
    /// Whether the body was longer than what was read.
    pub cut: bool,
    /// Whether bytes came after the end of the answer, which no second request had asked for.
    pub surplus: bool,
    /// The statuses of the interim answers (1xx) that came before it.
    pub interim: Vec<u16>,
    /// Whatever came beside the body, raw: the heads of this answer and of those before it, what stands between the parts of a
    /// body and after them, frames that are no answer. Only secrets are looked for in it.
    pub aside: Vec<u8>,
    /// The port of this machine that it came to; 0 where another client asked.
    pub port: u16,
}

/// A request, its answer, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What came back.
    pub response: Response,
    /// From connecting to the end of the answer.
    pub took: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that the request has itself is sent as it is, and no second one beside it.
    #[test]
    fn own_lines_replace_those_that_are_added() {
        let mut request = Request {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            body: b"{}".to_vec(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let sent = |request: &Request| String::from_utf8(request.encode(address, false)).unwrap();
        assert_eq!(
            sent(&request),
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:9\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
        );
        request.headers = vec![b"host: a.example".to_vec(), b"content-length: 30".to_vec()];
        assert_eq!(
            sent(&request),
            "POST / HTTP/1.1\r\nConnection: close\r\nhost: a.example\r\ncontent-length: 30\r\n\r\n{}"
        );
    }
}
