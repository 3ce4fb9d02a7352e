//! Where gateways come from: the cache of releases, forks, tarballs and checkouts, on a machine whose npm installs make-believe ones.

use std::fs;

use crate::support::releases::{Machine, stderr};
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

fn gateway(machine: &Machine, args: &[&str]) -> Assert {
    machine.gauge(&[&["gateway"], args].concat())
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

const FORK: &str = "npm:@scope/fork@1.2.3";
/// A fork that lets in whoever declares too little.
const FAULTY: &str = "npm:fork@6.6.6";
const RELEASE: [&str; 2] = ["--release", "2026.9.6"];
const CELLS: [&str; 2] = [
    "chat-completions/profile=none/**",
    "--where=credential=absent",
];
const BUILD: &str = r#"{"name":"openclaw","version":"2026.9.6","bin":{"openclaw":"openclaw.mjs"}}"#;

fn run(machine: &Machine, gateway: &str, more: &[&str]) -> Assert {
    let named = ["run", "--gateway", gateway, "--report", "json=record.json"];
    machine.gauge(&[&named[..], &CELLS, more].concat())
}

fn record(machine: &Machine) -> serde_json::Value {
    let file = machine.sandbox.folder.path().join("record.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// Before anything is installed it must be known what it is judged by.
#[rstest]
#[case::run(&["run", "--gateway", FORK])]
#[case::compare(&["compare", "reference", FORK])]
fn a_fork_does_not_say_which_release_it_is(#[case] args: &[&str]) {
    let machine = Machine::new();
    machine
        .gauge(args)
        .code(2)
        .stdout("")
        .stderr(contains(
            "npm:@scope/fork@1.2.3 does not say which release of OpenClaw it is",
        ))
        .stderr(contains("--release 2026.9.6"));
    assert!(!machine.sandbox.folder.path().join("npm.log").exists());
    machine.sandbox.assert_clean();
}

#[test]
fn a_fork_is_judged_as_the_release_that_it_is_made_of() {
    let machine = Machine::new();
    run(&machine, FORK, &RELEASE).code(0);
    let gateway = &record(&machine)["gateways"][0];
    assert_eq!(gateway["ref"], FORK);
    assert_eq!(gateway["version"], "2026.9.6");
    assert_eq!(gateway["integrity"], "sha512-of-1.2.3");
    let record = machine.sandbox.folder.path().join("record.json");
    fs::rename(&record, record.with_file_name("before.json")).unwrap();

    // What to type next names the release, too.
    let bundle = ["--bundle", "evidence.tar.gz"];
    run(&machine, FAULTY, &[&RELEASE[..], &bundle].concat()).code(1);
    machine
        .gauge(&["report", "record.json", "--report", "markdown=-"])
        .code(0)
        .stdout(contains("--gateway npm:fork@6.6.6 --release 2026.9.6"));
    machine.gauge(&["verify", "evidence.tar.gz"]).code(0);
    machine
        .gauge(&["run", "--failed-in", "record.json"])
        .code(1)
        .stdout(contains("npm:fork@6.6.6, judged as 2026.9.6"));
    machine
        .gauge(&["compare", "before.json", "record.json"])
        .code(1);
    let compare = ["compare", "openclaw@2026.9.6", FORK];
    machine
        .gauge(&[&compare[..], &CELLS, &RELEASE].concat())
        .code(0);
    machine.sandbox.assert_clean();
}

#[test]
fn a_tarball_tells_its_release() {
    let machine = Machine::new();
    let (checkout, tarball) = machine.build(BUILD, "");
    let (checkout, tarball) = (checkout.to_str().unwrap(), tarball.to_str().unwrap());
    run(&machine, tarball, &[]).code(0);
    let gateway = record(&machine)["gateways"][0].clone();
    assert_eq!(gateway["version"], "2026.9.6");
    let hash = base::files::sha256(&fs::read(tarball).unwrap());
    assert_eq!(gateway["integrity"], format!("sha256:{hash}"));
    // A checkout is the same without an installation.
    let compare = ["compare", tarball, checkout];
    machine.gauge(&[&compare[..], &CELLS].concat()).code(0);
    let installs = fs::read_to_string(machine.sandbox.folder.path().join("npm.log")).unwrap();
    assert_eq!(installs.lines().count(), 1, "{installs}");
    machine.sandbox.assert_clean();
}

#[test]
fn a_faulty_checkout_breaks_the_contract() {
    let machine = Machine::new();
    let (checkout, tarball) = machine.build(BUILD, "--misbehave ignores-scopes");
    run(&machine, checkout.to_str().unwrap(), &[]).code(1);
    fs::remove_file(checkout.join("dist/entry.js")).unwrap();
    run(&machine, checkout.to_str().unwrap(), &[])
        .code(3)
        .stderr(contains("is a checkout that is not built"))
        .stderr(contains("pnpm install && pnpm build"));
    // What was packed before is as it was.
    run(&machine, tarball.to_str().unwrap(), &[]).code(1);
}

#[test]
fn forks_and_tarballs_are_kept_as_releases_are() {
    let machine = Machine::new();
    let (_, tarball) = machine.build(BUILD, "");
    let tarball = tarball.to_str().unwrap();
    let hash = base::files::sha256(&fs::read(tarball).unwrap());
    gateway(&machine, &["install", FORK, tarball, "2026.9.6"])
        .code(0)
        .stdout(contains("npm:@scope/fork@1.2.3 installed"))
        .stdout(contains("package.tgz installed"));
    gateway(&machine, &["install", FORK])
        .code(0)
        .stdout(contains("npm:@scope/fork@1.2.3 is there"));
    let name = format!("tarball@{}", &hash[..12]);
    gateway(&machine, &["list"])
        .code(0)
        .stdout(contains("@scope/fork@1.2.3 "))
        .stdout(contains(format!("{name} ")))
        .stdout(contains("  openclaw 2026.9.6\n"));
    let cache = machine.sandbox.folder.path().join(".cache/clawgauge");
    let fork = "@scope/fork/1.2.3/node_modules/@scope/fork/openclaw.mjs";
    for text in [FORK, "@scope/fork@1.2.3"] {
        let path = format!("{}\n", cache.join(fork).display());
        gateway(&machine, &["path", text]).code(0).stdout(path);
    }
    gateway(&machine, &["path", tarball]).code(0);
    gateway(&machine, &["prune", "--keep", "1", "--dry-run"])
        .code(0)
        .stdout(contains("would go").count(2));
    gateway(&machine, &["prune", &name, FORK])
        .code(0)
        .stdout(contains(format!("{name} removed")))
        .stdout(contains("@scope/fork@1.2.3 removed"));
    gateway(&machine, &["prune", FORK])
        .code(2)
        .stderr(contains("npm:@scope/fork@1.2.3 is not installed"));
    assert_eq!(machine.installed(), ["2026.9.6"]);
}

#[rstest]
#[case::an_image(&["gateway", "install", "docker:openclaw"], "docker pull openclaw")]
#[case::a_script_of_an_image(&["repro", "openclaw#58357", "--gateway", "docker:openclaw"], "a script installs a published release")]
#[case::a_tag(&["run", "--gateway", "npm:fork@latest"], "names no package of npm with its version")]
#[case::a_script_of_a_fork(&["repro", "openclaw#58357", "--gateway", FORK], "a script installs a published release")]
#[case::a_fork_among_releases(&["bisect", "openclaw#58357", "--good", "2026.3.24", "--bad", FORK], "names no release")]
#[case::a_survey_of_a_fork(&["survey", "--releases", FORK, "--json", "records"], "npm:@scope/fork@1.2.3")]
#[case::an_evidence_bundle(&["compare", "reference", "none.tar.gz"], "none.tar.gz")]
fn what_takes_no_fork_says_so(#[case] args: &[&str], #[case] why: &str) {
    let machine = Machine::new();
    machine.gauge(args).code(2).stdout("").stderr(contains(why));
    machine.sandbox.assert_clean();
}
