//! Readiness: by HTTP, never by what a log says.

use std::net::SocketAddr;
use std::time::Duration;

/// Waits until one of the paths answers 200. Never ends otherwise.
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
            if answer.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK) {
                return;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(200));
    }
}
