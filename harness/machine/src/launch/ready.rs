//! Readiness: by HTTP, never by what a log says.

use std::time::Duration;

use crate::send::{Peer, send};
use contract::exchange::Request;

/// How long one probe may take.
const PROBE: Duration = Duration::from_secs(2);

/// Waits until the gateway says that it is ready. Never ends otherwise.
///
/// The first path that the gateway lets anybody ask decides: one that is not there or wants a credential (4xx) leaves
/// it to the next, one that answers 503 or nothing says "not yet".
pub(super) async fn ready(gateway: &Peer, paths: &[String]) {
    let mut pause = FIRST_PAUSE;
    loop {
        for path in paths {
            let probe = Request {
                method: "GET".to_owned(),
                target: path.clone(),
                headers: Vec::new(),
                body: Vec::new(),
            };
            match send(gateway.clone(), probe, PROBE).await {
                Ok(exchange) if exchange.response.status == 200 => return,
                Ok(exchange) if (400..500).contains(&exchange.response.status) => {}
                Ok(_) | Err(_) => break,
            }
        }
        pause = rest(pause).await;
    }
}

/// Waits until somebody accepts connections. Never ends otherwise.
pub(super) async fn accepts(peer: &Peer) {
    let mut pause = FIRST_PAUSE;
    while peer.connect().await.is_err() {
        pause = rest(pause).await;
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Rests, and says how long the next rest is to be.
async fn rest(pause: Duration) -> Duration {
    tokio::time::sleep(pause).await;
    (pause * 3 / 2).min(Duration::from_millis(200))
}
