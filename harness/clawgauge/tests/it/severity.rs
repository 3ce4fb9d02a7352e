//! Severity follows danger: what a caller gets or learns decides, whatever status carries it.

use std::fs;

use crate::support::Sandbox;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// A seeded fault, the cells that show it, and how severe it is, in which way.
#[rstest]
#[case::tools_of_the_owner(
    "owner-tools-with-write",
    "owner-tools/**",
    "tools-allowed",
    "blocker",
    "unexpected-allow"
)]
#[case::a_socket_that_may_only_read(
    "socket-read-may-write",
    "websocket/**",
    "none",
    "blocker",
    "unexpected-allow"
)]
#[case::a_webhook_without_its_token(
    "hook-open-without-auth",
    "hooks-modes/**",
    "hooks-policy",
    "blocker",
    "unexpected-allow"
)]
#[case::a_plugin_without_its_check(
    "admin-rpc-unguarded",
    "admin-rpc/**",
    "elevated-token",
    "blocker",
    "unexpected-allow"
)]
#[case::a_model_called_for_nobody(
    "model-before-check",
    "chat-completions/**",
    "token",
    "blocker",
    "unexpected-allow"
)]
#[case::a_secret(
    "refusal-shows-secret",
    "chat-completions/**",
    "token",
    "blocker",
    "unexpected-allow"
)]
#[case::shut_out(
    "password-refuses-all",
    "chat-completions/**",
    "password",
    "blocker",
    "unexpected-deny"
)]
#[case::no_retry_after(
    "lockout-without-retry-after",
    "lockout/**",
    "lockout",
    "severe",
    "wrong-denial"
)]
#[case::why_a_credential_failed(
    "refusal-names-reason",
    "chat-completions/**",
    "token",
    "severe",
    "wrong-denial"
)]
#[case::how_long_a_secret_is(
    "refusal-shows-length",
    "chat-completions/**",
    "token",
    "severe",
    "wrong-denial"
)]
#[case::which_scope_is_missing(
    "scope-before-credential",
    "order-of-checks/**",
    "token",
    "severe",
    "wrong-denial"
)]
#[case::a_route_that_asks_for_no_credential(
    "channels-unguarded",
    "targets/**",
    "token",
    "severe",
    "wrong-denial"
)]
#[case::asked_twice("model-twice", "chat-completions/**", "token", "shape", "wrong-body")]
fn seeded_faults(
    #[case] fault: &str,
    #[case] cells: &str,
    #[case] profile: &str,
    #[case] severity: &str,
    #[case] direction: &str,
) {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.faulty_gateway(fault);
    let profile = format!("profile={profile}");
    let args = ["run", cells, "--where", &profile, "--gateway", &gateway];
    let record = record(&sandbox, &args);
    let causes = record["causes"].as_array().unwrap();
    let found = |cause: &&Value| cause["severity"] == severity && cause["direction"] == direction;
    assert!(causes.iter().any(|cause| found(&cause)), "{causes:#?}");
    let worst = causes.iter().any(|cause| cause["severity"] == "blocker");
    assert_eq!(worst, severity == "blocker", "{causes:#?}");
    // A gate that is told to heed this severity heeds it.
    let gate = ["--severity", severity];
    let again = sandbox.clawgauge().args(args).args(gate).assert();
    again.code(1);
}

/// What a run that fails writes down.
fn record(sandbox: &Sandbox, args: &[&str]) -> Value {
    let report = ["--report", "json=r.json"];
    let run = sandbox.clawgauge().args(args).args(report).assert();
    run.code(1);
    let record = fs::read(sandbox.folder.path().join("r.json")).unwrap();
    serde_json::from_slice(&record).unwrap()
}

/// What the caller got is in the record, beside what the rule grants.
#[test]
fn the_record_says_what_a_caller_got() {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.faulty_gateway("socket-read-may-write");
    let cell = "websocket/profile=none/client=backend/login=absent/asked-scopes=read";
    let record = record(&sandbox, &["run", cell, "--gateway", &gateway]);
    let cell = &record["cells"][0];
    assert_eq!(cell["expected"]["grants"], "read");
    assert_eq!(cell["observed"]["grants"], "write");
}

/// A release that grants more than the other is a blocker, whatever both answer.
#[test]
fn a_comparison_knows_what_is_granted() {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.faulty_gateway("socket-read-may-write");
    let cells = ["websocket/**", "--where", "profile=none"];
    let args = ["compare", "reference", &gateway];
    let assert = sandbox.clawgauge().args(args).args(cells).assert().code(1);
    assert.stdout(contains("BLOCKER 1  granted more"));
}

/// Every outcome says what it grants, and every denial what it tells; files from before are read, and refused by `check`.
#[rstest]
#[case::nothing_said(
    "grants = \"none\"\ntells = []\n",
    "",
    "outcome `unauthorized` does not say what it grants",
    2,
    2
)]
#[case::as_before(
    "grants = \"none\"\ntells = []\n",
    "direction = \"deny\"\n",
    "outcome `unauthorized` does not say what it grants",
    2,
    0
)]
#[case::tells_nothing(
    "tells = []\n",
    "",
    "outcome `unauthorized` does not say what it tells",
    2,
    0
)]
#[case::both(
    "grants = \"none\"",
    "grants = \"none\"\ndirection = \"deny\"",
    "says `grants` and `direction`",
    2,
    2
)]
#[case::unknown("tells = []", "tells = [\"reasons\"]", "did you mean `reason`?", 2, 2)]
#[case::no_privilege(
    "grants = \"none\"",
    "grants = \"nothing\"",
    "unknown variant `nothing`",
    2,
    2
)]
fn every_outcome_says_it(
    #[case] from: &str,
    #[case] to: &str,
    #[case] told: &str,
    #[case] check: i32,
    #[case] run: i32,
) {
    let sandbox = Sandbox::whole();
    let path = sandbox.root().join("scenarios/outcomes.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("id = \"unauthorized\"").unwrap();
    let text = format!(
        "{before}id = \"unauthorized\"{}",
        after.replacen(from, to, 1)
    );
    fs::write(&path, text).unwrap();
    let assert = sandbox.clawgauge().arg("check").assert().code(check);
    let place = |after: usize| {
        contains(format!(
            "scenarios/outcomes.toml:{}:",
            before.lines().count() + after
        ))
    };
    assert.stderr(contains(told).and(place(1).or(place(3)).or(place(4))));
    let cell = "chat-completions/profile=token/credential=wrong/scopes=absent";
    sandbox.clawgauge().args(["run", cell]).assert().code(run);
}

/// An accepted denial that tells more than its outcome says is found by `check`.
#[test]
fn an_accepted_answer_that_tells_more() {
    let sandbox = Sandbox::whole();
    let path = sandbox.root().join("scenarios/outcomes.toml");
    let text = fs::read_to_string(&path).unwrap();
    let one = text.replacen("tells = [\"scope\"]", "tells = []", 1);
    assert_ne!(one, text);
    fs::write(&path, one).unwrap();
    let assert = sandbox.clawgauge().arg("check").assert().code(2);
    assert.stderr(contains(
        "an accepted answer of `missing-scope-write` tells more than its outcome says: scope",
    ));
}
