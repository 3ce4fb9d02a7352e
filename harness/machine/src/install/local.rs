//! A gateway that somebody has built: an entry point that runs on Node, a checkout, a tarball, or an executable.

use std::path::Path;
use std::time::Duration;

use super::Program;
use super::archive::{self, TARBALL, no_package};
use super::installer::Installer;
use super::package::{ENTRY, PACKAGE, SCRIPT, Wanted, engines_of, read_json, text_of};
use super::problem::InstallError;
use super::version::say_version;
use base::text::quoted;
use contract::release::{Version, is_tarball};

/// What starts a build of OpenClaw loads one of these.
const BUILT: [&str; 2] = ["dist/entry.js", "dist/entry.mjs"];

impl Installer<'_> {
    /// An entry point that runs on Node, a checkout, a tarball, or an executable.
    pub(super) async fn path(&self, path: &Path) -> Result<Program, InstallError> {
        let wrong = |why: &str, help: Option<String>| InstallError::Path {
            path: path.display().to_string(),
            why: why.to_owned(),
            help,
        };
        let entry = std::path::absolute(path)?;
        if entry.is_dir() {
            let checkout = read_json(&entry.join("package.json"));
            let checkout = checkout.is_ok_and(|manifest| text_of(&manifest, "name") == PACKAGE);
            let inside = match checkout {
                true => entry.join(SCRIPT),
                false => entry.join(ENTRY),
            };
            if !checkout || !inside.is_file() {
                let inside = [inside, entry.join(SCRIPT)];
                let inside = inside.into_iter().find(|inside| inside.is_file());
                return Err(wrong(
                    "is a folder, and no checkout of openclaw",
                    inside.map(|inside| format!("name the file: {}", inside.display())),
                ));
            }
            if !BUILT.iter().any(|file| entry.join(file).is_file()) {
                let folder = quoted(&entry.display().to_string());
                return Err(wrong(
                    "is a checkout that is not built: there is no dist/entry.js",
                    Some(format!("cd {folder} && pnpm install && pnpm build")),
                ));
            }
            return self.script(&inside).await;
        }
        if !entry.is_file() {
            return Err(wrong("there is no such file", None));
        }
        if is_tarball(&entry) {
            let (wanted, release) = self.tarball(&entry).await?;
            return self.gateway(&wanted, release).await;
        }
        let script = entry
            .extension()
            .is_some_and(|extension| ["mjs", "js", "cjs"].iter().any(|known| extension == *known));
        if script {
            return self.script(&entry).await;
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

    /// An entry point that runs on Node.
    async fn script(&self, entry: &Path) -> Result<Program, InstallError> {
        // That of the package itself: a folder above may belong to anything.
        let manifest = entry
            .ancestors()
            .skip(1)
            .filter_map(|folder| read_json(&folder.join("package.json")).ok())
            .find(|manifest| text_of(manifest, "name") == PACKAGE);
        let version = manifest
            .as_ref()
            .and_then(|manifest| text_of(manifest, "version").parse().ok());
        let engines = manifest.as_ref().and_then(engines_of);
        let integrity = integrity_of(entry);
        self.program(entry, engines.as_deref(), version, integrity)
            .await
    }

    /// What a tarball holds, and the release that it is, if it is one.
    pub(super) async fn tarball(
        &self,
        path: &Path,
    ) -> Result<(Wanted, Option<Version>), InstallError> {
        let path = std::path::absolute(path)?;
        let archive = path.clone();
        let read = tokio::task::spawn_blocking(move || archive::read(&archive));
        let (hash, manifest) = read.await.map_err(std::io::Error::from)??;
        let [name, number] = ["name", "version"].map(|field| text_of(&manifest, field));
        if !is_name(name) || number.is_empty() {
            let why = "its package.json has no name and version";
            return Err(no_package(&path, why));
        }
        let release: Option<Version> = match name == PACKAGE {
            true => number.parse().ok(),
            false => None,
        };
        let need = self.need(release.as_ref());
        let wanted = Wanted {
            package: TARBALL.to_owned(),
            version: hash,
            name: name.to_owned(),
            number: number.to_owned(),
            file: None,
            beside: need.map_or(Vec::new(), |need| need.packages.clone()),
            archive: Some(path),
            gateway: true,
        };
        Ok((wanted, release))
    }
}

/// A name that leads nowhere but into the folder of installed packages.
fn is_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let plain = |part: &&str| !part.is_empty() && !part.starts_with('.');
    parts.iter().all(plain) && (parts.len() == 1 || parts.len() == 2 && name.starts_with('@'))
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
