//! Connections that are used again, where a scenario asks for it.
//!
//! Only requests with the same request line and header lines share one, so that no cell is answered by what another caller
//! left; and only after an answer that said how long it is, was read to its end, and did not close.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio_util::either::Either;

use super::reader::Reader;
use super::{Deadline, Ended, Peer, SendError, connected, exchanged};
use contract::exchange::{Exchange, Request};

/// So many connections wait for another request.
const MOST: usize = 64;
/// A connection that waits longer than this may be closed any moment: servers wait for some seconds.
const FRESH: Duration = Duration::from_secs(1);

/// Connections to one launch that wait for another request.
#[derive(Debug, Default)]
pub struct Connections(Mutex<VecDeque<Idle>>);

#[derive(Debug)]
struct Idle {
    /// Request line and header lines of what was sent over it.
    head: Vec<u8>,
    peer: Peer,
    since: Instant,
    stream: TcpStream,
}

impl Connections {
    /// As [`super::send`], over a connection that an earlier request with the same header lines has left, if there is one.
    ///
    /// # Errors
    /// A [`SendError`] where no complete answer came within `timeout`.
    pub async fn send(
        &self,
        peer: Peer,
        request: Request,
        timeout: Duration,
    ) -> Result<Exchange, SendError> {
        let (started, deadline) = (Instant::now(), Deadline::new(timeout));
        let ended = self.exchange(&peer, &request, deadline).await?;
        exchanged(request, ended, started.elapsed())
    }

    async fn exchange(
        &self,
        peer: &Peer,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Ended, SendError> {
        let head = head(request);
        let bytes = request.encode(peer.address, true);
        if let Some(stream) = self.take(&head, peer) {
            let mut reader = Reader::new(Either::Left(stream));
            match reader.ask(&bytes, &request.method, deadline).await {
                // It was closed while it waited: nobody has read the request.
                Err(error) if reader.untouched() && error.is_silence() => {}
                answer => return self.keep(answer, reader, head, peer),
            }
        }
        let stream = deadline.within(connected(peer)).await?;
        let mut reader = Reader::new(Either::Left(stream));
        let answer = reader.ask(&bytes, &request.method, deadline).await;
        self.keep(answer, reader, head, peer)
    }

    /// A connection that is still open and silent.
    fn take(&self, head: &[u8], peer: &Peer) -> Option<TcpStream> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that wait longest are first.
        while idle.front().is_some_and(|one| one.since.elapsed() >= FRESH) {
            idle.pop_front();
        }
        let is_fit = |one: &Idle| one.head == head && one.peer == *peer;
        let place = idle.iter().rposition(is_fit)?;
        let stream = idle.remove(place)?.stream;
        let silent = stream.try_read(&mut [0]);
        let silent = silent.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        silent.then_some(stream)
    }

    fn keep(
        &self,
        answer: Result<Ended, SendError>,
        reader: Reader,
        head: Vec<u8>,
        peer: &Peer,
    ) -> Result<Ended, SendError> {
        if answer.is_ok()
            && reader.is_reusable()
            && let Either::Left(stream) = reader.stream
        {
            let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() >= MOST {
                idle.pop_front();
            }
            idle.push_back(Idle {
                head,
                peer: peer.clone(),
                since: Instant::now(),
                stream,
            });
        }
        answer
    }
}

/// What requests must have in common to share a connection.
fn head(request: &Request) -> Vec<u8> {
    let lines = [request.method.as_bytes(), request.target.as_bytes()];
    let headers = request.headers.iter().map(Vec::as_slice);
    lines
        .into_iter()
        .chain(headers)
        .collect::<Vec<_>>()
        .join(&b'\n')
}

#[cfg(test)]
mod tests;
