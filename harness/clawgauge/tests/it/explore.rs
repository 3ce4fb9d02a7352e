//! `clawgauge explore`, on the reference gateway and on seeded faults of it that it was not told of.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::schema::assert_described;
use crate::support::{Sandbox, until_said};
use clawgauge::studies::explore::{Exploration, Finding};
use predicates::str::contains;
use rstest::rstest;

/// Explores a gateway; the document and what is said on stderr.
fn explore(sandbox: &Sandbox, gateway: &str, code: i32, flags: &[&str]) -> (Exploration, String) {
    let mut command = sandbox.clawgauge();
    let done = command
        .args(["explore", "--format", "json", "--gateway", gateway])
        .args(flags)
        .assert()
        .code(code);
    sandbox.assert_clean();
    let output = done.get_output();
    assert_described(
        "exploration",
        &serde_json::from_slice(&output.stdout).unwrap(),
    );
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (Exploration::read(&output.stdout).unwrap(), said)
}

/// Its own data, with fewer requests for each launch, launches of these profiles only, and two values of each option: the
/// reference gateway starts once with each value first.
fn with_few(profiles: &str) -> Sandbox {
    let sandbox = Sandbox::whole();
    let file = "scenarios/explore.toml";
    sandbox.edit(file, "most = 260", "most = 70");
    let all = "profiles = [\"none\", \"token\", \"password\", \"trusted-proxy\"]\n";
    sandbox.edit(file, all, &format!("profiles = [{profiles}]\n"));
    let path = sandbox.root().join(file);
    let mut values = 0;
    let text = fs::read_to_string(&path).unwrap();
    let kept = text.lines().filter(|line| {
        values = match line.starts_with("  { id = ") {
            true => values + 1,
            false => 0,
        };
        values < 3
    });
    fs::write(&path, kept.collect::<Vec<_>>().join("\n")).unwrap();
    sandbox
}

fn by(finding: &Finding) -> Vec<&str> {
    finding.by.iter().map(String::as_str).collect()
}

/// Whatever is tried, a gateway answers as itself, and every law holds.
#[test]
fn a_sound_gateway_is_fine() {
    let sandbox = Sandbox::new();
    let (found, said) = explore(&sandbox, "reference", 0, &["--launches-at-most", "10"]);
    assert_eq!(found.findings, []);
    assert_eq!((found.launches.len(), found.earlier), (10, 0));
    assert!(
        found.answered > 2_500 && found.not_judged.is_empty() && found.not_asked.is_empty(),
        "{said}"
    );
    assert!(said.contains("10 launches of reference tried"), "{said}");
}

/// A fault that no rule was written for here is found, told by what makes it show, and shown again by as little as possible.
#[rstest]
#[case("query-token-accepted", "token", "guess=query", "unexpected-allow")]
#[case(
    "none-demands-token",
    "none",
    "second-secret=token-beside",
    "unexpected-deny"
)]
#[case("unknown-scope-as-admin", "none", "scopes=unknown", "unexpected-allow")]
fn a_fault_is_found(
    #[case] fault: &str,
    #[case] profile: &str,
    #[case] cause: &str,
    #[case] deviation: &str,
) {
    let sandbox = with_few(&format!("\"{profile}\""));
    let gateway = sandbox.faulty_gateway(fault);
    let (found, said) = explore(&sandbox, &gateway, 1, &["--launches-at-most", "8"]);
    let shows = |finding: &&Finding| {
        let kind = finding.deviation.map_or("", |kind| kind.name());
        by(finding).contains(&cause) && kind == deviation
    };
    let finding = found.findings.iter().find(shows);
    let finding = finding.unwrap_or_else(|| panic!("{fault}: {said}\n{:#?}", found.findings));
    assert_eq!(finding.again, Some(true), "{finding:#?}");
}

/// A folder makes the next exploration go on, and holds scenario files whose cells show what was found.
#[test]
fn a_corpus_goes_on_and_shows_what_was_found() {
    let sandbox = with_few("\"none\", \"token\"");
    let gateway = sandbox.faulty_gateway("query-token-accepted");
    let flags = ["--launches-at-most", "6", "--corpus", "corpus"];
    // What an earlier exploration left of launches that are not kept any more.
    let scenarios = sandbox.folder.path().join("corpus/scenarios");
    fs::create_dir_all(&scenarios).unwrap();
    fs::write(scenarios.join("explore-socket.toml"), "of other launches").unwrap();
    let (first, _) = explore(&sandbox, &gateway, 1, &flags);
    let example = &first.findings[0].example;
    let corpus = |args: &[&str]| {
        let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
        command.env("TMPDIR", sandbox.temp()).env("NO_COLOR", "1");
        command.current_dir(sandbox.folder.path().join("corpus"));
        command.args(args).assert()
    };
    corpus(&["check"]).success();
    let cell = ["run", example, "--gateway"];
    let shown = corpus(&[&cell[..], &[&gateway]].concat());
    shown.code(1).stdout(contains("unexpected-allow"));
    // What it must answer, no snapshot holds yet.
    let right = corpus(&[&cell[..], &["reference"]].concat());
    right.code(1).stdout(contains("1 new"));
    let script = corpus(&["repro", example, "--gateway", "openclaw@2026.9.6"]);
    script.success().stdout(contains("token="));

    let mut command = sandbox.clawgauge();
    command
        .args(["explore", "--format", "json", "--gateway", "reference"])
        .args(flags);
    let second = Exploration::read(&command.assert().success().get_output().stdout).unwrap();
    assert_eq!((second.launches.len(), second.earlier), (12, 6));
    assert_eq!(second.launches[..6], first.launches[..]);
    let new = &second.launches[6..];
    assert!(new.iter().all(|tried| !first.launches.contains(tried)));
}

/// The same seed finds the same, another one tries other launches.
#[test]
fn a_seed_names_what_is_tried() {
    let sandbox = with_few("\"none\", \"token\"");
    sandbox.edit("scenarios/explore.toml", "most = 70", "most = 4");
    let tried = |seed: &str| {
        let flags = ["--launches-at-most", "5", "--seed", seed];
        explore(&sandbox, "reference", 0, &flags).0.launches
    };
    let first = tried("5");
    assert_eq!(first, tried("5"));
    assert_ne!(first, tried("6"));
}

/// Another gateway may say what is expected.
#[test]
fn another_gateway_is_an_oracle() {
    let sandbox = with_few("\"none\", \"token\"");
    let gateway = sandbox.faulty_gateway("query-token-accepted");
    let flags = ["--launches-at-most", "4", "--against", &gateway];
    let (found, _) = explore(&sandbox, "reference", 1, &flags);
    let finding = found
        .findings
        .iter()
        .find(|finding| by(finding).contains(&"guess=query"));
    let finding = finding.unwrap_or_else(|| panic!("{:#?}", found.findings));
    assert_eq!(
        finding.deviation.map(|kind| kind.name()),
        Some("unexpected-deny")
    );
    let against = &found.findings[0].broken[0];
    assert_eq!(*against, format!("{gateway} answers otherwise"));
    let (same, _) = explore(
        &sandbox,
        &gateway,
        1,
        &["--launches-at-most", "4", "--against", &gateway],
    );
    // What a law says, no oracle excuses.
    assert!(
        same.findings
            .iter()
            .all(|finding| finding.deviation.is_none()),
        "{:#?}",
        same.findings
    );
    assert!(
        same.findings
            .iter()
            .any(|finding| by(finding).contains(&"guess=query"))
    );
}

#[test]
fn what_cannot_be_meant() {
    let sandbox = Sandbox::whole();
    let refused = |flags: &[&str], words: &str| {
        let mut command = sandbox.clawgauge();
        command
            .arg("explore")
            .args(flags)
            .assert()
            .code(2)
            .stderr(contains(words));
        sandbox.assert_clean();
    };
    let corpus = sandbox.root().join("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("exploration.json"), "{}").unwrap();
    let corpus = corpus.display().to_string();
    refused(
        &["--corpus", &corpus],
        "name the folder of an earlier exploration",
    );
    refused(&["--budget", "soon"], "soon");
    let file = "scenarios/explore.toml";
    sandbox.edit(file, "with = [\"hooks\"]", "with = [\"hoks\"]");
    refused(&[], "there is no option `hoks`");
    sandbox.edit(file, "with = [\"hoks\"]", "with = [\"hooks\"]");
    sandbox.edit(
        file,
        "\"canvas\", \"a2ui\", \"channels\"",
        "\"canvs\", \"a2ui\", \"channels\"",
    );
    refused(&["--launches-at-most", "40"], "canvs");
    let mut check = sandbox.clawgauge();
    check
        .arg("check")
        .assert()
        .code(2)
        .stderr(contains("canvs"));
}

/// A gateway that cannot be had or never starts is no finding.
#[test]
fn trouble_is_no_finding() {
    let sandbox = with_few("\"none\", \"token\"");
    let mut command = sandbox.clawgauge();
    let missing = command.args(["explore", "--gateway", "./not-there"]);
    missing.assert().code(3).stderr(contains("not-there"));
    let mut command = sandbox.clawgauge();
    let short = command.args(["explore", "--budget", "1s"]);
    short.assert().code(4).stderr(contains("give it more time"));
    sandbox.assert_clean();
}

/// Whoever stops it gets what was found so far, and nothing is left behind.
#[test]
fn an_interruption_leaves_nothing_behind() {
    let sandbox = with_few("\"none\", \"token\"");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    command
        .env("TMPDIR", sandbox.temp())
        .current_dir(sandbox.folder.path())
        .arg("--root")
        .arg(sandbox.root());
    command.args(["explore", "--gateway", "reference", "--format", "json"]);
    let mut running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = until_said(
        running.stderr.as_mut().unwrap(),
        "launches of reference tried",
    );
    let pid = rustix::process::Pid::from_child(&running);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let found = Exploration::read(&output.stdout).unwrap();
    assert!(found.interrupted && found.answered > 0);
    sandbox.assert_clean();
}
