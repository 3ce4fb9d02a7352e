//! What a gate needs of `clawgauge run`: baseline, severity, retries, fail-fast, a project's defaults, quiet, verbose, log.

mod retries;
mod watching;

use std::fs;

use crate::support::{Sandbox, secrets_below};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use rstest::rstest;
use serde_json::Value;

fn record(sandbox: &Sandbox, name: &str) -> Value {
    serde_json::from_slice(&fs::read(sandbox.folder.path().join(name)).unwrap()).unwrap()
}

/// Runs a gateway and keeps the record.
fn run(sandbox: &Sandbox, gateway: &str, name: &str, flags: &[&str]) -> assert_cmd::assert::Assert {
    let report = format!("json={name}");
    let base = ["run", "--gateway", gateway, "--report", &report];
    sandbox.clawgauge().args(base).args(flags).assert()
}

/// What was wrong before and is wrong in the same way passes; what is wrong in another way, or newly wrong, does not.
#[test]
fn a_baseline_excuses_the_same_answers_only() {
    let sandbox = Sandbox::new();
    let forgets = sandbox.broken_gateway("forgets-scope-default");
    let ignores = sandbox.broken_gateway("ignores-scopes");
    run(&sandbox, &forgets, "before.json", &[]).code(1);
    let deviating = record(&sandbox, "before.json")["summary"]["deviates"].clone();

    let same = ["--baseline", "before.json"];
    run(&sandbox, &forgets, "same.json", &same)
        .code(0)
        .stdout(contains(format!("{deviating} as in the baseline")))
        .stdout(
            contains("1 more cause is as in the baseline")
                .or(contains("more causes are as in the baseline")),
        );
    let after = record(&sandbox, "same.json");
    assert_eq!(after["summary"]["deviates"], deviating);
    assert_eq!(after["summary"]["as_in_baseline"], deviating);
    assert_eq!(after["summary"]["failing"], 0);
    assert_eq!(
        after["run"]["baseline"],
        record(&sandbox, "before.json")["run"]["id"]
    );

    run(&sandbox, &ignores, "other.json", &same)
        .code(1)
        .stdout(contains("unexpected-allow"))
        .stdout(contains("better than the baseline"));
    let other = record(&sandbox, "other.json");
    assert!(other["summary"]["failing"].as_u64().unwrap() > 0);
    assert!(other["summary"]["better"].as_u64().unwrap() > 0);

    // A sound run excuses nothing.
    run(&sandbox, "reference", "sound.json", &[]).code(0);
    let sound = ["--baseline", "sound.json"];
    run(&sandbox, &forgets, "worse.json", &sound)
        .code(1)
        .stderr(contains(format!("{deviating} deviate")));
}

/// What could not run is never excused, not even by a baseline in which it could not run either.
#[test]
fn a_baseline_does_not_excuse_silence() {
    let sandbox = Sandbox::new();
    let dies = sandbox.broken_gateway("dies-after-requests");
    run(&sandbox, &dies, "before.json", &[]).code(3);
    run(
        &sandbox,
        &dies,
        "after.json",
        &["--baseline", "before.json"],
    )
    .code(3);
}

#[rstest]
#[case::missing("none.json", None, "No such file")]
#[case::junk(
    "junk.json",
    Some("{\"schema\": \"clawgauge.results/1\", "),
    "not a record of clawgauge"
)]
#[case::list("list.json", Some("[]"), "not a record of clawgauge")]
#[case::newer(
    "newer.json",
    Some("{\"schema\": \"clawgauge.results/9\", \"cells\": []}"),
    "its schema is \"clawgauge.results/9\""
)]
fn a_baseline_that_is_none(#[case] name: &str, #[case] text: Option<&str>, #[case] expected: &str) {
    let sandbox = Sandbox::new();
    if let Some(text) = text {
        fs::write(sandbox.folder.path().join(name), text).unwrap();
    }
    sandbox
        .clawgauge()
        .args(["run", "--baseline", name])
        .assert()
        .code(2)
        .stdout(is_empty())
        .stderr(contains(format!("the baseline {name}: ")).and(contains(expected)))
        .stderr(contains("clawgauge run --report json=PATH"));
    sandbox.assert_clean();
}

#[test]
fn a_baseline_of_other_gateways_says_so() {
    let sandbox = Sandbox::new();
    let gateways = [
        sandbox.broken_gateway("ignores-scopes"),
        sandbox.broken_gateway("forgets-scope-default"),
    ];
    let both = ["--gateway", &gateways[1]];
    run(&sandbox, &gateways[0], "two.json", &both).code(1);
    run(&sandbox, "reference", "r.json", &["--baseline", "two.json"])
        .code(2)
        .stderr(contains("none of them is reference"));
    // Named in it, each gateway is held against itself.
    let flags = ["--gateway", &gateways[1], "--baseline", "two.json"];
    run(&sandbox, &gateways[0], "again.json", &flags).code(0);
}

/// A changed text with the right outcome is cosmetic, a denial that tells which scope is missing to whom it must not is severe, in
/// or out is a blocker.
#[test]
fn severity() {
    let sandbox = Sandbox::new();
    // The accepted text of one answer is another one now: the outcome stays right.
    let file = "snapshots/chat-completions/token.since-2026.3.22.snap";
    sandbox.edit(
        file,
        "\"message\": \"Unauthorized\"",
        "\"message\": \"unauthorised\"",
    );
    run(&sandbox, "reference", "r.json", &[]).code(1);
    let cosmetic = record(&sandbox, "r.json");
    assert_eq!(cosmetic["causes"][0]["severity"], "cosmetic");
    run(&sandbox, "reference", "r.json", &["--severity", "shape"])
        .code(0)
        .stdout(contains("less severe than asked for"));

    // Another refusal than the rule asks for.
    let file = "scenarios/chat-completions.toml";
    sandbox.edit(
        file,
        "expect = \"missing-scope-write\"",
        "expect = \"unauthorized\"",
    );
    run(&sandbox, "reference", "r.json", &["--severity", "shape"]).code(1);
    let severe = record(&sandbox, "r.json");
    let failing = severe["causes"].as_array().unwrap().iter();
    let failing: Vec<&Value> = failing.filter(|cause| cause["failing"] != 0).collect();
    assert!(
        failing.iter().all(|cause| cause["severity"] == "severe"),
        "{failing:?}"
    );
    run(&sandbox, "reference", "r.json", &["--severity", "blocker"]).code(0);

    let ignores = sandbox.broken_gateway("ignores-scopes");
    run(&sandbox, &ignores, "r.json", &["--severity", "blocker"]).code(1);
    assert_eq!(
        record(&sandbox, "r.json")["causes"][0]["severity"],
        "blocker"
    );
}

#[test]
fn fail_fast_stops_at_the_first() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    run(
        &sandbox,
        &gateway,
        "r.json",
        &["--fail-fast", "--launches", "1"],
    )
    .code(1)
    .stderr(contains("stopped at the first"));
    sandbox.assert_clean();
    let stopped = record(&sandbox, "r.json");
    assert_eq!(stopped["run"]["stopped_early"], true);
    assert_eq!(stopped["run"]["interrupted"], false);
    assert!(stopped["summary"]["could_not_run"].as_u64().unwrap() > 0);
    // Where nothing fails, nothing is cut short.
    run(&sandbox, "reference", "r.json", &["--fail-fast"]).code(0);
    assert_eq!(record(&sandbox, "r.json")["summary"]["could_not_run"], 0);
}

fn project(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.folder.path().join("clawgauge.toml"), text).unwrap();
}

#[test]
fn a_project_has_defaults_and_flags_go_before_them() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    project(
        &sandbox,
        &format!(
            "schema = 1\n[run]\ngateway = [\"{gateway}\"]\ncells = [\"chat-completions/profile=none/**\"]\nreport = [\"json=default.json\"]\n"
        ),
    );
    sandbox.clawgauge().arg("run").assert().code(1);
    let default = record(&sandbox, "default.json");
    assert_eq!(
        default["gateways"][0]["launches"].as_array().unwrap().len(),
        1
    );
    assert_eq!(default["gateways"][0]["ref"], gateway.as_str());

    run(
        &sandbox,
        "reference",
        "r.json",
        &["--where", "scopes=write"],
    )
    .code(0);
    assert_eq!(
        record(&sandbox, "r.json")["gateways"][0]["ref"],
        "reference"
    );

    // From a folder below, paths are still the file's.
    let below = sandbox.folder.path().join("below");
    fs::create_dir(&below).unwrap();
    fs::remove_file(sandbox.folder.path().join("default.json")).unwrap();
    sandbox
        .clawgauge()
        .current_dir(&below)
        .args(["run", "--gateway", "reference"])
        .assert()
        .code(0);
    assert_eq!(record(&sandbox, "default.json")["summary"]["deviates"], 0);
}

/// What was found, and not named, may not be the work of others.
#[rstest]
#[case::mine("true", None)]
#[case::file("chmod 666 clawgauge.toml", Some("anybody can write it"))]
#[case::folder("chmod 777 .", Some("anybody can write its folder"))]
#[case::sticky("chmod 1777 .", None)]
#[case::owner(
    "chown 12345 clawgauge.toml",
    Some("it belongs to another user (id 12345)")
)]
fn a_file_of_others_is_not_taken(#[case] change: &str, #[case] why: Option<&str>) {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    fs::write(folder.join("clawgauge.toml"), "[run]\nquiet = 1\n").unwrap();
    let shell = std::process::Command::new("sh")
        .args(["-c", change])
        .current_dir(folder)
        .output()
        .unwrap();
    // Only root gives files away.
    if !shell.status.success() {
        return;
    }
    let inner = folder.join("inner");
    fs::create_dir(&inner).unwrap();
    let list = || {
        let mut command = sandbox.clawgauge();
        command.arg("list").current_dir(&inner);
        command
    };
    // The file is not valid: whoever takes it says so.
    let refused = list().assert().code(2);
    match why {
        None => refused.stderr(contains("unknown field `quiet`")),
        Some(why) => {
            refused.stderr(contains(why).and(contains("if you trust it, name it: --config")))
        }
    };
    let checkout = folder.to_str().unwrap();
    for variable in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"] {
        let mut trusted = list();
        let trusted = trusted.env(variable, checkout).assert().code(2);
        trusted.stderr(contains("unknown field `quiet`"));
    }
}

/// In a container root works in a folder that is mounted, and that belongs to whoever made the checkout.
#[test]
fn root_in_a_folder_of_somebody_takes_their_files() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    fs::write(folder.join("clawgauge.toml"), "[run]\nquiet = 1\n").unwrap();
    let shell = std::process::Command::new("chown")
        .args(["12345", ".", "clawgauge.toml"])
        .current_dir(folder)
        .output()
        .unwrap();
    // Only root gives files away.
    if !shell.status.success() {
        return;
    }
    let refused = sandbox.clawgauge().arg("list").assert().code(2);
    refused.stderr(contains("unknown field `quiet`"));
}

#[test]
fn a_file_that_was_found_above_is_told() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    fs::write(folder.join("clawgauge.toml"), "[run]\njobs = 1\n").unwrap();
    let inner = folder.join("inner");
    fs::create_dir(&inner).unwrap();
    let told = format!("taking {}/clawgauge.toml", folder.display());
    let mut command = sandbox.clawgauge();
    command
        .arg("list")
        .current_dir(&inner)
        .assert()
        .code(0)
        .stderr(contains(&*told));
    sandbox.clawgauge().arg("list").assert().code(0).stderr("");
}

#[rstest]
#[case::key("[run]\ngatway = []\n", "clawgauge.toml:2", "gateway")]
#[case::gateway(
    "[run]\ngateway = [\"openclaw@2026.3\"]\n",
    "clawgauge.toml:2",
    "names no release"
)]
#[case::report(
    "[run]\nreport = [\"junitt=x\"]\n",
    "clawgauge.toml:2",
    "there is no format \"junitt\""
)]
#[case::timeout(
    "[run]\ntimeout = 0\n",
    "clawgauge.toml:2",
    "must be more than 0 seconds"
)]
#[case::schema("schema = 7\n", "clawgauge.toml:1", "unknown file format 7")]
#[case::word("[run]\nseverity = \"grave\"\n", "clawgauge.toml:2", "blocker")]
fn a_wrong_default_is_shown_with_its_line(
    #[case] text: &str,
    #[case] place: &str,
    #[case] what: &str,
) {
    let sandbox = Sandbox::new();
    project(&sandbox, text);
    sandbox
        .clawgauge()
        .arg("run")
        .assert()
        .code(2)
        .stdout(is_empty())
        .stderr(contains(place).and(contains(what)));
}

#[test]
fn quiet_says_what_fails_and_verbose_says_everything() {
    let sandbox = Sandbox::new();
    let quiet = sandbox.clawgauge().args(["run", "--quiet"]).assert();
    quiet
        .code(0)
        .stdout("650 selected, 650 conform\n")
        .stderr(is_empty());
    let gateway = sandbox.broken_gateway("ignores-scopes");
    run(&sandbox, &gateway, "r.json", &["-q"])
        .code(1)
        .stdout(contains("unexpected-allow").and(contains("across").not()))
        .stderr(contains("clawgauge: of 650 cells").and(contains("starting").not()));
    run(&sandbox, "reference", "r.json", &["-v"])
        .code(0)
        .stdout(contains("profile token: ready after ").and(contains("scopes across")))
        .stderr(contains("starting profile token"));
}

/// The log has every step, and none of the run's secrets, though this gateway tells them and their launch folders keep them.
#[test]
fn the_log_has_every_step_and_no_secret() {
    let sandbox = Sandbox::new();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let gateway = format!(
        "#!/bin/sh\n\
         if [ -n \"$OPENCLAW_CONFIG_PATH\" ]; then cat \"$OPENCLAW_CONFIG_PATH\"; fi\n\
         exec '{}' reference-gateway \"$@\"\n",
        binary.display()
    );
    let gateway = sandbox.script("tells-everything", &gateway);
    run(
        &sandbox,
        &gateway,
        "r.json",
        &["--log", "log.txt", "--keep-temp"],
    )
    .code(0);
    let log = fs::read_to_string(sandbox.folder.path().join("log.txt")).unwrap();
    for step in [
        "spawned ",
        "ready",
        "asked",
        "judged",
        "stopped",
        "gateway run --port",
    ] {
        assert!(log.contains(step), "{step}");
    }
    let secrets = secrets_below(&sandbox.temp());
    assert!(secrets.len() >= 4, "{secrets:?}");
    for secret in &secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    // Without the writer's care they would be.
    assert!(log.contains("[secret:"));
}
