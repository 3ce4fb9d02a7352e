//! `run --shard K/N` and `merge`: a run on several machines is the run on one, or it is refused.

mod refusals;

use std::fs;

use crate::support::Sandbox;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// A day and a time for all, so that records differ in nothing else.
const EPOCH: (&str, &str) = ("SOURCE_DATE_EPOCH", "1790000000");

fn clawgauge(sandbox: &Sandbox) -> assert_cmd::Command {
    let mut command = sandbox.clawgauge();
    command.env(EPOCH.0, EPOCH.1);
    command
}

/// Runs one shard and keeps its record in `K.json`.
fn shard(sandbox: &Sandbox, number: u32, of: u32, flags: &[&str]) -> Assert {
    let (shard, report) = (format!("{number}/{of}"), format!("json={number}.json"));
    let mut command = clawgauge(sandbox);
    command.args(["run", "--quiet", "--shard", &shard, "--report", &report]);
    command.args(flags).assert()
}

/// Merges `K.json` for these K into `merged.json`.
fn merge(sandbox: &Sandbox, numbers: impl IntoIterator<Item = u32>) -> Assert {
    let mut command = clawgauge(sandbox);
    command.args(["merge", "--report", "json=merged.json"]);
    command.args(numbers.into_iter().map(|number| format!("{number}.json")));
    command.assert()
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.folder.path().join(name)).unwrap()
}

fn record(sandbox: &Sandbox, name: &str) -> Value {
    serde_json::from_str(&text(sandbox, name)).unwrap()
}

fn code(assert: &Assert) -> i32 {
    assert.get_output().status.code().unwrap()
}

/// A record as it stands in its file, but for the run's random name and for milliseconds.
fn steady(sandbox: &Sandbox, name: &str) -> String {
    let id = record(sandbox, name)["run"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut text = text(sandbox, name).replace(&id, "ID");
    for key in ["\"ms\":", "\"ready_ms\":", "\"stop_ms\":"] {
        let mut parts = text.split(key).map(str::to_owned);
        let mut out = parts.next().unwrap();
        for part in parts {
            let end = part.find([',', '}', '\n']).unwrap();
            out.push_str(key);
            out.push_str(&part[end..]);
        }
        text = out;
    }
    text
}

/// Whatever the number of shards, the merged record is that of the whole run, byte for byte, and ends the same: sound, and
/// with causes that lie across shards. Records may come in any order; shards that have nothing to do are among them.
#[rstest]
#[case(None, 1, 0)]
#[case(None, 3, 0)]
#[case(Some("ignores-scopes"), 2, 1)]
#[case(Some("forgets-scope-default"), 4, 1)]
#[case(Some("forgets-scope-default"), 7, 1)]
fn merged_shards_are_the_whole_run(
    #[case] misbehaviour: Option<&str>,
    #[case] of: u32,
    #[case] ends: i32,
) {
    let sandbox = Sandbox::new();
    let gateway = misbehaviour.map_or_else(
        || "reference".to_owned(),
        |name| sandbox.broken_gateway(name),
    );
    let flags = ["--gateway", &gateway];
    let whole = ["run", "--quiet", "--report", "json=whole.json"];
    clawgauge(&sandbox)
        .args(whole)
        .args(flags)
        .assert()
        .code(ends);
    for number in 1..=of {
        shard(&sandbox, number, of, &flags);
    }
    merge(&sandbox, (1..=of).rev()).code(ends);
    let (whole, merged) = (
        steady(&sandbox, "whole.json"),
        steady(&sandbox, "merged.json"),
    );
    assert!(whole == merged, "{}", first_difference(&whole, &merged));
    assert_eq!(record(&sandbox, "merged.json")["run"]["shard"], Value::Null);
    sandbox.assert_clean();
}

fn first_difference(one: &str, two: &str) -> String {
    let pair = one.lines().zip(two.lines()).find(|(one, two)| one != two);
    format!("{pair:?}, {} and {} bytes", one.len(), two.len())
}

/// A bug that breaks relations between cells of different scenarios: no shard says so, the merge does.
#[test]
fn relations_are_judged_over_the_whole() {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let flags = ["--gateway", &gateway, "endpoints/**", "websocket/**"];
    let whole = ["run", "--quiet", "--report", "json=whole.json"];
    clawgauge(&sandbox).args(whole).args(flags).assert().code(1);
    let broken = record(&sandbox, "whole.json")["relations"].clone();
    assert!(
        !broken.as_array().unwrap().is_empty(),
        "the fault breaks none"
    );
    for number in 1..=3 {
        shard(&sandbox, number, 3, &flags).stdout(contains("the relations between cells"));
        let relations = record(&sandbox, &format!("{number}.json"))["relations"].clone();
        assert_eq!(relations, serde_json::json!([]));
    }
    merge(&sandbox, 1..=3).code(1);
    assert_eq!(record(&sandbox, "merged.json")["relations"], broken);
    let (whole, merged) = (
        steady(&sandbox, "whole.json"),
        steady(&sandbox, "merged.json"),
    );
    assert!(whole == merged, "{}", first_difference(&whole, &merged));
}

/// A record of a shard says which part it is, and what the whole is.
#[test]
fn a_shard_says_what_it_is() {
    let sandbox = Sandbox::new();
    let mut seen = Vec::new();
    for number in 1..=2 {
        shard(&sandbox, number, 2, &[]).code(0);
        let record = record(&sandbox, &format!("{number}.json"));
        let shard = &record["run"]["shard"];
        assert_eq!(shard["number"], number);
        assert_eq!(shard["of"], 2);
        assert_eq!(shard["selected"], 650);
        let launches = shard["launches"].as_array().unwrap();
        assert_eq!(launches.len(), 4);
        let mine = launches.iter().filter(|launch| launch["shard"] == number);
        let cells: u64 = mine.map(|launch| launch["cells"].as_u64().unwrap()).sum();
        assert_eq!(record["summary"]["selected"], cells);
        assert!(cells > 0 && cells < 650, "{cells}");
        let ids = record["cells"].as_array().unwrap().iter();
        seen.extend(ids.map(|cell| cell["id"].as_str().unwrap().to_owned()));
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (650, 650));
}

/// Nothing ran, so it is no pass, and it says why; the whole passes all the same.
#[test]
fn an_empty_shard_is_no_pass_and_no_harm() {
    let sandbox = Sandbox::new();
    let only = ["--where", "profile=none"];
    shard(&sandbox, 1, 2, &only).code(0);
    shard(&sandbox, 2, 2, &only).code(4).stderr(contains(
        "shard 2 of 2: nothing ran: the run has 1 launches, enough for 1 shards (exit code 4)",
    ));
    merge(&sandbox, [1, 2]).code(0);
    // It is part of the whole: without its record nobody knows that it had nothing to say.
    merge(&sandbox, [1])
        .code(2)
        .stderr(contains("shard 2 of 2 is missing (it has no launch)"));
}

/// A pipeline sets its variables for every job that it runs several times: none of them cuts a run unasked.
#[test]
fn variables_are_taken_only_when_asked_for() {
    let sandbox = Sandbox::new();
    let run = |flags: &[&str]| {
        let mut command = clawgauge(&sandbox);
        command
            .env("CI_NODE_INDEX", "2")
            .env("CI_NODE_TOTAL", "4")
            .args(["run", "--quiet"])
            .args(flags);
        command.assert()
    };
    run(&[]).code(0).stdout(contains("650 selected"));
    run(&["--shard", "auto"])
        .code(0)
        .stdout(contains("shard 2 of 4: "))
        .stderr(contains(
            "shard 2/4, from CI_NODE_INDEX and CI_NODE_TOTAL\n",
        ));
    run(&["--shard", "1/3"])
        .code(0)
        .stdout(contains("shard 1 of 3: "))
        .stderr(contains("CI_NODE").not());
    let mut alone = clawgauge(&sandbox);
    alone
        .args(["run", "--shard", "auto"])
        .assert()
        .code(2)
        .stderr(contains("help: write --shard K/N"))
        .stderr(contains(
            "no variable of a pipeline says which shard this is",
        ));
}

#[rstest]
#[case("0/3", "no shard 0 of 3")]
#[case("4/3", "no shard 4 of 3")]
#[case("1/0", "of 0 shards there is none")]
#[case("half", "`half` is not K/N")]
fn a_shard_that_there_is_not(#[case] shard: &str, #[case] why: &str) {
    let sandbox = Sandbox::new();
    clawgauge(&sandbox)
        .args(["run", "--shard", shard])
        .assert()
        .code(2)
        .stderr(contains(why))
        .stderr(contains("help: write --shard K/N with 1 <= K <= N"));
}

/// Snapshots are written by whole runs, and a shard is none, not even the only one.
#[test]
fn a_shard_never_writes_snapshots() {
    let sandbox = Sandbox::new();
    for entry in fs::read_dir(sandbox.root().join("snapshots/chat-completions")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let pending = || {
        let files = fs::read_dir(sandbox.root().join("snapshots/chat-completions")).unwrap();
        files.count()
    };
    shard(&sandbox, 1, 1, &[])
        .code(1)
        .stderr(contains("pending").not());
    assert_eq!(pending(), 0);
    clawgauge(&sandbox).arg("run").assert().code(1);
    assert!(pending() > 0, "the test would see none");
}

/// A baseline excuses in shards what it excuses in the whole; merging needs the same one.
#[test]
fn a_baseline_goes_with_the_shards() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("forgets-scope-default");
    let before = ["run", "--report", "json=before.json", "--gateway", &gateway];
    clawgauge(&sandbox).args(before).assert().code(1);
    let flags = ["--gateway", &gateway, "--baseline", "before.json"];
    for number in 1..=2 {
        shard(&sandbox, number, 2, &flags).code(0);
    }
    merge(&sandbox, [1, 2])
        .code(2)
        .stderr(contains("no baseline is given"))
        .stderr(contains(
            "help: give the record that the shards had: --baseline RECORD",
        ));
    let with = |baseline: &str| {
        let mut command = clawgauge(&sandbox);
        command.args(["merge", "1.json", "2.json", "--baseline", baseline]);
        command.assert()
    };
    with("before.json")
        .code(0)
        .stdout(contains("as in the baseline"));
    clawgauge(&sandbox)
        .args(["run", "--report", "json=other.json"])
        .assert()
        .code(0);
    with("other.json")
        .code(2)
        .stderr(contains("and the baseline is run"));
}

/// A shard that stops at its first failure lacks cells; the whole is then broken, never whole.
#[test]
fn a_shard_that_failed_fast() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let flags = ["--gateway", &gateway, "--fail-fast", "--jobs", "1"];
    let codes: Vec<i32> = (1..=2)
        .map(|number| code(&shard(&sandbox, number, 2, &flags)))
        .collect();
    assert!(codes.contains(&1), "{codes:?}");
    merge(&sandbox, [1, 2])
        .code(1)
        .stderr(contains("stopped at the first"));
}

/// One machine cannot have the gateway: its cells could not run, and nothing passes.
#[test]
fn a_gateway_that_one_shard_cannot_have() {
    let sandbox = Sandbox::new();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let gateway = sandbox.script(
        "sometimes",
        &format!(
            "#!/bin/sh\n[ ! -e \"${{0%/*}}/broken\" ] || [ \"$1\" != --version ] || exit 9\nexec '{}' reference-gateway \"$@\"\n",
            binary.display()
        ),
    );
    let flags = ["--gateway", &gateway];
    shard(&sandbox, 1, 2, &flags).code(0);
    let broken = sandbox.folder.path().join("broken");
    fs::write(&broken, "").unwrap();
    shard(&sandbox, 2, 2, &flags).code(3);
    merge(&sandbox, [1, 2])
        .code(3)
        .stderr(contains("could not be used"));
    let merged = record(&sandbox, "merged.json");
    assert_eq!(merged["summary"]["selected"], 650);
    let lost = merged["summary"]["could_not_run"].as_u64().unwrap();
    assert!(lost > 0 && lost < 650, "{lost}");
    shard(&sandbox, 1, 2, &flags).code(3);
    merge(&sandbox, [1, 2]).code(3);
}

/// Evidence of a shard follows from its answers, as that of a whole run does.
#[test]
fn a_shard_leaves_evidence() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let flags = ["--gateway", &gateway, "--bundle", "evidence.tar.gz"];
    shard(&sandbox, 1, 2, &flags);
    clawgauge(&sandbox)
        .args(["verify", "evidence.tar.gz"])
        .assert()
        .code(0);
    clawgauge(&sandbox)
        .args(["merge", "evidence.tar.gz"])
        .assert()
        .code(2)
        .stderr(contains(
            "evidence.tar.gz is an evidence bundle, and only records are merged",
        ))
        .stderr(contains("--report json=PATH"));
}

/// In a workflow of GitHub the merge tells, once; the shards keep quiet.
#[test]
fn annotations_are_left_to_the_merge() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let in_workflow = |args: &[&str]| {
        let mut command = clawgauge(&sandbox);
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", "summary.md")
            .args(args);
        command.assert()
    };
    for number in ["1", "2"] {
        let (shard, report) = (format!("{number}/2"), format!("json={number}.json"));
        let args = [
            "run",
            "--gateway",
            &gateway,
            "--shard",
            &shard,
            "--report",
            &report,
        ];
        in_workflow(&args).stdout(contains("::error").not());
    }
    assert!(!sandbox.folder.path().join("summary.md").exists());
    in_workflow(&["merge", "1.json", "2.json"])
        .code(1)
        .stdout(contains("::stop-commands::").and(contains("::error")));
    assert!(text(&sandbox, "summary.md").contains("unexpected-allow"));
}
