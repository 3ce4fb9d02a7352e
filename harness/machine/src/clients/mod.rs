//! Senders in use: what of them this machine has, and one call through them.
//!
//! [`Senders::find`] looks, once before a run; it installs nothing and asks no registry. [`install`] does, when somebody asks
//! for it. [`not_there`] is for plans: it starts nothing and hashes nothing. `call` is one request through one of them;
//! [`Staying`] holds those that take one request after the other.

mod call;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::install::{
    Cache, InstallContext, InstallError, Lease, Library, NodeLibrary, Progress, PythonLibrary, said,
};
use crate::which::which;
use contract::plan::{Missing, Selection, cells};
use contract::scenario::Catalogue;
use contract::scenario::sender::{Runtime, Sender};

pub use call::{CallError, Staying, call};

/// What a sender's script runs on, found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The sender.
    pub sender: Arc<Sender>,
    /// The interpreter.
    pub command: PathBuf,
    /// Its arguments before the script.
    pub args: Vec<String>,
    /// Environment that leads the script to its library.
    pub env: BTreeMap<String, String>,
    /// The interpreter or command, and its version.
    pub runtime: String,
    /// Integrity of the library's archive, as the registry gave it.
    pub integrity: Option<String>,
    /// Where the library is installed: not for records.
    pub folder: Option<PathBuf>,
    /// What keeps it in the cache while it is used.
    pub leases: Vec<Lease>,
}

/// The senders that a run may use.
#[derive(Debug, Clone)]
pub struct Senders {
    /// Those that are ready, by id.
    pub ready: BTreeMap<String, Arc<Ready>>,
    /// Those that are not, by id, and why.
    pub missing: Missing,
    /// So many scripts run at a time: a library takes a core while it loads.
    slots: Arc<Semaphore>,
}

impl Senders {
    fn with(ready: BTreeMap<String, Arc<Ready>>, missing: Missing) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
        Self {
            ready,
            missing,
            slots: Arc::new(Semaphore::new(cores.max(2))),
        }
    }

    /// Waits for a turn, which lasts until it is dropped.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit in the end.
        self.slots.acquire().await.ok()
    }

    /// None of these, for one reason.
    pub fn none<'a>(senders: impl IntoIterator<Item = &'a Arc<Sender>>, why: &str) -> Self {
        let missing = senders.into_iter();
        let missing = missing.map(|sender| (sender.id.clone(), why.to_owned()));
        Self::with(BTreeMap::new(), missing.collect())
    }

    /// Looks which of the senders this machine has. Nothing is installed.
    pub async fn find<'a>(
        senders: impl IntoIterator<Item = &'a Arc<Sender>>,
        context: &InstallContext,
    ) -> Self {
        let (mut ready, mut missing) = (BTreeMap::new(), Missing::new());
        for sender in senders {
            let id = sender.id.clone();
            match find(sender, context).await {
                Ok(found) => drop(ready.insert(id, Arc::new(found))),
                Err(reason) => drop(missing.insert(id, reason)),
            }
        }
        Self::with(ready, missing)
    }
}

/// The senders that are not installed, by id, and why; whether the others are as they were installed, only
/// [`Senders::find`] says.
pub fn not_there<'a>(
    senders: impl IntoIterator<Item = &'a Arc<Sender>>,
    context: &InstallContext,
) -> Missing {
    let cache = context.cache.as_ref();
    let library_is_there = |sender: &Sender| match (&sender.runtime, python(&sender.runtime)) {
        (Runtime::Shell { .. }, _) => true,
        (_, Some(library)) => cache.is_some_and(|cache| library.is_there(cache)),
        (_, None) => node(&sender.runtime)
            .zip(cache)
            .is_some_and(|(library, cache)| library.is_there(cache)),
    };
    let missing = senders.into_iter().filter_map(|sender| {
        let why = command(sender).err();
        let why = why.or_else(|| (!library_is_there(sender)).then(|| not_installed(sender)))?;
        Some((sender.id.clone(), why))
    });
    missing.collect()
}

/// Why a sender cannot be used whose library is not installed, and what to do.
fn not_installed(sender: &Sender) -> String {
    let (title, id) = (sender.full_title(), &sender.id);
    format!("{title} is not installed: clawgauge clients install {id}")
}

/// The command that the machine must have for a sender, and where it is; or why it cannot be used and what to do.
fn command(sender: &Sender) -> Result<Option<(&str, PathBuf)>, String> {
    let there = sender.command().map(|command| match which(command) {
        Some(path) => Ok((command, path)),
        None => Err(format!("{command} is not installed: {}", sender.get)),
    });
    there.transpose()
}

/// A sender on this machine, or why it cannot be used and what to do.
async fn find(sender: &Arc<Sender>, context: &InstallContext) -> Result<Ready, String> {
    let command = command(sender)?;
    let mut ready = match (&sender.runtime, &context.cache) {
        (Runtime::Shell { .. }, _) => shell(sender),
        (runtime, cache) => {
            let library = match cache {
                Some(cache) => library(runtime, &context.node, cache).await,
                None => None,
            };
            ready(sender, library.ok_or_else(|| not_installed(sender))?)
        }
    };
    if let Some((name, path)) = command {
        let version = said(&path, "--version").await;
        let mut words = version.iter().flat_map(|line| line.split_whitespace());
        let version = words.nth(1).unwrap_or("of unknown version");
        let comma = if ready.runtime.is_empty() { "" } else { ", " };
        let _ = write!(ready.runtime, "{comma}{name} {version}");
        let path = path.to_string_lossy().into_owned();
        ready.env.insert("CLAWGAUGE_COMMAND".to_owned(), path);
    }
    Ok(ready)
}

/// A sender whose script the machine's `sh` runs.
fn shell(sender: &Arc<Sender>) -> Ready {
    Ready {
        sender: Arc::clone(sender),
        command: "/bin/sh".into(),
        args: Vec::new(),
        env: BTreeMap::new(),
        runtime: String::new(),
        integrity: None,
        folder: None,
        leases: Vec::new(),
    }
}

/// An installed library.
async fn library(runtime: &Runtime, machine: &Path, cache: &Cache) -> Option<Library> {
    match python(runtime) {
        Some(library) => library.find(cache).await,
        None => node(runtime)?.find(machine, cache).await,
    }
}

/// Installs what a sender needs into the cache; where everything is there, and for what the machine itself must have, nothing is
/// done.
///
/// # Errors
/// An [`InstallError`] that says what failed and, through [`InstallError::help`], what to do.
pub async fn install(
    sender: &Arc<Sender>,
    context: &InstallContext,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<(), InstallError> {
    if let Some(library) = python(&sender.runtime) {
        let machine = Path::new("python3");
        library.install(machine, context, progress, cancel).await?;
    } else if let Some(library) = node(&sender.runtime) {
        library.install(context, progress, cancel).await?;
    }
    Ok(())
}

fn python(runtime: &Runtime) -> Option<PythonLibrary<'_>> {
    match runtime {
        Runtime::Python {
            package,
            version,
            beside,
        } => Some(PythonLibrary {
            package,
            version,
            beside,
        }),
        Runtime::Node { .. } | Runtime::Shell { .. } => None,
    }
}

fn node(runtime: &Runtime) -> Option<NodeLibrary<'_>> {
    match runtime {
        Runtime::Node {
            package,
            version,
            engines,
            command: _,
        } => Some(NodeLibrary {
            package,
            version,
            engines,
        }),
        Runtime::Python { .. } | Runtime::Shell { .. } => None,
    }
}

fn ready(sender: &Arc<Sender>, library: Library) -> Ready {
    // -I: neither the environment nor the user's own packages; -B: the cache stays as it was installed.
    let (args, env) = match &sender.runtime {
        Runtime::Python { .. } => (vec!["-I".to_owned(), "-B".to_owned()], BTreeMap::new()),
        Runtime::Node { .. } => {
            let modules = library.folder.join("node_modules");
            let modules = modules.to_string_lossy().into_owned();
            let env = BTreeMap::from([("NODE_PATH".to_owned(), modules)]);
            (Vec::new(), env)
        }
        Runtime::Shell { .. } => (Vec::new(), BTreeMap::new()),
    };
    Ready {
        sender: Arc::clone(sender),
        command: library.command,
        args,
        env,
        runtime: library.runtime,
        integrity: library.integrity,
        folder: Some(library.folder),
        leases: library.leases,
    }
}

/// The senders that the selected cells are asked by.
pub fn used<'a>(catalogue: &'a Catalogue, selection: &Selection) -> Vec<&'a Arc<Sender>> {
    let names: BTreeSet<String> = cells(catalogue)
        .filter(|cell| selection.accepts(cell))
        .filter_map(|cell| cell.sender().map(str::to_owned))
        .collect();
    let senders = catalogue.senders.values();
    senders
        .filter(|sender| names.contains(&sender.id))
        .collect()
}
