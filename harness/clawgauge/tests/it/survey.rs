//! `clawgauge survey` offline: npm, Node and the releases are make-believe, the gateways are the reference gateway.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use crate::support::releases::{Machine, names, stderr};
use crate::support::schema::assert_described;
use crate::support::until_said;
use clawgauge::record::{Record, Results};
use clawgauge::studies::survey::StateKind;

/// Cells that every release has, in one launch.
const CELLS: &str = "chat-completions/profile=none/credential=absent/**";
/// Without the profiles that most cells ask.
const FEWER: &str = "profile!=none,token,password,trusted-proxy,pages-none,pages-token,pages-proxy";

#[test]
fn releases_are_told_apart_and_what_ran_is_not_run_again() {
    let machine = Machine::new();
    let args = [
        "--releases",
        ">=2026.3.24, <=2026.9.6",
        "--json",
        "records",
        CELLS,
    ];
    let first = machine.survey(&args).code(4);
    let told = stderr(&first);
    assert!(
        told.contains("2026.5.28: release 4 of 6 (no record yet), about "),
        "{told}"
    );
    let last = told.lines().last().unwrap();
    assert_eq!(
        last,
        "clawgauge: 2 of 6 releases could not be run: 2026.3.28, 2026.4.1 (exit code 4)"
    );
    let kinds = |version| machine.state(version).kind;
    assert_eq!(kinds("2026.3.24"), StateKind::Ran);
    assert_eq!(kinds("2026.3.28"), StateKind::CannotInstall);
    assert_eq!(kinds("2026.4.1"), StateKind::CannotStart);
    assert_eq!(kinds("2026.5.28"), StateKind::Broken);
    assert_eq!(kinds("2026.8.2"), StateKind::Ran);
    assert_eq!(kinds("2026.9.6"), StateKind::Ran);
    let why = machine.state("2026.3.28").reason.unwrap();
    assert!(why.contains("npm error code EBROKEN"), "{why}");
    let why = machine.state("2026.4.1").reason.unwrap();
    assert!(
        why.starts_with("profile none: did not start: ") && why.contains("Config invalid"),
        "{why}"
    );
    let why = machine.state("2026.5.28").reason.unwrap();
    assert!(
        why.starts_with("the positive control reached no model in 1 launches"),
        "{why}"
    );

    // Only what may have been a matter of the moment is tried once more.
    let again = machine.survey(&args).code(4);
    let told = stderr(&again);
    for version in ["2026.3.24", "2026.5.28", "2026.8.2", "2026.9.6"] {
        assert!(told.contains(&format!("{version}: has a record")), "{told}");
        assert_eq!(machine.installs(version), 1, "{version}");
    }
    assert!(
        told.contains("2026.3.28: release 1 of 2 (the last time it could not be installed)"),
        "{told}"
    );
    assert!(
        told.contains("2026.4.1: release 2 of 2 (the last time it could not be started)"),
        "{told}"
    );
    assert_eq!(machine.installs("2026.3.28"), 2);
    machine.sandbox.assert_clean();
}

#[test]
fn records_are_small_whole_and_know_nothing_of_the_machine() {
    let machine = Machine::new();
    machine
        .survey(&[
            "--releases",
            "2026.9.6",
            "--json",
            "records",
            "--where",
            FEWER,
        ])
        .code(0);
    let folder = machine.sandbox.folder.path().to_str().unwrap().to_owned();
    let packed = fs::read(machine.records().join("2026.9.6.json.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    assert!(!text.contains(&folder), "it names {folder}");
    assert!(packed.len() < 80 << 10, "{} bytes", packed.len());
    // It is an ordinary record: everything that reads one reads it.
    let record = Results::open(&machine.records().join("2026.9.6.json.gz")).unwrap();
    let record = record.load().unwrap();
    assert!(record.cells.len() > 2000);
    assert!(
        record
            .cells
            .iter()
            .all(|cell| cell.axes.get("profile").is_some())
    );
    let whole: Record = {
        let mut command = machine.sandbox.clawgauge();
        command.env("PATH", machine.path());
        command.args([
            "run",
            "--gateway",
            "openclaw@2026.9.6",
            "--report",
            "json=whole.json",
            "--where",
            FEWER,
        ]);
        command
            .assert()
            .code(0)
            .stdout(predicates::str::contains(", 9 not applicable"));
        let whole = Results::open(&machine.sandbox.folder.path().join("whole.json")).unwrap();
        whole.load().unwrap()
    };
    // A survey does not gate: what a machine lacks is told, whether it is expected or not.
    let mut summary = whole.summary.clone();
    summary.expected_skips = 0;
    assert_eq!(record.summary, summary);
    for (small, whole) in record.cells.iter().zip(&whole.cells) {
        assert_eq!(
            (&small.id, &small.axes, small.verdict),
            (&whole.id, &whole.axes, whole.verdict)
        );
        let (Some(small), Some(whole)) = (&small.observed, &whole.observed) else {
            continue;
        };
        assert_eq!(
            (&small.outcome, small.line()),
            (&whole.outcome, whole.line())
        );
    }
    let mut command = machine.sandbox.clawgauge();
    let report = command
        .args(["report", "records/2026.9.6.json.gz"])
        .assert()
        .code(0);
    let report = String::from_utf8(report.get_output().stdout.clone()).unwrap();
    assert!(report.contains("openclaw@2026.9.6"), "{report}");
}

#[test]
fn an_interrupted_survey_leaves_whole_records_and_goes_on() {
    let machine = Machine::new();
    let slow = machine.sandbox.folder.path().join("slow");
    fs::write(&slow, "2026.8.2").unwrap();
    let args = [
        "--releases",
        "2026.3.24, 2026.8.2, 2026.9.6",
        "--json",
        "records",
        CELLS,
    ];
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    let mut child = command
        .env_clear()
        .env("PATH", machine.path())
        .env("HOME", machine.sandbox.folder.path())
        .env("TMPDIR", machine.sandbox.temp())
        .current_dir(machine.sandbox.folder.path())
        .arg("--root")
        .arg(machine.sandbox.root())
        .arg("survey")
        .arg("--verbose")
        .args(args)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stderr.take().unwrap();
    until_said(&mut pipe, "openclaw@2026.8.2: starting profile none");
    let id = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let mut rest = String::new();
    pipe.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    let last = rest.lines().last().unwrap();
    assert!(
        last.contains("interrupted; 1 releases have a record, 2 are left"),
        "{rest}"
    );
    assert_eq!(names(&machine.records()), ["2026.3.24.json.gz"]);
    machine.sandbox.assert_clean();

    fs::remove_file(slow).unwrap();
    let told = stderr(&machine.survey(&args).code(0));
    assert!(told.contains("2026.3.24: has a record"), "{told}");
    assert!(
        told.contains("2026.8.2: release 1 of 2 (no record yet)"),
        "{told}"
    );
    assert_eq!(names(&machine.records()).len(), 3);
}

#[test]
fn a_record_that_cannot_be_used_is_told_and_made_again() {
    let machine = Machine::new();
    let args = [
        "--releases",
        "2026.3.24, 2026.8.2, 2026.9.6",
        "--json",
        "records",
        CELLS,
    ];
    machine.survey(&args).code(0);
    let file = |version: &str| machine.records().join(format!("{version}.json.gz"));
    let whole = fs::read(file("2026.8.2")).unwrap();
    fs::write(file("2026.8.2"), &whole[..whole.len() / 2]).unwrap();
    fs::copy(file("2026.3.24"), file("2026.9.6")).unwrap();
    let told = stderr(&machine.survey(&args).code(0));
    assert!(
        told.contains("2026.8.2: release 1 of 2 (its record cannot be used: 2026.8.2.json.gz: "),
        "{told}"
    );
    let foreign = "(its record cannot be used: 2026.9.6.json.gz is about openclaw@2026.3.24)";
    assert!(told.contains(foreign), "{told}");
    assert_eq!(machine.state("2026.8.2").kind, StateKind::Ran);
    assert!(machine.folder().all().unwrap().1.is_empty());

    // Other cells and other files are other questions.
    let other = "chat-completions/profile=token/credential=valid/**";
    let told = stderr(
        &machine
            .survey(&["--releases", "2026.9.6", "--json", "records", other])
            .code(0),
    );
    assert!(told.contains("(its record is about other cells)"), "{told}");
    machine.sandbox.edit(
        "scenarios/chat-completions.toml",
        "title = \"a caller who",
        "title = \"somebody who",
    );
    let told = stderr(
        &machine
            .survey(&["--releases", "2026.9.6", "--json", "records", other])
            .code(0),
    );
    assert!(
        told.contains("(its record was judged by other files)"),
        "{told}"
    );
    let told = stderr(
        &machine
            .survey(&[
                "--releases",
                "2026.9.6",
                "--json",
                "records",
                "--again",
                other,
            ])
            .code(0),
    );
    assert!(told.contains("(asked for again)"), "{told}");
}

#[test]
fn only_what_the_survey_installed_is_dropped() {
    let machine = Machine::new();
    let before = ["--releases", "2026.3.24", "--json", "before", CELLS];
    machine.survey(&before).code(0);
    assert_eq!(machine.installed(), ["2026.3.24"]);
    let range = [
        "--releases",
        "2026.3.24, 2026.5.28, 2026.8.2, 2026.9.6",
        "--json",
        "records",
        CELLS,
    ];
    let told = stderr(
        &machine
            .survey(&[&range[..], &["--keep", "1"]].concat())
            .code(0),
    );
    assert_eq!(machine.installed(), ["2026.3.24", "2026.9.6"], "{told}");
    assert!(
        told.contains("2026.5.28: removed from the cache again"),
        "{told}"
    );
    let told = stderr(
        &machine
            .survey(&[&range[..], &["--keep", "0", "--again"]].concat())
            .code(0),
    );
    assert_eq!(machine.installed(), ["2026.3.24", "2026.9.6"], "{told}");
    assert_eq!(machine.installs("2026.8.2"), 2);
}

#[test]
fn nothing_that_can_be_had_is_exit_code_3_and_a_wrong_range_2() {
    let machine = Machine::new();
    let none = machine
        .survey(&[
            "--releases",
            "2026.3.28, 2026.4.1",
            "--json",
            "records",
            CELLS,
        ])
        .code(3);
    let told = stderr(&none);
    assert!(
        told.ends_with("no release could be run: 2026.3.28, 2026.4.1 (exit code 3)\n"),
        "{told}"
    );
    let wrong = machine
        .survey(&["--releases", "2026.3.25", "--json", "records"])
        .code(2);
    assert!(stderr(&wrong).contains("there is no release 2026.3.25"));
    let empty = machine
        .survey(&["--from", "nowhere", "--markdown", "-"])
        .code(2);
    assert!(stderr(&empty).contains("nowhere"));
}

#[test]
fn shards_are_parts_of_the_releases_and_their_records_make_the_whole() {
    let machine = Machine::new();
    let range = "2026.3.24, 2026.8.2, 2026.9.6";
    let shard = |part: &str| {
        let args = [
            "--releases",
            range,
            "--json",
            "records",
            "--shard",
            part,
            CELLS,
        ];
        machine.survey(&args)
    };
    shard("2/2").code(0);
    assert_eq!(names(&machine.records()), ["2026.8.2.json.gz"]);
    let whole = ["--from", "records", "--releases", range, "--html", "site"];
    let gaps = stderr(&machine.survey(&whole).code(4));
    assert!(
        gaps.ends_with("no record of 2026.3.24, 2026.9.6 (exit code 4)\n"),
        "{gaps}"
    );
    shard("1/2").code(0);
    machine.survey(&whole).code(0);
    let site = machine.sandbox.folder.path().join("site");
    let document = fs::read_to_string(site.join("survey.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_described("survey", &document);
    let versions: Vec<&str> = document["releases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|release| release["version"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["2026.3.24", "2026.8.2", "2026.9.6"]);
    assert!(stderr(&shard("4/4").code(4)).contains("shard 4/4 of 3 releases is empty"));

    // A record of other files is no part of it.
    machine.sandbox.edit(
        "scenarios/chat-completions.toml",
        "title = \"a caller who",
        "title = \"somebody who",
    );
    machine
        .survey(&["--releases", "2026.5.28", "--json", "records", CELLS])
        .code(0);
    let mixed = stderr(
        &machine
            .survey(&["--from", "records", "--html", "site"])
            .code(2),
    );
    assert!(
        mixed.contains("the records were judged by different scenario files"),
        "{mixed}"
    );
}

/// The same records make the same site, byte for byte; the matrices of each release are there, and the links are whole.
#[test]
fn the_site_is_made_from_the_records_alone() {
    let machine = Machine::new();
    let cells = "chat-completions/**";
    let run = [
        "--releases",
        ">=2026.3.28, <=2026.9.6",
        "--html",
        "site",
        "--markdown",
        "survey.md",
        cells,
    ];
    machine.survey(&run).code(4);
    let folder = machine.sandbox.folder.path();
    machine
        .survey(&[
            "--from",
            "site/records",
            "--html",
            "again",
            "--markdown",
            "again.md",
        ])
        .code(0);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("survey.md"), read("again.md"));
    for name in ["index.html", "survey.json", "2026.9.6.matrix.html"] {
        assert_eq!(
            read(&format!("site/{name}")),
            read(&format!("again/{name}")),
            "{name}"
        );
    }
    // Records that are not below a site cannot be linked to.
    assert!(!read("again/2026.8.2.html").contains("json.gz\""));
    let page = read("site/2026.8.2.html");
    for part in [
        "What changed since 2026.5.28",
        "let in or given more than the rule says",
        "sha512-of-2026.8.2",
        "href=\"records/2026.8.2.json.gz\"",
        "href=\"2026.8.2.matrix.html\"",
        "clawgauge compare openclaw@2026.5.28 openclaw@2026.8.2",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let page = read("site/2026.4.1.html");
    assert!(
        page.contains("cannot be started") && page.contains("Config invalid"),
        "{page}"
    );
    assert!(!folder.join("site/2026.3.28.matrix.html").exists());
    let markdown = read("survey.md");
    assert!(
        markdown.contains("| 2026.3.28 | could not be installed: npm could not install"),
        "{markdown}"
    );
    assert!(
        markdown.contains("let in on 2026.8.2 (wrongly)"),
        "{markdown}"
    );
    assert!(!markdown.contains(folder.to_str().unwrap()));
}
