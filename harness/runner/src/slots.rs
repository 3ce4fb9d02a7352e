//! How many launches are made at a time.
//!
//! A launch keeps a core busy while it starts, and often waits while it is asked: some releases let a wrong credential wait for
//! seconds. So more launches begin while the processor idles. While a launch waits for late calls of the model it does nothing
//! at all, and the next one may start.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use machine::limits::SETTLING;
use machine::load::{Ticks, has_memory};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How often the processor is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// So many looks later a launch that was let in shows in the processor's load.
const SHOWS_AFTER: u32 = 3;
/// With more of the processor idle than this, one more launch may begin.
const IDLE: f64 = 0.25;
/// With less of it idle than this, one launch fewer may.
const BUSY: f64 = 0.03;

/// The launches that may be made, and those that may wait, at a time.
#[derive(Debug)]
pub(super) struct Slots {
    asking: Semaphore,
    settling: Semaphore,
    /// Slots that go when they become free.
    surplus: AtomicUsize,
    /// How many may be added while the processor idles.
    more: usize,
}

/// The right to make a launch.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    asking: Option<SemaphorePermit<'a>>,
}

/// The right to wait.
#[derive(Debug)]
pub(super) struct Settling<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

impl Slots {
    /// So many launches at a time, and so many more while the processor idles.
    pub(super) fn new(launches: usize, more: usize) -> Self {
        Self {
            asking: Semaphore::new(launches.max(1)),
            settling: Semaphore::new(SETTLING),
            surplus: AtomicUsize::new(0),
            more,
        }
    }

    /// Waits for the right to make a launch. No semaphore is ever closed, so there is one in the end.
    pub(super) async fn take(&self) -> Slot<'_> {
        Slot {
            slots: self,
            asking: self.asking.acquire().await.ok(),
        }
    }

    /// Looks at the processor, and lets more launches begin or fewer; ends where the system tells nothing, or none may.
    pub(super) async fn follow_the_processor(&self) {
        let mut added = 0;
        let mut patience = SHOWS_AFTER;
        let mut before = Ticks::now();
        while let (true, Some(then)) = (self.more > 0, before) {
            tokio::time::sleep(LOOK).await;
            let Some(now) = Ticks::now() else { return };
            let idle = now.idle_since(then);
            before = Some(now);
            patience = patience.saturating_sub(1);
            if idle < BUSY && added > 0 {
                added -= 1;
                self.surplus.fetch_add(1, Ordering::Relaxed);
            } else if idle > IDLE
                && patience == 0
                && added < self.more
                && self.asking.available_permits() == 0
                && has_memory()
            {
                tracing::debug!(idle, "one more launch at a time");
                added += 1;
                patience = SHOWS_AFTER;
                self.add();
            }
        }
    }

    fn add(&self) {
        if !self.takes_surplus() {
            self.asking.add_permits(1);
        }
    }

    /// Whether one slot fewer was to be free, which is settled now.
    fn takes_surplus(&self) -> bool {
        let order = Ordering::Relaxed;
        let fewer = |surplus: usize| surplus.checked_sub(1);
        self.surplus.fetch_update(order, order, fewer).is_ok()
    }
}

impl<'a> Slot<'a> {
    /// Lets the next launch begin, once there is room to wait.
    pub(super) async fn settle(self) -> Settling<'a> {
        Settling {
            _permit: self.slots.settling.acquire().await.ok(),
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.asking.take()
            && self.slots.takes_surplus()
        {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_surplus_slot_goes_when_it_is_free() {
        let slots = Slots::new(1, 2);
        slots.add();
        let (first, second) = (slots.take().await, slots.take().await);
        assert_eq!(slots.asking.available_permits(), 0);
        slots.surplus.fetch_add(1, Ordering::Relaxed);
        drop(first);
        assert_eq!(slots.asking.available_permits(), 0);
        drop(second);
        assert_eq!(slots.asking.available_permits(), 1);
        // One that is added settles a surplus that is not free yet.
        let third = slots.take().await;
        slots.surplus.fetch_add(1, Ordering::Relaxed);
        slots.add();
        drop(third.settle().await);
        assert_eq!(slots.asking.available_permits(), 1);
    }
}
