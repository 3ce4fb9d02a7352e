//! What a script may be asked for by: known issues and causes.

use super::*;

/// A known issue stands for its first cell, on the release on which it was seen.
#[test]
fn a_known_issue_has_a_script() {
    let sandbox = Sandbox::whole();
    let run = sandbox
        .clawgauge()
        .args(["repro", "openclaw#58357"])
        .assert();
    run.code(0)
        .stdout(
            contains("REPRO_VERSION = \"2026.3.28\",")
                .and(contains(format!("cell       {SEED}\n"))),
        )
        .stderr("");
}

/// A cause of a record stands for its example, on the release of its gateway.
#[test]
fn a_cause_has_a_script() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.faulty_gateway("absent-scopes-mean-none");
    let args = ["run", "--gateway", &gateway, "--report", "json=r.json"];
    sandbox.clawgauge().args(args).assert().code(1);
    let repro = |number: &str| {
        let args = ["repro", "--record", "r.json", "--cause", number];
        sandbox.clawgauge().args(args).assert()
    };
    repro("1")
        .code(0)
        .stdout(contains("REPRO_VERSION = \"2026.9.6\",").and(contains(SEED)));
    sandbox
        .clawgauge()
        .args([
            "repro", "--record", "r.json", "--cause", "1", "--format", "markdown",
        ])
        .assert()
        .code(0)
        .stdout(contains(
            "## Actual\n\n`403 forbidden: missing scope: operator.write`\n",
        ));
    repro("99").code(2).stderr(contains("there is no cause 99"));
}
