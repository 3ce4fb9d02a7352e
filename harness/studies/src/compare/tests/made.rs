//! Records that no gateway had to write.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::input::ProfileFacts;
use super::super::*;
use record::{Record, Results};

/// What a cell asks for or answers: name, whether it lets in, status.
pub(super) type Outcome = (&'static str, bool, u16);

pub(super) const ANSWERED: Outcome = ("answered", true, 200);
pub(super) const LISTED: Outcome = ("listed", true, 200);
pub(super) const UNKNOWN: Outcome = ("unauthorized", false, 401);
pub(super) const FORBIDDEN: Outcome = ("forbidden", false, 403);
pub(super) const OUTCOMES: [Outcome; 4] = [ANSWERED, LISTED, UNKNOWN, FORBIDDEN];

/// A cell of a record.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) scenario: &'static str,
    pub(super) profile: &'static str,
    pub(super) header: &'static str,
    pub(super) rule: String,
    pub(super) source: String,
    pub(super) asks: Outcome,
    pub(super) says: Outcome,
    /// What tells texts of the same outcome apart.
    pub(super) text: String,
    pub(super) known: Option<&'static str>,
    /// Why it was not answered: the verdict and the reason.
    pub(super) silent: Option<(&'static str, &'static str)>,
    pub(super) path: &'static str,
}

/// A cell that conforms.
pub(super) fn made(header: &'static str, outcome: Outcome) -> Made {
    Made {
        scenario: "chat",
        profile: "token",
        header,
        rule: "a-rule".to_owned(),
        source: "docs/a.md".to_owned(),
        asks: outcome,
        says: outcome,
        text: String::new(),
        known: None,
        silent: None,
        path: "/v1/chat",
    }
}

impl Made {
    pub(super) fn says(mut self, outcome: Outcome) -> Self {
        self.says = outcome;
        self
    }

    pub(super) fn known(mut self, issue: &'static str) -> Self {
        self.known = Some(issue);
        self
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    pub(super) fn rule(mut self, rule: &str, source: &str) -> Self {
        rule.clone_into(&mut self.rule);
        source.clone_into(&mut self.source);
        self
    }

    pub(super) fn at(mut self, scenario: &'static str, profile: &'static str) -> Self {
        self.scenario = scenario;
        self.profile = profile;
        self
    }

    pub(super) fn silent(mut self, verdict: &'static str, reason: &'static str) -> Self {
        self.silent = Some((verdict, reason));
        self
    }

    pub(super) fn id(&self) -> String {
        format!(
            "{}/profile={}/header={}",
            self.scenario, self.profile, self.header
        )
    }

    pub(super) fn answer(&self) -> String {
        let (name, _, status) = self.says;
        let body = match self.text.starts_with('{') {
            true => self.text.clone(),
            false => json!({ "is": format!("{name} {}", self.text) }).to_string(),
        };
        format!("status: {status}\nbody: json\n  {body}\n")
    }

    pub(super) fn request(&self) -> String {
        match self.header {
            "none" => format!("POST {} HTTP/1.1\nHost: a\n\nbody", self.path),
            header => format!(
                "POST {} HTTP/1.1\nHost: a\nX-Test: {header}\n\nbody",
                self.path
            ),
        }
    }

    pub(super) fn deviation(&self) -> Option<&'static str> {
        match (self.asks.1, self.says.1) {
            _ if self.asks == self.says => None,
            (false, true) => Some("unexpected-allow"),
            (true, false) => Some("unexpected-deny"),
            (false, false) => Some("wrong-denial"),
            (true, true) => Some("wrong-body"),
        }
    }
}

/// Whether a call is a blocker, found in another way than [`weigh`] does.
pub(super) fn blocks(before: &Made, after: &Made) -> bool {
    let wrong = |made: &Made| made.deviation().filter(|way| way.starts_with("unexpected"));
    before.silent.is_none()
        && after.silent.is_none()
        && wrong(after).is_some()
        && wrong(before) != wrong(after)
}

pub(super) const HEADERS: [&str; 5] = ["none", "a", "b", "long-value", "z"];
pub(super) const PROFILES: [&str; 3] = ["token", "token-behind-proxy", "open"];

pub(super) fn record(version: &str, cells: &[Made]) -> Record {
    let value = |id: &&str| json!({ "id": id, "short": id, "title": format!("the {id}") });
    let axes = json!([
        { "name": "profile", "values": PROFILES.iter().map(value).collect::<Vec<_>>() },
        { "name": "header", "values": HEADERS.iter().map(value).collect::<Vec<_>>() },
    ]);
    let mut answers: Vec<String> = Vec::new();
    let mut requests: Vec<String> = Vec::new();
    let mut rules: BTreeMap<(String, String), Value> = BTreeMap::new();
    let place = |texts: &mut Vec<String>, text: String| {
        let found = texts.iter().position(|known| *known == text);
        found.unwrap_or_else(|| {
            texts.push(text);
            texts.len() - 1
        })
    };
    let mut list = Vec::new();
    for made in cells {
        rules.insert(
            (made.scenario.to_owned(), made.rule.clone()),
            json!({ "scenario": made.scenario, "id": made.rule, "title": format!("title of {}", made.rule), "origin": "x:1", "source": made.source }),
        );
        let observed = json!({
            "outcome": made.says.0, "status": made.says.2, "error_type": null, "message": null, "model_calls": 0,
            "ms": 1.0, "answer": place(&mut answers, made.answer()),
        });
        let verdict = match (made.silent, made.deviation(), made.known) {
            (Some((verdict, _)), _, _) => verdict,
            (None, None, _) => "conforms",
            (None, Some(_), Some(_)) => "known",
            (None, Some(_), None) => "deviates",
        };
        list.push(json!({
            "id": made.id(), "gateway": "g", "axes": { "profile": made.profile, "header": made.header },
            "expected": {
                "rule": made.rule, "outcome": made.asks.0, "status": made.asks.2,
                "direction": if made.asks.1 { "allow" } else { "deny" },
            },
            "observed": if made.silent.is_some() { Value::Null } else { observed },
            "request": place(&mut requests, made.request()),
            "verdict": verdict,
            "direction": if made.silent.is_some() { None } else { made.deviation() },
            "known_issue": made.known, "reason": made.silent.map(|(_, reason)| reason),
        }));
    }
    let scenarios: Vec<&str> = ["chat", "lists"].to_vec();
    let issues: Vec<&str> = cells.iter().filter_map(|made| made.known).collect();
    let mut record: Record = serde_json::from_value(json!({
        "schema": "clawgauge.results/1",
        "run": {
            "id": version, "started": "s", "finished": "f", "harness": "0", "table_hash": "h", "interrupted": false,
        },
        "gateways": [{ "ref": "g", "version": version, "integrity": null, "node": null, "launches": [] }],
        "summary": serde_json::to_value(record::Summary::default()).unwrap(),
        "causes": [],
        "scenarios": scenarios.iter().map(|id| json!({ "id": id, "title": id, "file": "f", "axes": axes })).collect::<Vec<_>>(),
        "rules": rules.into_values().collect::<Vec<_>>(),
        "known_issues": issues.iter().map(|id| json!({
            "id": id, "url": "", "title": format!("title of {id}"), "kind": "regression", "releases": "r", "means": "m",
            "workaround": format!("workaround {id}"), "bytes_say": "", "file": "f",
        })).collect::<Vec<_>>(),
        "requests": requests,
        "answers": answers,
        "cells": list,
    }))
    .unwrap();
    record.fill_in();
    record
}

pub(super) fn profiles() -> Profiles {
    let facts = |mode: &str, config: Value| ProfileFacts {
        mode: mode.to_owned(),
        config,
    };
    Profiles {
        known: BTreeMap::from([
            (
                "token".to_owned(),
                facts("token", json!({ "gateway": { "port": 1 } })),
            ),
            (
                "token-behind-proxy".to_owned(),
                facts(
                    "token",
                    json!({ "gateway": { "port": 1, "trustedProxies": ["x"] } }),
                ),
            ),
            (
                "open".to_owned(),
                facts("none", json!({ "gateway": { "port": 2 } })),
            ),
        ]),
    }
}

pub(super) fn compared(a: &Record, b: &Record) -> Comparison {
    let (a, b) = (Results::from(a), Results::from(b));
    let side = |results| RecordSide::new(results, None, &|_| true).unwrap();
    compare(&side(&a), &side(&b), &profiles()).unwrap()
}

pub(super) fn of(a: &[Made], b: &[Made]) -> Comparison {
    compared(&record("2026.1.1", a), &record("2026.1.2", b))
}
