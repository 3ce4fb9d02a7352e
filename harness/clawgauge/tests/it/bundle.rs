//! The evidence bundle: what `run --bundle` writes, and what `verify` makes of it, honest or not.

mod archive;
mod secrets;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use crate::support::{Sandbox, secrets_below};
use base::files::sha256;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use clap::ValueEnum as _;
use clawgauge::studies::bundle::{Bundle, MANIFEST, Manifest, ManifestMember, RECORD};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use rstest::rstest;
use serde_json::{Value, json};

const FILE: &str = "evidence.tar.gz";

fn run(sandbox: &Sandbox, args: &[&str]) -> assert_cmd::assert::Assert {
    let base = ["run", "--bundle", FILE];
    sandbox.clawgauge().args(base).args(args).assert()
}

fn verify(sandbox: &Sandbox) -> assert_cmd::assert::Assert {
    sandbox.clawgauge().args(["verify", FILE]).assert()
}

fn path(sandbox: &Sandbox) -> PathBuf {
    sandbox.folder.path().join(FILE)
}

fn open(sandbox: &Sandbox) -> Bundle {
    Bundle::open(&path(sandbox)).unwrap().0
}

fn json_of(bundle: &Bundle, name: &str) -> Value {
    serde_json::from_slice(&bundle.members[name]).unwrap()
}

/// Puts a bundle back, with a manifest that says what is in it now: whoever forges one can do that.
fn put_back(sandbox: &Sandbox, mut bundle: Bundle) {
    let mut manifest: Manifest = serde_json::from_slice(&bundle.members[MANIFEST]).unwrap();
    let members = bundle.members.iter().filter(|(name, _)| *name != MANIFEST);
    let described = members.map(|(name, bytes)| {
        let member = ManifestMember {
            bytes: bytes.len(),
            sha256: sha256(bytes),
        };
        (name.clone(), member)
    });
    manifest.members = described.collect();
    let text = serde_json::to_vec(&manifest).unwrap();
    bundle.members.insert(MANIFEST.to_owned(), text);
    bundle.write(&path(sandbox)).unwrap();
}

/// Changes the record, and hides it well.
fn forge(sandbox: &Sandbox, change: &dyn Fn(&mut Value)) {
    let mut bundle = open(sandbox);
    let mut record = json_of(&bundle, RECORD);
    change(&mut record);
    let text = serde_json::to_vec(&record).unwrap();
    bundle.members.insert(RECORD.to_owned(), text);
    put_back(sandbox, bundle);
}

/// Whatever the run was like: its verdicts follow, with nothing but the file, in an empty folder.
fn assert_follows(sandbox: &Sandbox) -> assert_cmd::assert::Assert {
    let elsewhere = tempfile::TempDir::new().unwrap();
    assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env_clear()
        .current_dir(elsewhere.path())
        .arg("verify")
        .arg(path(sandbox))
        .assert()
        .code(0)
        .stderr(is_empty())
        .stdout(contains("verdicts follow from the recorded answers"))
}

#[test]
fn a_sound_run_follows() {
    let sandbox = Sandbox::whole();
    run(&sandbox, &[]).code(0);
    sandbox.assert_clean();
    assert_follows(&sandbox)
        .stdout(contains("table hash "))
        .stdout(contains("gateway reference: release 2026.9.6"));
    // Of one cell in twenty at most, the recorded outcome is taken on trust.
    let checked = clawgauge::studies::bundle::verify(
        &open(&sandbox),
        &clawgauge::studies::bundle::By::Itself,
    );
    let checked = checked.unwrap();
    let cells = json_of(&open(&sandbox), RECORD)["cells"]
        .as_array()
        .map(Vec::len);
    let trusted = checked.as_recorded;
    assert!(cells.is_some_and(|cells| trusted * 20 < cells), "{trusted}");
    // Its reports can be made from it.
    let report = ["report", FILE, "--report", "json=again.json"];
    sandbox.clawgauge().args(report).assert().code(0);
    let again = fs::read(sandbox.folder.path().join("again.json")).unwrap();
    assert_eq!(again, open(&sandbox).members[RECORD]);
}

#[rstest]
#[case::deviating("--misbehave ignores-scopes", &[], 1)]
#[case::filtered("", &["--where", "profile=token", "--where", "scopes!=write"], 0)]
#[case::one_cell_glob("", &["chat-completions/profile=none/**"], 0)]
#[case::known("--misbehave forgets-scope-default", &["--release", "2026.3.28"], 1)]
#[case::known_fails("--misbehave forgets-scope-default", &["--release", "2026.3.28", "--fail-on", "known"], 1)]
#[case::not_heeded("--misbehave forgets-scope-default", &["--release", "2026.3.28", "--known-issues", "off"], 1)]
#[case::stopped_early("--misbehave ignores-scopes", &["--fail-fast", "--launches", "1"], 1)]
#[case::less_severe("--misbehave ignores-scopes", &["--severity", "blocker"], 1)]
#[case::dead("--misbehave dies-at-start", &[], 3)]
#[case::dying("--misbehave dies-after-requests", &["--retries", "1"], 3)]
#[case::refusing("--misbehave refuses-everybody", &[], 1)]
fn other_runs_follow(#[case] flags: &str, #[case] args: &[&str], #[case] code: i32) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.gateway("some-gateway", flags);
    run(&sandbox, &[&["--gateway", &gateway][..], args].concat()).code(code);
    assert_follows(&sandbox).stdout(contains(format!("exit code {code}")));
}

/// A start that is refused is judged from the log of the refusal, a retried launch by the proof of its second attempt.
#[test]
fn starts_and_retries_follow() {
    let sandbox = Sandbox::whole();
    run(&sandbox, &["start/**"]).code(0);
    assert_follows(&sandbox);
    let logs = |bundle: &Bundle| -> Vec<String> {
        let names = bundle.members.keys().cloned();
        names.filter(|name| name.starts_with("logs/")).collect()
    };
    assert!(!logs(&open(&sandbox)).is_empty());

    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let count = sandbox.folder.path().join("starts");
    let (count, binary) = (count.display(), binary.display());
    let script = format!(
        "#!/bin/sh\n\
         case \"$1\" in --version) exec '{binary}' reference-gateway \"$@\";; esac\n\
         echo start >> '{count}'\n\
         if [ \"$(wc -l < '{count}')\" -eq 1 ]; then exec '{binary}' reference-gateway --misbehave dies-after-requests \"$@\"; fi\n\
         exec '{binary}' reference-gateway \"$@\"\n"
    );
    let gateway = sandbox.script("changing-gateway", &script);
    let args = ["chat-completions/profile=token/**", "--retries", "1"];
    run(&sandbox, &[&args[..], &["--gateway", &gateway]].concat()).code(0);
    assert_follows(&sandbox);
    assert_eq!(
        logs(&open(&sandbox)),
        [
            "logs/changing-gateway/token.attempt-2.log",
            "logs/changing-gateway/token.log"
        ]
    );
}

#[test]
fn a_run_with_a_baseline_follows() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let args = ["--gateway", &gateway];
    run(
        &sandbox,
        &[&args[..], &["--report", "json=before.json"]].concat(),
    )
    .code(1);
    run(
        &sandbox,
        &[&args[..], &["--baseline", "before.json"]].concat(),
    )
    .code(0);
    assert_follows(&sandbox);
    let mut bundle = open(&sandbox);
    bundle.members.remove("baseline.json");
    put_back(&sandbox, bundle);
    verify(&sandbox).code(1).stdout(contains("standing"));
}

/// The first cell that was asked and refused.
fn refused(record: &mut Value) -> &mut Value {
    let cells = record["cells"].as_array_mut().unwrap();
    let refused = |cell: &&mut Value| cell["observed"]["status"] == 403;
    cells.iter_mut().find(refused).unwrap()
}

/// One answer is another one now, where it is observed and where it is accepted.
fn change_answer(record: &mut Value, from: &str, to: &str) {
    for answer in record["answers"].as_array_mut().unwrap() {
        let text = answer.as_str().unwrap().replace(from, to);
        *answer = text.into();
    }
}

/// A forgery that keeps the hashes right is found by judging again.
#[rstest]
#[case::verdict(&|record: &mut Value| refused(record)["verdict"] = "known".into(), "verdict: recorded known, again conforms")]
#[case::status(&|record: &mut Value| refused(record)["observed"]["status"] = 200.into(), "status: recorded Some(200), again Some(403)")]
#[case::calls(&|record: &mut Value| refused(record)["observed"]["model_calls"] = 1.into(), "calls to the model")]
#[case::message(&|record: &mut Value| refused(record)["observed"]["message"] = "fine".into(), "/error/message")]
#[case::outcome(&|record: &mut Value| refused(record)["observed"]["outcome"] = "answered".into(), "outcome: recorded Some(Some(\"answered\"))")]
#[case::answer(&|record: &mut Value| change_answer(record, "status: 403", "status: 200"), "status: recorded Some(403), again Some(200)")]
#[case::answer_text(&|record: &mut Value| change_answer(record, "application/json", "text/json"), "verdict: recorded conforms, again deviates")]
#[case::rule(&|record: &mut Value| refused(record)["expected"]["rule"] = "another".into(), "rule: ")]
#[case::count(&|record: &mut Value| record["summary"]["conforms"] = 1.into(), "summary conforms: recorded 1, again 650")]
#[case::cause(&|record: &mut Value| record["causes"] = json!([{
    "id": 1, "gateway": "reference", "scenario": "chat-completions", "where": {}, "cells": 1, "example": "", "expected": "",
    "observed": "", "answer": "", "direction": "wrong-body", "rule": "", "title": "", "origin": "", "source": ""
}]), "record.json: causes: recorded [{")]
#[case::lost_cell(&|record: &mut Value| { record["cells"].as_array_mut().unwrap().pop(); }, "the cell: recorded \"missing\"")]
#[case::cell_twice(&|record: &mut Value| { let cells = record["cells"].as_array_mut().unwrap(); cells.push(cells[0].clone()); }, "is recorded: recorded \"twice\"")]
#[case::excuse(&|record: &mut Value| refused(record)["observed"] = Value::Null, "verdict: recorded conforms, again could-not-run")]
#[case::place(&|record: &mut Value| refused(record)["observed"]["answer"] = 999_999.into(), "the answer: recorded \"none\"")]
#[case::integrity(&|record: &mut Value| record["gateways"][0]["integrity"] = "sha512-else".into(), "manifest.json: gateways")]
#[case::release(&|record: &mut Value| record["gateways"][0]["version"] = "2026.3.28".into(), "again")]
#[case::table_hash(&|record: &mut Value| record["run"]["table_hash"] = "00".into(), "run table_hash: recorded \"00\"")]
#[case::proof(&|record: &mut Value| record["gateways"][0]["launches"][1]["proof"] = "missing".into(), "proof of its launch")]
#[case::unexplained_calls(&|record: &mut Value| record["gateways"][0]["launches"][1]["model"]["unexplained"] = 3.into(), "proof of its launch")]
#[case::gate(&|record: &mut Value| record["run"]["fail_on"] = "known".into(), "")]
fn a_forged_record_does_not_follow(#[case] change: &dyn Fn(&mut Value), #[case] found: &str) {
    let sandbox = Sandbox::new();
    run(&sandbox, &[]).code(0);
    forge(&sandbox, change);
    if found.is_empty() {
        // Without known issues this changes no verdict: the run would have said the same.
        verify(&sandbox).code(0);
        return;
    }
    verify(&sandbox)
        .code(1)
        .stdout(contains(found))
        .stderr(contains(
            "do not follow from what was recorded (exit code 1)",
        ));
}

/// What a deviating run says of its causes and relations follows, too.
#[rstest]
#[case::cells(&|record: &mut Value| record["causes"][0]["cells"] = 1.into(), "causes 1 cells: recorded 1")]
#[case::conditions(&|record: &mut Value| record["causes"][0]["where"] = json!({}), "causes 1 where")]
#[case::failing(&|record: &mut Value| record["causes"][0]["failing"] = 0.into(), "causes 1 failing: recorded 0")]
#[case::fewer(&|record: &mut Value| { record["causes"].as_array_mut().unwrap().pop(); }, "record.json: causes")]
#[case::gate(&|record: &mut Value| record["run"]["severity"] = "blocker".into(), "standing")]
fn a_forged_cause_does_not_follow(#[case] change: &dyn Fn(&mut Value), #[case] found: &str) {
    let sandbox = Sandbox::new();
    // Another text of a right refusal: the finding is cosmetic.
    let file = "snapshots/chat-completions/token.since-2026.3.22.snap";
    sandbox.edit(file, "\"message\": \"Unauthorized\"", "\"message\": \"no\"");
    run(&sandbox, &[]).code(1);
    assert_follows(&sandbox);
    forge(&sandbox, change);
    verify(&sandbox).code(1).stdout(contains(found));
}

/// So are the files that it was judged by.
#[rstest]
#[case::rule(
    "data/scenarios/chat-completions.toml",
    "expect = \"missing-scope-write\"",
    "expect = \"unauthorized\"",
    "again deviates"
)]
#[case::comment(
    "data/scenarios/chat-completions.toml",
    "schema = 1",
    "schema = 1 # as agreed",
    "run table_hash"
)]
#[case::snapshot(
    "data/snapshots/chat-completions/token.since-2026.3.22.snap",
    "\"message\": \"Unauthorized\"",
    "\"message\": \"no\"",
    "accepted answer"
)]
#[case::profile(
    "data/fixtures/profiles/modes.toml",
    "id = \"token\"",
    "id = \"token\"\nshort = \"tok\"",
    "run table_hash"
)]
#[case::config(
    "configs/reference/token.json",
    "\"profile\"",
    "\"profiles\"",
    "the configuration"
)]
fn forged_files_do_not_follow(
    #[case] name: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] found: &str,
) {
    let sandbox = Sandbox::new();
    run(&sandbox, &[]).code(0);
    let honest = open(&sandbox);
    let mut forged = honest.clone();
    let text = String::from_utf8(honest.members[name].clone()).unwrap();
    assert!(text.contains(from), "{name}");
    let text = text.replacen(from, to, 1);
    forged.members.insert(name.to_owned(), text.into_bytes());
    // With the old hash, and with a new one.
    forged.write(&path(&sandbox)).unwrap();
    verify(&sandbox)
        .code(1)
        .stdout(contains(format!("{name}: SHA-256: recorded ")));
    put_back(&sandbox, forged);
    verify(&sandbox).code(1).stdout(contains(found));
}

/// A bundle follows from itself whatever it was judged by, and however little was asked. Both are told.
#[test]
fn what_was_judged_by_and_left_out_is_told() {
    let sandbox = Sandbox::whole();
    let few = ["chat-completions/profile=none/**"];
    run(&sandbox, &few).code(0);
    // How many those are grows with the contract.
    let told = predicates::str::is_match(
        r"asked for chat-completions/profile=none/\*\*; \d{4,} other cells of its contract were left out: 468 of 650 of chat-completions, all of (\S+, )*behind-proxy, (\S+, )*client-libraries,",
    );
    let carried = contains("judged by the data that this clawgauge carries");
    verify(&sandbox).code(0).stdout(told.unwrap().and(carried));
    // Somebody has accepted another answer, with every hash as it must be.
    let file = "snapshots/chat-completions/token.since-2026.3.22.snap";
    sandbox.edit(file, "\"message\": \"Unauthorized\"", "\"message\": \"no\"");
    run(&sandbox, &few).code(0);
    let told = format!("judged by other data than this clawgauge carries: {file}");
    verify(&sandbox).code(0).stdout(contains(told));
}

/// Every member is covered by its hash.
#[test]
fn no_member_changes_unseen() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["--where", "profile=none"]).code(0);
    let honest = open(&sandbox);
    let judge = |bundle: &Bundle| {
        let by = clawgauge::studies::bundle::By::Itself;
        clawgauge::studies::bundle::verify(bundle, &by).map(|checked| checked.differences)
    };
    assert_eq!(judge(&honest).unwrap(), []);
    let names = || honest.members.keys().filter(|name| *name != MANIFEST);
    let mut changed = honest.clone();
    for name in names() {
        changed.members.get_mut(name).unwrap().push(b'\n');
    }
    let differences = judge(&changed).unwrap();
    for name in names() {
        let mut found = differences.iter();
        assert!(
            found.any(|found| found.place == *name && found.what == "SHA-256"),
            "{name}: {differences:?}"
        );
    }
    // Of the data of each folder one file stands for all.
    let mut folders = std::collections::BTreeSet::new();
    for name in
        names().filter(|name| folders.insert(name.rsplit_once('/').map(|(folder, _)| folder)))
    {
        let mut missing = honest.clone();
        let contents = missing.members.remove(name).unwrap();
        match judge(&missing) {
            Ok(differences) => assert!(
                differences.iter().any(|found| found.place == *name),
                "{name}"
            ),
            Err(error) => assert!(error.to_string().starts_with("not a bundle"), "{error}"),
        }
        let mut renamed = missing;
        renamed.members.insert(format!("{name}.old"), contents);
        if let Ok(differences) = judge(&renamed) {
            let there = format!("{name}.old");
            assert!(
                differences.iter().any(|found| found.place == there),
                "{name}"
            );
        }
    }
}

/// The same members are the same bytes: those of a file that was read are those of the file.
#[test]
fn the_same_record_is_the_same_file() {
    let sandbox = Sandbox::new();
    let epoch = 1_790_000_000;
    sandbox
        .clawgauge()
        .args(["run", "--bundle", FILE])
        .env("SOURCE_DATE_EPOCH", epoch.to_string())
        .assert()
        .code(0);
    let bytes = fs::read(path(&sandbox)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(open(&sandbox).to_bytes().unwrap(), bytes);
    let tar = flate2::read::GzDecoder::new(&bytes[..]);
    let mut archive = tar::Archive::new(tar);
    let mut names = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let owner = (header.uid().unwrap(), header.gid().unwrap());
        assert_eq!((owner, header.mtime().unwrap()), ((0, 0), epoch));
        names.push(entry.path().unwrap().into_owned());
    }
    let mut sorted = names.clone();
    sorted.sort();
    assert!(names.len() > 10 && names == sorted);
    // Two runs differ in nothing but what the run itself is called and how long things took.
    sandbox
        .clawgauge()
        .args(["run", "--bundle", "other.tar.gz"])
        .env("SOURCE_DATE_EPOCH", epoch.to_string())
        .assert()
        .code(0);
    let (other, _) = Bundle::open(&sandbox.folder.path().join("other.tar.gz")).unwrap();
    for (name, contents) in &open(&sandbox).members {
        if ![MANIFEST, RECORD].contains(&name.as_str()) && !name.starts_with("logs/") {
            assert_eq!(&other.members[name], contents, "{name}");
        }
    }
}

/// A bundle that cannot be written is told before anything is launched; one that cannot be finished leaves nothing.
#[test]
fn a_failed_write_leaves_nothing() {
    let sandbox = Sandbox::new();
    let write = |to: &str, gateway: &str| {
        let args = ["run", "--bundle", to, "--gateway", gateway];
        let args = [&args[..], &["--where", "profile=token"]].concat();
        sandbox.clawgauge().args(args).assert()
    };
    for (to, why) in [
        ("none/x.tar.gz", "cannot write"),
        ("tmp", "it is a folder"),
        ("-", "stdout"),
    ] {
        write(to, "reference")
            .code(2)
            .stdout(is_empty())
            .stderr(contains(why).and(contains("starting").not()));
    }
    // The folder goes while the gateway runs.
    let out = sandbox.folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let (folder, binary) = (out.display(), binary.display());
    let script =
        format!("#!/bin/sh\nrm -rf '{folder}'\nexec '{binary}' reference-gateway \"$@\"\n");
    let gateway = sandbox.script("vandal", &script);
    write("out/x.tar.gz", &gateway)
        .code(2)
        .stderr(contains("cannot write the bundle out/x.tar.gz"));
    assert!(!out.exists());
    sandbox.assert_clean();
}

/// What would change by the data at hand.
#[test]
fn by_other_data() {
    let sandbox = Sandbox::new();
    run(&sandbox, &[]).code(0);
    let here = ["verify", FILE, "--data", "here"];
    let again = sandbox.clawgauge().args(here).assert();
    again
        .code(0)
        .stdout(contains("are the same by the data at hand"));
    let file = "scenarios/chat-completions.toml";
    sandbox.edit(
        file,
        "expect = \"missing-scope-write\"",
        "expect = \"unauthorized\"",
    );
    let again = sandbox.clawgauge().args(here).assert();
    again
        .code(1)
        .stdout(contains("verdict: recorded conforms, again deviates"))
        .stderr(contains("would change"));
    verify(&sandbox).code(0);
}
