//! `clawgauge compare`, with the reference gateway and its seeded faults.

use std::path::PathBuf;

use crate::support::Sandbox;
use crate::support::schema::assert_described;
use clawgauge::studies::compare::Comparison;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// Runs a comparison: exit code, stdout, stderr.
fn compare(sandbox: &Sandbox, args: &[&str]) -> (Option<i32>, String, String) {
    let output = sandbox
        .clawgauge()
        .arg("compare")
        .args(args)
        .output()
        .unwrap();
    sandbox.assert_clean();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The comparison of two gateways.
fn json(sandbox: &Sandbox, args: &[&str]) -> (Option<i32>, Comparison) {
    let (code, stdout, stderr) = compare(sandbox, &[args, &["--format", "json"]].concat());
    let comparison: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}\n{stdout}\n{stderr}"));
    assert_described("comparison", &comparison);
    (code, serde_json::from_value(comparison).unwrap())
}

/// A record of a gateway on the chat scenario.
fn recorded(sandbox: &Sandbox, gateway: &str, name: &str) -> PathBuf {
    let path = sandbox.folder.path().join(name);
    let mut command = sandbox.clawgauge();
    command.args([
        "run",
        "chat-completions/**",
        "--gateway",
        gateway,
        "--quiet",
    ]);
    command
        .arg("--report")
        .arg(format!("json={}", path.display()));
    command.output().unwrap();
    assert!(path.exists());
    path
}

/// The seed's bug, planted: whoever declares no scopes is refused, in two modes, and both are one cause.
#[test]
fn a_break_is_a_blocker_and_its_fix_an_improvement() {
    let sandbox = Sandbox::new();
    let faulty = sandbox.faulty_gateway("absent-scopes-mean-none");
    let (code, stdout, stderr) = compare(&sandbox, &["reference", &faulty]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(
        stderr.ends_with("clawgauge: 1 blocker (exit code 1)\n"),
        "{stderr}"
    );
    for words in [
        "NO GO: 1 blocker\n",
        "BLOCKER 1  let in -> refused",
        "200 (answered)",
        "403 forbidden: missing scope: operator.write",
        "no x-openclaw-scopes header",
        "instead  send x-openclaw-scopes: operator.write\n",
        "clawgauge show chat-completions/profile=none/credential=absent/scopes=absent --release 2026.9.6\n",
    ] {
        assert!(stdout.contains(words), "{words:?} is missing:\n{stdout}");
    }
    let (code, comparison) = json(&sandbox, &[&faulty, "reference"]);
    assert_eq!(code, Some(0));
    assert_eq!(comparison.schema, "clawgauge.compare/1");
    assert_eq!(
        (comparison.counts.improvements, comparison.causes.len()),
        (1, 1)
    );
}

/// Each seeded fault shows with the weight that its bug has.
#[rstest]
#[case::let_in("attribution-unchecked", "ingress/**", 1, "blocker", "let-in")]
#[case::let_in("basic-accepted", "chat-completions/**", 1, "blocker", "let-in")]
#[case::shut_out(
    "scheme-case-sensitive",
    "credential-shapes/**",
    1,
    "blocker",
    "shut-out"
)]
#[case::another_denial(
    "scope-before-credential",
    "endpoints/**",
    0,
    "severe",
    "denial-changed"
)]
#[case::called_twice("model-twice", "elevated-headers/**", 0, "shape", "answer-changed")]
fn every_kind_of_change(
    #[case] fault: &str,
    #[case] glob: &str,
    #[case] exit: i32,
    #[case] weight: &str,
    #[case] kind: &str,
) {
    let sandbox = Sandbox::whole();
    let faulty = sandbox.faulty_gateway(fault);
    let (code, comparison) = json(&sandbox, &["reference", &faulty, glob]);
    let cause = comparison.causes.first().unwrap();
    assert_eq!(
        (code, cause.weight.name()),
        (Some(exit), weight),
        "{comparison:#?}"
    );
    let kinds = serde_json::to_value(&cause.kinds).unwrap();
    assert!(kinds.get(kind).is_some(), "{kinds}");
}

/// Judged as a release before 2026.8.1 nothing is said about forwarded headers; the newest refuses them. The gateway is the
/// same, so that only the contract differs.
#[test]
fn a_contract_that_changed_is_announced() {
    let sandbox = Sandbox::whole();
    let old = sandbox.faulty_gateway("attribution-unchecked");
    let record = |gateway: &str, release: &str, name: &str| {
        let path = sandbox.folder.path().join(name);
        let mut command = sandbox.clawgauge();
        command.args([
            "run",
            "ingress/**",
            "behind-proxy/**",
            "--gateway",
            gateway,
            "--release",
            release,
            "--quiet",
        ]);
        command
            .arg("--report")
            .arg(format!("json={}", path.display()));
        command.output().unwrap();
        path.to_str().unwrap().to_owned()
    };
    let a = record(&old, "2026.7.1", "a.json");
    let same = sandbox.gateway("same", "");
    let b = record(&same, "2026.9.6", "b.json");
    let (code, comparison) = json(&sandbox, &[&a, &b]);
    assert_eq!(code, Some(0), "{comparison:#?}");
    let announced = comparison
        .causes
        .iter()
        .filter(|cause| cause.weight.name() == "contract-change");
    let announced: Vec<_> = announced.collect();
    assert_eq!(announced.len(), 1, "{announced:#?}");
    let after = &announced[0].after;
    assert_eq!(
        after[0].error_type.as_deref(),
        Some("proxy_attribution_required")
    );
    let scenarios: std::collections::BTreeSet<&str> = announced[0]
        .places
        .iter()
        .map(|place| place.scenario.as_str())
        .collect();
    assert_eq!(
        scenarios.into_iter().collect::<Vec<_>>(),
        ["behind-proxy", "ingress"]
    );
    let note = compare(&sandbox, &[&a, &b, "--format", "markdown"]).1;
    assert!(note.contains("gateway.trustedProxies = "), "{note}");
    assert!(note.contains("leave out"), "{note}");
}

/// Records are compared as gateways are, again and again with the same bytes.
#[test]
fn records_are_enough_and_say_the_same() {
    let sandbox = Sandbox::new();
    let faulty = sandbox.faulty_gateway("empty-scopes-as-absent");
    let kept = sandbox.folder.path().join("kept");
    let folder = kept.to_str().unwrap();
    let (code, live, _) = compare(&sandbox, &["reference", &faulty, "--keep-records", folder]);
    assert_eq!(code, Some(1), "{live}");
    let (a, b) = (format!("{folder}/a.json"), format!("{folder}/b.json"));
    for format in ["text", "markdown", "json"] {
        let first = compare(&sandbox, &[&a, &b, "--format", format]);
        assert_eq!(first, compare(&sandbox, &[&a, &b, "--format", format]));
        assert_eq!(first.0, Some(1));
        if format == "text" {
            assert_eq!(first.1, live);
        }
    }
    // A record and a gateway, and a record with itself.
    let (code, _, _) = compare(&sandbox, &[&a, &faulty]);
    assert_eq!(code, Some(1));
    let (code, stdout, _) = compare(&sandbox, &[&b, &b]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("GO: no blocker") && stdout.contains(" 0 changed\n"),
        "{stdout}"
    );
    // Filters hold for records, too.
    let (code, comparison) = json(&sandbox, &[&a, &b, "--where", "profile=token"]);
    assert_eq!((code, comparison.counts.changed), (Some(0), 0));
}

#[test]
fn a_bundle_is_a_record() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.folder.path().join("evidence.tar.gz");
    let mut command = sandbox.clawgauge();
    command
        .args(["run", "--where", "profile=none", "--quiet", "--bundle"])
        .arg(&bundle);
    command.assert().success();
    let faulty = sandbox.faulty_gateway("absent-scopes-mean-none");
    let path = bundle.to_str().unwrap();
    let (code, comparison) = json(&sandbox, &[path, &faulty, "--where", "profile=none"]);
    assert_eq!(code, Some(1));
    assert_eq!(comparison.gaps, []);
}

/// A side of which nothing was had is no comparison.
#[rstest]
#[case::a_that_does_not_start("dies-at-start", true)]
#[case::b_that_does_not_start("dies-at-start", false)]
fn a_gateway_that_does_not_start(#[case] misbehaviour: &str, #[case] first: bool) {
    let sandbox = Sandbox::new();
    let broken = sandbox.broken_gateway(misbehaviour);
    let pair = if first {
        [broken.as_str(), "reference"]
    } else {
        ["reference", broken.as_str()]
    };
    let (code, stdout, stderr) = compare(
        &sandbox,
        &[&pair[..], &["--where", "profile=none"]].concat(),
    );
    assert_eq!(code, Some(3), "{stdout}{stderr}");
    let side = if first { "A" } else { "B" };
    assert!(
        stderr
            .lines()
            .last()
            .unwrap()
            .contains(&format!("{side} (")),
        "{stderr}"
    );
}

#[test]
fn wrong_usage_is_told_with_the_way_out() {
    let sandbox = Sandbox::new();
    let record = recorded(&sandbox, "reference", "r.json");
    let mut other: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    other["run"]["table_hash"] = "another".into();
    let other_path = sandbox.folder.path().join("other.json");
    std::fs::write(&other_path, other.to_string()).unwrap();
    let (a, b) = (record.to_str().unwrap(), other_path.to_str().unwrap());
    let fails = |args: &[&str], code: i32, words: &str| {
        let assert = sandbox.clawgauge().arg("compare").args(args).assert();
        assert.code(code).stderr(contains(words));
    };
    fails(&[a, b], 2, "--allow-different-contract");
    let (code, stdout, _) = compare(&sandbox, &[a, b, "--allow-different-contract"]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("judged by different scenario files"),
        "{stdout}"
    );
    fails(&["missing.json", b], 2, "missing.json");
    fails(&["reference", "openclaw@latst"], 2, "`latst`");
    fails(
        &["reference", "reference", "--where", "profile=tokn"],
        2,
        "did you mean `token`?",
    );
    fails(
        &[
            "reference",
            "reference",
            "--where",
            "profile=none",
            "--where",
            "credential=identity",
        ],
        4,
        "select no cell",
    );
    let broken = sandbox.folder.path().join("broken.json");
    std::fs::write(&broken, "{ \"schema\": \"clawgauge.results/9\" }").unwrap();
    fails(&[broken.to_str().unwrap(), a], 2, "clawgauge.results/9");
    let twin = other["gateways"][0].clone();
    other["gateways"].as_array_mut().unwrap().push(twin);
    std::fs::write(&other_path, other.to_string()).unwrap();
    fails(&[b, a, "--allow-different-contract"], 2, "--gateway-a REF");
}

/// What a gateway says stays in its place: no control characters at a terminal, no markup in a note.
#[test]
fn hostile_texts_stay_where_they_belong() {
    let sandbox = Sandbox::new();
    let a = recorded(&sandbox, "reference", "a.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&a).unwrap()).unwrap();
    let bad = "\u{1b}[31m</td><script>alert(1)</script> | @maintainer\n::error::x\n# heading";
    for cell in record["cells"].as_array_mut().unwrap() {
        if cell["observed"]["status"] == 200 {
            cell["verdict"] = "deviates".into();
            cell["direction"] = "unexpected-deny".into();
            cell["observed"]["outcome"] = Value::Null;
            cell["observed"]["message"] = bad.into();
            cell["observed"]["error_type"] = bad.into();
        }
    }
    let b = sandbox.folder.path().join("b.json");
    std::fs::write(&b, record.to_string()).unwrap();
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    let (code, text, _) = compare(&sandbox, &[a, b]);
    assert_eq!(code, Some(1));
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(
        !text.lines().any(|line| line.trim_start().starts_with("::")),
        "{text}"
    );
    let note = compare(&sandbox, &[a, b, "--format", "markdown"]).1;
    let html = comrak::markdown_to_html(&note, &options());
    assert!(
        !html.contains("<script>") && !html.contains("<h1>"),
        "{html}"
    );
    assert_eq!(html.matches("<table>").count(), 2, "{html}");
}

fn options() -> comrak::Options<'static> {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.render.r#unsafe = true;
    options
}
