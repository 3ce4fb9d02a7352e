//! Readiness: by HTTP, never by what a log says.

use std::net::SocketAddr;
use std::time::Duration;

/// Waits until the gateway says that it is ready. Never ends otherwise.
///
/// The first path that the gateway lets anybody ask decides: one that is not there or wants a credential (4xx) leaves
/// it to the next, one that answers 503 or nothing says "not yet".
pub(super) async fn ready(address: SocketAddr, paths: &[String]) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(2))
        .pool_max_idle_per_host(0)
        .build();
    let Ok(client) = client else {
        return std::future::pending().await;
    };
    let mut pause = Duration::from_millis(20);
    loop {
        for path in paths {
            let answer = client.get(format!("http://{address}{path}")).send().await;
            match answer.map(|answer| answer.status()) {
                Ok(reqwest::StatusCode::OK) => return,
                Ok(status) if status.is_client_error() => {}
                Ok(_) | Err(_) => break,
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(200));
    }
}
