//! The one loop over [`RunEvent`]s: work tells them, a sink takes them in.
//!
//! Read [`drive`]. Whoever runs something brings the work and the sink; nothing here prints.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use record::events::RunEvent;

/// So many events about cells wait at a time until they are taken in.
const WAITING: usize = 256;

/// An event on its way, and its place among those that wait.
type Told = (RunEvent, Option<OwnedSemaphorePermit>);

/// The way to tell events.
#[derive(Debug, Clone)]
pub struct Events {
    sender: UnboundedSender<Told>,
    room: Arc<Semaphore>,
}

impl Events {
    /// A way that leads nowhere.
    pub(crate) fn unheard() -> Self {
        Self {
            sender: unbounded_channel().0,
            room: Arc::new(Semaphore::new(WAITING)),
        }
    }

    /// Tells an event. Nobody listening is no reason to stop a run.
    pub fn tell(&self, event: RunEvent) {
        let _ = self.sender.send((event, None));
    }

    /// Tells one event of very many: while too many of them wait to be taken in, it waits, too. Whoever listens does so until
    /// the work is done, and gives their places back when it stops.
    pub async fn tell_in_turn(&self, event: RunEvent) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.room).acquire_owned().await.ok();
        let _ = self.sender.send((event, place));
    }
}

/// Drives work until it is done, and feeds each of its events to `sink`; [`RunEvent::Finished`] is always the last.
///
/// The work gets the way to tell events, and a token that says when to stop: when `cancel` fires, or when the sink has
/// seen enough and breaks. It is then driven on until it has cleaned up.
pub async fn drive<T>(
    work: impl AsyncFnOnce(Events, CancellationToken) -> T,
    cancel: &CancellationToken,
    mut sink: impl FnMut(&RunEvent) -> ControlFlow<()>,
) -> T {
    let stop = cancel.child_token();
    let (sender, mut events) = unbounded_channel();
    let room = Arc::new(Semaphore::new(WAITING));
    let mut work = pin!(work(Events { sender, room }, stop.clone()));
    let mut take = |(event, place): Told| {
        log(&event);
        if sink(&event).is_break() {
            stop.cancel();
        }
        drop(place);
    };
    let done = loop {
        tokio::select! {
            biased;
            Some(told) = events.recv() => take(told),
            done = &mut work => break done,
        }
    };
    while let Ok(told) = events.try_recv() {
        take(told);
    }
    take((RunEvent::Finished, None));
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::task::JoinSet;

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
        let work = async |events: Events, stop: CancellationToken| {
            events.tell(asked("first"));
            tokio::task::yield_now().await;
            events.tell(asked("second"));
            stop.cancelled().await;
            events.tell(RunEvent::Interrupted);
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
        let work = async |events: Events, _| {
            for profile in ["a", "b", "c"] {
                events.tell(asked(profile));
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

    /// Who tells of cells never gets far ahead of who takes them in, and nobody waits for ever, however the work is spread.
    #[rstest::rstest]
    #[case::in_the_work_itself(1, false)]
    #[case::in_tasks_of_its_own(4, false)]
    #[case::interrupted(4, true)]
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_more_than_some_events_wait(#[case] tellers: usize, #[case] interrupted: bool) {
        let told = Arc::new(AtomicUsize::new(0));
        let (counted, mut taken, mut most) = (Arc::clone(&told), 0, 0);
        let cancel = CancellationToken::new();
        let work = async |events: Events, stop: CancellationToken| {
            let teller = |events: Events| {
                let counted = Arc::clone(&counted);
                async move {
                    for _ in 0..5 * WAITING {
                        events.tell_in_turn(asked("cell")).await;
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                }
            };
            let mut tasks = JoinSet::new();
            for _ in 1..tellers {
                tasks.spawn(teller(events.clone()));
            }
            teller(events).await;
            tasks.join_all().await;
            assert_eq!(stop.is_cancelled(), interrupted);
        };
        let done = drive(work, &cancel, |event| {
            if interrupted && taken == WAITING {
                cancel.cancel();
            }
            // Slower than those who tell.
            std::thread::sleep(Duration::from_micros(20));
            most = most.max(told.load(Ordering::SeqCst) - taken);
            taken += usize::from(matches!(event, RunEvent::Asked { .. }));
            ControlFlow::Continue(())
        });
        tokio::time::timeout(Duration::from_secs(60), done)
            .await
            .unwrap();
        assert_eq!(taken, tellers * 5 * WAITING);
        assert!(most > WAITING / 8 && most <= WAITING + tellers, "{most}");
    }
}
