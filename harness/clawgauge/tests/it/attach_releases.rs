//! `clawgauge attach` on published releases, each started as an operator would. Ignored unless asked for: they are
//! installed from npm where the cache has them not.

use std::process::Command;

use crate::support::Sandbox;
use crate::support::installed::installed;
use crate::support::operator::Operator;
use rstest::rstest;
use serde_json::{Value, json};

const TOKEN: &str = "an-Operators-own+Token/7";

/// The command of a release from the harness's own cache.
fn command(release: &str) -> Command {
    let program = installed(release);
    let path = std::env::var_os("PATH").unwrap();
    let folders = program.path_dirs.iter().cloned();
    let folders = folders.chain(std::env::split_paths(&path));
    let mut command = Command::new(&program.command);
    command
        .args(&program.args)
        .env("PATH", std::env::join_paths(folders).unwrap());
    command
}

/// Attaches; exit code, record and everything that was written.
fn attach(
    gateway: &Operator,
    secret: Option<&str>,
    flags: &[&str],
) -> (Option<i32>, Value, String) {
    let sandbox = Sandbox::whole();
    let report = sandbox.folder.path().join("r.json");
    let mut command = sandbox.clawgauge();
    if let Some(secret) = secret {
        command.env("CLAWGAUGE_ATTACH_SECRET", secret);
    }
    let output = command
        .args(["attach", &gateway.url(), "--rate", "100", "--report"])
        .arg(format!("json={}", report.display()))
        .args(flags)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let record = std::fs::read(&report).unwrap_or_else(|_| panic!("no record:\n{text}"));
    let record = serde_json::from_slice(&record).unwrap();
    (output.status.code(), record, text)
}

#[rstest]
#[case::seed(
    "2026.3.28",
    None,
    1,
    "2026.3.28 up to before 2026.3.31",
    Some("openclaw#58357")
)]
#[case::seed_token(
    "2026.3.28",
    Some(TOKEN),
    1,
    "2026.3.28 up to before 2026.3.31",
    Some("openclaw#56763")
)]
#[case::newest("2026.9.6", None, 0, "and later", None)]
#[case::newest_token("2026.9.6", Some(TOKEN), 0, "and later", None)]
#[ignore = "launches published releases"]
fn tells_a_release_by_its_answers(
    #[case] release: &str,
    #[case] token: Option<&str>,
    #[case] exit: i32,
    #[case] like: &str,
    #[case] issue: Option<&str>,
) {
    let auth = match token {
        Some(token) => json!({ "mode": "token", "token": token }),
        None => json!({ "mode": "none" }),
    };
    let gateway = Operator::start(command(release), auth, json!({}));
    let (code, record, text) = attach(&gateway, token, &[]);
    assert_eq!(code, Some(exit), "{text}");
    assert!(text.contains("answers like"), "{text}");
    assert!(text.contains(like), "{text}");
    assert_eq!(record["summary"]["deviates"], 0, "{text}");
    assert_eq!(record["summary"]["could_not_run"], 0, "{text}");
    let open = text.contains("callers without a credential get in");
    assert_eq!(open, token.is_none(), "{text}");
    match issue {
        Some(issue) => assert!(text.contains(&format!("affected by {issue}")), "{text}"),
        None => assert!(text.contains("no known issue shows"), "{text}"),
    }
    assert!(!text.contains(TOKEN), "{text}");
    assert_eq!(gateway.model_calls(), 0, "{text}");
}

/// As the wizard leaves it: the Control UI is on, the OpenAI-style routes are off. There is little to ask, and nothing of
/// what is switched on otherwise counts against the gateway.
#[rstest]
#[case::seed("2026.3.28", 1, "affected by openclaw#81815")]
#[case::newest("2026.9.6", 0, "no known issue shows")]
#[ignore = "launches published releases"]
fn a_gateway_as_the_wizard_leaves_it(
    #[case] release: &str,
    #[case] exit: i32,
    #[case] words: &str,
) {
    let auth = json!({ "mode": "token", "token": TOKEN });
    let more = json!({ "controlUi": { "enabled": true }, "http": { "endpoints": {} } });
    let gateway = Operator::start(command(release), auth, more);
    let (code, record, text) = attach(&gateway, Some(TOKEN), &["--verbose"]);
    assert_eq!(record["summary"]["deviates"], 0, "{text}");
    assert_eq!(record["summary"]["could_not_run"], 0, "{text}");
    assert!(
        record["summary"]["conforms"].as_u64().unwrap() > 20,
        "{text}"
    );
    assert!(
        text.contains("switched off there: /v1/chat/completions"),
        "{text}"
    );
    assert_eq!(gateway.model_calls(), 0, "{text}");
    assert!(text.contains(words), "{text}");
    assert_eq!(code, Some(exit), "{text}");
}
