//! `run --budget` and `plan --budget`: the most of the contract that fits into a time, and a report that says so.

mod refusals;
mod time;

use std::fs;

use crate::support;
use crate::support::Sandbox;
use crate::support::releases::Machine;
use crate::support::schema::assert_described;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use rstest::rstest;
use serde_json::Value;

/// Every format that a report has, and its file.
const REPORTS: [&str; 9] = [
    "json=r.json",
    "junit=r.xml",
    "sarif=r.sarif",
    "ctrf=r.ctrf.json",
    "tap=r.tap",
    "markdown=r.md",
    "html=r.html",
    "annotations=r.txt",
    "summary=r.summary",
];

/// Runs one launch at a time, so that what fits does not depend on the machine.
fn run(sandbox: &Sandbox, budget: &str, flags: &[&str]) -> Assert {
    let mut command = sandbox.clawgauge();
    command.args(["run", "--launches", "1", "--budget", budget]);
    command.args(flags).assert()
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.folder.path().join(name)).unwrap()
}

fn record(sandbox: &Sandbox, name: &str) -> Value {
    serde_json::from_str(&text(sandbox, name)).unwrap()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn stderr(assert: &Assert) -> String {
    support::releases::stderr(assert)
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// A part of chat-completions, one launch of four: a sandbox with all its reports, its bundle and what it printed.
fn part(gateway: &str, code: i32) -> (Sandbox, Assert) {
    let sandbox = Sandbox::new();
    sandbox.timings(10.0, 0.0);
    let gateway = match gateway {
        "reference" => gateway.to_owned(),
        misbehaviour => sandbox.broken_gateway(misbehaviour),
    };
    let mut flags = vec!["--gateway", &gateway, "--bundle", "e.tar.gz"];
    flags.extend(REPORTS.iter().flat_map(|report| ["--report", report]));
    let assert = run(&sandbox, "15s", &flags).code(code);
    (sandbox, assert)
}

#[rstest]
#[case("reference", 0, "GO for ", "pass")]
#[case("ignores-scopes", 1, "NO-GO for ", "fail")]
fn every_report_says_first_that_it_is_a_part(
    #[case] gateway: &str,
    #[case] code: i32,
    #[case] word: &str,
    #[case] _name: &str,
) {
    let (sandbox, assert) = part(gateway, code);
    let record = record(&sandbox, "r.json");
    assert_described("record", &record);
    let budget = &record["run"]["budget"];
    let (asked, rules) = (count(&budget["rules_asked"]), count(&budget["rules"]));
    let (cells, all) = (count(&budget["cells_asked"]), count(&budget["cells"]));
    assert!(0 < asked && asked < rules, "{budget}");
    assert_eq!(record["cells"].as_array().unwrap().len(), cells);
    assert!(cells < all && budget["out_of_time"] == false, "{budget}");
    assert_eq!(budget["launches_left_out"].as_array().unwrap().len(), 3);

    let printed = stdout(&assert);
    let headline = printed.lines().next().unwrap();
    let share = format!("{word}{asked} of {rules} rules in ");
    assert!(headline.starts_with(&share), "{headline}");
    let cells = format!("({cells} of {all} cells)");
    assert!(headline.ends_with(&cells), "{headline}");
    for (file, place) in [
        (
            "r.xml",
            format!("<testsuites name=\"clawgauge: {headline}\""),
        ),
        ("r.tap", format!("# {headline}\n")),
        ("r.md", format!("**{headline}**\n")),
        ("r.summary", format!("## clawgauge\n\n**{headline}**\n")),
        ("r.html", format!("<p class=\"share\">{headline}</p>")),
        ("r.txt", format!("::notice title={headline}::")),
        (
            "r.sarif",
            format!("\"exitCodeDescription\": \"{headline}; "),
        ),
        ("r.ctrf.json", format!("\"why\":\"{headline}; ")),
    ] {
        let text = text(&sandbox, file);
        assert!(
            text.contains(&place),
            "{file} has no {place:?}:\n{text:.600}"
        );
    }
    assert!(text(&sandbox, "r.md").starts_with("**"));
    // What was not asked is named, here and there.
    let left: Vec<&Value> = budget["left_out"].as_array().unwrap().iter().collect();
    let unasked = left.iter().find(|rule| rule["asked"] == 0).unwrap();
    let rule = unasked["rule"].as_str().unwrap();
    for report in [&printed, &text(&sandbox, "r.md"), &text(&sandbox, "r.html")] {
        assert!(
            report.contains(rule),
            "{rule} is not named in {report:.2000}"
        );
    }
    // Rendered again and judged again it is the same part.
    let mut again = sandbox.clawgauge();
    again
        .args(["report", "r.json"])
        .assert()
        .stdout(starts_with(format!("{headline}\n")));
    let mut verify = sandbox.clawgauge();
    verify
        .args(["verify", "e.tar.gz"])
        .assert()
        .code(0)
        .stdout(contains(format!(
            "it is a part: {asked} of {rules} rules, asked within a budget of 15 s"
        )));
}

/// The rules that were not asked are those of the contract without those that were.
#[test]
fn the_record_says_which_rules_were_not_asked() {
    let (sandbox, _) = part("reference", 0);
    let mut whole = sandbox.clawgauge();
    whole
        .args(["run", "--report", "json=whole.json"])
        .assert()
        .code(0);
    let (part, whole) = (record(&sandbox, "r.json"), record(&sandbox, "whole.json"));
    let cells = |record: &Value, rule: &str| {
        let cells = record["cells"].as_array().unwrap().iter();
        cells
            .filter(|cell| cell["expected"]["rule"] == rule)
            .count()
    };
    let budget = &part["run"]["budget"];
    let mut short = 0;
    for rule in whole["rules"].as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        let (asked, of) = (cells(&part, id), cells(&whole, id));
        let mut left = budget["left_out"].as_array().unwrap().iter();
        let left = left.find(|left| left["rule"] == id);
        short += usize::from(asked < of);
        match left {
            None => assert_eq!(asked, of, "{id}"),
            Some(left) => {
                assert_eq!(
                    (count(&left["asked"]), count(&left["cells"])),
                    (asked, of),
                    "{id}"
                );
            }
        }
    }
    assert_eq!(budget["left_out"].as_array().unwrap().len(), short);
    assert_eq!(
        count(&budget["rules"]),
        whole["rules"].as_array().unwrap().len()
    );
    assert_eq!(
        count(&budget["cells"]),
        whole["cells"].as_array().unwrap().len()
    );
}

/// No record of a part loses a cell unseen: its counts say how many there must be.
#[test]
fn a_part_with_a_cell_taken_out_does_not_verify() {
    let (sandbox, _) = part("reference", 0);
    let mut record = record(&sandbox, "r.json");
    record["cells"].as_array_mut().unwrap().remove(3);
    record["summary"]["selected"] = (count(&record["summary"]["selected"]) - 1).into();
    record["summary"]["conforms"] = (count(&record["summary"]["conforms"]) - 1).into();
    let folder = sandbox.folder.path();
    let tar = |args: &[&str]| {
        let mut tar = std::process::Command::new("tar");
        assert!(
            tar.current_dir(folder)
                .args(args)
                .status()
                .unwrap()
                .success()
        );
    };
    fs::create_dir(folder.join("open")).unwrap();
    tar(&["-xzf", "e.tar.gz", "-C", "open"]);
    let mut found = walkdir(&folder.join("open"));
    found.retain(|path| path.ends_with("record.json"));
    fs::write(&found[0], serde_json::to_vec_pretty(&record).unwrap()).unwrap();
    let open = folder.join("open");
    let files = walkdir(&open);
    let files = files.iter().map(|path| path.strip_prefix(&open).unwrap());
    let files: Vec<&str> = files.map(|path| path.to_str().unwrap()).collect();
    tar(&[&["-czf", "changed.tar.gz", "-C", "open"], &files[..]].concat());
    let mut verify = sandbox.clawgauge();
    verify
        .args(["verify", "changed.tar.gz"])
        .assert()
        .stdout(contains("cells_asked").or(contains("left_out")));
}

fn walkdir(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => walkdir(&path),
            false => vec![path],
        })
        .collect()
}

/// Where everything fits, everything is asked, and nothing says that it was a part.
#[test]
fn where_everything_fits_it_is_a_whole_run() {
    let sandbox = Sandbox::new();
    sandbox.timings(0.1, 0.0);
    let assert = run(&sandbox, "5m", &["--report", "json=r.json"]).code(0);
    assert!(
        !stdout(&assert).contains("rules in "),
        "{}",
        stdout(&assert)
    );
    let budget = &record(&sandbox, "r.json")["run"]["budget"];
    assert_eq!(budget["cells"], budget["cells_asked"]);
    assert_eq!(budget["left_out"].as_array().unwrap().len(), 0);
    let last = stderr(&assert);
    assert!(
        last.contains("what fits into 5 min takes some 0.4 s by estimate (data)"),
        "{last}"
    );
}

/// A budget in which nothing fits asks nothing and launches nothing: that is no pass.
#[test]
fn a_budget_in_which_nothing_fits() {
    let sandbox = Sandbox::new();
    sandbox.timings(10.0, 0.0);
    let assert = run(&sandbox, "9s", &["--report", "json=r.json"]).code(4);
    let said = stderr(&assert);
    let last = said.lines().last().unwrap();
    assert_eq!(
        last,
        "clawgauge: no rule was asked: the launch that takes least takes some 10 s, and the budget is 9 s (exit code 4)"
    );
    assert!(said.starts_with("nothing fits into 9 s\n"), "{said}");
    assert!(!said.contains("starting profile"), "{said}");
    let record = record(&sandbox, "r.json");
    assert_eq!(
        record["gateways"][0]["launches"].as_array().unwrap().len(),
        0
    );
}

/// What would be asked, and what is left out, by rule, with estimates and where each comes from.
#[test]
fn a_plan_says_what_fits() {
    let sandbox = Sandbox::new();
    sandbox.timings(10.0, 0.0);
    let mut plan = sandbox.clawgauge();
    plan.args([
        "plan",
        "--budget",
        "25s",
        "--gateway",
        "reference",
        "--launches",
        "1",
    ]);
    let said = stdout(&plan.assert().code(0));
    let mut lines = said.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("on 2026.9.6, within 25 s: 2 of 4 launches, "),
        "{said}"
    );
    assert_eq!(
        lines.next().unwrap(),
        "some 20 s by estimate, 1 launch at a time"
    );
    for part in [
        "\nasked, in this order:\n  profile ",
        "\nleft out:\n  profile ",
        "\nrules asked:\n",
        "some 10 s (data)",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    // The run keeps to it.
    let asked = run(&sandbox, "25s", &["--report", "json=r.json"]).code(0);
    let budget = record(&sandbox, "r.json")["run"]["budget"].clone();
    let share = format!("{} of {} rules", budget["rules_asked"], budget["rules"]);
    assert!(first.ends_with(&share), "{first} and {}", stdout(&asked));
    let words = |text: &str, before: &str, after: char| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split_once(before));
        let names = lines.map(|(_, rest)| rest.split(after).next().unwrap().to_owned());
        names.collect()
    };
    let planned = said.split("\nleft out:").next().unwrap();
    let planned = words(planned, "  profile ", ':');
    assert_eq!(words(&stderr(&asked), "starting profile ", ' '), planned);
    assert_eq!(planned.len(), 2);
    // Without a budget the whole is estimated.
    let mut whole = sandbox.clawgauge();
    whole.args(["plan", "--gateway", "reference", "--launches", "2"]);
    whole.assert().code(0).stdout(contains(
        "some 20 s by estimate, 2 launches at a time (data)",
    ));
}

/// What a run of a release took is kept beside it, and later estimates are made of it, until the release is removed.
#[test]
fn estimates_come_from_earlier_runs() {
    let machine = Machine::new();
    let command = |args: &[&str]| {
        let mut command = machine.sandbox.clawgauge();
        command.env("PATH", machine.path()).args(args);
        command.assert()
    };
    let release = [
        "--release",
        "2026.9.6",
        "--where",
        "profile=none,token",
        "chat-completions/**",
    ];
    let plan =
        |flags: &[&str]| stdout(&command(&[&["plan"], &release[..], flags].concat()).code(0));
    assert!(plan(&[]).contains(" at a time (data)"), "{}", plan(&[]));
    let one = [
        "run",
        "--gateway",
        "openclaw@2026.9.6",
        "--where",
        "profile=none",
        "chat-completions/**",
    ];
    command(&one).code(0);
    let kept = machine
        .sandbox
        .folder
        .path()
        .join(".cache/clawgauge/openclaw/.2026.9.6.timings.json");
    assert!(kept.is_file());
    let said = plan(&["--budget", "10m"]);
    let line = |profile: &str| {
        let start = format!("  profile {profile}:");
        said.lines().find(|line| line.starts_with(&start)).unwrap()
    };
    assert!(line("none").ends_with("(measured, 1 run)"), "{said}");
    assert!(
        line("token").ends_with("(measured of other launches, 1 run)"),
        "{said}"
    );
    command(&one).code(0);
    assert!(plan(&[]).contains("2 runs"), "{}", plan(&[]));
    // It takes nothing away from what is installed, and goes with it.
    command(&["gateway", "list"]).stdout(contains("2026.9.6"));
    fs::write(&kept, "{").unwrap();
    assert!(plan(&[]).contains(" at a time (data)"), "{}", plan(&[]));
    command(&["gateway", "prune", "--all"]).code(0);
    assert!(!kept.exists());
}
