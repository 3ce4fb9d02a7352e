//! A package: what npm is told, where it goes in the cache, and what is in it.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problem::InstallError;

/// Name of the package.
pub(super) const PACKAGE: &str = "openclaw";
/// What runs a release, in its package.
pub(super) const SCRIPT: &str = "openclaw.mjs";
/// The same in the folder that it is installed in.
pub(super) const ENTRY: &str = "node_modules/openclaw/openclaw.mjs";

/// A package that is to be in the cache.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Its entry in the cache: a name and a version.
    pub(super) package: String,
    pub(super) version: String,
    /// What it is called in an installation, and its version there.
    pub(super) name: String,
    pub(super) number: String,
    /// What it is for, relative to the entry's folder; `None` for what its manifest says that is run.
    pub(super) file: Option<String>,
    /// Packages to install beside it.
    pub(super) beside: Vec<String>,
    /// Its archive, where it does not come from the registry.
    pub(super) archive: Option<PathBuf>,
    /// Whether it is a gateway, which is started once.
    pub(super) gateway: bool,
}

/// A gateway in the cache that is no release from the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Packed {
    /// What it is called in the installation.
    pub(super) name: String,
    /// Its version there.
    pub(super) version: String,
    /// What runs it, relative to the entry's folder.
    pub(super) entry: String,
}

impl Wanted {
    /// A package from the registry, for one of its files.
    pub(super) fn file(package: &str, version: &str, file: &str) -> Self {
        Self {
            file: Some(file.to_owned()),
            ..Self::registry(package, version)
        }
    }

    /// A release.
    pub(super) fn release(version: &str, beside: &[String]) -> Self {
        Self {
            beside: beside.to_vec(),
            gateway: true,
            ..Self::file(PACKAGE, version, ENTRY)
        }
    }

    /// Another package that is a gateway.
    pub(super) fn fork(package: &str, version: &str) -> Self {
        Self {
            gateway: true,
            ..Self::registry(package, version)
        }
    }

    fn registry(package: &str, version: &str) -> Self {
        Self {
            package: package.to_owned(),
            version: version.to_owned(),
            name: package.to_owned(),
            number: version.to_owned(),
            ..Self::default()
        }
    }

    /// How it is called in messages.
    pub(super) fn what(&self) -> String {
        match &self.archive {
            None => format!("{}@{}", self.package, self.version),
            Some(path) => path.display().to_string(),
        }
    }
}

/// What runs a gateway, relative to its package: the command `openclaw`, or its only one.
pub(super) fn entry_of(manifest: &Value) -> Option<&str> {
    let entry = match manifest.get("bin")? {
        Value::String(only) => only,
        Value::Object(all) => {
            // A program may have several names.
            let first = all.values().next();
            let only = first.filter(|first| all.values().all(|other| other == *first));
            all.get(PACKAGE).or(only)?.as_str()?
        }
        _ => return None,
    };
    // Nothing beside the package is run.
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    Path::new(entry).components().all(inside).then_some(entry)
}

/// What a manifest says under a name.
pub(super) fn text_of<'a>(manifest: &'a Value, name: &str) -> &'a str {
    let text = manifest.get(name).and_then(Value::as_str);
    text.unwrap_or_default()
}

pub(super) fn engines_of(manifest: &Value) -> Option<String> {
    manifest
        .pointer("/engines/node")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

pub(super) fn read_json(path: &Path) -> Result<Value, InstallError> {
    serde_json::from_slice(&fs_err::read(path)?)
        .map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())).into())
}
