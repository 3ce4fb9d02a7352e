//! What a script installs, and what it leaves when that fails.

use super::*;

/// An npm that a test brings along: it writes down what it is asked for, then does as it is told.
fn with_npm(sandbox: &Sandbox, command: &mut Command, then: &str) {
    let npm = sandbox.folder.path().join("bin/npm");
    support::executable(
        &npm,
        &format!(
            "#!/bin/sh\necho \"$@\" >'{}'\n{then}\n",
            sandbox.folder.path().join("asked").display()
        ),
    );
    let path = std::env::var("PATH").unwrap();
    command
        .env(
            "PATH",
            format!("{}:{path}", npm.parent().unwrap().display()),
        )
        .env_remove("REPRO_GATEWAY");
}

/// What is installed is the release, a Node that runs it, and what the release needs; or another release with the same.
#[rstest]
#[case::its_own("2026.3.28", None, "openclaw@2026.3.28", "")]
#[case::with_needs(
    "2026.3.31",
    None,
    "openclaw@2026.3.31",
    " @slack/bolt@4.6.0 @slack/web-api@7.15.0"
)]
#[case::another("2026.3.28", Some("2026.4.1"), "openclaw@2026.4.1", "")]
fn installs(
    #[case] release: &str,
    #[case] other: Option<&str>,
    #[case] wanted: &str,
    #[case] needs: &str,
) {
    let sandbox = Sandbox::new();
    let path = write(&sandbox, &rendered(SEED, release));
    let gateway = sandbox.gateway("sound", "");
    let mut command = command(&sandbox, &path, "");
    let then = format!(
        "node=node_modules/node/bin\nmkdir -p \"$node\" node_modules/openclaw\n\
         ln -s \"$(command -v node)\" \"$node/node\"\n\
         echo 'process.exitCode = require(\"child_process\").spawnSync(\"{gateway}\", process.argv.slice(2), {{ stdio: \"inherit\" }}).status;' >node_modules/openclaw/openclaw.cjs\n\
         echo 'import(\"./openclaw.cjs\");' >node_modules/openclaw/openclaw.mjs"
    );
    with_npm(&sandbox, &mut command, &then);
    if let Some(other) = other {
        command.env("REPRO_VERSION", other);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let asked = std::fs::read_to_string(sandbox.folder.path().join("asked")).unwrap();
    let node = format!(
        "node@npm:node-linux-{}@24.21.0",
        if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "x64"
        }
    );
    assert_eq!(
        asked,
        format!("install --ignore-scripts --no-audit --no-fund {wanted} {node}{needs}\n")
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(&format!("gateway   {wanted} ")),
        "{output:?}"
    );
    sandbox.assert_clean();
}

#[test]
fn an_installation_that_fails_or_is_killed_leaves_nothing() {
    let sandbox = Sandbox::new();
    let path = write(&sandbox, &rendered(SEED, "2026.9.6"));
    let mut fails = command(&sandbox, &path, "");
    with_npm(&sandbox, &mut fails, "echo 'E404 no such release'; exit 1");
    let output = fails.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(125), "{told}");
    assert!(
        told.contains(
            "cannot tell: npm cannot install that; the end of npm.log:\nE404 no such release"
        ),
        "{told}"
    );
    sandbox.assert_clean();

    let mut hangs = command(&sandbox, &path, "");
    with_npm(&sandbox, &mut hangs, "echo half >half; sleep 600");
    let mut child = hangs.spawn().unwrap();
    until_asked(&sandbox);
    child.kill().unwrap();
    child.wait().unwrap();
    until_clean(&sandbox);
}
