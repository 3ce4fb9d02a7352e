//! A gateway that somebody has built: an entry point that runs on Node, or an executable.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::Program;
use super::installer::Installer;
use super::package::{ENTRY, PACKAGE, engines_of, read_json};
use super::problem::InstallError;
use super::version::say_version;
use contract::release::Version;

impl Installer<'_> {
    /// An entry point that runs on Node, or an executable.
    pub(super) async fn path(&self, path: &Path) -> Result<Program, InstallError> {
        let wrong = |why: &str, help: Option<String>| InstallError::Path {
            path: path.display().to_string(),
            why: why.to_owned(),
            help,
        };
        let entry = std::path::absolute(path)?;
        if entry.is_dir() {
            let inside = [entry.join("openclaw.mjs"), entry.join(ENTRY)]
                .into_iter()
                .find(|inside| inside.is_file());
            return Err(wrong(
                "is a folder",
                inside.map(|inside| format!("name the file: {}", inside.display())),
            ));
        }
        if !entry.is_file() {
            return Err(wrong("there is no such file", None));
        }
        let script = entry
            .extension()
            .is_some_and(|extension| ["mjs", "js", "cjs"].iter().any(|known| extension == *known));
        if script {
            // That of the package itself: a folder above may belong to anything.
            let manifest = entry
                .ancestors()
                .skip(1)
                .filter_map(|folder| read_json(&folder.join("package.json")).ok())
                .find(|manifest| manifest.get("name").and_then(Value::as_str) == Some(PACKAGE));
            let version = manifest
                .as_ref()
                .and_then(|manifest| manifest.get("version")?.as_str()?.parse().ok());
            let engines = manifest.as_ref().and_then(engines_of);
            let integrity = integrity_of(&entry);
            return self
                .program(&entry, engines.as_deref(), version, integrity)
                .await;
        }
        if !is_executable(&entry) {
            return Err(wrong(
                "is not executable",
                Some(format!("chmod +x {}", entry.display())),
            ));
        }
        let version = executable_version(&entry).await;
        Ok(Program {
            integrity: integrity_of(&entry),
            command: entry,
            args: Vec::new(),
            version,
            ..Program::default()
        })
    }
}

/// What the named file is, so that two of one name can be told apart; what it loads is not in it.
fn integrity_of(entry: &Path) -> Option<String> {
    let bytes = std::fs::read(entry).ok()?;
    Some(format!("sha256:{}", base::files::sha256(&bytes)))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

/// What `--version` prints, if a release is in it.
async fn executable_version(path: &Path) -> Option<Version> {
    let program = Program {
        command: path.to_path_buf(),
        ..Program::default()
    };
    say_version(&program, Duration::from_secs(10)).await
}
