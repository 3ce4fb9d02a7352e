//! The GitLab template, by a runner of GitLab jobs.

use super::install::release;
use super::*;

/// A project with the example's pipeline, as a runner gets it: includes and inputs resolved. The texts of `replaced` are
/// changed in the example.
fn pipeline(
    sandbox: &Sandbox,
    example: &str,
    template: &str,
    replaced: &[(&str, &str)],
) -> std::path::PathBuf {
    let folder = sandbox.folder.path();
    let git = |at: &Path, args: &[&str]| {
        command(sandbox, "git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.invalid",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args)
            .current_dir(at)
            .assert()
            .success();
    };
    // The clawgauge repository, as far as the jobs need it.
    let source = folder.join("source");
    fs::create_dir_all(source.join("ci")).unwrap();
    fs::copy(repository().join("ci/gate.sh"), source.join("ci/gate.sh")).unwrap();
    git(&source, &["init", "--quiet"]);
    git(&source, &["add", "."]);
    git(&source, &["commit", "--quiet", "--message", "x"]);
    git(&source, &["tag", "v0.1.0"]);
    let archive = release(sandbox);
    // The example, with the template beside it in the place of that of another project.
    let project = folder.join("project");
    fs::create_dir(project.join("ci")).unwrap();
    fs::copy(
        repository().join("ci").join(template),
        project.join("ci").join(template),
    )
    .unwrap();
    let mut ours = example.to_owned();
    let ready = format!(
        "repository: {}\n      archive: {}\n      scenarios: chat-completions",
        source.display(),
        archive.display()
    );
    let common = [
        (
            "  - project: OWNER/clawgauge\n    ref: v0.1.0\n    file: ",
            "  - local: ",
        ),
        ("gateway: openclaw@2026.9.6", "gateway: ./openclaw.mjs"),
        (
            "repository: $CI_SERVER_URL/OWNER/clawgauge.git",
            ready.as_str(),
        ),
    ];
    for (from, to) in common.iter().chain(replaced) {
        assert!(ours.contains(from), "no {from:?} in\n{ours}");
        ours = ours.replace(from, to);
    }
    fs::write(project.join(".gitlab-ci.yml"), ours).unwrap();
    git(&project, &["init", "--quiet"]);
    git(
        &project,
        &[
            "remote",
            "add",
            "origin",
            "git@example.invalid:group/project.git",
        ],
    );
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "x"]);
    let preview = command(sandbox, tools().join("node_modules/.bin/gitlab-ci-local"))
        .args(["--preview", "--home"])
        .arg(folder)
        .current_dir(&project)
        .output()
        .unwrap();
    assert!(preview.status.success(), "{}", text(&preview));
    let file = folder.join("pipeline.yml");
    fs::write(&file, &preview.stdout).unwrap();
    file
}

/// Runs all jobs of a pipeline; the artifacts of a node of a parallel job may get lost.
fn run(sandbox: &Sandbox, pipeline: &Path, lost: &str) -> assert_cmd::assert::Assert {
    let folder = sandbox.folder.path();
    command(sandbox, "node")
        .arg(tools().join("gitlab.mjs"))
        .arg(pipeline)
        .arg(folder.join("project"))
        .arg(folder.join("runner"))
        .env("LOST_NODE", lost)
        .assert()
}

#[rstest]
#[case(&[], 0)]
#[case(&["--misbehave", "ignores-scopes"], 1)]
#[ignore = "needs the network"]
fn the_gitlab_template_runs(#[case] flags: &[&str], #[case] code: i32) {
    let sandbox = Sandbox::new();
    checkout(&sandbox, flags);
    let example = fs::read_to_string(repository().join("ci/examples/gitlab-ci.yml")).unwrap();
    let pipeline = pipeline(&sandbox, &example, "gitlab-ci.yml", &[]);
    run(&sandbox, &pipeline, "").code(code).stderr(
        contains("clawgauge-ready: exit code 0")
            .and(contains(format!("clawgauge: exit code {code}"))),
    );
    assert_reports(&sandbox);
    sandbox.assert_clean();
}

/// Three jobs make a part each, one judges the whole; without one of the three it does not.
#[rstest]
#[case(&[], "", 0)]
#[case(&["--misbehave", "ignores-scopes"], "", 1)]
#[case(&[], "2", 2)]
#[ignore = "needs the network"]
fn the_gitlab_shards_run(#[case] flags: &[&str], #[case] lost: &str, #[case] code: i32) {
    let sandbox = Sandbox::new();
    checkout(&sandbox, flags);
    let example = fs::read_to_string(repository().join("ci/examples/gitlab-ci.yml")).unwrap();
    let other = [("ci/gitlab-ci.yml", "ci/gitlab-shards.yml")];
    let pipeline = pipeline(&sandbox, &example, "gitlab-shards.yml", &other);
    let run = run(&sandbox, &pipeline, lost).code(code).stderr(
        contains("shard 3/3, from CI_NODE_INDEX and CI_NODE_TOTAL")
            .and(contains("clawgauge-shard-1: exit code "))
            .and(contains(format!("clawgauge: exit code {code}"))),
    );
    if lost.is_empty() {
        run.stdout(contains("650 selected"));
        assert_reports(&sandbox);
    } else {
        run.stderr(contains("shard 2 of 3 is missing ("));
    }
    sandbox.assert_clean();
}

fn assert_reports(sandbox: &Sandbox) {
    for name in ["results.json", "junit.xml", "report.html"] {
        let reports = sandbox
            .folder
            .path()
            .join("runner/clawgauge/clawgauge-reports");
        assert!(reports.join(name).exists(), "{name}");
    }
}
