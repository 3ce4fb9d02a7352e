//! Whether every report of a record says what the record says: each is read back with a consumer of its format and
//! compared with the record's JSON, not with what the code makes of it.

mod findings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use clap::ValueEnum as _;
use clawgauge::record::{Record, Results};
use clawgauge::reports::{Format, render};
use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

use findings::{annotations, markdown, outputs, sarif};

/// A report as text.
pub(crate) fn rendered(format: Format, results: &Results<'_>) -> String {
    let mut bytes = Vec::new();
    render(format, results, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Renders a record in every format and reads each back.
pub(crate) fn reports_agree(path: &Path) {
    let record: Value = serde_json::from_reader(BufReader::new(File::open(path).unwrap())).unwrap();
    let file = Results::open(path).unwrap();
    let memory = file.load().unwrap();
    let texts: BTreeMap<Format, String> = Format::value_variants()
        .iter()
        .map(|format| {
            let text = rendered(*format, &file);
            assert_eq!(text, rendered(*format, &Results::from(&memory)), "{format}");
            assert_eq!(text, rendered(*format, &file), "{format} twice");
            (*format, text)
        })
        .collect();
    let again: Record = serde_json::from_str(&texts[&Format::Json]).unwrap();
    assert!(again == memory, "json");
    junit(&record, &texts[&Format::Junit]);
    ctrf(&record, &texts[&Format::Ctrf]);
    tap(&record, &texts[&Format::Tap]);
    sarif(&record, &texts[&Format::Sarif]);
    markdown(&record, &texts[&Format::Markdown]);
    annotations(&record, &texts[&Format::Annotations]);
    outputs(&record, &texts[&Format::Outputs]);
    let summary = texts[&Format::Summary]
        .trim_end()
        .strip_prefix("## clawgauge\n\n")
        .unwrap();
    assert_eq!(summary, texts[&Format::Markdown].trim_end());
}

/// What a report of tests must say about a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Pass,
    Fail,
    Error,
    Known,
    Excused,
    NotApplicable,
}

fn wanted(cell: &Value) -> Wanted {
    match (cell["standing"].as_str(), cell["verdict"].as_str().unwrap()) {
        (Some("fails"), _) => Wanted::Fail,
        (Some("as-in-baseline" | "below-severity"), _) => Wanted::Excused,
        (_, "could-not-run") => Wanted::Error,
        (_, "not-applicable") => Wanted::NotApplicable,
        (Some("expected-skip"), "not-asked") => Wanted::NotApplicable,
        (_, "not-asked") => Wanted::Error,
        (_, "known") => Wanted::Known,
        (_, "conforms") => Wanted::Pass,
        other => panic!("{other:?}"),
    }
}

fn array<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn failing_relations(record: &Value) -> usize {
    let relations = array(record, "relations").iter();
    relations
        .filter(|relation| relation["failing"] == true)
        .count()
}

/// Points that are about the run, not about a cell.
fn besides(record: &Value) -> usize {
    let red = |cell: &&Value| matches!(wanted(cell), Wanted::Fail | Wanted::Error);
    let silent =
        failing_relations(record) == 0 && !array(record, "cells").iter().any(|cell| red(&cell));
    let interrupted = record["run"]["interrupted"] == true;
    let summary = |name: &str| record["summary"][name].as_u64().unwrap_or(0);
    let ran = summary("selected") != summary("not_applicable") + summary("not_asked");
    failing_relations(record) + usize::from(interrupted || silent && !ran)
}

fn key(cell: &Value) -> &str {
    text(cell, "id").split_once('/').unwrap().1
}

fn junit(record: &Value, report: &str) {
    // Parsers differ in what they let pass; the standard does not.
    let hidden = |c: &char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    assert_eq!(report.chars().find(hidden), None);
    let report = quick_junit::Report::deserialize_from_str(report).unwrap();
    let cells = array(record, "cells");
    assert_eq!(report.tests, cells.len() + besides(record));
    let mut cases = BTreeMap::new();
    let (mut failures, mut errors) = (0, 0);
    for suite in &report.test_suites {
        let mut counts = [0, 0, 0];
        for case in &suite.test_cases {
            let known = match &case.status {
                TestCaseStatus::Success { .. } => Wanted::Pass,
                TestCaseStatus::NonSuccess {
                    kind: NonSuccessKind::Failure,
                    message,
                    ..
                } => {
                    assert!(!message.as_ref().unwrap().is_empty());
                    counts[0] += 1;
                    Wanted::Fail
                }
                TestCaseStatus::NonSuccess {
                    kind: NonSuccessKind::Error,
                    ..
                } => {
                    counts[1] += 1;
                    Wanted::Error
                }
                TestCaseStatus::Skipped { message, .. } => {
                    counts[2] += 1;
                    let message = message.as_ref().unwrap().as_str();
                    match message {
                        _ if message.starts_with("known issue ") => Wanted::Known,
                        _ if ["not applicable: ", "not asked: "]
                            .iter()
                            .any(|start| message.starts_with(start)) =>
                        {
                            Wanted::NotApplicable
                        }
                        _ => Wanted::Excused,
                    }
                }
            };
            let name = (
                suite.name.as_str().to_owned(),
                case.name.as_str().to_owned(),
                case.classname.as_ref().unwrap().as_str().to_owned(),
            );
            assert!(
                cases.insert(name, (known, case.clone())).is_none(),
                "twice: {}",
                case.name.as_str()
            );
        }
        assert_eq!(
            suite.tests,
            suite.test_cases.len(),
            "{}",
            suite.name.as_str()
        );
        assert_eq!(
            [suite.failures, suite.errors],
            counts[..2],
            "{}",
            suite.name.as_str()
        );
        failures += counts[0];
        errors += counts[1];
    }
    assert_eq!((report.failures, report.errors), (failures, errors));
    let many = array(record, "gateways").len() > 1;
    for cell in cells {
        let suite = format!(
            "{}: {}",
            text(cell, "gateway"),
            text(&cell["axes"], "profile")
        );
        let mut class = text(cell, "id").split('/').next().unwrap().to_owned();
        if many {
            class = format!("{}.{class}", text(cell, "gateway").replace('.', "_"));
        }
        let (known, case) = &cases[&(suite, key(cell).to_owned(), class)];
        assert_eq!(*known, wanted(cell), "{cell}");
        for (axis, value) in cell["axes"].as_object().unwrap() {
            let mut properties = case.properties.iter();
            assert!(properties.any(|property| property.name.as_str() == axis
                && Some(property.value.as_str()) == value.as_str()));
        }
        if let TestCaseStatus::NonSuccess {
            description: Some(body),
            ty,
            ..
        } = &case.status
        {
            assert!(body.as_str().contains(text(cell, "id")));
            let kind = cell["direction"].as_str().unwrap_or(text(cell, "verdict"));
            assert_eq!(ty.as_ref().unwrap().as_str(), kind);
        }
    }
}

fn ctrf(record: &Value, report: &str) {
    let report: Value = serde_json::from_str(report).unwrap();
    assert_eq!(
        (text(&report, "reportFormat"), text(&report, "specVersion")),
        ("CTRF", "0.0.0")
    );
    assert_eq!(report["runId"], record["run"]["id"]);
    let tests = array(&report["results"], "tests");
    let cells = array(record, "cells");
    assert_eq!(tests.len(), cells.len() + besides(record));
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for test in tests {
        *counts.entry(text(test, "status")).or_default() += 1;
    }
    let summary = &report["results"]["summary"];
    assert_eq!(summary["tests"], tests.len());
    for status in ["passed", "failed", "skipped", "pending", "other"] {
        assert_eq!(
            summary[status],
            counts.get(status).copied().unwrap_or(0),
            "{status}"
        );
    }
    assert_eq!(summary["extra"]["verdicts"], record["summary"]);
    let flaky = tests.iter().filter(|test| test["flaky"] == true).count();
    assert_eq!(summary["flaky"], flaky);
    for (cell, test) in cells.iter().zip(tests) {
        assert_eq!(test["testId"], cell["id"]);
        assert_eq!(test["rawStatus"], cell["verdict"]);
        assert_eq!(test["extra"]["axes"], cell["axes"]);
        assert_eq!(test["extra"]["cause"], cell["cause"]);
        let status = match wanted(cell) {
            Wanted::Pass => "passed",
            Wanted::Fail | Wanted::Error => "failed",
            Wanted::Known => "pending",
            Wanted::Excused => "other",
            Wanted::NotApplicable => "skipped",
        };
        assert_eq!(test["status"], status, "{cell}");
        let attempts = cell["attempts"].as_array().map_or(0, Vec::len);
        assert_eq!(test["retries"].as_u64().unwrap_or(0), attempts as u64);
        assert_eq!(test["flaky"], attempts > 0 && status == "passed");
    }
}

/// A point of TAP as its grammar has it.
struct Point {
    ok: bool,
    name: String,
    directive: Option<String>,
    diagnostics: Option<Value>,
}

fn parse_tap(report: &str) -> (usize, Vec<Point>) {
    let mut lines = report.split('\n').peekable();
    assert_eq!(lines.next(), Some("TAP version 14"));
    let plan = lines.next().unwrap().strip_prefix("1..").unwrap();
    let mut points: Vec<Point> = Vec::new();
    while let Some(line) = lines.next() {
        if line == "  ---" {
            let mut yaml = String::new();
            loop {
                match lines.next().unwrap() {
                    "  ..." => break,
                    line => {
                        yaml.push_str(&format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
                    }
                }
            }
            let point = points.last_mut().unwrap();
            assert!(!point.ok && point.diagnostics.is_none());
            point.diagnostics = Some(
                serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}")),
            );
            continue;
        }
        if line.is_empty() {
            assert!(lines.peek().is_none());
            break;
        }
        if line.starts_with("# ") {
            // What was not asked, before everything else.
            assert!(points.is_empty());
            continue;
        }
        let (ok, rest) = match line.strip_prefix("not ok ") {
            Some(rest) => (false, rest),
            None => (
                true,
                line.strip_prefix("ok ").unwrap_or_else(|| panic!("{line}")),
            ),
        };
        let (number, rest) = rest.split_once(" - ").unwrap();
        assert_eq!(number, (points.len() + 1).to_string());
        let (name, directive) = match rest.find(" # ") {
            Some(place) => (&rest[..place], Some(rest[place + 3..].to_owned())),
            None => (rest, None),
        };
        assert!(!name.replace("\\#", "").contains('#'), "{line}");
        let name = name.replace("\\#", "#").replace("\\\\", "\\");
        points.push(Point {
            ok,
            name,
            directive,
            diagnostics: None,
        });
    }
    (plan.parse().unwrap(), points)
}

fn tap(record: &Value, report: &str) {
    let (plan, points) = parse_tap(report);
    let cells = array(record, "cells");
    assert_eq!(plan, points.len());
    assert_eq!(plan, cells.len() + besides(record));
    let many = array(record, "gateways").len() > 1;
    for (cell, point) in cells.iter().zip(&points) {
        let name = match many {
            true => format!("{} {}", text(cell, "gateway"), text(cell, "id")),
            false => text(cell, "id").to_owned(),
        };
        assert_eq!(point.name, name);
        let directive = point
            .directive
            .as_deref()
            .map(|text| text.split(' ').next().unwrap());
        let found = (point.ok, directive, point.diagnostics.is_some());
        let told = match wanted(cell) {
            Wanted::Pass => (true, None, false),
            Wanted::Fail | Wanted::Error => (false, None, true),
            Wanted::Known => (false, Some("TODO"), false),
            Wanted::Excused | Wanted::NotApplicable => (true, Some("SKIP"), false),
        };
        assert_eq!(found, told, "{cell}");
        if let Some(diagnostics) = &point.diagnostics {
            assert_eq!(diagnostics["verdict"], cell["verdict"]);
            assert!(text(diagnostics, "details").contains(text(cell, "id")));
        }
    }
    assert!(points[cells.len()..].iter().all(|point| !point.ok));
}
