//! A folder of one's own scenarios: what it may lack, and what happens to its first answers.

use std::fs;

use crate::support::Sandbox;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

/// A scenario that holds for every release there is.
const TIMELESS: &str = r#"schema = 1
id = "timeless"
title = "Chat completions without a credential"

[request]
method = "POST"
path = "/v1/chat/completions"
headers = ["Content-Type: application/json"]
body = "requests/chat-ping.json"

[axes]
profile = ["token"]
credential = ["absent", "valid"]

[[rule]]
id = "the-secret-lets-in"
title = "whoever holds the token is let in"
when = { credential = "valid" }
expect = "answered"
source = "docs/gateway/openai-http-api.md (2026.9.6), auth matrix"

[[rule]]
id = "nobody-else"
title = "nobody else is let in"
when = { credential = "absent" }
expect = "unauthorized"
source = "docs/gateway/openai-http-api.md (2026.9.6), auth matrix"
"#;

#[test]
fn relations_and_survivors_are_optional() {
    let sandbox = Sandbox::new();
    for name in ["relations", "survivors"] {
        let file = sandbox.root().join(format!("scenarios/{name}.toml"));
        fs::remove_file(file).unwrap();
        sandbox.clawgauge().arg("check").assert().code(0);
    }
}

/// What is missing is said at once, not one file after the other.
#[test]
fn all_that_is_missing_is_said_at_once() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.root().join("scenarios/outcomes.toml")).unwrap();
    fs::remove_file(sandbox.root().join("fixtures/releases.toml")).unwrap();
    sandbox
        .clawgauge()
        .arg("check")
        .assert()
        .code(2)
        .stderr(contains(
            "missing: fixtures/releases.toml, scenarios/outcomes.toml",
        ));
}

/// Without `since` the first answers are named after the release that gave them; what is accepted then holds for later
/// releases, too.
#[test]
fn a_scenario_without_since_can_be_accepted() {
    let sandbox = Sandbox::new();
    for folder in ["scenarios", "snapshots"] {
        let name = sandbox.root().join(folder).join("chat-completions");
        let _ = fs::remove_dir_all(&name);
        let _ = fs::remove_file(name.with_extension("toml"));
    }
    fs::write(sandbox.root().join("scenarios/timeless.toml"), TIMELESS).unwrap();
    let run = || {
        let mut command = sandbox.clawgauge();
        command.args(["run", "--jobs", "4"]);
        command
    };
    run()
        .args(["--release", "2026.7.1"])
        .assert()
        .code(1)
        .stderr(contains("snapshots/timeless/token.since-2026.7.1.snap.new"));
    sandbox.clawgauge().arg("accept").assert().code(0);
    for release in ["2026.7.1", "2026.9.6"] {
        run().args(["--release", release]).assert().code(0);
    }
}

/// A scenario whose cells take more than one request.
const STEPS: &str = r#"schema = 1
id = "steps"
title = "What is kept of an answer is sent with the next request"

[request]
method = "POST"
path = "/v1/chat/completions"
headers = ["Content-Type: application/json", "${caller}", "x-openclaw-session-key: ${session}", "x-kept: ${kept}"]
body = "requests/chat-ping.json"
model-view = true

[[request.before]]
title = "the models"
path = "/v1/models"
headers = ["${caller}"]
keep = { kept = "/data/0/id" }

[[request.before]]
title = "a first turn"
method = "POST"
path = "/v1/chat/completions"
headers = ["Content-Type: application/json", "${caller}", "x-openclaw-session-key: ${session}"]
body = "requests/chat-ping.json"
repeat = 2

[axes]
profile = ["token"]

[[rule]]
id = "goes-on"
title = "the second turn goes on with the session"
when = {}
expect = "continued"
source = "docs/gateway/openai-http-api.md (2026.9.6), sessions"
"#;

fn with_steps(change: impl Fn(&str) -> String) -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.root().join("scenarios/steps.toml"), change(STEPS)).unwrap();
    sandbox
}

#[test]
fn what_comes_before_a_request() {
    let sandbox = with_steps(str::to_owned);
    let record = sandbox.temp().join("record.json");
    let report = format!("json={}", record.display());
    let mut command = sandbox.clawgauge();
    // Without a snapshot it is new.
    command
        .args(["run", "steps/**", "--report", &report])
        .assert()
        .code(1);
    let record = fs::read_to_string(&record).unwrap();
    assert!(record.contains(r#""verdict":"new""#), "{record}");
    assert!(
        record.contains(r"model: fake-model\nearlier-words: came along"),
        "{record}"
    );
}

/// What comes before must be answered as it says: otherwise there is no verdict.
#[rstest::rstest]
#[case::status(
    "title = \"a first turn\"",
    "title = \"a first turn\"\nstatus = 403",
    "what comes before it (a first turn) must answer 403, and answers 200"
)]
#[case::kept(
    "/data/0/id",
    "/data/0/nothing",
    "what comes before it (the models) has no text at /data/0/nothing"
)]
#[case::after(
    "keep = { kept = \"/data/0/id\" }",
    "keep = { kept = \"/data/0/id\" }\nafter = { kept = \"nowhere\" }",
    "what comes before it (the models) has no text at /data/0/id"
)]
#[case::port(
    "[request]\n",
    "[request]\nport = \"kept\"\n",
    "`kept` is no port: what comes before it keeps \"openclaw\""
)]
fn what_comes_before_and_fails(#[case] from: &str, #[case] to: &str, #[case] why: &str) {
    let sandbox = with_steps(|text| text.replace(from, to));
    let mut command = sandbox.clawgauge();
    let command = command.args(["run", "steps/**"]).assert().code(4);
    command.stdout(contains(why));
}

/// A step that cannot be meant so is refused, with its place.
#[rstest::rstest]
#[case::after("after = { other = \"x\" }", "`other` is not kept here")]
#[case::until("until = { other = \"x\" }", "`other` is not kept here")]
#[case::stays("stays = true", "only a WebSocket connection can stay open")]
fn an_odd_step_is_refused(#[case] line: &str, #[case] why: &str) {
    let kept = "keep = { kept = \"/data/0/id\" }";
    let sandbox = with_steps(|text| text.replace(kept, &format!("{kept}\n{line}")));
    let assert = sandbox.clawgauge().arg("check").assert().code(2);
    assert.stderr(contains(why).and(contains("scenarios/steps.toml")));
}

/// A name that nobody keeps is unknown.
#[test]
fn what_is_kept_has_a_name() {
    let sandbox = with_steps(|text| text.replace("keep = { kept", "keep = { other"));
    let assert = sandbox.clawgauge().arg("check").assert().code(2);
    assert.stderr(contains("kept").and(contains("scenarios/steps.toml")));
}

/// So is the port of a request.
#[test]
fn the_port_of_a_request_is_kept() {
    let sandbox = with_steps(|text| text.replace("[request]\n", "[request]\nport = \"other\"\n"));
    let assert = sandbox.clawgauge().arg("check").assert().code(2);
    assert
        .stderr(contains("no request before keeps `other`").and(contains("scenarios/steps.toml")));
}

/// Isolation that fails is seen.
#[test]
fn a_session_that_is_not_gone_on_with() {
    let other = "\"x-openclaw-session-key: ${session}\", \"x-kept";
    let sandbox =
        with_steps(|text| text.replace(other, "\"x-openclaw-session-key: other\", \"x-kept"));
    let assert = sandbox
        .clawgauge()
        .args(["run", "steps/**"])
        .assert()
        .code(1);
    assert.stdout(contains("expected continued"));
}

/// An axis whose texts use what a request before keeps.
const NEEDY: &str = r#"schema = 1
axis = "needy"
title = "What is sent again"
needs = ["kept"]

[[value]]
id = "once"
title = "what was kept"
headers = ["x-again: ${kept}"]
"#;

/// Its scenarios are held to it.
#[rstest::rstest]
#[case::kept("kept", 0)]
#[case::not_kept("other", 2)]
fn an_axis_needs_what_is_kept(#[case] kept: &str, #[case] code: i32) {
    let sandbox = with_steps(|text| {
        text.replace("x-kept: ${kept}", "x-kept: 1")
            .replace("keep = { kept", &format!("keep = {{ {kept}"))
            .replace(
                "profile = [\"token\"]",
                "profile = [\"token\"]\nneedy = [\"once\"]",
            )
    });
    fs::write(sandbox.root().join("scenarios/axes/needy.toml"), NEEDY).unwrap();
    let assert = sandbox.clawgauge().arg("check").assert().code(code);
    if code != 0 {
        assert.stderr(
            contains("axis `needy` needs `${kept}`, which no request before keeps")
                .and(contains("scenarios/steps.toml"))
                .and(contains("keep = { kept = \"/id\" }")),
        );
    }
}

/// A client that is paired, and whose answer fits no outcome: all of it is shown.
const PAIRS: &str = r#"schema = 1
id = "pairs"
title = "A device is paired"

[request]
protocol = "websocket"
path = "/"
body = "requests/ws-pair.json"

[axes]
profile = ["token"]

[[rule]]
id = "denied"
title = "it is not"
when = {}
expect = "ws-unauthorized"
source = "nobody says so"
"#;

/// The gateway gives a device a token of its own and capabilities for pages of plugins, which are as good as secrets.
#[rstest::rstest]
#[case::token("token", r#"\"deviceToken\": \"[device token]\""#)]
#[case::capability("pages-token", r#"\"pluginSurfaceUrls\": \"[capabilities]\""#)]
fn what_a_device_is_given_is_never_shown(#[case] profile: &str, #[case] told: &str) {
    let sandbox = Sandbox::whole();
    let own = PAIRS.replace("[\"token\"]", &format!("[\"{profile}\"]"));
    fs::write(sandbox.root().join("scenarios/pairs.toml"), own).unwrap();
    let record = sandbox.temp().join("record.json");
    let report = format!("json={}", record.display());
    let mut command = sandbox.clawgauge();
    let command = command.args(["run", "pairs/**", "--report", &report]);
    command.assert().code(1);
    let record = fs::read_to_string(&record).unwrap();
    assert!(record.contains(told), "{record}");
    assert!(!record.contains("/__openclaw__/cap/"), "{record}");
}
