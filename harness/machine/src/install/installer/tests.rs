//! Installation against a make-believe npm; one test installs a real Node.

use std::sync::Mutex;

use rstest::rstest;

use super::*;
use crate::install::cache::Removal;
use crate::install::{EntryState, Installation, install, prunable};
use crate::testing::executable;

#[path = "changed.rs"]
mod changed;
#[path = "packed.rs"]
mod packed;

struct Bench {
    folder: tempfile::TempDir,
    context: InstallContext,
    notes: Mutex<Vec<String>>,
}

impl Bench {
    /// npm is a shell script; `$0.log` counts its calls.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let npm = folder.path().join("npm");
        executable(
            &npm,
            &format!("#!/bin/sh\necho \"$@\" >> \"$0.log\"\n{script}\n"),
        );
        let node = folder.path().join("node");
        executable(&node, "#!/bin/sh\necho v24.21.0\n");
        let reference = Program::default();
        let cache = Some(Cache::at(folder.path().join("cache")));
        Self {
            context: InstallContext {
                npm: npm.into(),
                node,
                cache,
                needs: Vec::new(),
                reference,
            },
            folder,
            notes: Mutex::default(),
        }
    }

    async fn resolve(
        &self,
        reference: &str,
        cancel: &CancellationToken,
    ) -> Result<Program, InstallError> {
        let progress = |step: Progress| self.notes.lock().unwrap().push(step.to_string());
        resolve(
            &reference.parse().unwrap(),
            &self.context,
            &progress,
            cancel,
        )
        .await
    }

    async fn install(&self, again: bool) -> Result<Installation, InstallError> {
        let progress = |step: Progress| self.notes.lock().unwrap().push(step.to_string());
        let (release, cancel) = (RELEASE.parse().unwrap(), CancellationToken::new());
        install(&release, again, &self.context, &progress, &cancel).await
    }

    async fn releases(&self) -> Result<contract::release::Releases, InstallError> {
        let progress = |step: Progress| self.notes.lock().unwrap().push(step.to_string());
        releases(&self.context, &progress, &CancellationToken::new()).await
    }

    fn told(&self, part: &str) -> bool {
        let notes = self.notes.lock().unwrap();
        notes.iter().any(|note| note.contains(part))
    }

    fn calls(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("npm.log"))
            .unwrap_or_default()
            .lines()
            .count()
    }
}

/// Installs a release that is only what the installer looks at.
const INSTALLS: &str = r#"
sleep 0.3
mkdir -p node_modules/openclaw && touch node_modules/openclaw/openclaw.mjs
echo '{"name":"openclaw","version":"2026.3.28","engines":{"node":">=22.14.0"}}' > node_modules/openclaw/package.json
mkdir -p node_modules/left-pad && echo '{}' > node_modules/left-pad/package.json && echo 'pad' > node_modules/left-pad/index.js
echo '{"packages":{"node_modules/openclaw":{"integrity":"sha512-abc"},"node_modules/left-pad":{}}}' > node_modules/.package-lock.json"#;

const RELEASE: &str = "openclaw@2026.3.28";

#[tokio::test]
async fn a_release_is_installed_once() {
    let bench = Bench::new(INSTALLS);
    let cancel = CancellationToken::new();
    // Two at a time: one installs, the other waits for it.
    let (first, second) = tokio::join!(
        bench.resolve("openclaw@2026.3.28", &cancel),
        bench.resolve("openclaw@2026.3.28", &cancel)
    );
    let program = first.unwrap();
    assert_eq!(program, second.unwrap());
    assert_eq!(
        program,
        bench.resolve("openclaw@2026.3.28", &cancel).await.unwrap()
    );
    assert_eq!(bench.calls(), 1);
    assert_eq!(program.integrity.as_deref(), Some("sha512-abc"));
    assert_eq!(program.node.as_deref(), Some("24.21.0"));
    assert_eq!(program.version.unwrap().to_string(), "2026.3.28");
    assert!(
        std::fs::read_to_string(bench.folder.path().join("npm.log"))
            .unwrap()
            .contains("--ignore-scripts")
    );
}

#[rstest]
#[case::no_record("install.json")]
#[case::no_entry("node_modules/openclaw/openclaw.mjs")]
#[case::no_dependency("node_modules/left-pad/package.json")]
#[tokio::test]
async fn a_broken_entry_is_installed_again(#[case] lost: &str) {
    let bench = Bench::new(INSTALLS);
    let cancel = CancellationToken::new();
    bench.resolve("openclaw@2026.3.28", &cancel).await.unwrap();
    let entry = bench.folder.path().join("cache/openclaw/2026.3.28");
    std::fs::remove_file(entry.join(lost)).unwrap();
    bench.resolve("openclaw@2026.3.28", &cancel).await.unwrap();
    assert_eq!(bench.calls(), 2);
    assert!(entry.join(lost).is_file());
}

/// What a release does to itself when it starts first is done before its files are hashed.
#[tokio::test]
async fn a_release_may_finish_its_installation() {
    let bench = Bench::new(&format!("{INSTALLS}\ntouch node_modules/openclaw/pending"));
    let node = "#!/bin/sh\nrm -f \"${1%/*}/pending\"\necho v24.21.0\n";
    executable(&bench.context.node, node);
    let cancel = CancellationToken::new();
    bench.resolve(RELEASE, &cancel).await.unwrap();
    let folder = bench.folder.path().join("cache/openclaw/2026.3.28");
    assert!(!folder.join("node_modules/openclaw/pending").exists());
    bench.resolve(RELEASE, &cancel).await.unwrap();
    assert_eq!(bench.calls(), 1);
}

/// Two processes use an entry, a third one would like to remove it.
#[tokio::test]
async fn what_is_in_use_stays() {
    let bench = Bench::new(INSTALLS);
    let cancel = CancellationToken::new();
    let version: Version = "2026.3.28".parse().unwrap();
    let cache = bench.context.cache.clone().unwrap();
    assert_eq!(cache.remove_release(&version).unwrap(), Removal::Absent);
    let first = bench.resolve(RELEASE, &cancel).await.unwrap();
    let second = bench.resolve(RELEASE, &cancel).await.unwrap();
    drop(first);
    assert!(cache.entries()[0].in_use);
    assert_eq!(cache.remove_release(&version).unwrap(), Removal::InUse);
    let again = bench.install(true).await.unwrap_err();
    assert!(matches!(again, InstallError::InUse(_)), "{again}");
    drop(second);
    assert!(!cache.entries()[0].in_use);
    let bytes = cache.entries()[0].bytes;
    assert!(bytes > 0);
    assert_eq!(
        cache.remove_release(&version).unwrap(),
        Removal::Removed(bytes)
    );
    assert!(!cache.has_release(&version) && cache.entries().is_empty());
    bench.resolve(RELEASE, &cancel).await.unwrap();
    assert_eq!(bench.calls(), 2);
}

/// What a killed installation left is no entry, and the next one clears it away.
#[tokio::test]
async fn an_interrupted_installation_is_begun_again() {
    let bench = Bench::new(INSTALLS);
    let left = bench
        .folder
        .path()
        .join("cache/openclaw/.2026.3.28.partial");
    std::fs::create_dir_all(left.join("node_modules/openclaw")).unwrap();
    std::fs::write(left.join("node_modules/openclaw/half"), "x").unwrap();
    let cache = bench.context.cache.clone().unwrap();
    assert_eq!(cache.entries()[0].state, EntryState::Partial);
    assert_eq!(prunable(&cache.entries(), 9).len(), 1);
    let cancel = CancellationToken::new();
    bench.resolve(RELEASE, &cancel).await.unwrap();
    let entries = cache.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].state, EntryState::Whole);
    assert!(!left.exists());
}

#[tokio::test]
async fn those_used_last_are_kept() {
    let bench = Bench::new(&INSTALLS.replace("2026.3.28", "'\"${2#openclaw@}\"'"));
    let cancel = CancellationToken::new();
    for version in ["2026.3.28", "2026.9.6", "2026.3.24"] {
        let reference = format!("openclaw@{version}");
        bench.resolve(&reference, &cancel).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.resolve(RELEASE, &cancel).await.unwrap();
    let cache = bench.context.cache.clone().unwrap();
    let gone = |keep| {
        let victims = prunable(&cache.entries(), keep);
        let mut names: Vec<String> = victims.into_iter().map(|entry| entry.version).collect();
        names.sort();
        names
    };
    assert_eq!(gone(3), [""; 0]);
    assert_eq!(gone(2), ["2026.9.6"]);
    assert_eq!(gone(1), ["2026.3.24", "2026.9.6"]);
    let used = bench.resolve("openclaw@2026.9.6", &cancel).await.unwrap();
    assert_eq!(gone(0), ["2026.3.24", "2026.3.28"], "what is used stays");
    drop(used);
}

const LISTS: &str = r#"echo '{"versions":["2026.3.24","2026.9.6","2026.3.28"],"dist-tags":{"latest":"2026.9.6"},"time":{"2026.9.6":"2026-09-20T10:00:00.000Z"}}'"#;

#[tokio::test]
async fn the_list_of_releases_is_asked_for_once() {
    let bench = Bench::new(LISTS);
    let first = bench.releases().await.unwrap();
    let version = |text: &str| text.parse::<Version>().unwrap();
    assert_eq!(first.latest(), Some(&version("2026.9.6")));
    assert_eq!(first.all().len(), 3);
    let published = first.published(&version("2026.9.6")).unwrap();
    assert_eq!(published.to_string(), "2026-09-20T10:00:00Z");
    assert_eq!(bench.releases().await.unwrap(), first);
    assert_eq!(bench.calls(), 1);
}

#[tokio::test]
async fn an_old_list_serves_where_the_registry_does_not() {
    let bench = Bench::new("echo 'npm error code ENOTFOUND' >&2; exit 1");
    let error = bench.releases().await.unwrap_err();
    assert!(error.help().unwrap().contains("npm config get registry"));
    let cache = bench.folder.path().join("cache");
    let kept = r#"{"asked":"2026-09-21T00:00:00Z","versions":["2026.9.6","2026.3.28"],"latest":"2026.9.6"}"#;
    std::fs::create_dir_all(&cache).unwrap();
    std::fs::write(cache.join("releases.json"), kept).unwrap();
    assert_eq!(bench.releases().await.unwrap().all().len(), 2);
    assert!(bench.told("taking the list of releases of 2026-09-21T00:00:00Z"));
    // A list that cannot be read is none.
    std::fs::write(cache.join("releases.json"), &kept[..40]).unwrap();
    bench.releases().await.unwrap_err();
}

#[tokio::test]
async fn offline_the_installed_releases_are_known() {
    let script =
        format!("case $1 in view) echo 'npm error code ENOTFOUND' >&2; exit 1;; esac\n{INSTALLS}");
    let bench = Bench::new(&script);
    let cancel = CancellationToken::new();
    bench.resolve(RELEASE, &cancel).await.unwrap();
    let known = bench.releases().await.unwrap();
    assert_eq!(known.all(), ["2026.3.28".parse().unwrap()]);
    assert!(bench.told("only the 1 releases that are installed are known"));
}

#[tokio::test]
async fn a_git_dependency_is_replaced_and_recorded() {
    let script = format!(
        "grep -q libsignal package.json || {{ echo 'npm error git ls-remote' >&2; exit 128; }}\n{INSTALLS}"
    );
    let bench = Bench::new(&script);
    bench
        .resolve("openclaw@2026.3.28", &CancellationToken::new())
        .await
        .unwrap();
    assert!(
        bench
            .notes
            .lock()
            .unwrap()
            .iter()
            .any(|note| note.contains("libsignal@2.0.1 from the registry"))
    );
    let record = std::fs::read_to_string(
        bench
            .folder
            .path()
            .join("cache/openclaw/2026.3.28/install.json"),
    )
    .unwrap();
    assert!(record.contains("libsignal@2.0.1"));
}

#[rstest]
#[case::no_such_version(
    "case $1 in view) echo '[\"2026.3.28\",\"2026.9.6\"]';; *) echo 'npm error code ETARGET' >&2; exit 1;; esac",
    "the registry has no openclaw@2026.3.29; the closest: 2026.3.28 and 2026.9.6",
    Some("npm view openclaw versions")
)]
#[case::disk_full(
    "echo 'npm error code ENOSPC' >&2; exit 1",
    "npm error code ENOSPC",
    Some("the disk is full")
)]
#[case::offline(
    "echo 'npm error code ENOTFOUND' >&2; exit 1",
    "could not install openclaw@2026.3.29 (exit code 1)",
    Some("npm config get registry")
)]
#[case::nothing_there("exit 0", "package.json", None)]
#[tokio::test]
async fn failures_say_what_to_do(
    #[case] script: &str,
    #[case] message: &str,
    #[case] help: Option<&str>,
) {
    let bench = Bench::new(script);
    let error = bench
        .resolve("openclaw@2026.3.29", &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
    if let Some(help) = help {
        assert!(error.help().unwrap().contains(help));
    }
    assert!(
        !bench
            .folder
            .path()
            .join("cache/openclaw/2026.3.29")
            .exists(),
        "nothing half done is left"
    );
    assert!(
        !bench
            .folder
            .path()
            .join("cache/openclaw/.2026.3.29.partial")
            .exists()
    );
}

#[tokio::test]
async fn npm_is_not_there() {
    let mut bench = Bench::new("");
    bench.context.npm = "/nowhere/npm".into();
    let error = bench
        .resolve("openclaw@2026.3.28", &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(
        matches!(error, InstallError::NoNpm(_))
            && error.help().unwrap().contains("install Node.js")
    );
}

#[tokio::test]
async fn cancelling_ends_npm_and_leaves_nothing() {
    let bench = Bench::new("sleep 60 & echo $! > \"$0.child\"; wait");
    let cancel = CancellationToken::new();
    let child = bench.folder.path().join("npm.child");
    let stop = async {
        while !std::fs::read_to_string(&child).is_ok_and(|text| text.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(bench.resolve("openclaw@2026.3.28", &cancel), stop);
    assert!(matches!(result, Err(InstallError::Cancelled)));
    let process = Path::new("/proc").join(std::fs::read_to_string(&child).unwrap().trim());
    // A killed process may take a moment to be gone.
    for round in 0.. {
        let state = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            break;
        }
        assert!(round < 100, "npm's child still runs: {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        !bench
            .folder
            .path()
            .join("cache/openclaw/.2026.3.28.partial")
            .exists()
    );
}

#[tokio::test]
async fn latest_is_asked_for() {
    let script = format!(
        "case $1 in view) echo '{{\"versions\":[\"2026.3.24\",\"2026.3.28\"],\"dist-tags\":{{\"latest\":\"2026.3.28\"}}}}'; exit 0;; esac\n{INSTALLS}"
    );
    let program = Bench::new(&script)
        .resolve("openclaw@latest", &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(program.version.unwrap().to_string(), "2026.3.28");
}

#[tokio::test]
async fn a_path_brings_its_version_and_node() {
    let bench = Bench::new(INSTALLS);
    let folder = bench.folder.path().join("checkout");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("package.json"),
        r#"{"name":"openclaw","version":"2026.9.6","engines":{"node":">=24"}}"#,
    )
    .unwrap();
    std::fs::write(folder.join("openclaw.mjs"), "").unwrap();
    let cancel = CancellationToken::new();
    let program = bench
        .resolve(folder.join("openclaw.mjs").to_str().unwrap(), &cancel)
        .await
        .unwrap();
    assert_eq!(
        (
            program.version.unwrap().to_string(),
            program.node.as_deref()
        ),
        ("2026.9.6".to_owned(), Some("24.21.0"))
    );
}

#[tokio::test]
#[ignore = "installs Node from the registry"]
async fn a_real_node_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new("");
    bench.context.npm = "npm".into();
    bench.context.node = "/nowhere/node".into();
    bench.context.cache = Some(Cache::at(folder.path().to_path_buf()));
    let entry = bench.folder.path().join("openclaw.mjs");
    std::fs::write(&entry, "").unwrap();
    let program = bench
        .resolve(entry.to_str().unwrap(), &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(node::version_of(&program.command).await, program.node);
}
