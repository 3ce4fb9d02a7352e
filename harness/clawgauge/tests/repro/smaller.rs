//! `--minimize`, known issues and causes.

use super::*;

/// A known issue stands for its first cell, on the release on which it was seen.
#[test]
fn a_known_issue_has_a_script() {
    let sandbox = Sandbox::whole();
    let run = sandbox
        .clawgauge()
        .args(["repro", "openclaw#58357"])
        .assert();
    run.code(0)
        .stdout(contains("RELEASE=2026.3.28\n").and(contains(format!("CELL='{SEED}'"))))
        .stderr("");
}

/// The smallest configuration still shows the bug, still passes where there is none, and says what was left out.
#[test]
fn minimizes() {
    let sandbox = Sandbox::new();
    let faulty = sandbox.faulty_gateway("absent-scopes-mean-none");
    let args = [
        "repro",
        SEED,
        "--minimize",
        "--on",
        &faulty,
        "--mended",
        "reference",
    ];
    let run = sandbox.clawgauge().args(args).assert().code(0);
    let output = run.get_output();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("left out, ") && told.contains("tools.profile"),
        "{told}"
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("What is left passes on 2026.9.6."), "{text}");
    assert!(
        !text.contains("\"tools\"") && text.contains("chatCompletions"),
        "{text}"
    );
    assert!(text.contains("\"baseUrl\": \"$MODEL_URL\""), "{text}");
    for (gateway, code) in [(faulty.as_str(), 1), (&sandbox.gateway("sound", ""), 0)] {
        let path = write(&sandbox, &text);
        let output = command(&sandbox, &path, gateway).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    // Nobody knows whether it is enough elsewhere.
    let path = write(&sandbox, &text);
    for release in ["2026.9.5", "2026.10.1"] {
        let mut command = command(&sandbox, &path, &sandbox.gateway("sound", ""));
        let output = command.env("REPRO_VERSION", release).output().unwrap();
        assert_eq!(output.status.code(), Some(125), "{release}: {output:?}");
    }
    sandbox.assert_clean();
}

#[rstest]
#[case::conforms(SEED, 2, "there is no deviation to be kept")]
#[case::sequence(
    "rotation/profile=rotation/step=old-after",
    2,
    "its steps belong together"
)]
fn what_cannot_be_minimized_is_told(#[case] cell: &str, #[case] code: i32, #[case] why: &str) {
    let sandbox = Sandbox::whole();
    let args = ["repro", cell, "--minimize", "--on", "reference"];
    let run = sandbox.clawgauge().args(args).assert();
    run.code(code).stdout("").stderr(contains(why));
    sandbox.assert_clean();
}

/// A cause of a record stands for its example, on the release of its gateway.
#[test]
fn a_cause_has_a_script() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.faulty_gateway("absent-scopes-mean-none");
    let args = ["run", "--gateway", &gateway, "--report", "json=r.json"];
    sandbox.clawgauge().args(args).assert().code(1);
    let repro = |number: &str| {
        let args = ["repro", "--record", "r.json", "--cause", number];
        sandbox.clawgauge().args(args).assert()
    };
    repro("1")
        .code(0)
        .stdout(contains("RELEASE=2026.9.6\n").and(contains(SEED)));
    sandbox
        .clawgauge()
        .args([
            "repro", "--record", "r.json", "--cause", "1", "--format", "markdown",
        ])
        .assert()
        .code(0)
        .stdout(contains(
            "## Actual\n\n`403 forbidden: missing scope: operator.write`\n",
        ));
    repro("99").code(2).stderr(contains("there is no cause 99"));
}
