//! What the tests of the binary share: a scrubbed environment, a copy of the data folders, broken gateways.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use assert_cmd::Command;
use tempfile::TempDir;

pub(crate) mod agree;
pub(crate) mod installed;
pub(crate) mod operator;
pub(crate) mod releases;
pub(crate) mod schema;
pub(crate) mod synthetic;

/// The cargo that runs the tests, without what it told them of their own crate. A build script that asks for that (ring's)
/// would run again, here and in the next build, and half of the crates after it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_MANIFEST_") || told.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_path_buf()
}

/// A folder of its own for one test: data root, temp folder, cache.
pub(crate) struct Sandbox {
    pub(crate) folder: TempDir,
    /// The data that are copied as soon as somebody asks for their folder; until then the binary has what it carries.
    data: &'static [&'static str],
    copied: OnceLock<PathBuf>,
}

impl Sandbox {
    /// With a copy of the data that the test may change, and of the scenarios only `chat-completions`.
    pub(crate) fn new() -> Self {
        let sandbox = Self::with(&[
            "scenarios/axes",
            "scenarios/chat-completions.toml",
            "scenarios/outcomes.toml",
            "scenarios/survivors.toml",
            "snapshots/chat-completions",
        ]);
        fs::write(
            sandbox.root().join("scenarios/relations.toml"),
            "schema = 1\nrelation = []\n",
        )
        .unwrap();
        sandbox
    }

    /// With all data.
    pub(crate) fn whole() -> Self {
        Self::with(&["scenarios", "snapshots"])
    }

    fn with(data: &'static [&'static str]) -> Self {
        let sandbox = Self {
            folder: TempDir::with_prefix("gauge-test-").unwrap(),
            data,
            copied: OnceLock::new(),
        };
        fs::create_dir(sandbox.temp()).unwrap();
        // What a test is about does not depend on what its machine lacks.
        fs::copy(
            repository().join("clawgauge.toml"),
            sandbox.folder.path().join("clawgauge.toml"),
        )
        .unwrap();
        sandbox
    }

    /// The folder of the data: theirs from now on, since a test that asks for it reads or changes it.
    pub(crate) fn root(&self) -> PathBuf {
        let copied = self.copied.get_or_init(|| {
            let root = self.folder.path().join("data");
            let always = [
                "fixtures/coverage",
                "fixtures/plugins",
                "fixtures/profiles",
                "fixtures/proxies",
                "fixtures/releases.toml",
                "fixtures/requests",
                "fixtures/senders",
            ];
            for name in self.data.iter().chain(&always) {
                let (from, to) = (repository().join(name), root.join(name));
                if from.is_dir() {
                    copy(&from, &to);
                } else {
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    fs::copy(from, to).unwrap();
                }
            }
            root
        });
        copied.clone()
    }

    pub(crate) fn temp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// `clawgauge` with nothing of this machine's environment but the PATH.
    pub(crate) fn clawgauge(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.temp())
            .env("LC_ALL", "C")
            .env("NO_COLOR", "1")
            .current_dir(self.folder.path())
            .timeout(std::time::Duration::from_secs(180));
        if let Some(root) = self.copied.get() {
            command.arg("--root").arg(root);
        }
        command
    }

    /// Says what things take, in seconds, where nothing was measured.
    pub(crate) fn timings(&self, start: f64, request: f64) {
        let text = format!(
            "schema = 1\n[reference]\nstart = {start}\nstop = 0.0\nprocessor = 0.0\nrefused = {start}\nfirst-call = 0.0\n\
             request = {request}\nmodel-call = {request}\nwrong-credential = 0.0\nclient = {request}\n"
        );
        fs::write(self.root().join("fixtures/timings.toml"), text).unwrap();
    }

    /// Replaces text in a data file; the text must be there.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.root().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not contain {from:?}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// An executable that runs the reference gateway in a broken way.
    pub(crate) fn broken_gateway(&self, misbehaviour: &str) -> String {
        let name = format!("gateway-{misbehaviour}");
        self.gateway(&name, &format!("--misbehave {misbehaviour}"))
    }

    /// An executable that starts whatever its configuration says: the mode is taken out of it.
    pub(crate) fn open_gateway(&self) -> String {
        let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" != --version ]; then\n  sed -i 's/\"bogus\"/\"none\"/' \"$OPENCLAW_CONFIG_PATH\"\nfi\nexec '{}' reference-gateway \"$@\"\n",
            binary.display()
        );
        self.script("open-gateway", &script)
    }

    /// An executable that runs the reference gateway with these flags.
    pub(crate) fn gateway(&self, name: &str, flags: &str) -> String {
        let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
        let script = format!(
            "#!/bin/sh\nexec '{}' reference-gateway {flags} \"$@\"\n",
            binary.display()
        );
        self.script(name, &script)
    }

    /// An executable in the sandbox.
    pub(crate) fn script(&self, name: &str, script: &str) -> String {
        let path = self.folder.path().join(name);
        executable(&path, script);
        path.to_str().unwrap().to_owned()
    }

    /// An executable that runs the reference gateway with a seeded fault.
    pub(crate) fn faulty_gateway(&self, fault: &str) -> String {
        self.gateway(&format!("faulty-{fault}"), &format!("--fault {fault}"))
    }

    /// Nothing of a run may be left: no process that knows the temp folder, nothing in it.
    pub(crate) fn assert_clean(&self) {
        let left: Vec<_> = fs::read_dir(self.temp())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(left.is_empty(), "left in the temp folder: {left:?}");
        let processes = processes_of(&self.temp());
        assert!(processes.is_empty(), "still running: {processes:?}");
    }
}

/// Ids of the processes whose environment names a folder.
pub(crate) fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.to_str().unwrap().as_bytes().to_vec();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        .filter(|entry| {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            environment
                .windows(needle.len())
                .any(|window| window == needle)
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Every secret in the launch folders that a run kept.
pub(crate) fn secrets_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(secrets_below(&path));
        } else if let Ok(text) = fs::read_to_string(&path) {
            let starts = text.match_indices("cG-");
            found.extend(starts.filter_map(|(at, _)| Some(text.get(at..at + 39)?.to_owned())));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Waits until a process has said something on stderr; everything that it said until then.
pub(crate) fn until_said(stderr: &mut impl Read, words: &str) -> String {
    let mut seen = String::new();
    let mut bytes = [0; 512];
    while !seen.contains(words) {
        let count = stderr.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended early: {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    seen
}

/// An executable file.
pub(crate) fn executable(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Its writer is another process: a thread of this one that forks meanwhile would hold the file open for writing, and
    // whoever executes it then hears "Text file busy".
    let mut shell = std::process::Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
