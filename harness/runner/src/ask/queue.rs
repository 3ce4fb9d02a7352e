//! Cells that wait to be asked, and the workers that take them.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Answer, Asker};
use crate::seen::AllSeen;
use contract::plan::PlannedCells;

/// Whoever is answered within this time takes more cells at a time.
const QUICK: Duration = Duration::from_millis(10);
/// So many workers begin, and the others when an answer is not quick: a few workers make the most of each connection.
const FEW: usize = 8;
/// So many cells are taken at a time, and no more.
const LONGEST_RUN: u32 = 32;

/// Cells, by their place, that several workers ask one after the other.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) cells: Vec<u32>,
    next: AtomicUsize,
    /// Fires when all workers shall work: an answer was not quick, or nothing is left.
    all_work: CancellationToken,
}

impl Queue {
    pub(super) fn add(&mut self, place: usize) {
        self.cells.extend(u32::try_from(place));
    }

    /// The next ones, `most` of them; nothing once there is none left.
    fn next(&self, most: usize) -> &[u32] {
        let next = self.next.fetch_add(most, Ordering::Relaxed);
        let left = self.cells.get(next..).unwrap_or_default();
        &left[..left.len().min(most)]
    }
}

/// Notes what came of a cell.
pub(super) fn note(all: &Mutex<AllSeen>, place: usize, (canary, seen): Answer) {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.put(place, seen);
    all.carried(place, canary);
}

impl Asker<'_> {
    /// Asks one cell after the other until there is none left. Of all workers of a queue, this is the one with this `number`.
    pub(super) async fn work(
        &self,
        asked: &PlannedCells,
        queue: &Queue,
        number: usize,
        seen: &Mutex<AllSeen>,
    ) {
        if number >= FEW {
            queue.all_work.cancelled().await;
        }
        // Neighbours share header lines, and with them a connection where their scenario allows it: whoever is answered quickly
        // takes several at a time.
        let mut run: u32 = 1;
        loop {
            let places = queue.next(run as usize);
            let started = Instant::now();
            let mut shares = false;
            for place in places {
                let cell = asked.get(*place as usize).cell;
                shares = cell.scenario.request.keep_alive;
                let mut answer = pin!(self.ask(&cell));
                let answer = tokio::select! {
                    biased;
                    answer = &mut answer => answer,
                    () = sleep(QUICK) => {
                        queue.all_work.cancel();
                        answer.await
                    }
                };
                note(seen, *place as usize, answer);
            }
            if places.is_empty() {
                queue.all_work.cancel();
                return;
            }
            run = match shares && started.elapsed() < QUICK * run {
                true => (2 * run).min(LONGEST_RUN),
                false => 1,
            };
        }
    }
}
