//! The one runtime of the process, and its signals.
//!
//! Ctrl-C, SIGTERM and a closed terminal ask the work to stop cleanly. Whoever asks twice, or asks when there is nothing to
//! stop (a report is being written, perhaps to somebody who does not read), does not want to wait: it ends at once.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::Signal as Number;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::output::{Failure, Output};
use record::Ending;

/// So long abandoned work may take to kill what it started and to remove its folders.
const ABANDONED: Duration = Duration::from_secs(2);
/// So long the last words may take: nobody may be reading them.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs the work of a command; the runtime starts with the first of it, and its signals are heeded to the end.
#[derive(Debug)]
pub(in crate::cli) struct Session {
    output: Output,
    started: OnceCell<(Runtime, Arc<Asked>)>,
}

/// What signals have asked for.
#[derive(Debug, Default)]
struct Asked {
    /// To stop cleanly.
    cancel: CancellationToken,
    /// To stop at once.
    abandon: CancellationToken,
    /// Whether there is work that could stop.
    working: AtomicBool,
}

impl Session {
    pub(in crate::cli) fn new(output: &Output) -> Self {
        Self {
            output: output.clone(),
            started: OnceCell::new(),
        }
    }

    /// Runs work until it is done; it gets the token that says when to stop. On a second signal it is dropped where it
    /// stands, which kills what it started.
    ///
    /// # Errors
    /// Those of the work; there is no runtime; the work was dropped.
    pub(super) fn run<T>(
        &self,
        work: impl AsyncFnOnce(&CancellationToken) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (runtime, asked) = self.started()?;
        asked.working.store(true, Ordering::SeqCst);
        let done = runtime.block_on(async {
            tokio::select! {
                biased;
                () = asked.abandon.cancelled() => Err(interrupted_twice()),
                done = work(&asked.cancel) => done,
            }
        });
        asked.working.store(false, Ordering::SeqCst);
        done
    }

    fn started(&self) -> Result<&(Runtime, Arc<Asked>), Failure> {
        if let Some(started) = self.started.get() {
            return Ok(started);
        }
        // A runtime that cannot start its threads panics.
        machine::limits::threads().map_err(|error| {
            Failure::new(Ending::Incomplete, error.to_string())
                .help("look at `ulimit -u`, and at what the container may have")
        })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let asked = Arc::new(Asked::default());
        let signals = {
            let _within = runtime.enter();
            // Who may write no larger files is told so by the write, and not killed.
            drop(signal(SignalKind::from_raw(Number::XFSZ.as_raw()))?);
            [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ]
        };
        runtime.spawn(heed(signals, Arc::clone(&asked), self.output.clone()));
        Ok(self.started.get_or_init(|| (runtime, asked)))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some((runtime, _)) = self.started.take() {
            runtime.shutdown_timeout(ABANDONED);
        }
    }
}

fn interrupted_twice() -> Failure {
    Failure::new(
        Ending::Interrupted,
        "interrupted twice: what was running is killed",
    )
}

async fn heed(mut signals: [Signal; 3], asked: Arc<Asked>, output: Output) {
    let [interrupt, terminate, hangup] = &mut signals;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            // What was abandoned has had its time.
            () = tokio::time::sleep(ABANDONED), if asked.abandon.is_cancelled() => end_at_once(&output),
        }
        match (
            asked.working.load(Ordering::SeqCst),
            asked.cancel.is_cancelled(),
        ) {
            (true, false) => asked.cancel.cancel(),
            (true, true) if !asked.abandon.is_cancelled() => asked.abandon.cancel(),
            (true, true) | (false, _) => end_at_once(&output),
        }
    }
}

/// Ends the process, whatever its main thread waits for.
#[expect(
    clippy::exit,
    reason = "the main thread may wait for a reader that never comes"
)]
fn end_at_once(output: &Output) -> ! {
    let (told, wait) = mpsc::channel();
    let output = output.clone();
    std::thread::spawn(move || {
        output.end(Err(Failure::new(Ending::Interrupted, "interrupted")));
        let _ = told.send(());
    });
    let _ = wait.recv_timeout(LAST_WORDS);
    std::process::exit(i32::from(Ending::Interrupted.code()));
}
