//! Entries of the cache that are not as they were installed.

use super::*;

/// What is not as it was installed does not run, and `gateway install` puts it right.
#[rstest]
#[case::missing(
    "rm node_modules/left-pad/index.js",
    "node_modules/left-pad/index.js is missing"
)]
#[case::changed(
    "tr a-z b-za < node_modules/left-pad/index.js > x && mv x node_modules/left-pad/index.js",
    "node_modules/left-pad/index.js has changed"
)]
#[case::added(
    "echo > node_modules/openclaw/preload.js",
    "node_modules/openclaw/preload.js was added"
)]
#[case::linked(
    "cd node_modules/left-pad && mv index.js ../../../index.js && ln -s ../../../index.js",
    "node_modules/left-pad/index.js has changed"
)]
#[case::a_pipe("mkfifo node_modules/pipe", "node_modules/pipe was added")]
#[case::two(
    "rm node_modules/left-pad/index.js && touch a",
    "a was added, and 1 more differ"
)]
#[case::list("echo {} > files.json", "files.json has changed")]
#[tokio::test]
async fn a_changed_entry_does_not_run(#[case] change: &str, #[case] how: &str) {
    let bench = Bench::new(INSTALLS);
    let cancel = CancellationToken::new();
    assert!(bench.install(false).await.unwrap().fresh);
    assert!(!bench.install(false).await.unwrap().fresh);
    let folder = bench.folder.path().join("cache/openclaw/2026.3.28");
    let shell = std::process::Command::new("sh")
        .args(["-c", change])
        .current_dir(&folder)
        .status();
    assert!(shell.unwrap().success());
    let error = bench.resolve(RELEASE, &cancel).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("openclaw@2026.3.28 is not as it was installed: {how}")
    );
    let help = error.help().unwrap();
    assert!(
        help.ends_with("clawgauge gateway install openclaw@2026.3.28"),
        "{help}"
    );
    assert!(bench.install(false).await.unwrap().fresh);
    assert!(
        bench.told(&format!("is damaged: {how}")),
        "{:?}",
        bench.notes
    );
    bench.resolve(RELEASE, &cancel).await.unwrap();
    assert!(bench.install(true).await.unwrap().fresh);
    assert_eq!(bench.calls(), 3);
}
