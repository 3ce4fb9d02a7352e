//! `clawgauge gateway`: the cache of releases, on a machine whose npm installs make-believe ones.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use support::releases::{Machine, stderr};

fn gateway(machine: &Machine, args: &[&str]) -> Assert {
    let mut command = machine.sandbox.clawgauge();
    command
        .env("PATH", machine.path())
        .arg("gateway")
        .args(args);
    command.assert()
}

#[test]
fn releases_are_installed_listed_and_removed() {
    let machine = Machine::new();
    gateway(&machine, &["install", ">=2026.8.1", "openclaw@2026.3.24"])
        .code(0)
        .stdout(contains(
            "openclaw@2026.3.24 installed: 1 KiB, Node 24.21.0",
        ))
        .stdout(contains("openclaw@2026.9.6 installed"));
    assert_eq!(machine.installed(), ["2026.3.24", "2026.8.2", "2026.9.6"]);
    gateway(&machine, &["install", "latest"])
        .code(0)
        .stdout(contains("openclaw@2026.9.6 is there"));
    assert_eq!(machine.installs("2026.9.6"), 1);
    gateway(&machine, &["install", "--again", "latest"]).code(0);
    assert_eq!(machine.installs("2026.9.6"), 2);

    gateway(&machine, &["list"])
        .code(0)
        .stdout(contains("openclaw@2026.8.2"))
        .stdout(contains("used just now"))
        .stdout(contains(" free\n"));
    let entry = machine.sandbox.folder.path();
    let entry = entry.join(".cache/clawgauge/openclaw/2026.9.6/node_modules/openclaw/openclaw.mjs");
    gateway(&machine, &["path", "latest"])
        .code(0)
        .stdout(format!("{}\n", entry.display()));

    gateway(&machine, &["prune", "--keep", "1", "--dry-run"])
        .code(0)
        .stdout(contains("would go").count(2))
        .stdout(contains("of 2 would be free again"));
    gateway(&machine, &["prune", "2026.3.24"])
        .code(0)
        .stdout(contains("openclaw@2026.3.24 removed"));
    gateway(&machine, &["prune", "--keep", "1"]).code(0);
    assert_eq!(machine.installed(), ["2026.9.6"], "it was used last");
    gateway(&machine, &["prune", "--all"]).code(0);
    assert!(machine.installed().is_empty());
}

#[test]
fn what_is_damaged_is_said_and_installed_again() {
    let machine = Machine::new();
    gateway(&machine, &["install", "2026.9.6"]).code(0);
    let entry = machine
        .sandbox
        .folder
        .path()
        .join(".cache/clawgauge/openclaw/2026.9.6");
    fs::write(entry.join("node_modules/openclaw/package.json"), "{").unwrap();
    gateway(&machine, &["list"]).code(0).stdout(contains(
        "damaged: openclaw itself is missing or of another version",
    ));
    gateway(&machine, &["install", "2026.9.6"])
        .code(0)
        .stdout(contains("openclaw@2026.9.6 installed"))
        .stderr(contains("openclaw@2026.9.6 is damaged"));
    gateway(&machine, &["list"])
        .code(0)
        .stdout(contains("damaged").not());
}

/// One that fails keeps the others from nothing, and nothing of it is left.
#[test]
fn one_that_cannot_be_installed_is_named_at_the_end() {
    let machine = Machine::new();
    let done = gateway(&machine, &["install", "2026.3.*"]).code(3);
    assert_eq!(machine.installed(), ["2026.3.24"]);
    assert!(
        stderr(&done).ends_with(
            "clawgauge: 1 of 2 releases could not be installed: openclaw@2026.3.28 (exit code 3)\n"
        ),
        "{}",
        stderr(&done)
    );
}

#[rstest]
#[case::no_such_release(&["install", "2026.9.5"], 2, "there is no release 2026.9.5; the closest: 2026.8.2 and 2026.9.6")]
#[case::no_name(&["install", "lastest"], 2, "`lastest` names no release")]
#[case::nothing_in_the_range(&["install", ">2026.9.6"], 2, "`>2026.9.6` selects no release")]
#[case::not_installed(&["path", "2026.9.6"], 2, "clawgauge gateway install 2026.9.6")]
#[case::nothing_to_remove(&["prune", "2026.9.6"], 2, "clawgauge gateway list shows what is installed")]
#[case::remove_what(&["prune"], 2, "<RELEASES>")]
fn what_cannot_be_meant_is_told(#[case] args: &[&str], #[case] code: i32, #[case] why: &str) {
    let machine = Machine::new();
    gateway(&machine, args)
        .code(code)
        .stdout("")
        .stderr(contains(why));
    machine.sandbox.assert_clean();
}
