//! Known issues for starts that fail: the start is asked, and nothing else under its profile.

use std::fs;

use crate::support::Sandbox;
use predicates::prelude::*;
use predicates::str::contains;

const ISSUE: &str = r#"
schema = 1
id = "seen-password-flag-refused"
title = "A gateway does not start with a password on the command line"
kind = "regression"
means = "It exits with an error."
workaround = "Put the password into the configuration."
shows-on = "2026.9.6"

[[affects]]
scenario = "start"
since = "2026.9.6"
when = { profile = "choice-password-flag-over-config" }
observed = "refuses-unknown-flag"
"#;

/// One profile, its start and what is asked of it once it runs.
const CELLS: [&str; 5] = [
    "run",
    "start/**",
    "mode-choice/**",
    "--where",
    "profile=choice-password-flag-over-config",
];

#[test]
fn only_the_start_is_asked() {
    let sandbox = Sandbox::whole();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let refuses = sandbox.script(
        "refuses",
        &format!(
            "#!/bin/sh\nmode=password\n[ \"$1\" = --version ] || mode=bogus\nexec '{}' reference-gateway \"$@\" $(test $mode = bogus && echo --auth bogus)\n",
            binary.display()
        ),
    );
    let run = |gateway: &str| {
        let mut command = sandbox.clawgauge();
        command.args(CELLS).args(["--gateway", gateway]).assert()
    };
    // Nobody knows of it: the start deviates, and nothing else could run.
    run(&refuses).code(1).stdout(contains("6 could not run"));

    let file = "scenarios/known-issues/seen-password-flag-refused.toml";
    fs::write(sandbox.root().join(file), ISSUE).unwrap();
    sandbox.clawgauge().arg("check").assert().success();
    let reason = "2026.9.6 does not start under choice-password-flag-over-config: seen-password-flag-refused";
    run(&refuses)
        .success()
        .stdout(contains(reason).and(contains("6 could not run").not()));

    // It starts again: what is under the profile was not asked because of the issue, so its file is out of date, and says so.
    run("reference").stdout(contains("stale"));
}
