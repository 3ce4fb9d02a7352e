//! Published releases compared. Ignored unless asked for: they take minutes and a network.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic, and tell why"
)]

use std::path::PathBuf;

use assert_cmd::Command;
use clawgauge::studies::compare::{Advice, Cause, ChangeSeverity, Comparison};

/// `clawgauge` on the repository's own data and the machine's own cache.
fn clawgauge(args: &[&str]) -> (Option<i32>, String) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    command.env("CI", "true").env("NO_COLOR", "1");
    command
        .arg("--root")
        .arg(root.ancestors().nth(2).unwrap())
        .args(args);
    let output = command.output().unwrap();
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// Runs both, and compares their records in another format without running anything.
fn compare(a: &str, b: &str, globs: &[&str]) -> (Option<i32>, String, Comparison) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (a, b) = (format!("openclaw@{a}"), format!("openclaw@{b}"));
    let kept = folder.path().to_str().unwrap();
    let flags = ["--keep-records", kept, "--retries", "1"];
    let (code, text) = clawgauge(&[&["compare", &a, &b], globs, &flags].concat());
    eprintln!("{text}");
    let again = clawgauge(&[
        "compare",
        &path("a.json"),
        &path("b.json"),
        "--format",
        "json",
    ]);
    assert_eq!(again.0, code);
    (code, text, serde_json::from_str(&again.1).unwrap())
}

fn of(comparison: &Comparison, weight: ChangeSeverity) -> Vec<&Cause> {
    let causes = comparison.causes.iter();
    causes.filter(|cause| cause.weight == weight).collect()
}

/// The story of openclaw#58357 as a release manager would have seen it.
#[test]
#[ignore = "installs and launches openclaw@2026.3.24 and openclaw@2026.3.28"]
fn the_seeds_bug_blocks_2026_3_28() {
    let (code, text, comparison) = compare("2026.3.24", "2026.3.28", &["chat-completions/**"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.len() < 4096, "{} bytes:\n{text}", text.len());
    let issue = |cause: &&Cause| cause.known_issue.as_ref().unwrap().id.clone();
    let mut issues: Vec<String> = of(&comparison, ChangeSeverity::Blocker)
        .iter()
        .map(issue)
        .collect();
    issues.sort();
    assert_eq!(
        issues,
        ["openclaw#56763", "openclaw#57783", "openclaw#58357"]
    );
    let causes = of(&comparison, ChangeSeverity::Blocker);
    let seed = causes
        .iter()
        .find(|cause| issue(cause) == "openclaw#58357")
        .unwrap();
    assert!(
        matches!(&seed.advice[0], Advice::Request { send, .. } if send == &["x-openclaw-scopes: operator.write"]),
        "{:#?}",
        seed.advice
    );
    assert_eq!(comparison.gaps, [], "{text}");
}

/// From 2026.8.1 forwarded headers of an unknown proxy are refused: hundreds of cells, one cause.
#[test]
#[ignore = "installs and launches openclaw@2026.7.1 and openclaw@2026.8.2"]
fn forwarded_headers_are_one_cause_on_2026_8_2() {
    let globs = ["ingress/**", "behind-proxy/**", "endpoints/**"];
    let (code, text, comparison) = compare("2026.7.1", "2026.8.2", &globs);
    assert_eq!(code, Some(0), "{text}");
    let changes = of(&comparison, ChangeSeverity::ContractChange);
    assert_eq!(changes.len(), 1, "{text}");
    let kinds = changes[0]
        .after
        .iter()
        .map(|answer| answer.error_type.as_deref());
    let kinds: std::collections::BTreeSet<_> = kinds.collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        [Some("proxy_attribution_required")]
    );
    let trusts = |advice: &Advice| matches!(advice, Advice::Configuration { set, .. } if set.iter().any(|key| key.contains("trustedProxies")));
    assert!(
        changes[0].advice.iter().any(trusts),
        "{:#?}",
        changes[0].advice
    );
}
