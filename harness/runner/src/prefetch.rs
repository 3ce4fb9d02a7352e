//! Installing ahead: the releases that may be next are installed while a gateway is tested, one at a time, and no longer than
//! they may be next.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use contract::release::{GatewayRef, ReleaseName, Version};
use machine::install::{InstallContext, InstallError, Progress, resolve};

type Say = Arc<dyn Fn(Progress) + Send + Sync>;

/// Installations under way, by release.
pub struct Prefetch {
    context: Arc<InstallContext>,
    retries: u32,
    say: Say,
    cancel: CancellationToken,
    slot: Arc<Semaphore>,
    ahead: BTreeMap<Version, (CancellationToken, JoinHandle<Result<(), InstallError>>)>,
}

impl Prefetch {
    /// Installs nothing yet; `retries` is how often what failed is tried again, `say` is told what happens.
    pub fn new(
        context: InstallContext,
        retries: u32,
        say: impl Fn(Progress) + Send + Sync + 'static,
        cancel: &CancellationToken,
    ) -> Self {
        Self {
            context: Arc::new(context),
            retries,
            say: Arc::new(say),
            cancel: cancel.child_token(),
            slot: Arc::new(Semaphore::new(1)),
            ahead: BTreeMap::new(),
        }
    }

    /// Returns once a release is installed; those that may be next are installed from then on, and all others are given up.
    /// Must be called within a runtime.
    ///
    /// # Errors
    /// The release could not be installed.
    pub async fn ready(&mut self, test: &Version, ahead: &[Version]) -> Result<(), InstallError> {
        let useful = |version: &Version| version == test || ahead.contains(version);
        let useless: Vec<Version> = self
            .ahead
            .keys()
            .filter(|version| !useful(version))
            .cloned()
            .collect();
        self.give_up(useless).await;
        self.begin(test);
        let installed = self.settle(test).await;
        for version in ahead {
            self.begin(version);
        }
        installed
    }

    fn begin(&mut self, version: &Version) {
        if self.ahead.contains_key(version) {
            return;
        }
        let cancel = self.cancel.child_token();
        let task = tokio::spawn(install(
            Arc::clone(&self.context),
            version.clone(),
            self.retries,
            Arc::clone(&self.say),
            Arc::clone(&self.slot),
            cancel.clone(),
        ));
        self.ahead.insert(version.clone(), (cancel, task));
    }

    async fn settle(&mut self, version: &Version) -> Result<(), InstallError> {
        let Some((_, task)) = self.ahead.remove(version) else {
            return Ok(());
        };
        match task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(InstallError::Cancelled),
            },
        }
    }

    /// Gives up on everything; nothing half installed is left when this returns.
    pub async fn stop(&mut self) {
        self.cancel.cancel();
        let all: Vec<Version> = self.ahead.keys().cloned().collect();
        self.give_up(all).await;
    }

    async fn give_up(&mut self, versions: Vec<Version>) {
        for version in versions {
            if let Some((cancel, task)) = self.ahead.remove(&version) {
                cancel.cancel();
                // Whatever it came to, nobody wants it any more.
                let _ = task.await;
            }
        }
    }
}

impl std::fmt::Debug for Prefetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prefetch")
            .field("ahead", &self.ahead.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

async fn install(
    context: Arc<InstallContext>,
    version: Version,
    retries: u32,
    say: Say,
    slot: Arc<Semaphore>,
    cancel: CancellationToken,
) -> Result<(), InstallError> {
    // The semaphore is never closed.
    let _slot = tokio::select! {
        () = cancel.cancelled() => return Err(InstallError::Cancelled),
        slot = slot.acquire() => slot,
    };
    let gateway = GatewayRef::Published(ReleaseName::Exact(version));
    let progress = |step| say(step);
    let mut left = retries;
    loop {
        match resolve(&gateway, &context, &progress, &cancel).await {
            Ok(_) => return Ok(()),
            Err(InstallError::Cancelled) => return Err(InstallError::Cancelled),
            Err(error) if left == 0 => return Err(error),
            Err(_) => left -= 1,
        }
    }
}
