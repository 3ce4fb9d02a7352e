//! Where a part would be taken for a whole run, it is refused.

use std::fs;

use predicates::str::contains;
use rstest::rstest;

use super::{part, run, text};
use crate::support::Sandbox;

#[rstest]
#[case::shards(&["--shard", "1/2"], "cannot be used with")]
#[case::watch(&["--watch"], "cannot be used with")]
#[case::several_gateways(&["--gateway", "reference", "--gateway", "openclaw@2026.9.6"], "a budget is for one gateway")]
fn flags_that_do_not_go_with_it(#[case] flags: &[&str], #[case] why: &str) {
    let sandbox = Sandbox::new();
    run(&sandbox, "2m", flags).code(2).stderr(contains(why));
}

#[rstest]
#[case("0")]
#[case("-1s")]
#[case("soon")]
#[case("9d")]
fn what_is_no_time(#[case] budget: &str) {
    let sandbox = Sandbox::new();
    let mut command = sandbox.clawgauge();
    let flag = format!("--budget={budget}");
    command.args(["run", &flag]).assert().code(2);
}

#[test]
fn a_part_is_no_baseline_no_shard_and_no_record_of_a_survey() {
    let (sandbox, _) = part("reference", 0);
    let mut command = sandbox.clawgauge();
    let baseline = command.args(["run", "--baseline", "r.json"]).assert();
    baseline
        .code(2)
        .stderr(contains("it is a part: "))
        .stderr(contains("newly broken"));
    let mut command = sandbox.clawgauge();
    let merged = command.args(["merge", "r.json"]).assert();
    merged
        .code(2)
        .stderr(contains("is no shard: it is a part: "));
    let folder = sandbox.folder.path().join("records");
    fs::create_dir(&folder).unwrap();
    let renamed = text(&sandbox, "r.json").replace("\"reference\"", "\"openclaw@2026.9.6\"");
    fs::write(folder.join("2026.9.6.json"), renamed).unwrap();
    let mut command = sandbox.clawgauge();
    let survey = command
        .args(["survey", "--from", "records", "--html", "site"])
        .assert();
    survey.code(2).stderr(contains("it is a part: "));
}

#[test]
fn a_comparison_says_that_a_side_is_a_part() {
    let (sandbox, _) = part("reference", 0);
    let mut command = sandbox.clawgauge();
    command
        .args(["run", "--report", "json=whole.json"])
        .assert()
        .code(0);
    for format in ["text", "markdown", "json"] {
        let mut command = sandbox.clawgauge();
        let said = command.args(["compare", "whole.json", "r.json", "--format", format]);
        said.assert().code(0).stdout(contains("it is a part: "));
    }
}

/// Rows that were not asked are neither accepted nor taken for gone; what was asked does not become pending either.
#[test]
fn a_part_writes_no_snapshots() {
    let sandbox = Sandbox::new();
    sandbox.timings(10.0, 0.0);
    fs::remove_dir_all(sandbox.root().join("snapshots/chat-completions")).unwrap();
    let pending = |sandbox: &Sandbox| {
        let folder = sandbox.root().join("snapshots");
        super::walkdir(&folder).len()
    };
    let before = pending(&sandbox);
    run(&sandbox, "15s", &[]).code(1);
    assert_eq!(pending(&sandbox), before);
    // A whole run does, so that this could have failed.
    run(&sandbox, "5m", &[]).code(1);
    assert!(pending(&sandbox) > before);
}
