//! `clawgauge run` against the reference gateway: what a person and a machine get, and that every planted fault is found.

use std::fs;

use crate::support;
use crate::support::Sandbox;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

fn record(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&fs::read(sandbox.folder.path().join("r.json")).unwrap()).unwrap()
}

#[test]
fn a_whole_run_conforms() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .clawgauge()
        .args(["run", "--report", "json=r.json"])
        .assert();
    run.code(0)
        .stdout(contains("650 selected, 650 conform\n"))
        .stderr(contains("pending").not());
    sandbox.assert_clean();
    let record = record(&sandbox);
    assert_eq!(record["schema"], "clawgauge.results/1");
    assert_eq!(record["summary"]["conforms"], 650);
    assert_eq!(record["cells"].as_array().unwrap().len(), 650);
    assert_eq!(
        record["gateways"][0]["launches"].as_array().unwrap().len(),
        4
    );
    let ids: Vec<&str> = record["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["id"].as_str().unwrap())
        .collect();
    assert!(
        ids.contains(&"chat-completions/profile=none/credential=absent/scopes=read-space-write")
    );
}

#[test]
fn the_record_is_the_same_from_run_to_run() {
    let sandbox = Sandbox::new();
    let mut records = Vec::new();
    for _ in 0..2 {
        sandbox
            .clawgauge()
            .args(["run", "--report", "json=r.json"])
            .assert()
            .code(0);
        let mut record = record(&sandbox);
        record["run"] = Value::Null;
        for launch in record["gateways"][0]["launches"].as_array_mut().unwrap() {
            launch["ready_ms"] = Value::Null;
            launch["stop_ms"] = Value::Null;
        }
        for cell in record["cells"].as_array_mut().unwrap() {
            cell["observed"]["ms"] = Value::Null;
        }
        records.push(record);
    }
    assert_eq!(records[0], records[1]);
}

/// Change one thing in the data, and the next run names exactly that.
#[rstest]
#[case::rule(
    "scenarios/chat-completions.toml",
    "expect = \"missing-scope-write\"",
    "expect = \"unauthorized\"",
    &["rule declared-scopes-lack-write (scenarios/chat-completions.toml:", "105 deviate"]
)]
#[case::axis_value(
    "scenarios/axes/scopes.toml",
    "x-openclaw-scopes: operator.admin",
    "x-openclaw-scopes: operator.talk",
    &["unexpected-deny 15 cells: 14 with profile=none  scopes=admin\n", "rule declared-scopes-grant-write"]
)]
#[case::snapshot_byte(
    "snapshots/chat-completions/token.since-2026.3.22.snap",
    "\"content\": \"pong\"",
    "\"content\": \"ponG\"",
    &["wrong-body 52 cells: profile=token", "snapshots/chat-completions/token.since-2026.3.22.snap:", "-           \"content\": \"ponG\""]
)]
fn one_change_is_named(
    #[case] file: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] told: &[&str],
) {
    let sandbox = Sandbox::new();
    sandbox.edit(file, from, to);
    let mut run = sandbox.clawgauge().arg("run").assert().code(1);
    for text in told {
        run = run.stdout(contains(*text));
    }
    sandbox.assert_clean();
}

/// The seed's bug, planted in the reference gateway, is a handful of causes and not hundreds of lines.
#[test]
fn the_seeds_bug_is_found_and_folded() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("forgets-scope-default");
    let run = sandbox
        .clawgauge()
        .args(["run", "--gateway", &gateway, "--report", "json=r.json"])
        .assert()
        .code(1);
    let output = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert!(
        output.contains("unexpected-deny 23 cells: every cell of the rule\n"),
        "{output}"
    );
    assert!(
        output.contains("expected answered, observed 403 forbidden: missing scope: operator.write"),
        "{output}"
    );
    let record = record(&sandbox);
    assert_eq!(record["causes"].as_array().unwrap().len(), 2, "{output}");
    assert!(
        record["causes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|cause| cause["direction"] == "unexpected-deny")
    );
    // What the causes select is exactly what deviates.
    let deviating = record["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|cell| cell["verdict"] == "deviates")
        .count();
    let folded: u64 = record["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| cause["cells"].as_u64().unwrap())
        .sum();
    assert_eq!(folded, u64::try_from(deviating).unwrap());
    sandbox.assert_clean();
}

/// The library's example asks a scenario of a gateway, as the command does.
#[test]
fn the_example_runs_a_scenario() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("forgets-scope-default");
    // With the tests of the workspace it is built already.
    support::cargo()
        .args(["build", "--quiet", "--workspace"])
        .args(["--example", "one_scenario"])
        .current_dir(support::repository())
        .assert()
        .success();
    let tests = std::env::current_exe().unwrap();
    let beside = tests.ancestors().nth(2).unwrap();
    assert_cmd::Command::new(beside.join("examples/one_scenario"))
        .arg(gateway)
        .env("TMPDIR", sandbox.temp())
        .assert()
        .success()
        .stdout(contains("of 650 cells that ran, 79 deviate"));
}

#[rstest]
#[case::scopes_not_checked("ignores-scopes", "unexpected-allow 105 cells: every cell of the rule")]
#[case::model_called_first("calls-model-before-auth", "unexpected-allow")]
#[case::binary("answers-binary", "wrong-body")]
#[case::everybody_refused("refuses-everybody", "unexpected-deny")]
fn faults_are_found(#[case] misbehaviour: &str, #[case] told: &str) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway(misbehaviour);
    let scopes =
        "scopes=absent,write,read,empty,spaces,read-space-write,approvals,unknown,upper-case";
    let run = sandbox
        .clawgauge()
        .args(["run", "chat-completions/**", "--gateway", &gateway])
        .args(["--where", scopes])
        .assert();
    run.code(1).stdout(contains(told));
    sandbox.assert_clean();
}

/// Few cells: each answer is read, searched and hashed.
#[test]
fn huge_answers_are_found() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("answers-50mb");
    let cells = "chat-completions/profile=token/**";
    let run = sandbox
        .clawgauge()
        .args(["run", cells, "--gateway", &gateway])
        .args(["--where", "scopes=absent,write"])
        .assert();
    run.code(1).stdout(contains("wrong-body"));
    sandbox.assert_clean();
}

/// A refusal proves nothing where nobody has been seen to get through.
#[test]
fn denials_without_a_positive_control_are_void() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("refuses-everybody");
    let run = sandbox
        .clawgauge()
        .args([
            "run",
            "--gateway",
            &gateway,
            "--where",
            "credential=wrong",
            "--where",
            "profile=token",
        ])
        .assert();
    run.code(4).stdout(contains("could-not-run 13 under token: refused as it must be, but nothing in this launch reached the model"));
}

#[test]
fn secrets_are_nowhere() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("leaks-secret");
    let run = sandbox
        .clawgauge()
        .args([
            "run",
            "--gateway",
            &gateway,
            "--report",
            "json=r.json",
            "--where",
            "profile=token",
        ])
        .assert();
    let output = run
        .code(1)
        .stdout(contains("[secret:secret]"))
        .get_output()
        .clone();
    let report = fs::read(sandbox.folder.path().join("r.json")).unwrap();
    for text in [&output.stdout, &output.stderr, &report] {
        assert!(
            !String::from_utf8_lossy(text).contains("cG-"),
            "a secret begins with cG-"
        );
    }
}

#[test]
fn several_gateways_in_one_run() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let args = [
        "run",
        "--gateway",
        "reference",
        "--gateway",
        &gateway,
        "--where",
        "profile=none",
        "--where",
        "scopes=read",
    ];
    sandbox
        .clawgauge()
        .args(args)
        .assert()
        .code(1)
        .stdout(contains("28 selected, 14 conform, 14 deviate"));
}

/// Two gateways of one name are told apart by what they are.
#[test]
fn the_record_says_what_a_path_was() {
    let sandbox = Sandbox::new();
    let integrity = |flags: &str| {
        let gateway = sandbox.gateway("gateway", flags);
        let cells = ["--where", "profile=none", "--where", "scopes=absent"];
        let run = ["run", "--gateway", &gateway, "--report", "json=r.json"];
        sandbox.clawgauge().args(run).args(cells).assert().code(0);
        let record = std::fs::read(sandbox.folder.path().join("r.json")).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        let integrity = record["gateways"][0]["integrity"].as_str();
        integrity.unwrap().to_owned()
    };
    let (sound, other) = (integrity(""), integrity("--misbehave floods-output"));
    assert!(sound.starts_with("sha256:"), "{sound}");
    assert_ne!(sound, other);
}
