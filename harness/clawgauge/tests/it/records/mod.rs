//! Records that no run has to make: a small one with every verdict, one full of hostile texts, one of many cells.

use clawgauge::record::{Record, Results};
use clawgauge::reports::{Format, render};
use serde_json::{Value, json};

/// The page of a record.
pub(crate) fn page(record: &Record) -> String {
    let mut out = Vec::new();
    render(Format::Html, &Results::from(record), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What a hostile gateway would like to get into the page; each part sets a flag if it runs.
pub(crate) fn hostile_text() -> String {
    [
        "</script><script>window.hacked=1</script>",
        "</style><img src=x onerror=window.hacked=1>",
        "--><!--<script>",
        "'\"><svg onload=window.hacked=1>",
        "<a href=javascript:window.hacked=1>x</a><iframe srcdoc='<script>top.hacked=1</script>'>",
        "{{7*7}}${window.hacked=1}]]>&lt;&#60;",
        "\u{2028}window.hacked=1\u{2029}\0\r\n\u{202e}desrever\u{1b}[31m",
        "\u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    ]
    .concat()
}

/// Every text of it is hostile, and two are 64 KiB long.
pub(crate) fn hostile() -> Record {
    let bad = hostile_text();
    let long = format!("{bad}{}", "<b>\u{2028}&".repeat(64 * 1024 / 8));
    let mut record = everything(&[bad.as_str(), "reference"]);
    let texts = |value: &mut Value| {
        replace(value, &|key, text| match key {
            "url" => Some("javascript:window.hacked=1".to_owned()),
            "message" | "failure" => Some(long.clone()),
            "title" | "source" | "origin" | "short" | "means" | "workaround" | "bytes_say"
            | "releases" | "answer" | "reason" | "error_type" | "file" | "snapshot" | "run"
            | "node" | "error" | "accepted" | "observed" | "outcome" => Some(bad.clone()),
            "attempts" | "notes" => Some(bad.clone()),
            "requests" | "answers" => Some(format!("{text}{bad}")),
            _ => None,
        });
    };
    texts(&mut record);
    record["answers"][0] = long.as_str().into();
    let value = format!("{bad}/x=y");
    for cell in record["cells"].as_array_mut().unwrap() {
        if cell["axes"]["credential"] == "wrong" {
            cell["axes"]["credential"] = value.as_str().into();
            let id = cell["id"].as_str().unwrap();
            cell["id"] = id
                .replace("credential=wrong", &format!("credential={value}"))
                .into();
        }
    }
    serde_json::from_value(record).unwrap()
}

/// Replaces texts by the key they stand under.
fn replace(value: &mut Value, with: &dyn Fn(&str, &str) -> Option<String>) {
    fn walk(key: &str, value: &mut Value, with: &dyn Fn(&str, &str) -> Option<String>) {
        match value {
            Value::String(text) => {
                if let Some(other) = with(key, text) {
                    *text = other;
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| walk(key, value, with)),
            Value::Object(map) => map
                .iter_mut()
                .for_each(|(key, value)| walk(key, value, with)),
            _ => {}
        }
    }
    walk("", value, with);
}

/// A record with every verdict, standing and kind of answer, on these gateways.
pub(crate) fn mixed() -> Record {
    serde_json::from_value(everything(&[
        "openclaw@2026.3.28",
        "./build with space/openclaw.mjs",
    ]))
    .unwrap()
}

fn value(id: &str, short: &str, title: &str) -> Value {
    json!({"id": id, "short": short, "title": title})
}

fn everything(gateways: &[&str]) -> Value {
    let scopes = ["absent", "empty", "read", "write"];
    let credentials = ["absent", "valid", "wrong"];
    let mut cells = Vec::new();
    let mut number = 0_usize;
    for gateway in gateways {
        for profile in ["none", "token"] {
            for credential in credentials {
                for scope in scopes {
                    let mut cell = json!({
                        "id": format!("chat/profile={profile}/credential={credential}/scopes={scope}"),
                        "gateway": gateway,
                        "axes": {"profile": profile, "credential": credential, "scopes": scope},
                        "expected": {"rule": "in", "outcome": "answered", "direction": "allow", "status": 200, "answer": 0},
                        "observed": {"outcome": "answered", "status": 200, "error_type": null, "message": null, "model_calls": 1, "ms": 2.1, "answer": 0},
                        "request": number % 3,
                        "verdict": "conforms",
                    });
                    dress(&mut cell, number);
                    number += 1;
                    cells.push(cell);
                }
            }
        }
        cells.push(json!({
            "id": "start/profile=none", "gateway": gateway, "axes": {"profile": "none"},
            "expected": {"rule": "starts", "outcome": "up", "direction": "allow", "status": null},
            "observed": {"outcome": "up", "status": null, "start": "up", "error_type": null, "message": null, "model_calls": 0, "ms": 120.0},
            "verdict": "conforms",
        }));
    }
    let count = |verdict: &str| {
        cells
            .iter()
            .filter(|cell| cell["verdict"] == verdict)
            .count()
    };
    let standing = |name: &str| cells.iter().filter(|cell| cell["standing"] == name).count();
    let summary = json!({
        "selected": cells.len(), "conforms": count("conforms"), "deviates": count("deviates"), "known": count("known"),
        "stale": count("stale"), "new": count("new"), "not_applicable": count("not-applicable"),
        "could_not_run": count("could-not-run"), "failing": standing("fails"),
        "as_in_baseline": standing("as-in-baseline"), "below_severity": standing("below-severity"), "better": 1,
    });
    let records: Vec<Value> = gateways.iter().map(|gateway| json!({
        "ref": gateway, "version": "2026.3.28", "integrity": "sha512-abc", "node": "24.21.0", "notes": ["installed without scripts"],
        "launches": [
            {"profile": "none", "attempt": 1, "ready_ms": 4380, "stop_ms": 160, "exit": 0, "killed": false},
            {"profile": "token", "attempt": 1, "ready_ms": null, "stop_ms": null, "exit": 1, "killed": true, "failure": "the port was taken"},
            {"profile": "token", "attempt": 2, "ready_ms": 4100, "stop_ms": 90, "exit": 0, "killed": false},
        ],
    })).collect();
    let cause = |id: usize,
                 direction: &str,
                 severity: &str,
                 failing: usize,
                 issue: Value,
                 difference: Value| {
        let mut cause = json!({
            "id": id, "gateway": gateways[0], "scenario": "chat", "where": {"profile": ["none"], "scopes": ["absent", "read"]},
            "cells": 2, "example": "chat/profile=none/credential=absent/scopes=absent", "expected": "answered", "observed": "missing-scope-write",
            "answer": "403 forbidden: missing scope: operator.write", "direction": direction, "severity": severity, "failing": failing,
            "rule": "in", "title": "who declares nothing is the full operator", "origin": "scenarios/chat.toml:51", "source": "docs/gateway/openai-http-api.md (9.6)",
        });
        if !issue.is_null() {
            cause["known_issue"] = issue;
        }
        if !difference.is_null() {
            cause["difference"] = difference;
        }
        cause
    };
    json!({
        "schema": "clawgauge.results/1",
        "run": {"id": "0123456789abcdef", "started": "2026-11-23T15:02:41Z", "finished": "2026-11-23T15:02:46Z", "harness": "0.1.0",
                "table_hash": "27639f3e", "interrupted": false, "fail_on": "deviates", "severity": "cosmetic", "baseline": "fedc"},
        "gateways": records,
        "summary": summary,
        "causes": [
            cause(1, "unexpected-allow", "blocker", 2, Value::Null, Value::Null),
            cause(2, "unexpected-deny", "blocker", 1, Value::Null, Value::Null),
            cause(3, "wrong-denial", "shape", 2, Value::Null, Value::Null),
            cause(4, "wrong-body", "cosmetic", 0, Value::Null, json!({"snapshot": "snapshots/chat.snap:12", "accepted": "a\nb\nc\n", "observed": "a\nB\nc\n"})),
            cause(5, "unexpected-deny", "blocker", 0, json!("openclaw#58357"), Value::Null),
        ],
        "relations": [{"gateway": gateways[0], "id": "more-scopes-never-hurt", "title": "adding a scope never turns an allow into a deny",
                       "origin": "scenarios/relations.toml:4", "example": ["chat/profile=none/credential=absent/scopes=absent", "chat/profile=none/credential=absent/scopes=read"],
                       "unexplained": 3, "explained": 1, "failing": true}],
        "scenarios": [
            {"id": "chat", "title": "Chat is decided by credential and scopes", "file": "scenarios/chat.toml", "axes": [
                {"name": "profile", "values": [value("none", "none", "No authentication"), value("token", "token", "Shared token")]},
                {"name": "credential", "values": [value("absent", "absent", "nothing at all"), value("valid", "valid", "the right secret"), value("wrong", "wrong", "a wrong bearer")]},
                {"name": "scopes", "values": [value("absent", "none", "no header"), value("empty", "''", "an empty header"), value("read", "read", ""), value("write", "write", "")]},
            ]},
            {"id": "start", "title": "Starts", "file": "scenarios/start.toml", "axes": [{"name": "profile", "values": [value("none", "none", "No authentication")]}]},
        ],
        "rules": [{"scenario": "chat", "id": "in", "title": "who declares nothing is the full operator", "origin": "scenarios/chat.toml:51", "source": "https://example.org/docs"},
                  {"scenario": "start", "id": "starts", "title": "", "origin": "scenarios/start.toml:9", "source": "docs"}],
        "known_issues": [{"id": "openclaw#58357", "url": "https://example.org/58357", "title": "An absent header is taken for an empty one", "kind": "regression",
                          "releases": "2026.3.28 to before 2026.4.1", "means": "Callers without the header get 403.", "workaround": "Send operator.write.", "bytes_say": "", "file": "scenarios/known-issues/openclaw-58357.toml"}],
        "requests": ["GET /one HTTP/1.1\n\n", "POST /two HTTP/1.1\nAuthorization: Bearer ${secret}\n\n{\"a\":1}", "GET /three HTTP/1.1\n\n"],
        "answers": ["status: 200\nmodel-calls: 1\nbody: json\n  {\n    \"ok\": true\n  }\n", "status: 403\nmodel-calls: 0\nbody: json\n  {\n    \"ok\": false\n  }\n"],
        "cells": cells,
    })
}

/// Gives a cell one of the verdicts in turn.
fn dress(cell: &mut Value, number: usize) {
    let denied = json!({"outcome": "missing-scope-write", "status": 403, "error_type": "forbidden", "message": "missing scope: operator.write", "model_calls": 0, "ms": 1.5, "answer": 1});
    let mut set = |observed: Option<Value>, parts: Value| {
        if let Some(observed) = observed {
            cell["observed"] = observed;
        }
        for (key, value) in parts.as_object().unwrap() {
            cell[key] = value.clone();
        }
    };
    let refused = json!({"rule": "in", "outcome": "missing-scope-write", "direction": "deny", "status": 403, "answer": 1});
    match number % 12 {
        1 => set(Some(denied), json!({"expected": refused})),
        2 => set(
            Some(denied),
            json!({"verdict": "deviates", "direction": "unexpected-deny", "severity": "blocker", "standing": "fails", "cause": 2}),
        ),
        3 => set(
            None,
            json!({"expected": refused, "verdict": "deviates", "direction": "unexpected-allow", "severity": "blocker", "standing": "fails", "cause": 1}),
        ),
        4 => set(
            Some(denied),
            json!({"verdict": "known", "direction": "unexpected-deny", "severity": "blocker", "known_issue": "openclaw#58357", "cause": 5}),
        ),
        5 => set(
            None,
            json!({"verdict": "stale", "severity": "cosmetic", "standing": "fails", "known_issue": "openclaw#58357"}),
        ),
        6 => set(
            None,
            json!({"verdict": "new", "severity": "cosmetic", "standing": "fails", "expected": {"rule": "in", "outcome": "answered", "direction": "allow", "status": 200}}),
        ),
        7 => set(
            None,
            json!({"verdict": "not-applicable", "reason": "the release does not know the route", "observed": null, "expected": null}),
        ),
        8 => set(
            None,
            json!({"verdict": "could-not-run", "reason": "the gateway went away", "observed": null, "attempts": ["connection reset", "timed out"]}),
        ),
        9 => set(
            None,
            json!({"verdict": "deviates", "direction": "wrong-body", "severity": "cosmetic", "standing": "as-in-baseline", "cause": 4}),
        ),
        10 => set(
            Some(denied),
            json!({"verdict": "deviates", "direction": "wrong-denial", "severity": "shape", "standing": "below-severity", "cause": 3, "expected": refused}),
        ),
        _ => {}
    }
}

/// So many cells in scenarios of 800, each with a request of its own.
pub(crate) fn many(count: usize) -> Record {
    let mut record = everything(&["openclaw@2026.9.6"]);
    let axis = |name: &str, count: usize| {
        let values: Vec<Value> = (0..count)
            .map(|number| {
                value(
                    &format!("{name}-{number}"),
                    &format!("{name}-{number}"),
                    "a value of many",
                )
            })
            .collect();
        json!({"name": name, "values": values})
    };
    let (mut cells, mut requests, mut scenarios) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..count {
        let (scenario, rest) = (number / 800, number % 800);
        let (profile, rest) = (rest / 200, rest % 200);
        let (credential, scope) = (rest / 10, rest % 10);
        if number % 800 == 0 {
            let axes = [
                axis("profile", 4),
                axis("credential", 20),
                axis("scopes", 10),
            ];
            scenarios.push(json!({"id": format!("many-{scenario}"), "title": "One of many", "file": "scenarios/many.toml", "axes": axes}));
        }
        let mut cell = json!({
            "id": format!("many-{scenario}/profile=profile-{profile}/credential=credential-{credential}/scopes=scopes-{scope}"),
            "gateway": "openclaw@2026.9.6",
            "axes": {"profile": format!("profile-{profile}"), "credential": format!("credential-{credential}"), "scopes": format!("scopes-{scope}")},
            "expected": {"rule": "in", "outcome": "answered", "direction": "allow", "status": 200, "answer": 0},
            "observed": {"outcome": "answered", "status": 200, "error_type": null, "message": null, "model_calls": 1, "ms": 2.1, "answer": 0},
            "request": number,
            "verdict": "conforms",
        });
        dress(&mut cell, if number % 7 == 0 { number } else { number % 2 });
        cells.push(cell);
        requests.push(format!("POST /v1/chat/completions HTTP/1.1\nContent-Type: application/json\nAuthorization: Bearer ${{secret}}\nx-number: {number}\n\n{{\"model\":\"openclaw:main\",\"messages\":[{{\"role\":\"user\",\"content\":\"ping ${{canary}}\"}}]}}"));
    }
    record["cells"] = cells.into();
    record["requests"] = requests.into();
    record["scenarios"] = scenarios.into();
    serde_json::from_value(record).unwrap()
}
