//! `--retries`: trouble is tried again, an answer never.

use super::*;

/// A gateway that behaves in one way at its first start and in another at the later ones.
fn changing_gateway(sandbox: &Sandbox, first: &str, later: &str) -> String {
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let count = sandbox.folder.path().join("starts");
    let (count, binary) = (count.display(), binary.display());
    let script = format!(
        "#!/bin/sh\n\
         case \"$1\" in --version) exec '{binary}' reference-gateway \"$@\";; esac\n\
         echo start >> '{count}'\n\
         if [ \"$(wc -l < '{count}')\" -eq 1 ]; then exec '{binary}' reference-gateway {first} \"$@\"; fi\n\
         exec '{binary}' reference-gateway {later} \"$@\"\n"
    );
    sandbox.script("changing-gateway", &script)
}

fn starts(sandbox: &Sandbox) -> usize {
    let text = fs::read_to_string(sandbox.folder.path().join("starts")).unwrap_or_default();
    text.lines().count()
}

const ONE_LAUNCH: [&str; 2] = ["--where", "profile=token"];

#[rstest]
#[case::start("--misbehave dies-at-start", "did not start")]
#[case::middle(
    "--misbehave dies-after-requests",
    "the gateway ended while it was asked: exit code 9"
)]
fn trouble_is_tried_again_if_asked(#[case] first: &str, #[case] failure: &str) {
    let sandbox = Sandbox::new();
    let gateway = changing_gateway(&sandbox, first, "");
    let flags = [&ONE_LAUNCH[..], &["--retries", "2"]].concat();
    run(&sandbox, &gateway, "r.json", &flags)
        .code(0)
        .stdout(contains("profile token, attempt 1: ").and(contains(failure)))
        .stderr(contains("it is tried again"));
    assert_eq!(starts(&sandbox), 2);
    sandbox.assert_clean();
    let record = record(&sandbox, "r.json");
    let launches = record["gateways"][0]["launches"].as_array().unwrap();
    let attempts: Vec<(u64, bool)> = launches
        .iter()
        .map(|launch| {
            (
                launch["attempt"].as_u64().unwrap(),
                launch["failure"].is_null(),
            )
        })
        .collect();
    assert_eq!(attempts, [(1, false), (2, true)]);
    let cells = record["cells"].as_array().unwrap();
    assert!(cells.iter().all(|cell| cell["verdict"] == "conforms"));
    assert!(cells.iter().any(|cell| !cell["attempts"].is_null()));
}

#[test]
fn trouble_is_not_tried_again_unasked() {
    let sandbox = Sandbox::new();
    let gateway = changing_gateway(&sandbox, "--misbehave dies-at-start", "");
    run(&sandbox, &gateway, "r.json", &ONE_LAUNCH).code(3);
    assert_eq!(starts(&sandbox), 1);
}

#[test]
fn trouble_that_stays_is_told_with_every_attempt() {
    let sandbox = Sandbox::new();
    let gateway = changing_gateway(
        &sandbox,
        "--misbehave dies-at-start",
        "--misbehave dies-at-start",
    );
    let flags = [&ONE_LAUNCH[..], &["--retries", "2"]].concat();
    run(&sandbox, &gateway, "r.json", &flags).code(3);
    assert_eq!(starts(&sandbox), 3);
    let record = record(&sandbox, "r.json");
    assert_eq!(record["cells"][0]["attempts"].as_array().unwrap().len(), 2);
}

/// A wrong answer stays wrong: the gateway would answer rightly at a second start, and is not given one.
#[test]
fn an_answer_is_never_asked_for_twice() {
    let sandbox = Sandbox::new();
    let gateway = changing_gateway(&sandbox, "--misbehave refuses-everybody", "");
    let flags = [&ONE_LAUNCH[..], &["--retries", "3"]].concat();
    run(&sandbox, &gateway, "r.json", &flags).code(1);
    assert_eq!(starts(&sandbox), 1);
}

/// The first answers count even where a later attempt has to send the whole sequence again. The first start of this
/// gateway ends when its configuration is changed, in the middle of the sequence.
#[test]
fn a_sequence_that_broke_off_is_sent_again_as_a_whole() {
    let sandbox = Sandbox::whole();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let count = sandbox.folder.path().join("starts");
    let (count, binary) = (count.display(), binary.display());
    let script = format!(
        "#!/bin/sh\n\
         case \"$1\" in --version) exec '{binary}' reference-gateway \"$@\";; esac\n\
         echo start >> '{count}'\n\
         if [ \"$(wc -l < '{count}')\" -gt 1 ]; then exec '{binary}' reference-gateway \"$@\"; fi\n\
         cp \"$OPENCLAW_CONFIG_PATH\" config-before\n\
         '{binary}' reference-gateway \"$@\" &\n\
         while cmp -s config-before \"$OPENCLAW_CONFIG_PATH\"; do sleep 0.05; done\n\
         kill -9 $!\n\
         exit 9\n"
    );
    let gateway = sandbox.script("breaks-off", &script);
    run(
        &sandbox,
        &gateway,
        "r.json",
        &["rotation/profile=rotation/**", "--retries", "1"],
    )
    .code(0)
    .stdout(contains(
        "the gateway ended while it was asked: exit code 9",
    ));
    assert_eq!(starts(&sandbox), 2);
    let record = record(&sandbox, "r.json");
    let cells = record["cells"].as_array().unwrap();
    let again: Vec<&str> = cells
        .iter()
        .filter(|cell| !cell["attempts"].is_null())
        .map(|cell| cell["axes"]["step"].as_str().unwrap())
        .collect();
    assert!(!again.contains(&"old-before"), "{again:?}");
    assert!(again.contains(&"new-after"), "{again:?}");
    sandbox.assert_clean();
}
