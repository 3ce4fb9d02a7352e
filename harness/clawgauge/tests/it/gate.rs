//! `ci/gate.sh`, as a pipeline calls it: with the real binary where the run matters, with a stand-in where the call does.

mod archives;
mod comment;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Sandbox, executable, repository, until_said};
use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

/// The gate with nothing of this machine's environment but the PATH, and the real binary.
fn gate(sandbox: &Sandbox) -> Command {
    let mut command = bare(sandbox, &repository().join("ci/gate.sh"));
    command
        .env("CLAWGAUGE", assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env("CLAWGAUGE_ROOT", sandbox.root());
    command
}

/// A script with nothing of this machine's environment but the PATH.
fn bare(sandbox: &Sandbox, script: &Path) -> Command {
    let mut command = Command::new(script);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", sandbox.folder.path())
        .env("TMPDIR", sandbox.temp())
        .env("LC_ALL", "C")
        .env("CI", "true")
        .current_dir(sandbox.folder.path())
        .timeout(Duration::from_secs(180));
    command
}

/// Something to run in the place of clawgauge, docker, ...
fn shell(path: &Path, script: &str) -> PathBuf {
    executable(path, &format!("#!/bin/sh\n{script}\n"));
    path.to_path_buf()
}

/// A stand-in for clawgauge that prints its arguments, one a line, and ends as told.
fn stand_in(path: &Path, code: u8) -> PathBuf {
    let script = format!(
        "if [ \"$1\" = --version ]; then echo 'clawgauge 9.9.9'; exit; fi\nprintf '%s\\n' \"$@\"\nexit {code}"
    );
    shell(path, &script)
}

/// The gate's copy in a folder of its own, as an archive brings it: no checkout around it.
fn lonely_gate(sandbox: &Sandbox) -> PathBuf {
    let path = sandbox.folder.path().join("alone/bin/gate.sh");
    executable(
        &path,
        &fs::read_to_string(repository().join("ci/gate.sh")).unwrap(),
    );
    path
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn the_gate_passes_a_gateway_that_keeps_the_contract() {
    let sandbox = Sandbox::new();
    gate(&sandbox)
        .args(["reference", "r.json"])
        .assert()
        .code(0);
    assert!(sandbox.folder.path().join("r.json").exists());
}

/// A machine that lost what a part of the matrix takes is no reason for a go, unless the pipeline says that it may be missing.
#[rstest]
#[case::nobody_said_so("", 4)]
#[case::as_expected("openai-node openai-python", 0)]
fn the_gate_knows_what_may_be_missing(#[case] may_skip: &str, #[case] code: i32) {
    let sandbox = Sandbox::whole();
    fs::remove_file(sandbox.folder.path().join("clawgauge.toml")).unwrap();
    gate(&sandbox)
        .env("CLAWGAUGE_SCENARIOS", "client-libraries")
        .env("CLAWGAUGE_MAY_SKIP", may_skip)
        .arg("reference")
        .assert()
        .code(code);
}

/// What the examples say may be missing is everything that cells take, but what their runners have.
#[rstest]
#[case("examples/openclaw.yml")]
#[case("examples/packager.yml")]
#[case("examples/nightly.yml")]
#[case("examples/sharded.yml")]
#[case("gitlab-ci.yml")]
#[case("gitlab-shards.yml")]
#[case("kubernetes/sharded-run.yaml")]
#[case("README.md")]
#[case("../README.md")]
fn pipelines_to_copy_say_what_may_be_missing(#[case] file: &str) {
    let text = fs::read_to_string(repository().join("ci").join(file)).unwrap();
    let names = [
        "chromium",
        "haproxy",
        "network-namespaces",
        "nginx",
        "openai-node",
        "openai-python",
    ];
    let named = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        names.iter().all(|name| words.contains(name))
    };
    assert!(text.lines().any(named), "{file} does not name {names:?}");
    let known = Sandbox::whole();
    let mut doctor = known.clawgauge();
    let output = doctor.args(["doctor", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let needs = report["needs"].as_array().unwrap().iter();
    let needs = needs.map(|need| need["name"].as_str().unwrap().replace(' ', "-"));
    let others = ["curl", "npm", "node", "python3-with-venv"];
    let needs: Vec<String> = needs
        .filter(|name| !others.contains(&name.as_str()))
        .collect();
    assert_eq!(needs, names, "something new is to be named in {file}");
}

#[test]
fn the_gate_stops_a_gateway_that_breaks_it() {
    let sandbox = Sandbox::new();
    let outputs = sandbox.folder.path().join("outputs");
    gate(&sandbox)
        .env(
            "CLAWGAUGE_GATEWAY",
            sandbox.broken_gateway("ignores-scopes"),
        )
        .env("GITHUB_OUTPUT", &outputs)
        .assert()
        .code(1)
        .stdout(contains("unexpected-allow"));
    let reports = sandbox.folder.path().join("clawgauge-reports");
    assert!(reports.join("results.json").exists());
    let outputs = fs::read_to_string(outputs).unwrap();
    let ended = format!(
        "exit-code=1\nverdict=no-go\nreports={}\nclawgauge=/",
        reports.display()
    );
    assert!(outputs.starts_with(&ended), "{outputs}");
    let ran = outputs
        .lines()
        .find_map(|line| line.strip_prefix("clawgauge="));
    assert!(Path::new(ran.unwrap()).is_file(), "{outputs}");
    assert!(
        outputs.contains("\nbroken-rules=chat-completions/"),
        "{outputs}"
    );
    assert!(!outputs.contains("\nfailing=0\n"), "{outputs}");
}

/// Whoever cancels a pipeline signals the script, and its gateways must be gone.
#[test]
fn a_cancelled_gate_stops_the_run_and_what_it_started() {
    let sandbox = Sandbox::new();
    let gateway = shell(
        &sandbox.folder.path().join("slow"),
        "[ \"$1\" != --version ] || { echo 2026.9.6; exit; }\nexec sleep 100",
    );
    let mut child = std::process::Command::new(repository().join("ci/gate.sh"))
        .env("CLAWGAUGE", assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env("CLAWGAUGE_ROOT", sandbox.root())
        .env("TMPDIR", sandbox.temp())
        .current_dir(sandbox.folder.path())
        .arg(gateway)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut progress = child.stderr.take().unwrap();
    let mut seen = until_said(&mut progress, "starting profile");
    let started = Instant::now();
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    progress.read_to_string(&mut seen).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{seen}");
    assert!(started.elapsed() < Duration::from_secs(20));
    sandbox.assert_clean();
}

#[rstest]
#[case(0, "go")]
#[case(1, "no-go")]
#[case(2, "could-not-tell")]
#[case(3, "could-not-tell")]
#[case(4, "could-not-tell")]
#[case(70, "could-not-tell")]
#[case(130, "could-not-tell")]
fn the_exit_code_is_clawgauges_own(#[case] code: u8, #[case] verdict: &str) {
    let sandbox = Sandbox::new();
    let outputs = sandbox.folder.path().join("outputs");
    gate(&sandbox)
        .env(
            "CLAWGAUGE",
            stand_in(&sandbox.folder.path().join("stand-in"), code),
        )
        .env("GITHUB_OUTPUT", &outputs)
        .arg("reference")
        .assert()
        .code(i32::from(code));
    let outputs = fs::read_to_string(outputs).unwrap();
    assert!(
        outputs.contains(&format!("verdict={verdict}\n")),
        "{outputs}"
    );
}

/// The whole call, once by options and once by variables: what clawgauge gets is the same.
#[test]
fn options_and_variables_become_the_same_call() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    let binary = stand_in(&folder.join("stand-in"), 0);
    fs::write(folder.join("old.json"), "{}").unwrap();
    fs::write(folder.join("clawgauge.toml"), "").unwrap();
    let reports = folder.join("out of the way");
    fs::create_dir(&reports).unwrap();
    fs::write(reports.join("junit.xml"), "of an earlier run").unwrap();
    let mut by_option = bare(&sandbox, &repository().join("ci/gate.sh"));
    by_option.env("CLAWGAUGE", &binary).args([
        "--gateway",
        "./a path.mjs",
        "--gateway",
        "reference",
        "--scenarios",
        "models/**",
        "--scenarios",
        "chat-completions",
        "--where",
        "profile=token,none",
        "--reports",
        "out of the way",
        "--formats",
        "json junit,sarif ctrf tap markdown html annotations",
        "--fail-on",
        "known",
        "--known-issues",
        "off",
        "--baseline",
        "old.json",
        "--severity",
        "shape",
        "--retries",
        "2",
        "--may-skip",
        "nginx",
        "--may-skip",
        "network-namespaces",
        "--config",
        "clawgauge.toml",
        "--",
        "--jobs",
        "4",
    ]);
    let mut by_variable = bare(&sandbox, &repository().join("ci/gate.sh"));
    by_variable
        .env("CLAWGAUGE", &binary)
        .env("CLAWGAUGE_GATEWAY", "./a path.mjs\nreference\n")
        .env("CLAWGAUGE_SCENARIOS", "models/** chat-completions")
        .env("CLAWGAUGE_WHERE", "profile=token,none")
        .env("CLAWGAUGE_REPORTS", "out of the way")
        .env(
            "CLAWGAUGE_FORMATS",
            "json junit sarif ctrf tap markdown html annotations",
        )
        .env("CLAWGAUGE_FAIL_ON", "known")
        .env("CLAWGAUGE_KNOWN_ISSUES", "off")
        .env("CLAWGAUGE_BASELINE", "old.json")
        .env("CLAWGAUGE_SEVERITY", "shape")
        .env("CLAWGAUGE_RETRIES", "2")
        .env("CLAWGAUGE_MAY_SKIP", "nginx network-namespaces")
        .env("CLAWGAUGE_CONFIG", "clawgauge.toml")
        .env("CLAWGAUGE_ARGS", "--jobs 4");
    let sorted = |command: &mut Command| {
        let mut lines: Vec<_> = stdout(command).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&mut by_variable), sorted(&mut by_option));
    assert!(!reports.join("junit.xml").exists(), "a stale report stays");
    let call = stdout(&mut by_option);
    let here = reports.display();
    for pair in [
        "run\n".to_owned(),
        "--gateway\n./a path.mjs\n".to_owned(),
        "--gateway\nreference\n".to_owned(),
        "\nmodels/**\n".to_owned(),
        "\nchat-completions\n".to_owned(),
        "--where\nprofile=token,none\n".to_owned(),
        format!("--report\njson={here}/results.json\n"),
        format!("--report\njunit={here}/junit.xml\n"),
        format!("--report\nsarif={here}/results.sarif\n"),
        format!("--report\nctrf={here}/ctrf.json\n"),
        format!("--report\ntap={here}/results.tap\n"),
        format!("--report\nmarkdown={here}/report.md\n"),
        format!("--report\nhtml={here}/report.html\n"),
        "--report\nannotations=-\n".to_owned(),
        "--fail-on\nknown\n".to_owned(),
        "--known-issues\noff\n".to_owned(),
        "--baseline\nold.json\n".to_owned(),
        "--severity\nshape\n".to_owned(),
        "--retries\n2\n".to_owned(),
        "--may-skip\nnginx\n".to_owned(),
        "--may-skip\nnetwork-namespaces\n".to_owned(),
        "--config\nclawgauge.toml\n".to_owned(),
        "--jobs\n4\n".to_owned(),
    ] {
        assert!(call.contains(&pair), "{pair:?} is not in\n{call}");
    }
}

#[rstest]
#[case(&[], "which GATEWAY?")]
#[case(&["--gateway"], "--gateway needs a value")]
#[case(&["--jobs", "4", "reference"], "there is no option --jobs")]
#[case(&["reference", "a.json", "b.json"], "not also b.json")]
#[case(&["reference", "--severity", "grave"], "cosmetic, shape, severe or blocker")]
#[case(&["reference", "--fail-on", "all"], "deviates or known")]
#[case(&["reference", "--retries", "many"], "is a number")]
#[case(&["reference", "--baseline", "gone.json"], "no file gone.json")]
#[case(&["openclaw@2026.9.6", "--image", "x"], "path in the image")]
fn wrong_usage_says_what_is_wrong(#[case] args: &[&str], #[case] why: &str) {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    shell(&folder.join("bin/docker"), "exit 99");
    let path = format!(
        "{}/bin:{}",
        folder.display(),
        std::env::var("PATH").unwrap()
    );
    let output = gate(&sandbox)
        .env("PATH", path)
        .args(args)
        .assert()
        .code(2)
        .stderr(contains(why).and(contains("--help")))
        .get_output()
        .clone();
    let last = String::from_utf8(output.stderr).unwrap();
    assert!(last.lines().last().unwrap().contains(why), "{last}");
}

#[test]
fn an_image_is_run_without_a_network_and_with_the_same_paths() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    // Takes the container's command line apart as docker would, and runs the entry point here.
    shell(
        &folder.join("bin/docker"),
        "printf '%s\\n' \"$@\" >docker-call\nwhile [ \"$1\" != --entrypoint ]; do shift; done\nentry=$2; shift 3\nexec \"$entry\" \"$@\"",
    );
    let path = format!(
        "{}/bin:{}",
        folder.display(),
        std::env::var("PATH").unwrap()
    );
    gate(&sandbox)
        .env("PATH", path)
        .env("CLAWGAUGE_IMAGE", "gateway:candidate")
        .env("CLAWGAUGE_SCENARIOS", "chat-completions")
        .env(
            "CLAWGAUGE_GATEWAY",
            sandbox.broken_gateway("ignores-scopes"),
        )
        .assert()
        .code(1)
        .stdout(contains("unexpected-allow"));
    assert!(folder.join("clawgauge-reports/results.json").exists());
    let call = fs::read_to_string(folder.join("docker-call")).unwrap();
    let here = folder.display();
    for part in [
        "run\n--rm\n--init\n--network\nnone\n".to_owned(),
        format!("--workdir\n{here}\n"),
        format!("--volume\n{here}:{here}\n"),
        format!("--volume\n{here}/clawgauge-reports:{here}/clawgauge-reports\n"),
        "\ngateway:candidate\n".to_owned(),
    ] {
        assert!(call.contains(&part), "{part:?} is not in\n{call}");
    }
}

#[test]
fn a_machine_without_clawgauge_is_told_what_to_do() {
    let sandbox = Sandbox::new();
    bare(&sandbox, &lonely_gate(&sandbox))
        .env("PATH", "/usr/bin:/bin")
        .arg("reference")
        .assert()
        .code(4)
        .stderr(contains("no clawgauge here").and(contains("--archive")));
}

#[test]
fn clawgauge_is_found_beside_the_script_before_the_path() {
    let sandbox = Sandbox::new();
    let script = lonely_gate(&sandbox);
    let on_path = stand_in(&sandbox.folder.path().join("bin/clawgauge"), 1);
    let path = format!("{}:/usr/bin:/bin", on_path.parent().unwrap().display());
    let gate = || {
        let mut command = bare(&sandbox, &script);
        command.env("PATH", &path).arg("reference");
        command
    };
    gate().assert().code(1);
    stand_in(&script.with_file_name("clawgauge"), 0);
    gate().assert().code(0);
}

#[test]
fn the_cache_key_changes_with_what_is_cached() {
    let sandbox = Sandbox::new();
    let key = |gateway: &str, archive: &str, name: &str| {
        let text = stdout(
            bare(&sandbox, &repository().join("ci/gate.sh"))
                .env("CLAWGAUGE_ARCHIVE", archive)
                .args(["--cache-key", gateway]),
        );
        let start = format!("{name}=");
        text.lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_else(|| panic!("no {name} in {text}"))
            .to_owned()
    };
    let from_source = key("reference", "", "tool");
    assert!(from_source.starts_with("clawgauge-"));
    assert_ne!(from_source, key("reference", "a.tar.gz", "tool"));
    assert_eq!(from_source, key("openclaw@2026.9.6", "", "tool"));
    assert_eq!(key("./openclaw.mjs", "", "releases"), "");
    assert_ne!(
        key("openclaw@2026.9.6", "", "releases"),
        key("openclaw@2026.9.5", "", "releases")
    );
}

/// The action hands every input on, by a variable that the script knows.
#[test]
fn every_input_of_the_action_reaches_the_script() {
    let action = fs::read_to_string(repository().join("ci/action.yml")).unwrap();
    let script = fs::read_to_string(repository().join("ci/gate.sh")).unwrap();
    let help = script.split("USAGE").nth(1).unwrap();
    let (inputs, rest) = action.split_once("\noutputs:\n").unwrap();
    let steps = rest.split_once("- id: gate\n").unwrap().1;
    let run = steps.split_once("\n\n").unwrap().0;
    let inputs: Vec<_> = inputs
        .split_once("\ninputs:\n")
        .unwrap()
        .1
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.trim().trim_end_matches(':'))
        .collect();
    assert!(inputs.len() > 10, "{inputs:?}");
    for input in inputs {
        if ["cache", "comment", "artifact"].contains(&input) {
            continue;
        }
        let variable = format!("CLAWGAUGE_{}", input.to_uppercase().replace('-', "_"));
        let line = format!("{variable}: ${{{{ inputs.{input} }}}}");
        assert!(run.contains(&line), "the action's run step has no {line}");
        assert!(help.contains(&variable), "gate.sh does not know {variable}");
    }
}
