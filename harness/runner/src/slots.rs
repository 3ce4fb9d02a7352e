//! How many launches are made at a time.
//!
//! A launch keeps a core busy until its cells are asked; while it waits for late calls of the model it does nothing, and the
//! next one may start.

use machine::limits::SETTLING;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The launches that may be made, and those that may wait, at a time.
#[derive(Debug)]
pub(super) struct Slots {
    asking: Semaphore,
    settling: Semaphore,
}

/// The right to make a launch.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    _asking: Option<SemaphorePermit<'a>>,
}

/// The right to wait.
#[derive(Debug)]
pub(super) struct Settling<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

impl Slots {
    pub(super) fn new(launches: usize) -> Self {
        Self {
            asking: Semaphore::new(launches.max(1)),
            settling: Semaphore::new(SETTLING),
        }
    }

    /// Waits for the right to make a launch. No semaphore is ever closed, so there is one in the end.
    pub(super) async fn take(&self) -> Slot<'_> {
        Slot {
            slots: self,
            _asking: self.asking.acquire().await.ok(),
        }
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
