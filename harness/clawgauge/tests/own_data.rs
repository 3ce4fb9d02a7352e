//! A folder of one's own scenarios: what it may lack, and what happens to its first answers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use predicates::str::contains;
use support::Sandbox;

/// A scenario that holds for every release there is.
const TIMELESS: &str = r#"schema = 1
id = "timeless"
title = "Chat completions without a credential"

[request]
method = "POST"
path = "/v1/chat/completions"
headers = ["Content-Type: application/json"]
body = "requests/chat-ping.json"

[axes]
profile = ["token"]
credential = ["absent", "valid"]

[[rule]]
id = "the-secret-lets-in"
title = "whoever holds the token is let in"
when = { credential = "valid" }
expect = "answered"
source = "docs/gateway/openai-http-api.md (2026.9.6), auth matrix"

[[rule]]
id = "nobody-else"
title = "nobody else is let in"
when = { credential = "absent" }
expect = "unauthorized"
source = "docs/gateway/openai-http-api.md (2026.9.6), auth matrix"
"#;

#[test]
fn relations_and_survivors_are_optional() {
    let sandbox = Sandbox::new();
    for name in ["relations", "survivors"] {
        let file = sandbox.root().join(format!("scenarios/{name}.toml"));
        fs::remove_file(file).unwrap();
        sandbox.clawgauge().arg("check").assert().code(0);
    }
}

/// What is missing is said at once, not one file after the other.
#[test]
fn all_that_is_missing_is_said_at_once() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.root().join("scenarios/outcomes.toml")).unwrap();
    fs::remove_file(sandbox.root().join("fixtures/releases.toml")).unwrap();
    sandbox
        .clawgauge()
        .arg("check")
        .assert()
        .code(2)
        .stderr(contains(
            "missing: fixtures/releases.toml, scenarios/outcomes.toml",
        ));
}

/// Without `since` the first answers are named after the release that gave them; what is accepted then holds for later
/// releases, too.
#[test]
fn a_scenario_without_since_can_be_accepted() {
    let sandbox = Sandbox::new();
    for folder in ["scenarios", "snapshots"] {
        let name = sandbox.root().join(folder).join("chat-completions");
        let _ = fs::remove_dir_all(&name);
        let _ = fs::remove_file(name.with_extension("toml"));
    }
    fs::write(sandbox.root().join("scenarios/timeless.toml"), TIMELESS).unwrap();
    let run = || {
        let mut command = sandbox.clawgauge();
        command.args(["run", "--jobs", "4"]);
        command
    };
    run()
        .args(["--release", "2026.7.1"])
        .assert()
        .code(1)
        .stderr(contains("snapshots/timeless/token.since-2026.7.1.snap.new"));
    sandbox.clawgauge().arg("accept").assert().code(0);
    for release in ["2026.7.1", "2026.9.6"] {
        run().args(["--release", release]).assert().code(0);
    }
}
