//! How commands end: exit codes and which one counts, signals, and what a terminal or a workflow of GitHub gets to see.

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::operator::Operator;
use crate::support::releases::Machine;
use crate::support::{Sandbox, processes_of, repository, until_said};
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const OPEN: [&str; 2] = ["--where", "profile=none"];

/// A sandbox with the record and the bundle of a run whose gateway breaks the contract.
fn with_broken_run() -> Sandbox {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let args = ["--report", "json=r.json", "--bundle", "e.tar.gz"];
    let mut run = sandbox.clawgauge();
    run.args(["run", "--gateway", &gateway])
        .args(OPEN)
        .args(args);
    run.assert().code(1);
    sandbox
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn last_line(output: &Output) -> String {
    stderr(output).lines().last().unwrap_or_default().to_owned()
}

/// What stands between the line that stops commands and the one that ends this.
#[track_caller]
fn guarded(text: &str) -> &str {
    let (before, rest) = text.split_once("::stop-commands::").unwrap();
    let (word, rest) = rest.split_once('\n').unwrap();
    let (inside, after) = rest.split_once(&format!("::{word}::\n")).unwrap();
    // What follows are the annotations that clawgauge makes itself.
    let ours = |line: &str| {
        let mut kinds = ["::error title=", "::warning title=", "::notice title="].iter();
        line.is_empty() || kinds.any(|kind| line.starts_with(kind))
    };
    assert!(
        before.is_empty() && after.lines().all(ours),
        "{before:?} and {after:?} are not guarded"
    );
    inside
}

#[test]
fn help_and_decision_hold_the_same_table() {
    let help = stdout(&Sandbox::new().clawgauge().arg("--help").output().unwrap());
    let decision = repository().join("harness/decisions/0003-exit-codes.md");
    let decision = fs::read_to_string(decision).unwrap();
    let rows: Vec<(&str, &str)> = decision
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?
                .strip_suffix(" |")?
                .split_once(" | ")
        })
        .filter(|(code, _)| code.parse::<u8>().is_ok())
        .collect();
    assert_eq!(rows.len(), 7);
    let (_, table) = help.split_once("Exit codes:\n").unwrap();
    let told: Vec<(&str, &str)> = table
        .lines()
        .map_while(|line| line.trim_start().split_once("  "))
        .collect();
    assert_eq!(told, rows);
    let order = "Where several apply, the first of 70, 130, 1, 3, 4, 2, 0 counts";
    assert!(help.contains(order) && decision.contains(order), "{help}");
}

/// A report that cannot be written is told, and only where everything else is well it decides the exit code.
#[rstest]
#[case::holds("reference", 2, "cannot write the json report to /dev/full")]
#[case::broken("ignores-scopes", 1, "deviate")]
#[case::no_gateway("dies-at-start", 3, "exit code 7")]
fn an_unwritable_report(#[case] misbehaviour: &str, #[case] code: i32, #[case] why: &str) {
    let sandbox = Sandbox::new();
    let gateway = match misbehaviour {
        "reference" => "reference".to_owned(),
        misbehaviour => sandbox.broken_gateway(misbehaviour),
    };
    let mut run = sandbox.clawgauge();
    run.args(["run", "--gateway", &gateway, "--report", "json=/dev/full"]);
    let output = run
        .args(OPEN)
        .args(["--report", "tap=r.tap"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    let last = last_line(&output);
    assert!(last.contains(why), "{last}");
    assert!(last.ends_with(&format!("(exit code {code})")), "{last}");
    assert!(stderr(&output).contains("cannot write the json report to /dev/full"));
    // The other report is written all the same.
    assert!(sandbox.folder.path().join("r.tap").exists());
}

/// `| head -1` changes nothing.
#[rstest]
#[case::terminal(&[], 0)]
#[case::tap(&["--report", "tap=-"], 0)]
#[case::junit(&["--report", "junit=-"], 0)]
#[case::json_and_the_code_of_the_run(&["--report", "json=-", "--exit-code"], 1)]
fn a_closed_pipe(#[case] flags: &[&str], #[case] code: i32) {
    let sandbox = with_broken_run();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    let output = command
        .current_dir(sandbox.folder.path())
        .args(["report", "r.json"])
        .args(flags)
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
}

#[rstest]
#[case::terminal(&["report", "r.json"], 0)]
#[case::tap_beside_annotations(&["report", "r.json", "--report", "tap=-", "--report", "annotations=a.txt"], 0)]
#[case::bundle(&["verify", "e.tar.gz"], 0)]
fn records_in_a_workflow(#[case] args: &[&str], #[case] code: i32) {
    let sandbox = with_broken_run();
    let mut command = sandbox.clawgauge();
    let output = command
        .env("GITHUB_ACTIONS", "true")
        .args(args)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    // TAP is for a program: nothing else may stand on stdout then.
    let (guarded_text, other) = match args.len() {
        2 => (stdout(&output), stderr(&output)),
        _ => (stderr(&output), stdout(&output)),
    };
    guarded(&guarded_text);
    assert!(!other.contains("stop-commands"), "{other}");
    assert!(stdout(&output).contains("unexpected-allow") || args[0] == "verify");
}

#[test]
fn attach_in_a_workflow() {
    let sandbox = Sandbox::whole();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    command.arg("reference-gateway");
    let gateway = Operator::start(command, json!({ "mode": "none" }), json!({}));
    let mut attach = sandbox.clawgauge();
    attach.env("GITHUB_ACTIONS", "true");
    let args = [
        "attach",
        &gateway.url(),
        "--rate",
        "1000",
        "--max-requests",
        "40",
    ];
    let output = attach.args(args).output().unwrap();
    let text = stdout(&output);
    let inside = guarded(&text);
    assert!(inside.contains("selected"), "{inside}");
}

#[rstest]
#[case::text("text")]
#[case::json("json")]
fn bisect_in_a_workflow(#[case] format: &str) {
    let machine = Machine::new();
    let mut bisect = machine.sandbox.clawgauge();
    let output = bisect
        .env("PATH", machine.path())
        .env("GITHUB_ACTIONS", "true")
        .args([
            "bisect",
            "chat-completions/profile=none/credential=absent/scopes=read",
        ])
        .args([
            "--good",
            "2026.5.28",
            "--bad",
            "2026.9.6",
            "--format",
            format,
        ])
        .output()
        .unwrap();
    match format {
        "text" => drop(guarded(&stdout(&output)).to_owned()),
        _ => {
            guarded(&stderr(&output).replace(&last_line(&output), ""));
            assert!(!stdout(&output).contains("stop-commands"));
        }
    }
}

/// A name may hold anything, and is quoted in messages.
#[rstest]
#[case::report(&["report"])]
#[case::verify(&["verify"])]
#[case::baseline(&["run", "--baseline"])]
#[case::bisect(&["bisect"])]
#[case::attach(&["attach"])]
#[case::no_command(&[])]
#[case::no_value(&["run", "--known-issues"])]
fn messages_that_quote(#[case] args: &[&str]) {
    let sandbox = Sandbox::new();
    let name = "no\n::error::owned\n  ::warning::owned\u{1b}]0;owned\u{7}\u{9b}2J##[error]owned";
    let mut command = sandbox.clawgauge();
    let output = command
        .env("GITHUB_ACTIONS", "true")
        .args(args)
        .arg(name)
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(0));
    let text = stderr(&output);
    assert!(!text.contains("##[error]"), "{text}");
    let obeyed = |line: &str| {
        let line = line.trim_start();
        line.starts_with("::error") || line.starts_with("::warning")
    };
    assert!(!text.lines().any(obeyed), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{text:?}");
}

/// Progress quotes, too; it stands within the guard.
#[test]
fn progress_that_quotes() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.clawgauge();
    command.env("GITHUB_ACTIONS", "true");
    let output = command.args(["run", "--gateway", "./no\u{1b}]0;owned\u{7}such"]);
    let output = output.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    guarded(&stdout(&output));
    let text = stderr(&output);
    assert!(text.contains("such: there is no such file"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
}

/// A gateway that never gets ready and does not stop when it is asked to.
fn stubborn(sandbox: &Sandbox) -> String {
    let gauge = assert_cmd::cargo::cargo_bin!("clawgauge").display();
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec '{gauge}' reference-gateway --version\n\
         trap '' TERM\nwhile :; do sleep 0.2; done\n"
    );
    sandbox.script("stubborn", &script)
}

fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env("TMPDIR", sandbox.temp())
        .env_remove("CI")
        .current_dir(sandbox.folder.path())
        .arg("--root")
        .arg(sandbox.root())
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

/// Whoever asks twice does not wait for the gateway, which is killed.
#[test]
fn a_second_signal_ends_at_once() {
    let sandbox = Sandbox::new();
    let gateway = stubborn(&sandbox);
    let child = start(&sandbox, &["run", "--gateway", &gateway, OPEN[0], OPEN[1]]);
    let begun = Instant::now();
    while processes_of(&sandbox.temp().join("clawgauge-")).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no gateway");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    // From the first signal on the gateway alone would have had five seconds.
    assert!(
        asked.elapsed() < Duration::from_millis(4_500),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(output.status.code(), Some(130));
    let last = last_line(&output);
    assert!(last.ends_with("(exit code 130)"), "{last}");
    sandbox.assert_clean();
}

/// Once the work is done the first signal is enough, even where a report waits for a reader.
#[test]
fn a_signal_while_a_report_waits_for_its_reader() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let report = format!("tap={}", pipe.display());
    let mut child = start(&sandbox, &["run", OPEN[0], OPEN[1], "--report", &report]);
    until_said(child.stdout.as_mut().unwrap(), " conform");
    std::thread::sleep(Duration::from_millis(500));
    let asked = Instant::now();
    interrupt(&child);
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(asked.elapsed() < Duration::from_secs(4));
    assert!(text.ends_with("interrupted (exit code 130)\n"), "{text}");
    sandbox.assert_clean();
}
