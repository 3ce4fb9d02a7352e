//! The time ends a run, whatever the estimates said.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;

use super::{count, record, run, stderr, stdout};
use crate::support::Sandbox;

/// A gateway that takes longer to start than anybody thought, under every profile but one.
fn slow_but_for(sandbox: &Sandbox, profile: &str) -> String {
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != --version ]; then\n  case $OPENCLAW_CONFIG_PATH in */{profile}/*) ;; *) exec sleep 600 ;; esac\nfi\nexec '{}' reference-gateway \"$@\"\n",
        binary.display()
    );
    sandbox.script("slow", &script)
}

/// Where the estimates were wrong the run ends with its time, names what it did not ask, and its verdict is about what it did.
#[test]
fn the_time_ends_whatever_the_estimates() {
    let sandbox = Sandbox::new();
    sandbox.timings(0.1, 0.0);
    let gateway = slow_but_for(&sandbox, "token");
    let begun = Instant::now();
    let flags = [
        "--launches",
        "4",
        "--gateway",
        &gateway,
        "--report",
        "json=r.json",
    ];
    let mut command = sandbox.clawgauge();
    command.args(["run", "--budget", "6s"]).args(flags);
    let assert = command.assert().code(0);
    // The time, what one launch takes to stop, and what clawgauge itself takes on a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(6 + 5 + 15));
    let record = record(&sandbox, "r.json");
    let budget = &record["run"]["budget"];
    assert_eq!(budget["out_of_time"], true);
    let cut: Vec<&str> = budget["launches_cut"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cut| cut["profile"].as_str().unwrap())
        .collect();
    assert_eq!(cut, ["none", "password", "trusted-proxy"]);
    assert!(count(&budget["took_ms"]) < 12_000, "{budget}");
    assert_eq!(record["summary"]["could_not_run"], 0);
    let profiles = record["cells"].as_array().unwrap().iter();
    let mut profiles: Vec<&str> = profiles
        .map(|cell| cell["axes"]["profile"].as_str().unwrap())
        .collect();
    profiles.dedup();
    assert_eq!(profiles, ["token"]);
    let (printed, said) = (stdout(&assert), stderr(&assert));
    assert!(printed.starts_with("GO for "), "{printed}");
    assert!(printed.contains("out of time: not asked are "), "{printed}");
    assert!(said.contains("cells of profile none"), "{said}");
    sandbox.assert_clean();
}

/// A deviation that was found in time is one, whatever was not asked.
#[test]
fn a_deviation_before_the_time_ends_is_a_deviation() {
    let sandbox = Sandbox::new();
    sandbox.timings(0.1, 0.0);
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != --version ]; then\n  case $OPENCLAW_CONFIG_PATH in */none/*) ;; *) exec sleep 600 ;; esac\nfi\nexec '{}' reference-gateway --misbehave ignores-scopes \"$@\"\n",
        binary.display()
    );
    let gateway = sandbox.script("slow-and-broken", &script);
    let mut command = sandbox.clawgauge();
    command.args([
        "run",
        "--budget",
        "6s",
        "--launches",
        "4",
        "--gateway",
        &gateway,
    ]);
    let assert = command.assert().code(1);
    assert!(
        stdout(&assert).starts_with("NO-GO for "),
        "{}",
        stdout(&assert)
    );
    sandbox.assert_clean();
}

/// Who got no answer at all in its time knows nothing.
#[rstest]
#[case::never_ready("never-ready")]
#[case::never_answers("hangs")]
fn a_time_in_which_nothing_is_answered(#[case] misbehaviour: &str) {
    let sandbox = Sandbox::new();
    sandbox.timings(0.1, 0.0);
    let gateway = sandbox.broken_gateway(misbehaviour);
    let assert = run(&sandbox, "3s", &["--gateway", &gateway]).code(4);
    let said = stderr(&assert);
    let last = said.lines().last().unwrap();
    assert_eq!(
        last,
        "clawgauge: no rule was asked: the budget of 3 s was over before any cell was answered (exit code 4)"
    );
    sandbox.assert_clean();
}

/// A launch that is cut while it asks: what was answered counts, what was under way does not.
#[test]
fn a_launch_is_cut_while_it_asks() {
    let sandbox = Sandbox::whole();
    sandbox.timings(0.1, 0.0);
    // Chats drip; everything else is answered at once.
    let gateway = sandbox.broken_gateway("drips");
    let flags = [
        "chat-completions/**",
        "endpoints/**",
        "--where",
        "profile=token",
        "--gateway",
        &gateway,
        "--jobs",
        "400",
        "--report",
        "json=r.json",
    ];
    let assert = run(&sandbox, "5s", &flags).code(0);
    let record = record(&sandbox, "r.json");
    let budget = &record["run"]["budget"];
    let cut = count(&budget["launches_cut"][0]["cells"]);
    assert!(cut > 0, "{budget}");
    assert_eq!(count(&budget["cells_asked"]) + cut, count(&budget["cells"]));
    assert!(count(&budget["cells_asked"]) > 0);
    assert_eq!(record["gateways"][0]["launches"][0]["failure"], Value::Null);
    assert!(
        stdout(&assert).starts_with("GO for "),
        "{}",
        stdout(&assert)
    );
    sandbox.assert_clean();
}

/// Denials whose positive control did not come to its end in time are not asked, rather than unproven; who was let in was.
#[test]
fn a_denial_is_told_only_with_its_positive_control() {
    let sandbox = Sandbox::whole();
    sandbox.timings(0.1, 0.0);
    let gateway = sandbox.broken_gateway("hangs");
    let flags = [
        "endpoints/**",
        "--where",
        "profile=token",
        "--where",
        "endpoint=models,model",
        "--gateway",
        &gateway,
        "--jobs",
        "400",
        "--report",
        "json=r.json",
    ];
    run(&sandbox, "4s", &flags).code(0);
    let record = record(&sandbox, "r.json");
    assert_eq!(record["gateways"][0]["launches"][0]["proof"], "missing");
    assert_eq!(record["summary"]["could_not_run"], 0);
    let cells = record["cells"].as_array().unwrap();
    assert!(!cells.is_empty());
    let let_in = |cell: &Value| cell["observed"]["direction"] == "allow";
    assert!(cells.iter().all(let_in), "{cells:#?}");
    sandbox.assert_clean();
}

/// A sequence whose time ends between two steps says nothing: none of its steps is told.
#[test]
fn a_sequence_is_told_whole_or_not_at_all() {
    let sandbox = Sandbox::whole();
    sandbox.timings(0.1, 0.0);
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] || sleep 3\nexec '{}' reference-gateway \"$@\"\n",
        binary.display()
    );
    let gateway = sandbox.script("late", &script);
    let flags = [
        "rotation/**",
        "probes/**",
        "--where",
        "profile=rotation",
        "--gateway",
        &gateway,
    ];
    let assert = run(&sandbox, "7s", &flags).code(4);
    let said = stderr(&assert);
    assert!(
        said.contains("not asked: 4 cells of profile rotation"),
        "{said}"
    );
    sandbox.assert_clean();
}

/// Another client that is still waiting when the time is over was not asked, as any request then.
#[test]
fn a_client_that_waits_when_the_time_ends_was_not_asked() {
    let sandbox = Sandbox::whole();
    sandbox.timings(0.1, 0.0);
    let script = sandbox.root().join("fixtures/senders/curl.sh");
    std::fs::write(script, "cat > /dev/null; sleep 600").unwrap();
    let flags = [
        "client-libraries/**",
        "--where",
        "sender=curl,harness",
        "--where",
        "profile=token",
        "--report",
        "json=r.json",
    ];
    run(&sandbox, "5s", &flags).code(0);
    let record = record(&sandbox, "r.json");
    assert_eq!(record["summary"]["could_not_run"], 0);
    let budget = &record["run"]["budget"];
    assert!(count(&budget["launches_cut"][0]["cells"]) > 0, "{budget}");
    sandbox.assert_clean();
}
