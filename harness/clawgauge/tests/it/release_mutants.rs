//! `clawgauge mutants --gateway`, on a small gateway in JavaScript. What reads the code comes from npm, so the tests that run it are
//! ignored unless asked for.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support;
use crate::support::{Sandbox, repository};
use assert_cmd::assert::Assert;
use clawgauge::studies::mutation::{Fate, MutantReport, MutantResult, Score};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

/// The cells that the small gateway knows, a part.
const CELLS: &str = "chat-completions/profile={none,token}/credential={absent,valid,wrong}/**";

/// Seconds that a request to a mutant may take: some never answer.
const SILENCE: &str = "8";
/// What a command may take on a busy machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(900);

fn small_gateway(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.folder.path().join("js-gateway");
    support::copy(&repository().join("fixtures/js-gateway"), &folder);
    folder.join("openclaw.mjs")
}

fn tried(sandbox: &Sandbox, gateway: &Path, flags: &[&str]) -> (Assert, MutantReport) {
    let json = sandbox.folder.path().join("mutants.json");
    let done = sandbox
        .clawgauge()
        .timeout(PATIENCE)
        .args(["mutants", CELLS, "--timeout", SILENCE, "--gateway"])
        .arg(gateway)
        .arg("--json")
        .arg(&json)
        .args(flags)
        .assert();
    let report = MutantReport::read(&fs::read(json).unwrap()).unwrap();
    (done, report)
}

/// The one mutant of an operator whose text begins so.
fn one<'a>(report: &'a MutantReport, operator: &str, was: &str) -> &'a MutantResult {
    let mut found = report.mutants.iter();
    let is_it =
        |one: &&MutantResult| one.change.operator == operator && one.change.was.starts_with(was);
    found
        .find(is_it)
        .unwrap_or_else(|| panic!("no {operator} of {was}"))
}

fn killed_by<'a>(report: &'a MutantReport, operator: &str, was: &str) -> (&'a str, &'a str) {
    match &one(report, operator, was).fate {
        Fate::Killed { cell, how } => (cell, how),
        fate => panic!("{operator} of {was}: {fate:?}"),
    }
}

/// What cells notice, what nobody can, what nobody reaches, and what does not start.
#[test]
#[ignore = "installs acorn"]
fn the_fates_of_mutants() {
    let sandbox = Sandbox::new();
    let gateway = small_gateway(&sandbox);
    let (done, report) = tried(&sandbox, &gateway, &[]);
    done.code(1).stderr(contains("95 % are asked for"));

    let (cell, how) = killed_by(&report, "boolean", "false");
    assert_eq!(how, "unexpected-allow", "{cell}");
    let (cell, how) = killed_by(&report, "some-every", "scopes.some");
    assert!(
        cell.contains("profile=none") && how == "unexpected-deny",
        "{cell} {how}"
    );
    // One that never answers is noticed, too.
    assert_eq!(
        killed_by(&report, "check-skipped", "sendUnauthorized(").1,
        "no answer"
    );

    // What compares two values in another order is the same program.
    let same = one(&report, "arguments-swapped", "a, b");
    assert!(
        matches!(same.fate, Fate::Survived { asked } if asked == same.cells),
        "{same:?}"
    );
    assert_eq!(same.cells, 13);

    assert_eq!(
        one(&report, "condition-true", "!login").fate,
        Fate::NotReached
    );
    // With a launch of its own, since it runs at the start.
    let start = one(&report, "condition-negated", "mode !== \"none\"");
    assert!(matches!(start.fate, Fate::Broken { .. }), "{start:?}");
    let start = one(&report, "condition-false", "mode !== \"none\"");
    assert!(matches!(start.fate, Fate::Survived { .. }), "{start:?}");

    let Score {
        killed,
        broken,
        survived,
        undecided,
        ..
    } = report.score;
    assert!(
        killed > 40 && broken > 3 && survived < 15,
        "{:?}",
        report.score
    );
    assert_eq!(undecided, 0);
    assert_eq!(report.mutants.len(), report.head.all);
    assert_eq!(fs::read_dir(sandbox.temp()).unwrap().count(), 0);
}

/// A sample is the same for the same seed, what is known is not tried again, and reasons count.
#[test]
#[ignore = "installs acorn"]
fn samples_resumption_and_reasons() {
    let sandbox = Sandbox::new();
    let gateway = small_gateway(&sandbox);
    let coverage = sandbox.folder.path().join("coverage.json");
    let coverage = coverage.to_str().unwrap();
    let measure = ["coverage", CELLS, "--json", coverage, "--gateway"];
    sandbox
        .clawgauge()
        .args(measure)
        .arg(&gateway)
        .assert()
        .code(0);

    let json = sandbox.folder.path().join("mutants.json");
    let run = |flags: &[&str]| {
        let mut command = sandbox.clawgauge();
        command.timeout(PATIENCE);
        command.args([
            "mutants",
            "--min-score",
            "0",
            "--timeout",
            SILENCE,
            "--coverage",
            coverage,
            "--json",
        ]);
        command
            .arg(&json)
            .arg("--gateway")
            .arg(&gateway)
            .args(flags);
        let done = command.assert();
        (done, MutantReport::read(&fs::read(&json).unwrap()).unwrap())
    };
    // No time: nothing is decided but what nobody reaches.
    let (done, none) = run(&["--sample", "12", "--budget", "0.001s"]);
    done.code(4)
        .stderr(contains("no mutant that is reached was decided"));
    assert!(none.score.undecided > 6, "{:?}", none.score);
    let ids = |report: &MutantReport| -> Vec<String> {
        report
            .mutants
            .iter()
            .map(|one| one.change.id.clone())
            .collect()
    };
    let (_, other) = run(&["--sample", "12", "--seed", "2", "--budget", "0.001s"]);
    assert_ne!(ids(&other), ids(&none));
    let (done, first) = run(&["--sample", "12", "--resume"]);
    done.code(0);
    assert_eq!(ids(&none), ids(&first));
    assert_eq!(first.score.undecided, 0);
    let (done, again) = run(&["--sample", "12", "--resume"]);
    done.code(0).stderr(contains("12 known, 0 to try"));
    assert_eq!(again, first);

    // A reason for a survivor takes it out of the share; one for a mutant that a cell notices is wrong.
    let all = run(&["--resume"]).1;
    let survivor = &one(&all, "arguments-swapped", "a, b").change.id;
    let add = |id: &str| {
        let file = sandbox.root().join("scenarios/survivors.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(
            &file,
            format!("{text}\n[[mutant]]\nid = \"{id}\"\nreason = \"the same\"\n"),
        )
        .unwrap();
    };
    add(survivor);
    let (done, explained) = run(&["--resume"]);
    done.code(0)
        .stdout(contains("1 survived for a known reason"));
    assert_eq!(explained.score.survived, all.score.survived - 1);
    add(&one(&all, "some-every", "scopes.some").change.id);
    let (done, _) = run(&["--resume"]);
    done.code(1).stderr(contains(
        "scenarios/survivors.toml says that nobody could tell",
    ));
}

/// Where cells deviate without any mutant, a score would mean nothing.
#[test]
#[ignore = "installs acorn"]
fn a_gateway_that_is_wrong_has_no_score() {
    let sandbox = Sandbox::new();
    let gateway = small_gateway(&sandbox);
    let file = gateway.with_file_name("dist").join("auth-b2.mjs");
    let text = fs::read_to_string(&file).unwrap();
    let wrong = text.replacen("return { ok: false };", "return { ok: true };", 1);
    assert_ne!(wrong, text);
    fs::write(&file, wrong).unwrap();
    sandbox
        .clawgauge()
        .args(["mutants", CELLS, "--gateway"])
        .arg(&gateway)
        .assert()
        .code(4)
        .stderr(contains("without a mutant").and(contains("clawgauge run shows what is wrong")));
}

#[test]
fn the_reference_gateway_has_no_mutants() {
    Sandbox::new()
        .clawgauge()
        .args(["mutants", "--gateway", "reference"])
        .assert()
        .code(2)
        .stderr(contains("clawgauge mutants tries its faults"));
}
