//! What commands share that run something: the log, signals, and how they end.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::output::{Failure, Output};
use record::events::RunEvent;
use record::{Ending, Record};

/// Starts the log, with the command line where `words` says so.
pub(super) fn start_log(path: &Path, words: bool) -> Result<(), Failure> {
    machine::log::start(path).map_err(|error| {
        Failure::usage(format!("cannot write the log {}: {error}", path.display()))
            .help("name a file in a folder that exists")
    })?;
    let version = env!("CARGO_PKG_VERSION");
    let typed: Vec<String> = std::env::args().filter(|_| words).collect();
    tracing::info!(version, "{}", typed.join(" "));
    Ok(())
}

/// Says why the exit code is not 0, and returns it.
pub(super) fn end(record: &Record, output: &Output) -> u8 {
    let (ending, why) = record.ending();
    if ending != Ending::Holds {
        output.note(&format!(
            "{} {why} (exit code {})",
            output.paint_err().bad("clawgauge:"),
            ending.code()
        ));
    }
    ending.code()
}

/// The events that are not logged where they come from.
pub(super) fn log_event(event: &RunEvent) {
    match event {
        RunEvent::Cell(_) | RunEvent::Asked { .. } => {}
        RunEvent::GatewayFailed { .. } | RunEvent::LaunchFailed { .. } | RunEvent::Interrupted => {
            tracing::warn!(?event);
        }
        RunEvent::Preparing { .. }
        | RunEvent::GatewayReady(_)
        | RunEvent::LaunchStarted { .. }
        | RunEvent::LaunchReady { .. }
        | RunEvent::LaunchEnded(_)
        | RunEvent::Finished => tracing::debug!(?event),
    }
}

/// Ctrl-C, SIGTERM and a closed terminal ask the run to stop cleanly; whoever asks twice does not want to wait for the grace.
pub(super) async fn cancel_on_signal(cancel: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            cancel.cancel();
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_ok() {
        cancel.cancel();
    }
}
