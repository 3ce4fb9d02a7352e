//! `clawgauge docs` with releases that are not real: what a release says now, against what rules cite.

use crate::support::executable;
use crate::support::releases::Machine;
use crate::support::schema::assert_described;
use serde_json::Value;

/// npm's releases ship one file of documentation, which is another one from 2026.9.6 on; 2026.3.28 cannot be installed.
fn machine() -> Machine {
    let machine = Machine::new();
    let npm = machine.bin().join("npm");
    std::fs::rename(&npm, machine.bin().join("npm-without-docs")).unwrap();
    let with_docs = r#"#!/bin/sh
"$0-without-docs" "$@" || exit
[ "$1" = install ] || exit 0
docs=node_modules/openclaw/docs/gateway
mkdir -p $docs
limit=ten
case $2 in *@2026.9.6) limit=twenty ;; esac
printf '# Health\nprobes\n# Rate limits\n%s\n' $limit > $docs/health.md
case $2 in *@2026.9.6) ;; *) echo x > $docs/old.md ;; esac
"#;
    executable(&npm, with_docs);
    let scenarios = machine.sandbox.root().join("scenarios");
    for entry in std::fs::read_dir(&scenarios).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "toml") {
            let text = std::fs::read_to_string(&path).unwrap();
            // Rules that cite nothing of the documentation.
            std::fs::write(&path, text.replace("docs/", "doc/")).unwrap();
        }
    }
    machine
}

fn cite(machine: &Machine, rule: &str, source: &str) {
    let path = machine.sandbox.root().join("scenarios/lockout.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(&format!("id = \"{rule}\"")).unwrap();
    let (between, after) = rest.split_once("source = \"").unwrap();
    let after = after.split_once('\n').unwrap().1;
    let text = format!("{before}id = \"{rule}\"{between}source = \"{source}\"\n{after}");
    std::fs::write(path, text).unwrap();
}

fn docs(machine: &Machine, code: i32, flags: &[&str]) -> String {
    let mut command = machine.sandbox.clawgauge();
    let args = ["docs", "--gateway", "openclaw@2026.9.6"];
    let assert = command
        .env("PATH", machine.path())
        .args(args)
        .args(flags)
        .assert()
        .code(code);
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn rules_whose_passage_changed_must_be_read_again() {
    let machine = machine();
    cite(
        &machine,
        "missing-is-not-wrong",
        "docs/gateway/health.md (2026.5.28), rate limits",
    );
    cite(
        &machine,
        "right-is-heard",
        "docs/gateway/health.md (2026.5.28), health of probes",
    );
    cite(
        &machine,
        "wrong-counts",
        "docs/gateway/health.md (2026.9.6), rate limits",
    );
    cite(&machine, "locked", "docs/gateway/old.md (2026.5.28)");
    let told = docs(&machine, 0, &[]);
    let again: Vec<&str> = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("read again "))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        again,
        ["lockout/missing-is-not-wrong", "lockout/locked"],
        "{told}"
    );
    assert!(
        told.starts_with("Read again for 2026.9.6: 2 rules of 4 that cite"),
        "{told}"
    );
    assert!(told.contains("the release does not ship it"), "{told}");
    let json: Value = serde_json::from_str(&docs(&machine, 0, &["--json"])).unwrap();
    assert_described("docs", &json);
    assert_eq!(json["read_again"], 2);
}

#[test]
fn nothing_changed() {
    let machine = machine();
    cite(
        &machine,
        "wrong-counts",
        "docs/gateway/health.md (2026.9.6), rate limits",
    );
    let told = docs(&machine, 0, &[]);
    assert!(told.starts_with("Nothing to read again"), "{told}");
}

/// A release that cannot be installed leaves its part open, and the rest is told.
#[test]
fn what_cannot_be_read_is_not_known() {
    let machine = machine();
    cite(
        &machine,
        "locked",
        "docs/gateway/health.md (2026.3.28), rate limits",
    );
    cite(
        &machine,
        "wrong-counts",
        "docs/gateway/health.md (2026.9.6), rate limits",
    );
    let told = docs(&machine, 4, &[]);
    assert!(
        told.contains("not known: npm could not install openclaw@2026.3.28"),
        "{told}"
    );
    assert!(told.contains("as of 2026.9.6: unchanged, 1 rule"), "{told}");
}
