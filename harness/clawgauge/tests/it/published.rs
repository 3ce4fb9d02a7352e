//! What crates.io would hand out: every crate is packed, unpacked into an empty folder and built from there alone. Ignored
//! unless asked for: it builds everything a second time, and once more without launching.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{self, repository};
use assert_cmd::Command;
use flate2::read::GzDecoder;
use predicates::str::contains;
use serde_json::Value;

/// The binary without the feature `launch`, and with all features, built of unpacked crates in `folder`.
struct Published {
    folder: tempfile::TempDir,
    made: PathBuf,
}

/// Cargo, with the dependencies that were built for this test. What it makes goes elsewhere: other tests run `clawgauge`
/// from there.
fn cargo(folder: &Path, made: &Path) -> Command {
    let mut command = support::cargo();
    command
        .current_dir(folder)
        .env("CARGO_BUILD_BUILD_DIR", built())
        .env("CARGO_TARGET_DIR", made)
        .timeout(std::time::Duration::from_secs(30 * 60));
    command
}

fn built() -> PathBuf {
    let temp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temp.parent().unwrap_or(temp).to_path_buf()
}

impl Published {
    /// Packs all crates and unpacks them side by side, as a workspace that takes each from its own folder.
    fn unpack() -> Self {
        let folder = tempfile::TempDir::with_prefix("gauge-test-").unwrap();
        let made = folder.path().join("made");
        cargo(&repository(), &made)
            .args(["package", "--workspace", "--no-verify", "--allow-dirty"])
            .assert()
            .success();
        let mut manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"*-0.*\"]\n\n".to_owned();
        // The same profiles as in the workspace, so that nothing is built that is there.
        let root = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
        manifest.push_str(&root[root.find("[profile.dev]").unwrap()..]);
        manifest.push_str("\n[patch.crates-io]\n");
        for (name, version) in crates(&made) {
            let packed = made.join(format!("package/{name}-{version}.crate"));
            let packed = GzDecoder::new(fs::File::open(packed).unwrap());
            let mut packed = tar::Archive::new(packed);
            // By the time that cargo gives packed files, what an earlier build left would pass for theirs.
            packed.set_preserve_mtime(false);
            packed.unpack(folder.path()).unwrap();
            writeln!(manifest, "{name} = {{ path = \"{name}-{version}\" }}").unwrap();
        }
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        let lock = "Cargo.lock";
        fs::copy(repository().join(lock), folder.path().join(lock)).unwrap();
        Self { folder, made }
    }

    /// Builds the command, and takes it away from where the next build would replace it.
    fn build(&self, flags: &[&str], name: &str) -> PathBuf {
        cargo(self.folder.path(), &self.made)
            .args(["build", "--package", "clawgauge", "--offline"])
            .args(flags)
            .assert()
            .success();
        let binary = self.folder.path().join(name);
        fs::copy(self.made.join("debug/clawgauge"), &binary).unwrap();
        binary
    }
}

/// Name and version of each crate of the workspace.
fn crates(made: &Path) -> Vec<(String, String)> {
    let output = cargo(&repository(), made)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    packages
        .map(|package| (text(&package["name"]), text(&package["version"])))
        .collect()
}

/// The command in an empty folder, knowing nothing of the repository.
fn command(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env_remove("GITHUB_ACTIONS");
    command
}

#[test]
#[ignore = "packs and builds every crate"]
fn the_crates_hold_all_that_they_need() {
    let published = Published::unpack();
    let empty = tempfile::TempDir::with_prefix("gauge-test-").unwrap();
    let empty = empty.path();

    let whole = published.build(&[], "whole");
    command(&whole, empty)
        .args(["run", "chat-completions/**", "--report", "json=r.json"])
        .assert()
        .success()
        .stdout(contains("650 conform"));

    // Without launching it reads what the other wrote, and says what it cannot do.
    let reading = published.build(&["--no-default-features"], "reading");
    command(&reading, empty)
        .args(["report", "r.json", "--report", "junit=r.xml"])
        .assert()
        .success();
    command(&reading, empty)
        .args(["compare", "r.json", "r.json"])
        .assert()
        .success();
    command(&reading, empty).arg("check").assert().success();
    command(&reading, empty)
        .args(["compare", "r.json", "openclaw@2026.9.6"])
        .assert()
        .code(2)
        .stderr(contains("this build of clawgauge launches nothing"));
    command(&reading, empty)
        .arg("run")
        .assert()
        .code(2)
        .stderr(contains("unrecognized subcommand 'run'"));
    let size = |binary: &Path| fs::metadata(binary).unwrap().len();
    assert!(size(&reading) < size(&whole));
}
