//! Where packages come from and where they go, and the question to the registry.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Program;
use super::cache::Cache;
use super::npm::{NpmError, npm};
use super::problem::{InstallError, Progress};
use contract::release::Need;

/// How long an installation may take; it needs one to two minutes, on a busy machine three.
pub(super) const INSTALL_PATIENCE: Duration = Duration::from_secs(20 * 60);
/// How long the registry may take to answer a question.
const VIEW_PATIENCE: Duration = Duration::from_secs(30);

/// Where releases come from.
#[derive(Debug, Clone)]
pub struct InstallContext {
    /// The npm command.
    pub npm: OsString,
    /// The machine's own Node.
    pub node: PathBuf,
    /// Where installed packages are kept; `None` where no home folder is known.
    pub cache: Option<Cache>,
    /// What some releases need that they do not bring along.
    pub needs: Vec<Need>,
    /// What runs as `reference`.
    pub reference: Program,
}

impl InstallContext {
    /// npm and Node from the `PATH`, the cache from the environment.
    pub fn from_env(reference: Program, needs: Vec<Need>) -> Self {
        Self {
            npm: "npm".into(),
            node: "node".into(),
            cache: Cache::from_env(),
            needs,
            reference,
        }
    }
}

/// Asks the registry about a package.
pub(super) async fn view(
    context: &InstallContext,
    package: &str,
    fields: &[&str],
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Value, InstallError> {
    let what = format!("{package} {}", fields.join(" "));
    progress(Progress::Resolving(what.clone()));
    let args = [&["view", package], fields, &["--json"]].concat();
    let folder = std::env::temp_dir();
    match npm(&context.npm, &folder, &args, VIEW_PATIENCE, &|_| {}, cancel).await {
        Ok(text) => serde_json::from_str(&text).map_err(|_| InstallError::Registry(what)),
        Err(NpmError::Missing(error)) => Err(InstallError::NoNpm(error)),
        Err(NpmError::Cancelled) => Err(InstallError::Cancelled),
        Err(NpmError::Silent(patience)) => Err(InstallError::Silent(patience)),
        Err(NpmError::Failed { code, tail }) => Err(InstallError::Npm { what, code, tail }),
    }
}
