//! The GitLab template, by a runner of GitLab jobs.

use super::install::release;
use super::*;

#[rstest]
#[case(&[], 0)]
#[case(&["--misbehave", "ignores-scopes"], 1)]
#[ignore = "needs the network"]
fn the_gitlab_template_runs(#[case] flags: &[&str], #[case] code: i32) {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    checkout(&sandbox, flags);
    let git = |at: &Path, args: &[&str]| {
        command(&sandbox, "git")
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
    let archive = release(&sandbox);
    // The example, with the template beside it in the place of that of another project.
    let project = folder.join("project");
    fs::create_dir(project.join("ci")).unwrap();
    fs::copy(
        repository().join("ci/gitlab-ci.yml"),
        project.join("ci/gitlab-ci.yml"),
    )
    .unwrap();
    let example = fs::read_to_string(repository().join("ci/examples/gitlab-ci.yml")).unwrap();
    let mut ours = example;
    for (from, to) in [
        (
            "  - project: OWNER/clawgauge\n    ref: v0.1.0\n    file: ",
            "  - local: ",
        ),
        ("gateway: openclaw@2026.9.6", "gateway: ./openclaw.mjs"),
        (
            "repository: $CI_SERVER_URL/OWNER/clawgauge.git",
            &format!(
                "repository: {}\n      archive: {}\n      scenarios: chat-completions",
                source.display(),
                archive.display()
            ),
        ),
    ] {
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
    let preview = command(&sandbox, tools().join("node_modules/.bin/gitlab-ci-local"))
        .args(["--preview", "--home"])
        .arg(folder)
        .current_dir(&project)
        .output()
        .unwrap();
    assert!(preview.status.success(), "{}", text(&preview));
    fs::write(folder.join("pipeline.yml"), &preview.stdout).unwrap();
    command(&sandbox, "node")
        .arg(tools().join("gitlab.mjs"))
        .arg(folder.join("pipeline.yml"))
        .arg(&project)
        .arg(folder.join("runner"))
        .assert()
        .code(code)
        .stderr(
            contains("clawgauge-ready: exit code 0")
                .and(contains(format!("clawgauge: exit code {code}"))),
        );
    for name in ["results.json", "junit.xml", "report.html"] {
        let report = folder.join("runner/clawgauge/clawgauge-reports").join(name);
        assert!(report.exists(), "{}", report.display());
    }
    sandbox.assert_clean();
}

// --- the ways to install it
