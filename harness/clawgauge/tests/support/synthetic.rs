//! Records that no run would write: every verdict in one, hostile texts, a hundred thousand cells.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::{Value, json};

/// What a gateway might say to leave its place in a report.
pub(crate) const HOSTILE: [&str; 14] = [
    "]]> <![CDATA[ &amp; \" '",
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\n::error::injected\n##[error]injected",
    "`code` ``` fence\n```\n</details>",
    "a | b | c \\| d \\",
    "<!-- comment --> **bold** ~~gone~~ <b>",
    "nul \0 bell \u{7} escape \u{1b}[31mred\u{1b}[0m delete \u{7f} next \u{85}",
    "100% %0A %25 %2C , : ;",
    "line\u{2028}separator\u{2029}paragraph \u{202e}right-to-left \u{feff}",
    "@maintainer ask @maintainer/team https://evil.example/x www.evil.example a@evil.example",
    "[link](javascript:alert(1)) ![image](https://evil.example/x.png) <https://evil.example>",
    "# heading\n- item\n1. item\n> quote\n---\n...\n  ...",
    "ok 1 - injected # TODO\\# SKIP\nBail out! \r\n1..0",
    "'$(reboot)' ; \u{1f980} \u{fffe} {0} {{",
];

/// A record in which each verdict and each excuse stands once, and in which the gateway says `text`.
pub(crate) fn every_verdict(text: &str) -> Value {
    let cells = [
        ("conforms", json!({})),
        ("conforms", json!({ "attempts": [text] })),
        (
            "deviates",
            json!({ "direction": "unexpected-allow", "severity": "blocker", "standing": "fails", "cause": 1 }),
        ),
        (
            "deviates",
            json!({ "direction": "wrong-body", "severity": "cosmetic", "standing": "below-severity", "cause": 2 }),
        ),
        (
            "deviates",
            json!({ "direction": "wrong-denial", "severity": "shape", "standing": "as-in-baseline", "cause": 3 }),
        ),
        (
            "deviates",
            json!({ "direction": "wrong-denial", "severity": "shape", "standing": "fails", "cause": 4 }),
        ),
        (
            "known",
            json!({ "direction": "unexpected-deny", "severity": "blocker", "known_issue": "issue#1", "cause": 5 }),
        ),
        (
            "stale",
            json!({ "severity": "cosmetic", "known_issue": "issue#2", "standing": "fails" }),
        ),
        (
            "new",
            json!({ "severity": "cosmetic", "standing": "fails" }),
        ),
        (
            "not-applicable",
            json!({ "observed": null, "reason": format!("no such route: {text}") }),
        ),
        (
            "not-asked",
            json!({ "observed": null, "reason": format!("no proxy: {text}"), "standing": "expected-skip" }),
        ),
        (
            "not-asked",
            json!({ "observed": null, "reason": format!("no client: {text}") }),
        ),
        (
            "could-not-run",
            json!({ "observed": null, "reason": format!("no answer: {text}") }),
        ),
    ];
    let cells = cells.into_iter().enumerate().map(|(number, (verdict, more))| {
        let mut cell = json!({
            "id": format!("synthetic/profile=token/value=v{number}"),
            "gateway": "reference",
            "axes": { "profile": "token", "value": format!("v{number}") },
            "expected": { "rule": "a-rule", "outcome": "unauthorized", "direction": "deny", "status": 401, "answer": 0 },
            "observed": {
                "outcome": null, "status": 403, "error_type": text, "message": text, "model_calls": 0, "ms": 1.5,
                "answer": 1,
            },
            "request": 0,
            "verdict": verdict,
        });
        cell.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        cell
    });
    let cells: Vec<Value> = cells.collect();
    let issue = |number: usize| {
        json!({
            "id": format!("issue#{number}"), "url": format!("https://example.com/issues/{number}"), "title": text,
            "kind": "security", "releases": text, "means": text, "workaround": text, "bytes_say": text,
            "file": format!("scenarios/known-issues/a,b:{number}%.toml"),
        })
    };
    let mut record = json!({
        "schema": "clawgauge.results/1",
        "run": {
            "id": "0123456789abcdef", "started": "2026-11-23T15:00:00Z", "finished": "2026-11-23T15:00:05Z",
            "harness": "0.1.0", "table_hash": "0123456789abcdef0123456789abcdef", "interrupted": false, "data": "contract",
            "fail_on": "deviates", "severity": "shape", "baseline": "fedcba9876543210",
        },
        "gateways": [{
            "ref": "reference", "version": "2026.9.6", "integrity": text, "node": text, "notes": [text],
            "launches": [{
                "profile": "token", "attempt": 1, "ready_ms": 100, "stop_ms": 10, "exit": 7, "killed": false,
                "failure": text,
            }],
        }],
        "summary": {},
        "causes": [],
        "relations": [{
            "gateway": "reference", "id": "a-relation", "title": text, "origin": "scenarios/relations.toml:7",
            "example": ["synthetic/profile=token/value=v0", "synthetic/profile=token/value=v1"],
            "unexplained": 3, "explained": 0, "failing": true,
        }],
        "scenarios": [{
            "id": "synthetic", "title": text, "file": "scenarios/synthetic.toml",
            "axes": [
                { "name": "profile", "values": [{ "id": "token", "short": "token", "title": text }] },
                { "name": "value", "values": (0..cells.len()).map(|number| json!({
                    "id": format!("v{number}"), "short": format!("v{number}"), "title": text,
                })).collect::<Vec<_>>() },
            ],
        }],
        "rules": [{
            "scenario": "synthetic", "id": "a-rule", "title": text, "origin": "scenarios/synthetic.toml:12", "source": text,
        }],
        "known_issues": [issue(1), issue(2)],
        "requests": [format!("GET /{text} HTTP/1.1\n\n")],
        "answers": ["status: 401\nbody: empty\n", format!("status: 403\nbody: text\n  {text}\n")],
        "cells": cells,
    });
    settle(&mut record, text);
    record
}

/// A record of so many causes of each kind, a cell each, and nothing else that is red.
pub(crate) fn many_causes(number: usize) -> Value {
    let mut record = every_verdict("x");
    let cells = record["cells"].as_array().unwrap().clone();
    let deviating = [2, 5].into_iter().flat_map(|place| {
        let cell = cells[place].clone();
        (0..number).map(move |number| (place, number, cell.clone()))
    });
    let cells = deviating
        .enumerate()
        .map(|(index, (place, number, mut cell))| {
            let value = format!("v{place}-{number}");
            cell["id"] = format!("synthetic/profile=token/value={value}").into();
            cell["axes"]["value"] = value.into();
            cell["cause"] = (index + 1).into();
            cell
        });
    record["cells"] = cells.collect();
    retain(&mut record, |_| true);
    record
}

/// Drops cells, and all that is said about them.
pub(crate) fn retain(record: &mut Value, keep: impl Fn(&Value) -> bool) {
    record["cells"].as_array_mut().unwrap().retain(keep);
    record["relations"] = json!([]);
    record["gateways"][0]["launches"] = json!([]);
    record["known_issues"] = json!([]);
    settle(record, "x");
}

/// Counts and causes as the cells have them.
fn settle(record: &mut Value, text: &str) {
    let cells = record["cells"].as_array().unwrap().clone();
    let verdict = |name: &str| cells.iter().filter(|cell| cell["verdict"] == name).count();
    let standing = |name: &str| cells.iter().filter(|cell| cell["standing"] == name).count();
    record["summary"] = json!({
        "selected": cells.len(), "conforms": verdict("conforms"), "deviates": verdict("deviates"),
        "known": verdict("known"), "stale": verdict("stale"), "new": verdict("new"),
        "not_applicable": verdict("not-applicable"), "could_not_run": verdict("could-not-run"),
        "not_asked": verdict("not-asked"), "expected_skips": standing("expected-skip"),
        "not_selected": 0, "not_reached": 0,
        "failing": standing("fails"), "as_in_baseline": standing("as-in-baseline"),
        "below_severity": standing("below-severity"), "better": 0,
    });
    let causes = cells.iter().filter(|cell| cell["cause"].is_number()).map(|cell| {
        json!({
            "id": cell["cause"], "gateway": "reference", "scenario": "synthetic",
            "where": { "value": [cell["axes"]["value"]] }, "cells": 1, "example": cell["id"], "expected": "unauthorized",
            "observed": "403 of another shape", "answer": format!("403 {text}: {text}"), "direction": cell["direction"],
            "severity": cell["severity"], "failing": usize::from(cell["standing"] == "fails"),
            "known_issue": cell["known_issue"], "rule": "a-rule", "title": text, "origin": "scenarios/synthetic.toml:12",
            "source": text,
            "difference": (cell["direction"] == "wrong-body").then(|| json!({
                "snapshot": "snapshots/synthetic.snap:4", "accepted": "a\nb\n", "observed": format!("a\n{text}\n"),
            })),
        })
    });
    record["causes"] = causes.collect();
}

/// Writes a record of so many cells, cell by cell: profiles in turn, one cell in ten fails, texts as gateways write them.
pub(crate) fn write_many(path: &Path, cells: usize) {
    let mut record = every_verdict("missing scope: operator.write");
    record["cells"] = json!([]);
    record["relations"] = json!([]);
    record["gateways"][0]["launches"] = json!([]);
    record["known_issues"] = json!([]);
    let answer = "status: 403\nbody: json\n  {\n    \"error\": \"missing scope\"\n  }\n".repeat(8);
    record["answers"] = json!([answer, answer.replace("403", "401")]);
    let failing = cells.div_ceil(10);
    record["summary"] = json!({
        "selected": cells, "conforms": cells - failing, "deviates": failing, "known": 0, "stale": 0, "new": 0,
        "not_applicable": 0, "not_asked": 0, "could_not_run": 0, "failing": failing, "as_in_baseline": 0, "below_severity": 0,
        "better": 0, "expected_skips": 0, "not_selected": 0, "not_reached": 0,
    });
    let cause = json!({
        "id": 1, "gateway": "reference", "scenario": "synthetic", "where": {}, "cells": failing,
        "example": "synthetic/profile=p0/value=v0", "expected": "unauthorized", "observed": "missing-scope-write",
        "answer": "403 forbidden: missing scope: operator.write", "direction": "wrong-denial", "severity": "shape",
        "failing": failing, "rule": "a-rule", "title": "a rule", "origin": "scenarios/synthetic.toml:12", "source": "",
    });
    record["causes"] = json!([cause]);
    let text = record.to_string();
    let head = text.replacen("\"cells\":[],", "", 1);
    let mut out = BufWriter::new(File::create(path).unwrap());
    write!(out, "{},\"cells\":[", head.strip_suffix('}').unwrap()).unwrap();
    for number in 0..cells {
        let fails = number % 10 == 0;
        let mut cell = json!({
            "id": format!("synthetic/profile=p{}/value=v{number}", number % 60),
            "gateway": "reference",
            "axes": { "profile": format!("p{}", number % 60), "value": format!("v{number}") },
            "expected": { "rule": "a-rule", "outcome": "unauthorized", "direction": "deny", "status": 401, "answer": 1 },
            "observed": {
                "outcome": "unauthorized", "status": 401, "error_type": "unauthorized", "message": "Unauthorized",
                "model_calls": 0, "ms": (number % 97) as f64 / 10.0, "answer": 1,
            },
            "request": 0,
            "verdict": if fails { "deviates" } else { "conforms" },
        });
        if fails {
            let more = json!({
                "direction": "wrong-denial", "severity": "shape", "standing": "fails", "cause": 1,
                "observed": {
                    "outcome": "missing-scope-write", "status": 403, "error_type": "forbidden",
                    "message": "missing scope: operator.write", "model_calls": 0, "ms": 2.5, "answer": 0,
                },
            });
            cell.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
        }
        let separator = if number == 0 { "" } else { "," };
        write!(out, "{separator}\n{cell}").unwrap();
    }
    writeln!(out, "]}}").unwrap();
}
