//! The HTML report in a real Chromium: what a person sees and does. It needs Debian's `chromium` and npm, and is run on demand:
//! `cargo test --workspace --test it -- --ignored browser::`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::records::{hostile, many, mixed};
use crate::support::releases::Machine;
use crate::support::{Sandbox, repository};
use clawgauge::record::{Record, Results};
use clawgauge::reports::{Format, write_report};
use predicates::str::contains;

/// What drives the browser, and what judges accessibility.
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

#[test]
#[ignore = "needs chromium and npm"]
fn the_page_works_in_a_browser() {
    let chromium = chromium();
    let packages = packages();
    let sandbox = Sandbox::whole();
    let folder = sandbox.folder.path();
    for (name, record) in [
        ("mixed", mixed()),
        ("hostile", hostile()),
        ("many", many(10_000)),
    ] {
        write(folder, name, &record);
    }
    let broken = sandbox.broken_gateway("ignores-scopes");
    sandbox
        .clawgauge()
        .args(["run", "chat-completions/**", "start/**"])
        .arg("tailscale-serve/**")
        .args(["--gateway", "reference", "--gateway", &broken])
        .args(["--report", "html=real.html", "--report", "json=real.json"])
        .assert()
        .code(1);

    survey_sites(folder);

    let done = Command::new("node")
        .arg(repository().join("harness/clawgauge/tests/it/browser/main.mjs"))
        .arg(folder)
        .env("PACKAGES", &packages)
        .env("CHROMIUM", &chromium)
        .env("TMPDIR", sandbox.temp())
        .status()
        .unwrap();
    assert!(done.success(), "the browser's checks failed, see above");
}

/// The site of a survey over releases that are not real, and one of a release that says hostile things.
fn survey_sites(folder: &Path) {
    let machine = Machine::new();
    let site = folder.join("site");
    let cells = ["chat-completions/**", "endpoints/**", "start/**"];
    let mut args = vec!["--releases", "2026.*", "--html", site.to_str().unwrap()];
    args.extend(cells);
    machine.survey(&args).code(4);

    let mut record = hostile();
    let reference = "openclaw@2026.9.6";
    record.gateways.truncate(1);
    let name = std::mem::replace(&mut record.gateways[0].reference, reference.to_owned());
    record.cells.retain(|cell| cell.gateway == name);
    for cell in &mut record.cells {
        cell.gateway = reference.to_owned();
    }
    let records = folder.join("hostile-records");
    fs::create_dir(&records).unwrap();
    let text = serde_json::to_vec(&record).unwrap();
    fs::write(records.join("2026.9.6.json"), text).unwrap();
    let hostile_site = folder.join("hostile-site");
    let from = [
        "--from",
        records.to_str().unwrap(),
        "--html",
        hostile_site.to_str().unwrap(),
    ];
    machine.survey(&from).code(0);
}

fn write(folder: &Path, name: &str, record: &Record) {
    let results = Results::from(record);
    for (format, ending) in [(Format::Html, "html"), (Format::Json, "json")] {
        write_report(format, &results, &folder.join(format!("{name}.{ending}"))).unwrap();
    }
}

/// The scripts of pages call a gateway in mode none, from a folder with a long name, where Chromium has little room for its sockets.
#[test]
#[ignore = "needs chromium and npm"]
fn pages_call_the_gateway() {
    chromium();
    let sandbox = Sandbox::whole();
    let clawgauge = |args: &[&str]| {
        let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
        command
            .env("TMPDIR", sandbox.temp())
            .env("CI", "true")
            .arg("--root")
            .arg(sandbox.root())
            .args(args)
            .assert()
    };
    clawgauge(&["clients", "install", "chromium"]).code(0);
    clawgauge(&["run", "browser/profile=none/**"])
        .code(0)
        .stdout(contains("25 conform"));
    sandbox.assert_clean();
}

/// The browser; `CHROMIUM` names another one.
fn chromium() -> PathBuf {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = named.unwrap_or_else(|| PathBuf::from("/usr/bin/chromium"));
    assert!(
        path.exists(),
        "{} does not exist: apt-get install chromium, or name a browser in CHROMIUM",
        path.display()
    );
    path
}

/// A folder with the packages, outside the repository and kept for the next time.
fn packages() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let name = format!("clawgauge-browser-{}", PACKAGES.join("-").replace('@', "-"));
    let folder = cache.unwrap_or_else(home).join(name);
    if PACKAGES.iter().all(|package| {
        let name = package.split('@').next().unwrap();
        folder.join("node_modules").join(name).exists()
    }) {
        return folder;
    }
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("package.json"), "{\"private\": true}\n").unwrap();
    let done = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(PACKAGES)
        .current_dir(&folder)
        .status()
        .expect("npm is needed");
    assert!(
        done.success(),
        "npm could not install {}",
        PACKAGES.join(", ")
    );
    folder
}
