//! `ci/gate.sh`, as a pipeline calls it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use support::{Sandbox, repository};

fn gate(sandbox: &Sandbox) -> Command {
    let mut command = Command::new(repository().join("ci/gate.sh"));
    command
        .env("CLAWGAUGE", assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env("CI", "true")
        .env("TMPDIR", sandbox.temp())
        .current_dir(sandbox.folder.path());
    command
}

#[test]
fn the_gate_passes_a_gateway_that_keeps_the_contract() {
    let sandbox = Sandbox::new();
    gate(&sandbox)
        .args(["reference", "r.json"])
        .assert()
        .code(0);
    assert!(sandbox.folder.path().join("r.json").exists());
}

#[test]
fn the_gate_stops_a_gateway_that_breaks_it() {
    let sandbox = Sandbox::new();
    let broken = sandbox.broken_gateway("ignores-scopes");
    gate(&sandbox)
        .arg(&broken)
        .assert()
        .code(1)
        .stdout(contains("unexpected-allow"));
    assert!(
        sandbox
            .folder
            .path()
            .join("clawgauge-results.json")
            .exists()
    );
}

#[test]
fn the_gate_without_a_gateway_says_how_to_call_it() {
    let sandbox = Sandbox::new();
    gate(&sandbox)
        .assert()
        .code(2)
        .stderr(contains("usage: ").and(contains("GATEWAY")));
}
