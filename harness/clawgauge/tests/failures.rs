//! What goes wrong around a run: gateways that do not start, die, hang or do not stop; people who press Ctrl-C.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use predicates::str::contains;
use rstest::rstest;
use support::{Sandbox, processes_of};

/// The gateway does not start or stay up: exit code 3, what happened and what to do, and nothing left behind.
#[rstest]
#[case::never_ready("never-ready", &["not ready after 2 s (no 200 from /readyz, /ready, /health, /healthz)", "--ready-timeout"])]
#[case::never_listens("never-listens", &["not ready after 2 s", "command: "])]
#[case::dies_at_start("dies-at-start", &["exit code 7", "fatal: line 300 of 300", "profile token", "openclaw.json"])]
#[case::refuses_and_stays("refuses-and-stays", &["Gateway failed to start: told to refuse"])]
#[case::dies_midway("dies-after-requests", &["the gateway ended while it was asked: exit code 9"])]
fn gateways_that_fail(#[case] misbehaviour: &str, #[case] told: &[&str]) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway(misbehaviour);
    let args = [
        "run",
        "--gateway",
        &gateway,
        "--where",
        "profile=token",
        "--ready-timeout",
        "2",
        "--timeout",
        "5",
    ];
    let mut run = sandbox.clawgauge().args(args).assert().code(3);
    for text in told {
        run = run.stderr(contains(*text));
    }
    run.stdout(contains("could-not-run"));
    sandbox.assert_clean();
}

/// No answer is never a pass, and a launch without answers is given up before every cell has waited.
#[rstest]
#[case::hangs("hangs", "no full answer within 0.5 s")]
#[case::drips("drips", "no full answer within 0.5 s")]
#[case::junk("answers-junk", "the answer is not HTTP")]
fn gateways_that_do_not_answer(#[case] misbehaviour: &str, #[case] told: &str) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway(misbehaviour);
    let args = [
        "run",
        "--gateway",
        &gateway,
        "--where",
        "profile=none,token",
        "--timeout",
        "0.5",
    ];
    let started = Instant::now();
    let code = if misbehaviour == "answers-junk" { 4 } else { 3 };
    sandbox
        .clawgauge()
        .args(args)
        .assert()
        .code(code)
        .stdout(contains(told));
    assert!(started.elapsed() < Duration::from_secs(30));
    sandbox.assert_clean();
}

#[rstest]
#[case::floods("floods-output")]
#[case::ignores_sigterm("ignores-sigterm")]
#[case::children("spawns-child")]
fn gateways_that_are_hard_to_live_with(#[case] misbehaviour: &str) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway(misbehaviour);
    let args = [
        "run",
        "--gateway",
        &gateway,
        "--where",
        "profile=none",
        "--where",
        "scopes=absent,read",
    ];
    sandbox
        .clawgauge()
        .args(args)
        .assert()
        .code(0)
        .stdout(contains("28 selected, 28 conform"));
    sandbox.assert_clean();
}

/// Ctrl-C, SIGTERM and SIGHUP end a run cleanly, while a gateway boots and while it is asked.
#[rstest]
#[case::interrupt_while_booting("never-ready", "INT")]
#[case::interrupt_while_asking("hangs", "INT")]
#[case::terminate_while_asking("hangs", "TERM")]
#[case::terminal_closed_while_asking("hangs", "HUP")]
fn signals(#[case] misbehaviour: &str, #[case] signal: &str) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway(misbehaviour);
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env("TMPDIR", sandbox.temp())
        .env_remove("CI")
        .args([
            "--root",
            sandbox.root().to_str().unwrap(),
            "run",
            "--gateway",
            &gateway,
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The run's own process carries the folder in its environment, too: wait for a second one.
    let deadline = Instant::now() + Duration::from_secs(20);
    while processes_of(&sandbox.temp().join("clawgauge-")).is_empty() {
        assert!(Instant::now() < deadline, "no gateway was started");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    let id = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status()
            .unwrap()
            .success()
    );
    let output = {
        let status = child.wait().unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
        (status.code(), text)
    };
    assert_eq!(output.0, Some(130), "{}", output.1);
    assert!(
        output.1.trim_end().ends_with("interrupted (exit code 130)"),
        "{}",
        output.1
    );
    sandbox.assert_clean();
}

#[rstest]
#[case::no_such_file("./nothing/openclaw.mjs", "there is no such file")]
#[case::folder("./tmp", "is a folder")]
fn paths_that_are_no_gateway(#[case] path: &str, #[case] told: &str) {
    let sandbox = Sandbox::new();
    sandbox
        .clawgauge()
        .args(["run", "--gateway", path])
        .assert()
        .code(3)
        .stderr(contains(told));
    sandbox.assert_clean();
}

#[test]
fn a_report_that_cannot_be_written_is_found_out_first() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .clawgauge()
        .args(["run", "--report", "json=no/such/folder/r.json"])
        .assert();
    run.code(2)
        .stderr(contains("cannot write no/such/folder/r.json"))
        .stdout("");
}
