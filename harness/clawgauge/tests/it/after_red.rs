//! After a red run: only what failed there, a baseline that shrinks, a gateway asked twice, and two records of which one has less.

use std::collections::BTreeSet;
use std::fs;

use crate::support::Sandbox;
use crate::support::schema::assert_described;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

fn clawgauge(sandbox: &Sandbox, args: &[&str]) -> Assert {
    sandbox.clawgauge().args(args).assert()
}

fn record(sandbox: &Sandbox, name: &str) -> Value {
    let bytes = fs::read(sandbox.folder.path().join(name)).unwrap();
    let record = serde_json::from_slice(&bytes).unwrap();
    assert_described("record", &record);
    record
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// The ids of cells, of those that are wanted.
fn ids(record: &Value, wanted: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let cells = record["cells"].as_array().unwrap().iter();
    let mine = cells.filter(|cell| wanted(cell));
    mine.map(|cell| cell["id"].as_str().unwrap().to_owned())
        .collect()
}

fn failing(record: &Value) -> BTreeSet<String> {
    ids(record, |cell| cell["standing"] == "fails")
}

/// A red run of a gateway that ignores scopes: its record is `red.json`.
fn red() -> (Sandbox, String, BTreeSet<String>) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let args = ["run", "--gateway", &gateway, "--report", "json=red.json"];
    clawgauge(&sandbox, &args).code(1);
    let failed = failing(&record(&sandbox, "red.json"));
    assert!(failed.len() > 10);
    (sandbox, gateway, failed)
}

/// The same gateway unless another is named, the cells that failed and no others; what is fixed is seen in a fraction of the time.
#[test]
fn only_what_failed_is_asked_again() {
    let (sandbox, gateway, failed) = red();
    let again = [
        "run",
        "--failed-in",
        "red.json",
        "--report",
        "json=again.json",
    ];
    clawgauge(&sandbox, &again).code(1);
    let second = record(&sandbox, "again.json");
    assert_eq!(second["gateways"][0]["ref"], gateway.as_str());
    assert_eq!(ids(&second, |_| true), failed);
    assert_eq!(failing(&second), failed);
    assert_eq!(second["summary"]["not_selected"], 650 - failed.len());

    let fixed = [
        &again[..],
        &["--gateway", "reference", "--bundle", "e.tar.gz"],
    ]
    .concat();
    let assert = clawgauge(&sandbox, &fixed).code(0);
    let first = format!(
        "GO for {} of 650 cells; {} not selected\n",
        failed.len(),
        650 - failed.len()
    );
    assert!(stdout(&assert).starts_with(&first), "{}", stdout(&assert));
    assert_eq!(ids(&record(&sandbox, "again.json"), |_| true), failed);
    clawgauge(&sandbox, &["verify", "e.tar.gz"]).code(0);

    // Of these, those that are selected.
    let none = [&again[..], &["--where", "profile=none"]].concat();
    clawgauge(&sandbox, &none).code(1);
    let mine: BTreeSet<String> = failed
        .iter()
        .filter(|id| id.contains("/profile=none/"))
        .cloned()
        .collect();
    assert!(!mine.is_empty() && mine.len() < failed.len());
    assert_eq!(ids(&record(&sandbox, "again.json"), |_| true), mine);
}

#[test]
fn where_nothing_failed_there_is_nothing_to_ask() {
    let sandbox = Sandbox::new();
    let green = [
        "run",
        "--where",
        "profile=none",
        "--report",
        "json=green.json",
    ];
    clawgauge(&sandbox, &green).code(0);
    clawgauge(&sandbox, &["run", "--failed-in", "green.json"])
        .code(4)
        .stderr(contains(
            "no cell failed in green.json, so there is nothing to ask",
        ));
    clawgauge(&sandbox, &["run", "--failed-in", "gone.json"])
        .code(2)
        .stderr(contains("gone.json").and(contains("--report json=PATH")));
    // A gateway that was not there failed in everything.
    let gone = [
        "run",
        "--gateway",
        "./gone.mjs",
        "--report",
        "json=gone.json",
    ];
    clawgauge(&sandbox, &gone).code(3);
    clawgauge(&sandbox, &["run", "--failed-in", "gone.json"])
        .code(2)
        .stderr(contains("says nothing about the cells of").and(contains("without --failed-in")));
}

/// An excuse that is not needed any more fails the run, and what is left of the baseline is written beside it.
#[test]
fn a_strict_baseline_shrinks() {
    let (sandbox, gateway, failed) = red();
    // One cell more was red then.
    let mut old = record(&sandbox, "red.json");
    let cells = old["cells"].as_array_mut().unwrap();
    let fixed = cells
        .iter_mut()
        .find(|cell| cell["verdict"] == "conforms" && cell["axes"]["profile"] == "none")
        .unwrap();
    fixed["verdict"] = "deviates".into();
    fixed["direction"] = "wrong-body".into();
    fs::write(sandbox.folder.path().join("contract.json"), old.to_string()).unwrap();

    let run = ["run", "--gateway", &gateway, "--baseline", "contract.json"];
    clawgauge(&sandbox, &run).code(0);
    let strict = [&run[..], &["--baseline-strict", "--report", "json=r.json"]].concat();
    // A part does not know what the rest still needs.
    let part = [&strict[..], &["--where", "profile=none"]].concat();
    clawgauge(&sandbox, &part)
        .code(1)
        .stderr(contains("no smaller baseline is written, since "));
    let smaller = sandbox.folder.path().join("contract.smaller.json");
    assert!(!smaller.exists());
    clawgauge(&sandbox, &strict).code(1).stderr(
        contains("the baseline excuses 1 cell that need no excuse any more").and(contains(
            "excuses 1 cell less: mv contract.smaller.json contract.json",
        )),
    );
    assert_eq!(record(&sandbox, "r.json")["run"]["baseline_strict"], true);
    let left = record(&sandbox, "contract.smaller.json");
    assert_eq!(ids(&left, |_| true), failed);
    assert_eq!(left["summary"]["failing"], failed.len());
    clawgauge(
        &sandbox,
        &["report", "contract.smaller.json", "--exit-code"],
    )
    .code(1);

    // It takes the place of the old one.
    fs::rename(&smaller, sandbox.folder.path().join("contract.json")).unwrap();
    clawgauge(&sandbox, &strict).code(0);
    assert!(!smaller.exists());
    // Nothing is left to excuse.
    let fixed = ["run", "--baseline", "contract.json", "--baseline-strict"];
    clawgauge(&sandbox, &fixed).code(1).stderr(contains(
        "no excuse of the baseline is needed any more: run without --baseline",
    ));
    assert!(!smaller.exists());
}

#[test]
fn strict_about_no_baseline_is_wrong_usage() {
    clawgauge(&Sandbox::new(), &["run", "--baseline-strict"])
        .code(2)
        .stderr(contains("--baseline RECORD"));
}

/// A gateway that ignores scopes from its second launch on.
fn unsteady(sandbox: &Sandbox) -> String {
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let count = sandbox.folder.path().join("launches");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != --version ]; then\n  [ ! -e '{count}' ] || flags='--misbehave ignores-scopes'\n  : >'{count}'\nfi\nexec '{binary}' reference-gateway $flags \"$@\"\n",
        binary = binary.display(),
        count = count.display()
    );
    sandbox.script("unsteady", &script)
}

#[test]
fn a_gateway_that_answers_in_two_ways_is_found_by_asking_twice() {
    let sandbox = Sandbox::new();
    let gateway = unsteady(&sandbox);
    let once = ["run", "--where", "profile=none", "--gateway", &gateway];
    clawgauge(&sandbox, &once).code(0);
    fs::remove_file(sandbox.folder.path().join("launches")).unwrap();
    let twice = [
        &once[..],
        &[
            "--twice",
            "--report",
            "json=r.json",
            "--report",
            "junit=r.xml",
        ],
    ]
    .concat();
    let assert = clawgauge(&sandbox, &twice)
        .code(1)
        .stderr(contains("answered in two ways"));
    let record = record(&sandbox, "r.json");
    let differing = record["run"]["twice"]["differing"].as_array().unwrap();
    assert!(!differing.is_empty());
    let cell = differing[0]["cell"].as_str().unwrap();
    assert!(stdout(&assert).contains(cell), "{}", stdout(&assert));
    assert_ne!(differing[0]["first"], differing[0]["second"]);
    assert_eq!(record["summary"]["failing"], 0);
    let relation = &record["relations"][0];
    assert_eq!(
        (&relation["id"], &relation["unexplained"]),
        (&"same-answer-twice".into(), &differing.len().into())
    );
    let junit = fs::read_to_string(sandbox.folder.path().join("r.xml")).unwrap();
    assert_eq!(junit.matches("<failure ").count(), 1);
    // No report of it is green.
    clawgauge(&sandbox, &["report", "r.json", "--exit-code"]).code(1);
    sandbox.assert_clean();
}

#[test]
fn a_steady_gateway_is_proved_to_be_so() {
    let sandbox = Sandbox::new();
    let twice = [
        "run",
        "--where",
        "profile=none",
        "--twice",
        "--report",
        "json=r.json",
        "--report",
        "markdown=r.md",
    ];
    clawgauge(&sandbox, &twice).code(0);
    let record = record(&sandbox, "r.json");
    let ran = &record["summary"]["conforms"];
    assert_eq!(&record["run"]["twice"]["compared"], ran);
    assert_eq!(record["run"]["twice"]["differing"], serde_json::json!([]));
    let report = fs::read_to_string(sandbox.folder.path().join("r.md")).unwrap();
    assert!(
        report.contains("asked twice, each answered the same"),
        "{report}"
    );
    // Who does not get up the second time has proved nothing.
    let second = sandbox.folder.path().join("second");
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != --version ]; then\n  [ ! -e '{0}' ] || exit 9\n  : >'{0}'\nfi\nexec '{1}' reference-gateway \"$@\"\n",
        second.display(),
        binary.display()
    );
    let gateway = sandbox.script("once-only", &script);
    let lost = [&twice[..], &["--gateway", &gateway]].concat();
    clawgauge(&sandbox, &lost)
        .code(4)
        .stderr(contains("the second time: "));
}

/// The verdict of a comparison says how much was compared, and the rest is named.
#[test]
fn a_comparison_says_that_it_is_partial() {
    let sandbox = Sandbox::new();
    for (name, profiles) in [("a", "none,token"), ("b", "token,password")] {
        let (place, report) = (format!("profile={profiles}"), format!("json={name}.json"));
        clawgauge(&sandbox, &["run", "--where", &place, "--report", &report]).code(0);
    }
    let count = |name: &str, profile: &str| {
        ids(&record(&sandbox, name), |cell| {
            cell["axes"]["profile"] == profile
        })
        .len()
    };
    let (none, token, password) = (
        count("a.json", "none"),
        count("a.json", "token"),
        count("b.json", "password"),
    );
    let assert = clawgauge(&sandbox, &["compare", "a.json", "b.json"]).code(0);
    let all = none + token + password;
    let verdict = format!(
        "GO: no blocker among {token} of {all} cells; partial: {none} only on A, {password} only on B\n"
    );
    let printed = stdout(&assert);
    assert!(
        printed.contains(&verdict),
        "{verdict:?} is not in\n{printed}"
    );
    let flat = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let named = format!(
        "{none} cells of profile none (chat-completions {none}): only on A; B was not asked; such as chat-completions/"
    );
    assert!(flat.contains(&named), "{named:?} is not in\n{flat}");
    let json = clawgauge(
        &sandbox,
        &["compare", "a.json", "b.json", "--format", "json"],
    )
    .code(0);
    let json: Value = serde_json::from_str(&stdout(&json)).unwrap();
    let counts = |name: &str| json["counts"][name].as_u64().unwrap() as usize;
    let told = [counts("cells"), counts("only_a"), counts("only_b")];
    assert_eq!(told, [all, none, password]);
    let whole = clawgauge(&sandbox, &["compare", "a.json", "a.json"]).code(0);
    assert!(stdout(&whole).contains("GO: no blocker\n"));
}
