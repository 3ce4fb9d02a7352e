//! What a launched process gets to see, and that a dropped gateway is a dead one. Ways to fail are tested on the binary.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use base::redact::Redactor;
use base::secret::Secrets;

fn spec(script: &std::path::Path) -> LaunchSpec {
    let secrets = [("secret".to_owned(), "cG-very-secret".into())];
    let secrets: Secrets = secrets.into_iter().collect();
    LaunchSpec {
        redactor: Redactor::new(&secrets),
        profile: "token".to_owned(),
        command: script.to_path_buf(),
        args: Vec::new(),
        refusals: vec!["Gateway failed to start".to_owned()],
        path_dirs: vec!["/first/on/path".into()],
        profile_args: [
            "gateway",
            "run",
            "--port",
            "${port}",
            "--token",
            "${secret}",
        ]
        .map(str::to_owned)
        .to_vec(),
        env: BTreeMap::from([
            ("HOME".to_owned(), "${home}".to_owned()),
            ("OPENCLAW_CONFIG_PATH".to_owned(), "${config}".to_owned()),
        ]),
        files: BTreeMap::from([("token.txt".to_owned(), "${secret}\n".to_owned())]),
        config: json!({ "gateway": { "port": "${port}", "auth": { "token": "${secret}" } } }),
        secrets,
        compile_cache: None,
        upstream_url: "http://127.0.0.1:9/v1".to_owned(),
        ready: vec!["/health".to_owned()],
        ready_timeout: Duration::from_secs(2),
        stop_grace: Duration::from_secs(1),
        network: None,
    }
}

fn script(folder: &std::path::Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("gateway.sh");
    crate::testing::executable(&path, &format!("#!/bin/sh\n{text}\n"));
    path
}

#[tokio::test]
async fn a_launch_is_hermetic_and_its_error_is_redacted() {
    let folder = tempfile::tempdir().unwrap();
    let script = script(
        folder.path(),
        "env | cut -d= -f1 | sort | grep -v -e '^_$' -e PWD -e SHLVL | tr '\\n' ' '; echo; echo \"$PATH\" | cut -c1-14; cat \"$OPENCLAW_CONFIG_PATH\" \"$HOME/token.txt\"; pwd; exit 3",
    );
    let error = launch(&spec(&script), folder.path(), &CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), Some(3));
    let text = error.to_string();
    assert!(
        text.contains("HOME OPENCLAW_CONFIG_PATH PATH\n/first/on/path"),
        "{text}"
    );
    assert!(
        text.contains("--token [secret:secret]") && text.contains("\"token\": \"[secret:secret]\""),
        "{text}"
    );
    assert!(
        text.contains("}[secret:secret]\n"),
        "a file of the profile: {text}"
    );
    assert!(text.contains("token/workspace"), "{text}");
    assert!(!text.contains("very-secret"), "{text}");
    let config = std::fs::metadata(folder.path().join("token/openclaw.json")).unwrap();
    assert_eq!(config.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_taken_port_is_tried_again_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let script = script(
        folder.path(),
        "echo \"$4\" >> ../../ports; echo 'listen EADDRINUSE' >&2; exit 1",
    );
    let error = launch(&spec(&script), folder.path(), &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("EADDRINUSE"));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("ports"))
            .unwrap()
            .lines()
            .count(),
        3
    );
}

#[tokio::test]
async fn cancelling_stops_a_booting_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), "echo $$ > ../../id; sleep 60");
    let cancel = CancellationToken::new();
    let id = folder.path().join("id");
    let stop = async {
        while !std::fs::read_to_string(&id).is_ok_and(|text| text.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cancel.cancel();
    };
    let spec = spec(&script);
    let (result, ()) = tokio::join!(launch(&spec, folder.path(), &cancel), stop);
    assert!(matches!(result, Err(LaunchError::Cancelled(_))));
    assert_gone(std::fs::read_to_string(id).unwrap().trim());
}

#[tokio::test]
async fn a_dropped_launch_kills_its_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), "echo $$ > ../../id; sleep 60");
    let (spec, cancel) = (spec(&script), CancellationToken::new());
    let launched = tokio::time::timeout(
        Duration::from_millis(500),
        launch(&spec, folder.path(), &cancel),
    )
    .await;
    assert!(launched.is_err(), "the launch is dropped while it waits");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_gone(
        std::fs::read_to_string(folder.path().join("id"))
            .unwrap()
            .trim(),
    );
}

fn assert_gone(id: &str) {
    let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    assert!(
        state.is_empty() || state.contains(") Z "),
        "process {id} still runs: {state}"
    );
}
