//! CTRF, the Common Test Report Format: JSON for dashboards and bots. A test a cell, written as it is read.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::facts::Facts;
use super::findings::place;
use super::part;
use super::test_status::{
    Besides, TestStatus, details, headline, kind, relation_details, relation_headline,
};
use base::text::one_line;
use record::{CellRecord, Ending, Record, RelationRecord, Results, ResultsError};

/// The version of the specification; its schema has had no other.
const SPEC: &str = "0.0.0";

/// A test.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Test<'a> {
    test_id: &'a str,
    name: &'a str,
    status: &'static str,
    duration: u64,
    suite: Vec<&'a str>,
    raw_status: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retry_attempts: Vec<Value>,
    flaky: bool,
    extra: BTreeMap<&'static str, Value>,
}

/// Writes the report.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let record = results.head();
    let facts = Facts::gather(results)?;
    let besides = Besides::of(record, facts.all.red());
    let tool = json!({ "name": "clawgauge", "version": record.run.harness });
    let parts = [
        ("tool", tool),
        ("environment", environment(record)),
        ("summary", summary(record, &facts, &besides)),
    ];
    write!(
        out,
        "{{\n  \"reportFormat\": \"CTRF\",\n  \"specVersion\": \"{SPEC}\",\n  \"generatedBy\": \"clawgauge\",\n  \"runId\": {},\n  \"timestamp\": {},\n  \"results\": {{\n",
        json!(record.run.id),
        json!(record.run.finished),
    )?;
    for (name, part) in parts {
        writeln!(out, "    \"{name}\": {part},")?;
    }
    out.write_all(b"    \"tests\": [")?;
    let mut separator = "\n      ";
    let mut put = |out: &mut dyn Write, test: &Test<'_>| -> std::io::Result<()> {
        out.write_all(separator.as_bytes())?;
        separator = ",\n      ";
        Ok(serde_json::to_writer(out, test)?)
    };
    results.each_cell(&mut |cell| put(out, &cell_test(record, cell)))?;
    for relation in &besides.relations {
        put(out, &relation_test(relation))?;
    }
    if let Some(why) = &besides.ending {
        put(out, &ending_test(why))?;
    }
    out.write_all(b"\n    ]\n  }\n}\n")?;
    Ok(())
}

/// The word of a cell. Consumers count only `failed` as red, and what could not run must not look like a pass.
fn word(status: TestStatus) -> &'static str {
    match status {
        TestStatus::Passes => "passed",
        TestStatus::Fails | TestStatus::CouldNotRun => "failed",
        // What is to be fixed in another place.
        TestStatus::Known => "pending",
        TestStatus::NotApplicable | TestStatus::NotAsked => "skipped",
        // It is red by the contract, and excused by those who run it.
        TestStatus::AsInBaseline | TestStatus::BelowSeverity => "other",
    }
}

fn summary(record: &Record, facts: &Facts, besides: &Besides<'_>) -> Value {
    let besides = besides.count();
    let by_status = |wanted: &str| -> usize {
        let statuses = facts.all.statuses.iter();
        let mine = statuses.filter(|(status, _)| word(**status) == wanted);
        mine.map(|(_, cells)| cells).sum()
    };
    let (start, stop) = (millis(&record.run.started), millis(&record.run.finished));
    json!({
        "tests": facts.all.all() + besides,
        "passed": by_status("passed"),
        "failed": by_status("failed") + besides,
        "skipped": by_status("skipped"),
        "pending": by_status("pending"),
        "other": by_status("other"),
        "flaky": facts.flaky,
        "start": start,
        "stop": stop,
        "duration": (stop - start).max(0),
        "extra": { "verdicts": record.summary },
    })
}

fn environment(record: &Record) -> Value {
    let names = record.gateways.iter();
    let names: Vec<&str> = names.map(|gateway| gateway.reference.as_str()).collect();
    let versions = record.gateways.iter();
    let versions: Vec<&str> = versions
        .filter_map(|gateway| gateway.version.as_deref())
        .collect();
    let gateways: Vec<Value> = record
        .gateways
        .iter()
        .map(|gateway| {
            json!({
                "ref": gateway.reference, "version": gateway.version, "node": gateway.node,
                "integrity": gateway.integrity, "error": gateway.error,
            })
        })
        .collect();
    let (ending, why) = record.ending();
    json!({
        "appName": names.join(", "),
        "appVersion": versions.join(", "),
        "healthy": ending == Ending::Holds,
        "extra": {
            "gateways": gateways, "contract": record.run.table_hash, "exitCode": ending.code(),
            "why": part::why(record, &why),
        },
    })
}

fn cell_test<'a>(record: &'a Record, cell: &'a CellRecord) -> Test<'a> {
    let status = TestStatus::of(cell);
    let expected = cell.expected.as_ref();
    let observed = cell.observed.as_ref();
    let file = record
        .scenario(cell.scenario())
        .map(|scenario| scenario.file.as_str());
    let line = record
        .rule(cell)
        .map(|rule| place(&rule.origin))
        .filter(|(rule, _)| Some(*rule) == file)
        .and_then(|(_, line)| line);
    let (message, trace) = match status {
        TestStatus::Passes => (None, None),
        TestStatus::Fails | TestStatus::CouldNotRun => {
            (Some(headline(record, cell)), Some(details(record, cell)))
        }
        TestStatus::NotApplicable
        | TestStatus::NotAsked
        | TestStatus::Known
        | TestStatus::AsInBaseline
        | TestStatus::BelowSeverity => (status.excuse(record, cell), None),
    };
    let mut extra = BTreeMap::from([("gateway", json!(cell.gateway)), ("axes", json!(cell.axes))]);
    let more = [
        ("rule", expected.map(|expected| json!(expected.rule))),
        ("expected", expected.map(|expected| json!(expected.outcome))),
        ("observed", observed.map(|observed| json!(observed.outcome))),
        (
            "answer",
            observed.map(|observed| json!(one_line(&observed.line()))),
        ),
        (
            "modelCalls",
            observed.map(|observed| json!(observed.model_calls)),
        ),
        ("ms", observed.map(|observed| json!(observed.ms))),
        (
            "direction",
            cell.direction.map(|direction| json!(direction)),
        ),
        ("severity", cell.severity.map(|severity| json!(severity))),
        ("standing", cell.standing.map(|standing| json!(standing))),
        (
            "knownIssue",
            cell.known_issue.as_ref().map(|issue| json!(issue)),
        ),
        ("cause", cell.cause.map(|cause| json!(cause))),
    ];
    extra.extend(
        more.into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let known = cell.known_issue.as_deref();
    let wrong = match status {
        TestStatus::Passes | TestStatus::NotApplicable | TestStatus::NotAsked => None,
        TestStatus::Fails
        | TestStatus::CouldNotRun
        | TestStatus::Known
        | TestStatus::AsInBaseline
        | TestStatus::BelowSeverity => Some(kind(cell)),
    };
    let attempts = (1..).zip(&cell.attempts).map(|(number, attempt)| {
        json!({ "attempt": number, "status": "failed", "message": one_line(attempt) })
    });
    Test {
        test_id: &cell.id,
        name: &cell.id,
        status: word(status),
        duration: observed.map_or(0, |observed| observed.ms.round().max(0.0) as u64),
        suite: vec![&cell.gateway, cell.profile(), cell.scenario()],
        raw_status: cell.verdict.name(),
        kind: "contract",
        message,
        trace,
        tags: wrong.into_iter().chain(known).collect(),
        file_path: file,
        line,
        retries: (!cell.attempts.is_empty()).then_some(cell.attempts.len()),
        retry_attempts: attempts.collect(),
        flaky: status == TestStatus::Passes && !cell.attempts.is_empty(),
        extra,
    }
}

fn relation_test(relation: &RelationRecord) -> Test<'_> {
    Test {
        test_id: &relation.id,
        name: &relation.id,
        status: "failed",
        duration: 0,
        suite: vec![&relation.gateway, "relations"],
        raw_status: "broken-relation",
        kind: "relation",
        message: Some(relation_headline(relation)),
        trace: Some(relation_details(relation)),
        tags: Vec::new(),
        file_path: Some(place(&relation.origin).0),
        line: place(&relation.origin).1,
        retries: None,
        retry_attempts: Vec::new(),
        flaky: false,
        extra: BTreeMap::from([("gateway", json!(relation.gateway))]),
    }
}

fn ending_test(why: &str) -> Test<'_> {
    Test {
        test_id: "run/ending",
        name: "how the run ended",
        status: "failed",
        duration: 0,
        suite: vec!["run"],
        raw_status: "run",
        kind: "run",
        message: Some(one_line(why)),
        trace: None,
        tags: Vec::new(),
        file_path: None,
        line: None,
        retries: None,
        retry_attempts: Vec::new(),
        flaky: false,
        extra: BTreeMap::new(),
    }
}

/// A time as CTRF has it; a record's times are well-formed, but for those that somebody edited.
fn millis(time: &str) -> i64 {
    time.parse::<Timestamp>()
        .map_or(0, |time| time.as_millisecond())
}
