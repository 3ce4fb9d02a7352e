//! The commands that launch nothing, and how wrong usage is told.

use std::fs;

use crate::support::Sandbox;
use crate::support::schema::assert_described;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

#[test]
fn list_names_every_cell_once() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .clawgauge()
        .arg("list")
        .assert()
        .code(0)
        .get_output()
        .stdout
        .clone();
    let ids: Vec<String> = String::from_utf8(output)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(ids.len(), 650);
    assert!(
        ids.contains(
            &"chat-completions/profile=token/credential=basic/scopes=two-lines".to_owned()
        )
    );
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), 650);
}

#[rstest]
#[case::glob(&["chat-completions/profile=none/*/scopes=read"], 14)]
#[case::deep_glob(&["**/scopes=read"], 50)]
#[case::scenario(&["chat-completions"], 650)]
#[case::two_globs(&["**/credential=basic/scopes=read", "**/credential=basic/scopes=write"], 6)]
#[case::conditions(&["--where", "profile=token,password", "--where", "scopes!=absent"], 336)]
fn filters(#[case] args: &[&str], #[case] count: usize) {
    let output = Sandbox::new()
        .clawgauge()
        .arg("list")
        .args(args)
        .assert()
        .code(0)
        .get_output()
        .stdout
        .clone();
    assert_eq!(String::from_utf8(output).unwrap().lines().count(), count);
}

/// Nothing selected is never a pass, and a filter that cannot be meant says what could be.
#[rstest]
#[case::glob(&["**/scopes=raed"], 2, "no cell matches `**/scopes=raed`; did you mean `**/scopes=read`?")]
#[case::scenario(&["chat-completion/**"], 2, "did you mean `chat-completions/**`?")]
#[case::scenario_alone(&["chat-completion"], 2, "did you mean `chat-completions/**`?")]
#[case::cell(
    &["chat-completions/profile=none/credential=absnt/scopes=absent"],
    2,
    "did you mean `chat-completions/profile=none/credential=absent/scopes=absent`?"
)]
#[case::axis(&["--where", "scope=read"], 2, "no scenario has an axis `scope`; did you mean `scopes`?")]
#[case::value(&["--where", "scopes=raed"], 2, "axis `scopes` has no value `raed`; did you mean `read`?")]
#[case::shape(&["--where", "scopes"], 2, "`scopes` is not a condition")]
#[case::bad_glob(&["chat/["], 2, "`chat/[` is not a glob")]
#[case::disjoint(&["--where", "scopes=read", "--where", "scopes=write"], 4, "select no cell")]
fn filters_that_select_nothing(#[case] args: &[&str], #[case] code: i32, #[case] told: &str) {
    let sandbox = Sandbox::new();
    for command in ["list", "run"] {
        sandbox
            .clawgauge()
            .arg(command)
            .args(args)
            .assert()
            .code(code)
            .stdout("")
            .stderr(contains(told));
    }
}

#[test]
fn plan_and_show_explain() {
    let sandbox = Sandbox::new();
    let plan = sandbox
        .clawgauge()
        .args(["plan", "--release", "2026.4.1"])
        .assert()
        .code(0)
        .get_output()
        .stdout
        .clone();
    // What it takes depends on the machine.
    let plan = String::from_utf8(plan).unwrap();
    let (first, rest) = plan.split_once('\n').unwrap();
    let (takes, rest) = rest.split_once('\n').unwrap();
    assert!(takes.contains(" by estimate, "), "{takes}");
    insta::assert_snapshot!("plan", format!("{first}\n{rest}"));
    let cell = "chat-completions/profile=token/credential=basic/scopes=read-space-write";
    let show = sandbox
        .clawgauge()
        .args(["show", cell])
        .assert()
        .code(0)
        .get_output()
        .stdout
        .clone();
    insta::assert_snapshot!("show", String::from_utf8(show).unwrap());
    let wrong = "chat-completions/profile=token/credential=basic/scopes=read-space-writ";
    sandbox
        .clawgauge()
        .args(["show", wrong])
        .assert()
        .code(2)
        .stderr(contains(format!("the closest is {cell}")));
}

#[test]
fn check_and_schema() {
    let sandbox = Sandbox::new();
    sandbox
        .clawgauge()
        .arg("check")
        .assert()
        .code(0)
        .stdout(contains("1 scenario, 650 cells, 8 rules"));
    sandbox
        .clawgauge()
        .arg("schema")
        .assert()
        .code(0)
        .stdout(contains("\"$defs\""));
    sandbox.edit(
        "snapshots/chat-completions/none.since-2026.8.1.snap",
        "credential=absent/scopes=admin                            1",
        "credential=absent/scopes=admin                            2",
    );
    let check = sandbox.clawgauge().arg("check").assert().code(2);
    check.stderr(contains("none.since-2026.8.1.snap:").and(contains(
        "the rule expects answered, and grants less than the rule",
    )));
}

/// Where rules change and no answer is accepted from then on, releases would be compared with nothing.
#[test]
fn a_change_of_rules_without_an_accepted_answer() {
    let sandbox = Sandbox::new();
    let answers = "snapshots/chat-completions/trusted-proxy.since-2026.8.1.snap";
    fs::remove_file(sandbox.root().join(answers)).unwrap();
    let check = sandbox.clawgauge().arg("check").assert().code(2);
    check.stderr(
        contains(
            "no answer to chat-completions under trusted-proxy is accepted from 2026.8.1, where",
        )
        .and(contains("1 problem"))
        .and(contains("clawgauge run --gateway openclaw@2026.8.1")),
    );
}

/// Whatever a record of a run holds, the schema describes.
#[test]
fn the_schema_of_the_record_describes_it() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("forgets-scope-default");
    let args = ["run", "--gateway", &gateway, "--report", "json=r.json"];
    sandbox.clawgauge().args(args).assert().code(1);
    let record = fs::read(sandbox.folder.path().join("r.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_described("record", &record);
}

#[test]
fn invalid_files_stop_everything() {
    let sandbox = Sandbox::new();
    sandbox.edit(
        "scenarios/chat-completions.toml",
        "expect = \"answered\"",
        "expect = \"answerd\"",
    );
    for command in ["check", "list", "run"] {
        let told = contains("unknown outcome `answerd`")
            .and(contains("did you mean `answered`?"))
            .and(contains("scenarios/chat-completions.toml:"));
        sandbox
            .clawgauge()
            .arg(command)
            .assert()
            .code(2)
            .stdout("")
            .stderr(told);
    }
}

#[rstest]
#[case::no_command(&[], "Usage:")]
#[case::gateway(&["run", "--gateway", "openclaw@2026.3"], "`2026.3` names no release")]
#[case::report(&["run", "--report", "jsno=x"], "there is no format \"jsno\"; did you mean \"json\"?")]
#[case::no_path(&["run", "--report", "json"], "write FORMAT=PATH")]
#[case::timeout(&["run", "--timeout", "0"], "must be more than 0 seconds")]
#[case::jobs(&["run", "--jobs", "0"], "invalid value '0'")]
#[case::flag(&["run", "--gatway", "reference"], "--gateway")]
fn wrong_usage(#[case] args: &[&str], #[case] told: &str) {
    Sandbox::new()
        .clawgauge()
        .args(args)
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains(told));
}

/// A binary alone is enough: in a folder without any data it has those that it was built with.
#[test]
fn no_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    let is_scenario = |name: &str| {
        let others = [
            "cases.toml",
            "explore.toml",
            "outcomes.toml",
            "relations.toml",
            "routes.toml",
            "survivors.toml",
        ];
        name.ends_with(".toml") && !others.contains(&name)
    };
    let files = fs::read_dir(scenarios).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let count = names.filter(|name| is_scenario(name)).count();
    let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    command
        .current_dir(folder.path())
        .arg("check")
        .assert()
        .code(0)
        .stdout(contains(format!("{count} scenarios")));
}

/// A pending snapshot is written by a whole run, shown, accepted; CI neither writes nor accepts.
#[test]
fn pending_snapshots() {
    let sandbox = Sandbox::new();
    let file = "snapshots/chat-completions/token.since-2026.3.22.snap";
    let pending = sandbox.root().join(format!("{file}.new"));
    let accepted = fs::read_to_string(sandbox.root().join(file)).unwrap();
    sandbox.edit(file, "\"content\": \"pong\"", "\"content\": \"other\"");
    sandbox
        .clawgauge()
        .arg("run")
        .env("CI", "true")
        .assert()
        .code(1);
    assert!(!pending.exists(), "CI never writes");
    sandbox
        .clawgauge()
        .args(["run", "--where", "profile=token"])
        .assert()
        .code(1);
    assert!(!pending.exists(), "a filtered run never writes");
    sandbox
        .clawgauge()
        .arg("run")
        .assert()
        .code(1)
        .stderr(contains(
            "pending snapshot: snapshots/chat-completions/token",
        ));
    sandbox
        .clawgauge()
        .arg("accept")
        .env("CI", "true")
        .assert()
        .code(2)
        .stderr(contains("CI never accepts"));
    sandbox
        .clawgauge()
        .args(["accept", "--dry-run"])
        .assert()
        .code(0)
        .stderr(contains("52 cells changed"));
    assert!(pending.exists());
    sandbox.clawgauge().arg("accept").assert().code(0);
    assert!(!pending.exists());
    assert_eq!(
        fs::read_to_string(sandbox.root().join(file)).unwrap(),
        accepted,
        "what the run saw is what was there before"
    );
    sandbox.clawgauge().arg("run").assert().code(0);
}

/// Letting in whom a snapshot refuses is an act of its own.
#[test]
fn widening_needs_a_name_and_a_reason() {
    let sandbox = Sandbox::new();
    sandbox.edit("scenarios/chat-completions.toml", "{ profile = \"none\", scopes = [\"@lacks-write\"] },\n  { profile = \"trusted-proxy\", credential = \"identity\", scopes = [\"@lacks-write\"] },\n]\nexpect = \"missing-scope-write\"", "{ profile = \"none\", scopes = [\"@lacks-write\"] },\n  { profile = \"trusted-proxy\", credential = \"identity\", scopes = [\"@lacks-write\"] },\n]\nexpect = \"answered\"");
    let gateway = sandbox.broken_gateway("ignores-scopes");
    sandbox
        .clawgauge()
        .args(["run", "--gateway", &gateway])
        .assert()
        .code(1)
        .stdout(contains(
            "unexpected-allow 105 cells: 98 with profile=none  scopes=@lacks-write",
        ));
    let told = contains("98 cells")
        .or(contains("105 cells"))
        .and(contains("rule declared-scopes-lack-write"));
    sandbox
        .clawgauge()
        .arg("accept")
        .assert()
        .code(1)
        .stderr(told);
    sandbox
        .clawgauge()
        .args(["accept", "--allow-widening", "declared-scopes-lack-write"])
        .assert()
        .code(2)
        .stderr(contains("--reason"));
    let args = [
        "accept",
        "--allow-widening",
        "declared-scopes-lack-write",
        "--reason",
        "a test of widening",
    ];
    sandbox
        .clawgauge()
        .args(args)
        .assert()
        .code(0)
        .stderr(contains("a test of widening"));
    sandbox
        .clawgauge()
        .args(["run", "--gateway", &gateway])
        .assert()
        .code(0);
}

#[test]
fn help_tells_the_exit_codes() {
    Sandbox::new()
        .clawgauge()
        .arg("--help")
        .assert()
        .code(0)
        .stdout(contains("  130  interrupted").and(contains("reference-gateway").not()));
}
