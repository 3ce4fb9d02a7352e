//! Releases that come and go: the next one is installed while one runs, and what the survey installed does not stay.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use contract::release::{GatewayRef, ReleaseName, Version};
use machine::install::{InstallContext, InstallError, Progress, Removal, resolve};
use studies::survey::reference;

/// A release that is being installed.
#[derive(Debug)]
pub(super) struct Coming {
    pub(super) version: Version,
    steps: UnboundedReceiver<Progress>,
    task: JoinHandle<Result<(), InstallError>>,
    ours: Arc<AtomicBool>,
}

/// What releases there are that nobody had before the survey.
#[derive(Debug)]
pub(super) struct Guests {
    context: InstallContext,
    retries: u32,
    /// How many may stay.
    keep: usize,
    /// Those that the survey installed and that are still there, oldest first.
    installed: VecDeque<Version>,
}

impl Guests {
    pub(super) fn new(context: InstallContext, retries: u32, keep: usize) -> Self {
        Self {
            context,
            retries,
            keep,
            installed: VecDeque::new(),
        }
    }

    /// Begins to install a release, unless it is there.
    pub(super) fn begin(&self, version: &Version, cancel: &CancellationToken) -> Coming {
        let (sender, steps) = unbounded_channel();
        let ours = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(install(
            version.clone(),
            self.context.clone(),
            self.retries,
            Steps {
                sender,
                package: reference(version),
                ours: Arc::clone(&ours),
            },
            cancel.clone(),
        ));
        Coming {
            version: version.clone(),
            steps,
            task,
            ours,
        }
    }

    /// Makes room for one more; what runs now, if anything does, stays. Whether there is room.
    pub(super) async fn make_room(&mut self, running: &Version) -> (bool, Vec<Dropped>) {
        let mut dropped = Vec::new();
        while self.installed.len() >= self.keep.max(1) {
            let Some(place) = self.installed.iter().position(|version| version != running) else {
                return (false, dropped);
            };
            dropped.extend(self.drop_at(place).await);
        }
        (true, dropped)
    }

    /// Waits for a release; `tell` hears what is being done meanwhile.
    pub(super) async fn arrive(
        &mut self,
        mut coming: Coming,
        tell: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), InstallError> {
        while let Some(step) = coming.steps.recv().await {
            // Of what was said while nobody listened the last is enough.
            let mut last = step;
            while let Ok(step) = coming.steps.try_recv() {
                last = step;
            }
            tell(last);
        }
        let arrived = match coming.task.await {
            Ok(arrived) => arrived,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(InstallError::Cancelled),
            },
        };
        if arrived.is_ok() && coming.ours.load(Ordering::Relaxed) {
            self.installed.push_back(coming.version);
        }
        arrived
    }

    /// Removes what is more than may stay.
    pub(super) async fn drop_surplus(&mut self) -> Vec<Dropped> {
        let mut dropped = Vec::new();
        while self.installed.len() > self.keep {
            dropped.extend(self.drop_at(0).await);
        }
        dropped
    }

    async fn drop_at(&mut self, place: usize) -> Option<Dropped> {
        let version = self.installed.remove(place)?;
        let cache = self.context.cache.clone()?;
        let name = version.clone();
        // Half a gigabyte in tens of thousands of files takes its time.
        let removed = tokio::task::spawn_blocking(move || cache.remove_release(&name)).await;
        let stays = match removed {
            Ok(Ok(Removal::Removed(_) | Removal::Absent)) => None,
            Ok(Ok(Removal::InUse)) => Some("somebody uses it".to_owned()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        Some(Dropped { version, stays })
    }
}

/// A release that was removed from the cache again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The release.
    pub version: Version,
    /// RerunReason it could not be removed and stays, if it does.
    pub stays: Option<String>,
}

/// Where an installation tells its steps.
struct Steps {
    sender: UnboundedSender<Progress>,
    /// The release as npm is asked for it.
    package: String,
    /// Whether it was the survey that installed the release.
    ours: Arc<AtomicBool>,
}

impl Steps {
    fn tell(&self, step: Progress) {
        if let Progress::Installing(what, _) = &step
            && *what == self.package
        {
            self.ours.store(true, Ordering::Relaxed);
        }
        // Nobody need listen.
        let _ = self.sender.send(step);
    }
}

async fn install(
    version: Version,
    context: InstallContext,
    retries: u32,
    steps: Steps,
    cancel: CancellationToken,
) -> Result<(), InstallError> {
    let reference = GatewayRef::Published(ReleaseName::Exact(version));
    let mut left = retries;
    loop {
        let tell = |step: Progress| steps.tell(step);
        match resolve(&reference, &context, &tell, &cancel).await {
            Err(error) if left > 0 && !cancel.is_cancelled() => {
                left -= 1;
                steps.tell(Progress::Note(format!("{error}; trying again")));
            }
            resolved => return resolved.map(drop),
        }
    }
}
