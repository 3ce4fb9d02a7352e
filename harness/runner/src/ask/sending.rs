//! How a cell's request is sent: as it is, over a connection that others use too, over a socket, or by another client.

use std::sync::PoisonError;
use std::time::Duration;

use super::Asker;
use contract::exchange::{Exchange, Request};
use contract::plan::{Cell, Way};
use contract::scenario::model::Protocol;
use machine::clients::call;
use machine::send::{Held, Peer, SendError, listen, send, websocket, websocket_held};

/// So many failures of a sender in a row, and the launch's other cells are not asked by it.
const SENDER_FAILURES: usize = 3;

/// The ports that a cell's requests were sent from, in order: those before it, then its own. None where a proxy stood between.
pub(super) fn ports(
    cell: &Cell,
    mut before: Vec<u16>,
    sent: &Result<Exchange, SendError>,
) -> Vec<u16> {
    if matches!(cell.way(), Way::Through(_)) {
        return Vec::new();
    }
    let exchange = match sent {
        Ok(exchange) => Some(exchange),
        Err(SendError::Unfinished { exchange, .. }) => Some(&**exchange),
        Err(_) => None,
    };
    before.extend(exchange.map(|exchange| exchange.response.port));
    before
}

/// Sends a request over a connection of its own.
pub(super) async fn send_by_itself(
    protocol: Protocol,
    peer: Peer,
    request: Request,
    timeout: Duration,
) -> Result<Exchange, SendError> {
    match protocol {
        Protocol::Http => send(peer, request, timeout).await,
        Protocol::Websocket => websocket(peer, request, timeout).await,
    }
}

/// The same; a WebSocket connection that `stays` is given to whoever asked.
pub(super) async fn send_and_hold(
    protocol: Protocol,
    peer: Peer,
    request: Request,
    timeout: Duration,
    stays: bool,
) -> Result<(Exchange, Option<Held>), SendError> {
    if stays && protocol == Protocol::Websocket {
        let (exchange, held) = websocket_held(peer, request, timeout).await?;
        return Ok((exchange, Some(held)));
    }
    let exchange = send_by_itself(protocol, peer, request, timeout).await?;
    Ok((exchange, None))
}

impl Asker<'_> {
    /// Sends a cell's request as the cell says.
    pub(super) async fn send(
        &self,
        cell: &Cell,
        peer: Peer,
        request: Request,
        timeout: Duration,
    ) -> Result<Exchange, SendError> {
        if let Some(sender) = cell.sender() {
            return self.send_by(sender, request, timeout).await;
        }
        if cell.listens() {
            let enough = self.last_step.cancelled();
            return listen(peer, request, timeout, enough).await;
        }
        match cell.scenario.request.protocol {
            Protocol::Http if cell.scenario.request.keep_alive => {
                self.connections.send(peer, request, timeout).await
            }
            protocol => send_by_itself(protocol, peer, request, timeout).await,
        }
    }

    /// Lets another client send the request. One that fails again and again is not waited for any longer.
    async fn send_by(
        &self,
        sender: &str,
        request: Request,
        timeout: Duration,
    ) -> Result<Exchange, SendError> {
        let no_answer = |why: String| SendError::Sender {
            sender: sender.to_owned(),
            why,
        };
        let failures = || self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = &self.target.senders;
        let ready = senders.ready.get(sender);
        let ready = ready.ok_or_else(|| no_answer("it is not installed".to_owned()))?;
        // Whether it is given up is asked when it is its turn: others may have failed meanwhile.
        let _turn = senders.turn().await;
        if failures().get(sender) >= Some(&SENDER_FAILURES) {
            let why = format!("given up after {SENDER_FAILURES} failures in a row");
            return Err(no_answer(why));
        }
        let home = self.folder.join("senders").join(sender);
        let address = self.peer.address;
        let called = call(ready, address, request, &home, &self.staying, timeout).await;
        let mut failures = failures();
        let count = failures.entry(sender.to_owned()).or_default();
        match &called {
            Err(error) if error.is_failure() => *count += 1,
            Ok(_) | Err(_) => *count = 0,
        }
        called.map_err(|error| no_answer(error.to_string()))
    }
}
