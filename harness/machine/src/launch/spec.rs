//! What to launch.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::install::CompileCache;
use crate::network::{Network, proxy_address};
use base::redact::Redactor;
use base::secret::{ExposeSecret as _, Secrets};

/// What to launch and how; texts may hold placeholders.
///
/// Placeholders: `port`, `proxy-address`, `upstream`, `home`, `state`, `tmp`, `workspace`, `config`, `log`, and the secrets by name.
#[derive(Debug, Clone)]
pub struct LaunchSpec {
    /// Id of the profile.
    pub profile: String,
    /// The executable.
    pub command: PathBuf,
    /// Arguments before the profile's, without placeholders.
    pub args: Vec<OsString>,
    /// Folders to put first on `PATH`.
    pub path_dirs: Vec<PathBuf>,
    /// Arguments of the profile.
    pub profile_args: Vec<String>,
    /// The whole environment but for `PATH`.
    pub env: BTreeMap<String, String>,
    /// Files in the home folder: name to text.
    pub files: BTreeMap<String, String>,
    /// The configuration file's contents.
    pub config: Value,
    /// Secrets by name.
    pub secrets: Secrets,
    /// Hides them.
    pub redactor: Redactor,
    /// Base URL of the model stand-in.
    pub upstream_url: String,
    /// Paths to probe; a 200 from any of them means ready.
    pub ready: Vec<String>,
    /// Lines by which it says that it will not start.
    pub refusals: Vec<String>,
    /// How long it may take to get ready.
    pub ready_timeout: Duration,
    /// How long it may take to stop before it is killed.
    pub stop_grace: Duration,
    /// The compile cache of earlier launches; `None` to start without.
    pub compile_cache: Option<CompileCache>,
    /// The network that it runs in; `None` for the machine's own, on the loopback.
    pub network: Option<Arc<Network>>,
}

/// The folders of one launch.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// The launch's own folder.
    pub(super) root: PathBuf,
}

impl Folders {
    /// Makes the folders below `parent`.
    pub(super) fn create(parent: &Path, profile: &str) -> std::io::Result<Self> {
        let folders = Self {
            root: parent.join(profile),
        };
        for name in ["home", "state", "tmp", "workspace"] {
            fs_err::create_dir_all(folders.root.join(name))?;
        }
        Ok(folders)
    }

    /// The temporary folder.
    pub(super) fn temp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// The configuration file.
    pub(super) fn config(&self) -> PathBuf {
        self.root.join("openclaw.json")
    }

    /// What a placeholder stands for in this launch.
    pub(super) fn lookup(&self, spec: &LaunchSpec, port: u16, name: &str) -> Option<String> {
        let inside = |name: &str| Some(self.root.join(name).to_string_lossy().into_owned());
        match name {
            "port" => Some(port.to_string()),
            "proxy-address" => Some(proxy_address(spec.network.as_deref()).to_string()),
            "upstream" => Some(spec.upstream_url.clone()),
            "home" | "state" | "tmp" | "workspace" => inside(name),
            "config" => inside("openclaw.json"),
            "log" => inside("gateway.log"),
            secret => spec
                .secrets
                .get(secret)
                .map(|secret| secret.expose_secret().to_owned()),
        }
    }
}
