//! Installation against a make-believe npm; one test installs a real Node.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use rstest::rstest;

use super::*;

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
        std::fs::write(
            &npm,
            format!("#!/bin/sh\necho \"$@\" >> \"$0.log\"\n{script}\n"),
        )
        .unwrap();
        let node = folder.path().join("node");
        std::fs::write(&node, "#!/bin/sh\necho v24.21.0\n").unwrap();
        for file in [&npm, &node] {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let reference = Program {
            command: "x".into(),
            args: Vec::new(),
            version: None,
            integrity: None,
            node: None,
            notes: Vec::new(),
            path_dirs: Vec::new(),
        };
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
echo '{"packages":{"node_modules/openclaw":{"integrity":"sha512-abc"}}}' > node_modules/.package-lock.json"#;

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
    "the registry has no openclaw@2026.3.29; the closest is 2026.3.28",
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
    let script =
        format!("case $1 in view) echo '{{\"latest\":\"2026.3.28\"}}'; exit 0;; esac\n{INSTALLS}");
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
    let error = bench
        .resolve(folder.to_str().unwrap(), &cancel)
        .await
        .unwrap_err();
    assert!(error.help().unwrap().ends_with("checkout/openclaw.mjs"));
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
