//! The HTML report without a browser: nothing breaks out, nothing is lost, nothing varies, nothing is large.

use crate::records::{hostile, hostile_text, many, mixed, page};
use crate::support::Sandbox;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clawgauge::record::{CellRecord, Record, Results};
use clawgauge::reports::{Format, write_report};
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What stands between two marks that occur once.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

fn data(page: &str, id: &str) -> Value {
    let mark = format!("<script type=\"application/json\" id=\"{id}\">");
    serde_json::from_str(between(page, &mark, "</script>")).unwrap()
}

/// The page's markup: without its own style and script, and without the data blocks.
fn markup(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (body, _) = rest
        .split_once("<script type=\"application/json\"")
        .unwrap();
    format!("{head}{body}")
}

#[rstest]
#[case::small(mixed())]
#[case::hostile(hostile())]
#[case::many(many(1000))]
fn the_pages_data_are_the_records(#[case] record: Record) {
    let page = page(&record);
    let tables = data(&page, "tables");
    let json = serde_json::to_value(&record).unwrap();
    for same in [
        "causes",
        "rules",
        "known_issues",
        "requests",
        "answers",
        "summary",
    ] {
        assert_eq!(tables[same], json[same], "{same}");
    }
    let mut told = Vec::new();
    for group in data(&page, "cells").as_array().unwrap() {
        for cell in group[2].as_array().unwrap() {
            told.push(decode(&tables, group, cell.as_array().unwrap()));
        }
    }
    let cells: Vec<_> = record.cells.iter().map(facts).collect();
    assert_eq!(told, cells);
}

/// Gateway, id, request, verdict and the like, rule and outcome, what was seen, answers.
type Facts = (String, String, Value, Vec<Value>, Vec<Value>, Vec<Value>);

fn facts(cell: &CellRecord) -> Facts {
    let json = serde_json::to_value(cell).unwrap();
    let all = |value: &Value, keys: &[&str]| keys.iter().map(|key| value[key].clone()).collect();
    let line = cell.observed.as_ref().map(|seen| seen.line());
    let mut seen: Vec<Value> = all(&json["observed"], &["outcome", "model_calls", "answer"]);
    seen.push(line.into());
    (
        cell.gateway.clone(),
        cell.id.clone(),
        json["request"].clone(),
        all(
            &json,
            &[
                "verdict",
                "direction",
                "severity",
                "standing",
                "known_issue",
                "cause",
                "reason",
                "attempts",
            ],
        ),
        all(
            &json["expected"],
            &["rule", "outcome", "direction", "status", "answer"],
        ),
        seen,
    )
}

fn decode(tables: &Value, group: &Value, cell: &[Value]) -> Facts {
    let at = |list: &Value, place: &Value| {
        let place = place.as_i64().unwrap();
        usize::try_from(place).map_or(Value::Null, |place| list[place].clone())
    };
    let scenario = at(&tables["scenarios"], &group[1]);
    let axes = scenario["axes"].as_array().unwrap();
    let mut id = scenario["id"].as_str().unwrap().to_owned();
    for (axis, value) in axes.iter().zip(cell) {
        let value = at(&axis["values"], value);
        if let Some(value) = value["id"].as_str() {
            id.push_str(&format!("/{}={value}", axis["name"].as_str().unwrap()));
        }
    }
    let rest = &cell[axes.len()..];
    let id = rest.get(5).map_or(id, |id| id.as_str().unwrap().to_owned());
    let (expected, observed) = (
        at(&tables["expected"], &rest[0]),
        at(&tables["observed"], &rest[1]),
    );
    let judged = at(&tables["judged"], &rest[2]);
    let all = |value: &Value, keys: &[&str]| keys.iter().map(|key| value[key].clone()).collect();
    (
        at(&tables["gateways"], &group[0])
            .as_str()
            .unwrap()
            .to_owned(),
        id,
        if rest[3] == -1 {
            Value::Null
        } else {
            rest[3].clone()
        },
        all(
            &judged,
            &[
                "verdict",
                "direction",
                "severity",
                "standing",
                "issue",
                "cause",
                "reason",
                "attempts",
            ],
        ),
        all(
            &expected,
            &["rule", "outcome", "direction", "status", "answer"],
        ),
        all(&observed, &["outcome", "model_calls", "answer", "line"]),
    )
}

#[test]
fn nothing_from_a_gateway_breaks_out() {
    let page = page(&hostile());
    // Style, two data blocks and the script are the page's own, and nothing else begins or ends such an element.
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert_eq!(page.matches("<style").count(), 1);
    let markup = markup(&page);
    for element in [
        "<img",
        "<iframe",
        "<svg onload",
        "<b>\u{2028}",
        "<!--",
        "<a href=javascript",
    ] {
        assert!(!markup.contains(element), "{element}");
    }
    for link in markup.split("href=\"").skip(1) {
        assert!(
            link.starts_with('#') || link.starts_with("https://"),
            "{}",
            &link[..40]
        );
    }
    for data in ["cells", "tables"] {
        let mark = format!("id=\"{data}\">");
        let text = between(&page, &mark, "</script>");
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\0']));
    }
    assert!(data(&page, "tables").to_string().contains("window.hacked"));
}

#[test]
fn nothing_but_the_pages_own_script_and_style_may_run() {
    let page = page(&hostile());
    let policy = between(
        &page,
        "http-equiv=\"Content-Security-Policy\" content=\"",
        "\"",
    );
    let policy = policy.replace("&#39;", "'");
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let script = hash(between(&page, "<script type=\"module\">", "</script>"));
    let style = hash(between(&page, "<style>", "</style>"));
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        policy.contains(&format!("script-src {script};")),
        "{policy}"
    );
    assert!(policy.contains(&format!("style-src {style};")), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    // Before the policy nothing can have come from a gateway.
    let before = page.split_once("Content-Security-Policy").unwrap().0;
    assert!(before.len() < 100, "{before}");
}

#[test]
fn without_javascript_verdict_causes_issues_and_counts_are_there() {
    let record = mixed();
    let markup = markup(&page(&record));
    let counted = format!("<b>{}</b> deviate", record.summary.deviates);
    for text in [
        counted.as_str(),
        "<span class=\"word\">NO-GO</span>",
        "openclaw@2026.3.28",
        "What fails the run",
        "let in or given more than the rule says",
        "missing scope: operator.write",
        "scenarios/chat.toml:51",
        "Known issues",
        "href=\"https://example.org/58357\"",
        "Callers without the header get 403.",
        "Send operator.write.",
        "more-scopes-never-hurt",
        "the gateway went away",
        "the port was taken",
        "<noscript>",
    ] {
        assert!(markup.contains(text), "{text}");
    }
}

#[test]
fn the_word_is_the_exit_codes() {
    let mut record = mixed();
    record.cells.retain(|cell| cell.verdict.passes());
    record.relations.clear();
    record.causes.clear();
    for (key, word) in [(0, "GO"), (1, "NO-GO"), (2, "COULD NOT TELL")] {
        record.summary.failing = usize::from(key == 1);
        record.summary.could_not_run = usize::from(key == 2);
        let page = page(&record);
        assert!(
            page.contains(&format!("<span class=\"word\">{word}</span>")),
            "{word}"
        );
    }
}

#[test]
fn the_same_record_is_the_same_page_from_memory_and_from_a_file() {
    let sandbox = Sandbox::new();
    for record in [mixed(), hostile()] {
        let (json, html) = (sandbox.temp().join("r.json"), sandbox.temp().join("r.html"));
        let results = Results::from(&record);
        write_report(Format::Json, &results, &json).unwrap();
        write_report(Format::Html, &Results::open(&json).unwrap(), &html).unwrap();
        let first = page(&record);
        assert_eq!(first, page(&record));
        assert!(first == std::fs::read_to_string(&html).unwrap());
    }
}

#[test]
fn ten_thousand_cells_are_under_five_megabytes() {
    let page = page(&many(10_000));
    println!("{} bytes", page.len());
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
}

#[test]
fn a_record_without_tables_is_still_shown() {
    let mut record = mixed();
    record.scenarios.clear();
    record.rules.clear();
    record.known_issues.clear();
    record.requests.clear();
    record.answers.clear();
    record.gateways.clear();
    let page = page(&record);
    let tables = data(&page, "tables");
    assert_eq!(tables["scenarios"].as_array().unwrap().len(), 2);
    assert_eq!(tables["gateways"].as_array().unwrap().len(), 2);
}

#[test]
fn a_run_writes_it_and_its_record_gives_the_same() {
    let sandbox = Sandbox::new();
    let broken = sandbox.broken_gateway("ignores-scopes");
    sandbox
        .clawgauge()
        .args(["run", "--gateway", "reference", "--gateway", &broken])
        .args(["--report", "html=a.html", "--report", "json=r.json"])
        .assert()
        .code(1);
    sandbox
        .clawgauge()
        .args(["report", "r.json", "--report", "html=b.html"])
        .assert()
        .code(0);
    let read = |name: &str| std::fs::read_to_string(sandbox.folder.path().join(name)).unwrap();
    assert!(read("a.html") == read("b.html"));
    sandbox
        .clawgauge()
        .args(["report", "r.json", "--report", "html=-"])
        .assert()
        .code(0)
        .stdout(contains("NO-GO"));
}

#[test]
fn hostile_texts_are_whole_in_the_data() {
    let tables = data(&page(&hostile()), "tables");
    let answer = tables["answers"][1].as_str().unwrap();
    assert!(answer.ends_with(&hostile_text()));
}
