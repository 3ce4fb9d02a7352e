//! The whole contract: known issues, relations, seeded faults, and the pages that are made from it.

use std::fs;

use crate::support::Sandbox;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// A cell that GHSA-68f8-9mhj-h2mp explains on releases before 2026.3.28.
const MODELS: &str = "endpoints/profile=none/endpoint=models/credential=absent/scopes=empty";

#[test]
fn the_reference_keeps_the_whole_contract() {
    let sandbox = Sandbox::whole();
    sandbox
        .clawgauge()
        .args(["run", "--report", "json=r.json"])
        .assert()
        .code(0)
        .stderr(contains("pending").not());
    let record: Value =
        serde_json::from_slice(&fs::read(sandbox.folder.path().join("r.json")).unwrap()).unwrap();
    // What this machine lacks is told, and is all that is left out.
    let summary = |name: &str| record["summary"][name].as_u64().unwrap();
    assert_eq!(
        summary("conforms") + summary("not_asked") + summary("not_applicable"),
        summary("selected")
    );
    for cell in record["cells"].as_array().unwrap() {
        if let Some(reason) = cell["reason"].as_str() {
            if cell["verdict"] == "not-applicable" {
                continue;
            }
            let lacks = [" on PATH", "network namespaces", "is not installed"];
            assert!(lacks.iter().any(|lack| reason.contains(lack)), "{cell}");
        }
    }
    assert!(record["summary"]["selected"].as_u64().unwrap() > 3_000);
    assert_eq!(record["relations"], serde_json::json!([]));
    sandbox.assert_clean();
}

/// A known issue excuses exactly what it says, is loud about it, and is stale where it does not show.
#[rstest]
#[case::known("models-unscoped", "2026.3.24", &[], 0, "1 known")]
#[case::made_to_fail("models-unscoped", "2026.3.24", &["--fail-on", "known"], 1, "1 known")]
#[case::switched_off("models-unscoped", "2026.3.24", &["--known-issues", "off"], 1, "unexpected-allow 1 cell")]
#[case::stale("stream-outlives-access", "2026.3.24", &[], 1, "stale: 1 cells are as they should be")]
#[case::another_deviation("models-unscoped", "2026.4.1", &[], 1, "unexpected-allow 1 cell")]
fn known_issues(
    #[case] fault: &str,
    #[case] release: &str,
    #[case] flags: &[&str],
    #[case] code: i32,
    #[case] told: &str,
) {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.faulty_gateway(fault);
    sandbox
        .clawgauge()
        .args(["run", MODELS, "--gateway", &gateway, "--release", release])
        .args(flags)
        .assert()
        .code(code)
        .stdout(contains(told));
}

#[test]
fn a_known_issue_says_what_to_do() {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.faulty_gateway("models-unscoped");
    let args = [
        "run",
        MODELS,
        "--gateway",
        &gateway,
        "--release",
        "2026.3.24",
    ];
    sandbox.clawgauge().args(args).assert().code(0).stdout(
        contains("GHSA-68f8-9mhj-h2mp security, 1 cell:")
            .and(contains("workaround: "))
            .and(contains("releases: before 2026.3.28"))
            .and(contains("the bytes say: ")),
    );
}

#[test]
fn an_expired_issue_excuses_nothing() {
    let sandbox = Sandbox::whole();
    let file = "scenarios/known-issues/ghsa-68f8-9mhj-h2mp.toml";
    sandbox.edit(file, "shows-on", "expires = \"2026-01-01\"\nshows-on");
    let gateway = sandbox.faulty_gateway("models-unscoped");
    let args = [
        "run",
        MODELS,
        "--gateway",
        &gateway,
        "--release",
        "2026.3.24",
    ];
    sandbox
        .clawgauge()
        .args(args)
        .assert()
        .code(1)
        .stdout(contains("unexpected-allow 1 cell"));
    // Whoever sets the day back is told so.
    sandbox
        .clawgauge()
        .args(args)
        .env("SOURCE_DATE_EPOCH", "1735689600")
        .assert()
        .code(0)
        .stderr(contains(
            "known issues count as of 2025-01-01, as SOURCE_DATE_EPOCH says",
        ));
}

/// Relations are checked on every run, and name two cells.
#[test]
fn a_broken_relation_names_a_pair() {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.faulty_gateway("secret-scopes-honoured");
    sandbox
        .clawgauge()
        .args(["run", "chat-completions/**", "--gateway", &gateway])
        .assert()
        .code(1)
        .stdout(
            contains("relations between cells that do not hold")
                .and(contains("scopes-of-a-shared-secret-change-nothing"))
                .and(contains("/scopes=absent\n     chat-completions/")),
        );
}

/// A step alone would prove nothing: the whole sequence of its profile is sent.
#[test]
fn a_step_brings_its_sequence() {
    let sandbox = Sandbox::whole();
    sandbox
        .clawgauge()
        .args(["run", "lockout/profile=lockout/step=wrong-beyond"])
        .assert()
        .code(0)
        .stdout(contains("12 selected, 12 conform"));
}

/// A gateway that starts with what it must refuse is a finding, one that never says anything is trouble of its own.
#[rstest]
#[case::starts_with_everything("open", "refuse-unknown-mode", 1, "unexpected-allow")]
#[case::says_nothing(
    "never-ready",
    "choice-env-token",
    3,
    "could-not-run 1 under choice-env-token"
)]
fn starts(#[case] gateway: &str, #[case] profile: &str, #[case] code: i32, #[case] told: &str) {
    let sandbox = Sandbox::whole();
    let gateway = match gateway {
        "open" => sandbox.open_gateway(),
        other => sandbox.broken_gateway(other),
    };
    let args = [
        "run",
        "start/**",
        "--where",
        &format!("profile={profile}"),
        "--ready-timeout",
        "2",
    ];
    sandbox
        .clawgauge()
        .args(args)
        .args(["--gateway", &gateway])
        .assert()
        .code(code)
        .stdout(contains(told));
    sandbox.assert_clean();
}

#[test]
fn mutants_are_caught_and_survivors_have_reasons() {
    let sandbox = Sandbox::whole();
    sandbox
        .clawgauge()
        .args(["mutants", "absent-scopes-mean-none", "query-token-accepted"])
        .assert()
        .code(0)
        .stdout(contains("2 of 2 seeded faults are caught: 100.0 %"));
    sandbox
        .clawgauge()
        .args(["mutants", "absent-scope-mean-none"])
        .assert()
        .code(2)
        .stderr(contains("did you mean `absent-scopes-mean-none`?"));
    // A suite that cannot see a fault says so, and does not pass.
    Sandbox::new()
        .clawgauge()
        .args(["mutants", "kill-unscoped"])
        .assert()
        .code(1)
        .stdout(contains("no reason is given in scenarios/survivors.toml"));
    sandbox.assert_clean();
}

/// Where the sound gateway deviates, every mutant would count as caught: there is no score then.
#[test]
fn no_score_without_a_sound_baseline() {
    let sandbox = Sandbox::new();
    let file = "scenarios/chat-completions.toml";
    sandbox.edit(
        file,
        "expect = \"missing-scope-write\"",
        "expect = \"unauthorized\"",
    );
    sandbox
        .clawgauge()
        .args(["mutants", "stream-outlives-access"])
        .assert()
        .code(4)
        .stdout("")
        .stderr(contains("the gateway without a fault does not keep the scenarios either: wrong-denial at chat-completions/"));
}

#[test]
fn a_reason_for_what_is_caught_is_out_of_date() {
    let sandbox = Sandbox::whole();
    let file = "scenarios/survivors.toml";
    let reason = "schema = 1\n\n[[survivor]]\nfault = \"query-token-accepted\"\nreason = \"nobody sends one\"\n";
    sandbox.edit(file, "schema = 1\n", reason);
    sandbox
        .clawgauge()
        .args(["mutants", "query-token-accepted"])
        .assert()
        .code(1)
        .stdout(contains("caught after all query-token-accepted"));
}
