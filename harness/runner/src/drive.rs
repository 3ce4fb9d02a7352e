//! The one loop over [`RunEvent`]s: work tells them, a sink takes them in.
//!
//! Read [`drive`]. Whoever runs something brings the work and the sink; nothing here prints.

use std::ops::ControlFlow;
use std::pin::pin;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use record::events::RunEvent;

/// Drives work until it is done, and feeds each of its events to `sink`; [`RunEvent::Finished`] is always the last.
///
/// The work gets the way to tell events, and a token that says when to stop: when `cancel` fires, or when the sink has
/// seen enough and breaks. It is then driven on until it has cleaned up.
pub async fn drive<T>(
    work: impl AsyncFnOnce(UnboundedSender<RunEvent>, CancellationToken) -> T,
    cancel: &CancellationToken,
    mut sink: impl FnMut(&RunEvent) -> ControlFlow<()>,
) -> T {
    let stop = cancel.child_token();
    let (sender, mut events) = unbounded_channel();
    let mut work = pin!(work(sender, stop.clone()));
    let mut take = |event: &RunEvent| {
        log(event);
        if sink(event).is_break() {
            stop.cancel();
        }
    };
    let done = loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => take(&event),
            done = &mut work => break done,
        }
    };
    while let Ok(event) = events.try_recv() {
        take(&event);
    }
    take(&RunEvent::Finished);
    done
}

/// The events that are not logged where they come from.
fn log(event: &RunEvent) {
    match event {
        RunEvent::Cell(_) | RunEvent::Asked { .. } => {}
        RunEvent::GatewayFailed { .. } | RunEvent::LaunchFailed { .. } | RunEvent::Interrupted => {
            tracing::warn!(?event);
        }
        RunEvent::Preparing { .. }
        | RunEvent::GatewayReady(_)
        | RunEvent::Budgeted(_)
        | RunEvent::OutOfTime { .. }
        | RunEvent::LaunchStarted { .. }
        | RunEvent::LaunchReady { .. }
        | RunEvent::LaunchEnded(_)
        | RunEvent::Finished => tracing::debug!(?event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(profile: &str) -> RunEvent {
        RunEvent::Asked {
            gateway: "g".to_owned(),
            profile: profile.to_owned(),
            cell: String::new(),
            ports: Vec::new(),
        }
    }

    fn name(event: &RunEvent) -> String {
        match event {
            RunEvent::Asked { profile, .. } => profile.clone(),
            event => format!("{event:?}"),
        }
    }

    /// Runs work that tells two events and then waits to be stopped; says what the sink saw, and whether `cancel` fired.
    async fn seen_until(enough: &str, cancel: &CancellationToken) -> Vec<String> {
        let mut seen = Vec::new();
        let work = async |events: UnboundedSender<RunEvent>, stop: CancellationToken| {
            events.send(asked("first")).unwrap();
            tokio::task::yield_now().await;
            events.send(asked("second")).unwrap();
            stop.cancelled().await;
            events.send(RunEvent::Interrupted).unwrap();
        };
        drive(work, cancel, |event| {
            seen.push(name(event));
            match name(event) == enough {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
        .await;
        seen
    }

    #[tokio::test]
    async fn a_sink_that_has_seen_enough_stops_the_work_and_sees_it_clean_up() {
        let cancel = CancellationToken::new();
        let seen = seen_until("second", &cancel).await;
        assert_eq!(seen, ["first", "second", "Interrupted", "Finished"]);
        assert!(
            !cancel.is_cancelled(),
            "stopping early is not an interruption"
        );
    }

    #[tokio::test]
    async fn an_interruption_stops_the_work() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let seen = seen_until("never", &cancel).await;
        assert_eq!(seen, ["first", "second", "Interrupted", "Finished"]);
    }

    #[tokio::test]
    async fn what_is_told_at_the_very_end_is_taken_in() {
        let mut seen = Vec::new();
        let work = async |events: UnboundedSender<RunEvent>, _| {
            for profile in ["a", "b", "c"] {
                events.send(asked(profile)).unwrap();
            }
            7
        };
        let cancel = CancellationToken::new();
        let done = drive(work, &cancel, |event| {
            seen.push(name(event));
            ControlFlow::Continue(())
        });
        assert_eq!(done.await, 7);
        assert_eq!(seen, ["a", "b", "c", "Finished"]);
    }
}
