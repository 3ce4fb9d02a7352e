//! The model stand-in: answers what a gateway asks of its model, and keeps a ledger of every request that reaches it.
//!
//! Every request of a cell carries a canary, a word of its own. A gateway that lets the caller in passes it on; a gateway
//! that denies must not. The ledger says which canaries arrived, in whatever request and encoding, and which calls arrived
//! that no canary explains. Read [`Upstream`] first.

mod canary;
mod ledger;
mod reply;
mod server;
mod words;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::network::Namespace;
use ledger::Ledger;
use server::{Server, State};

pub use ledger::Tally;

/// How often it is looked whether a connection is still open.
const LOOK: Duration = Duration::from_millis(5);

/// A model that is always up and always says the same. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    state: Arc<State>,
    _server: Server,
}

impl Upstream {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    /// This machine has no port or no file descriptor left.
    pub fn start() -> std::io::Result<Self> {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?)
    }

    /// As [`Upstream::start`], within a namespace: its loopback interface is another one.
    ///
    /// # Errors
    /// As there, or the namespace is gone.
    pub fn start_within(namespace: &Namespace) -> std::io::Result<Self> {
        Self::listen(namespace.inside(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?)
    }

    fn listen(listener: TcpListener) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let state = Arc::new(State::default());
        Ok(Self {
            address: listener.local_addr()?,
            _server: Server::start(listener, Arc::clone(&state)),
            state,
        })
    }

    /// What a gateway is given as the model provider's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// A new canary and its number. The ledger finds it in whatever arrives from now on.
    pub fn new_canary(&self) -> (u32, String) {
        self.ledger().new_canary()
    }

    /// The calls that a gateway makes by itself, as method and path; without anybody's words in them they are explained.
    pub fn expect_own(&self, calls: &[String]) {
        self.ledger().expect_own(calls);
    }

    /// How often the canary with this number has reached the model.
    pub fn calls(&self, canary: u32) -> u32 {
        self.ledger().calls(canary)
    }

    /// What a canary's calls were about is asked for later, by [`Upstream::saw`].
    pub fn watch(&self, canary: u32) {
        self.ledger().watch(canary);
    }

    /// The model that was asked for when a watched canary came last, and whether one of `earlier` came along; `None` where it never came.
    pub fn saw(&self, canary: u32, earlier: &[u32]) -> Option<(String, bool)> {
        self.ledger().saw(canary, earlier)
    }

    /// Everything that has arrived so far.
    pub fn tally(&self) -> Tally {
        self.ledger().tally()
    }

    /// Why it could not take a call that a gateway made, if that happened: the gateway's answers then say nothing.
    pub fn failure(&self) -> Option<&str> {
        self.state.failure.get().map(String::as_str)
    }

    /// Waits until nobody is connected any more, but not longer than `limit`; how many still are.
    pub async fn closed(&self, limit: Duration) -> usize {
        let started = Instant::now();
        loop {
            let open = self.state.open.load(Ordering::Acquire);
            if open == 0 || started.elapsed() >= limit {
                return open;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }
}

#[cfg(test)]
mod tests;
