//! SARIF 2.1.0, for code scanning: a rule a contract rule, a result a cause.
//!
//! One run, whatever the number of gateways: code scanning takes one run of a tool and category per upload, and would
//! take several for analyses that replace each other. The gateway stands in each result's properties; its fingerprint
//! leaves it out, so that an alert stays the same from release to release.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};

use super::facts::Facts;
use super::findings::{About, Excuse, Finding, in_repository, place, troubles};
use super::markdown::escape;
use super::part;
use crate::words::{also, replay};
use base::text::one_line;
use record::judge::Severity;
use record::{Ending, Record, Results, ResultsError};

/// Code scanning takes no more results of a run.
const MOST_RESULTS: usize = 25_000;
/// What went wrong around a run is told up to here.
const MOST_NOTIFICATIONS: usize = 100;
/// What locations are relative to: clawgauge's data folder.
const ROOT: &str = "CLAWGAUGE";
/// A caller gets in who must not: what code scanning calls critical.
const CRITICAL: &str = "9.1";

/// Writes the report.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let record = results.head();
    let facts = Facts::gather(results)?;
    let findings = Finding::all(record, &facts);
    let told = &findings[..findings.len().min(MOST_RESULTS)];
    let rules = Rules::of(record, told);
    let results: Vec<Value> = told
        .iter()
        .map(|finding| result(record, &rules, finding))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "clawgauge",
                "version": record.run.harness,
                "semanticVersion": record.run.harness,
                "rules": rules.descriptors,
            }},
            // What stands before the last slash is the category in which results are compared from run to run.
            "automationDetails": { "id": format!("clawgauge/{}", record.run.id) },
            "originalUriBaseIds": base(record),
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation(record, &facts, findings.len())],
            "properties": {
                "gateways": record.gateways.iter().map(|gateway| json!({
                    "ref": gateway.reference, "version": gateway.version, "integrity": gateway.integrity,
                    "node": gateway.node,
                })).collect::<Vec<_>>(),
                "contract": record.run.table_hash,
                "summary": record.summary,
            },
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// The rules that results name, by place.
struct Rules {
    descriptors: Vec<Value>,
    places: BTreeMap<String, usize>,
}

impl Rules {
    fn of(record: &Record, findings: &[Finding<'_>]) -> Self {
        let mut rules = BTreeMap::new();
        for rule in &record.rules {
            let title = match rule.title.as_str() {
                "" => rule.id.replace('-', " "),
                title => title.to_owned(),
            };
            let help = format!(
                "Rule {} of {} ({}). On the authority of: {}",
                rule.id, rule.scenario, rule.origin, rule.source
            );
            let id = format!("{}/{}", rule.scenario, rule.id);
            rules.insert(id, (title, help, rule.source.clone()));
        }
        for finding in findings {
            rules
                .entry(finding.rule.clone())
                .or_insert_with(|| other_rule(record, finding));
        }
        let places = (0..)
            .zip(rules.keys())
            .map(|(place, id)| (id.clone(), place));
        let places: BTreeMap<String, usize> = places.collect();
        let descriptors = rules.into_iter().map(|(id, (title, help, source))| {
            let mine = || findings.iter().filter(|finding| finding.rule == id);
            let worst = mine().map(|finding| finding.severity).max();
            let title = one_line(&title);
            let mut descriptor = json!({
                "id": id,
                "name": name(&id),
                "shortDescription": { "text": sentence(&title) },
                "fullDescription": { "text": sentence(&match source.as_str() {
                    "" => title,
                    source => format!("{title}. Source: {}", one_line(source)),
                }) },
                "help": { "text": one_line(&help), "markdown": escape::text(&help) },
                "defaultConfiguration": { "level": worst.map_or("error", level) },
            });
            if is_url(&source) {
                descriptor["helpUri"] = json!(source);
            }
            if mine().any(Finding::is_security) {
                descriptor["properties"] =
                    json!({ "security-severity": CRITICAL, "tags": ["security"] });
            }
            descriptor
        });
        Self {
            descriptors: descriptors.collect(),
            places,
        }
    }
}

/// What results name that is no rule of a decision table: title, help and source.
fn other_rule(record: &Record, finding: &Finding<'_>) -> (String, String, String) {
    match finding.about {
        About::Cause(cause) => (
            cause.title.clone(),
            format!("Rule {} ({})", cause.rule, cause.origin),
            cause.source.clone(),
        ),
        About::Relation(relation) => (
            relation.title.clone(),
            format!(
                "A relation between cells that needs no expected value ({})",
                relation.origin
            ),
            String::new(),
        ),
        About::Stale(id) => (
            format!("known issue {id} shows where its file says so"),
            "Where it no longer shows, its file is out of date; see its affects and releases"
                .to_owned(),
            record
                .known_issue(id)
                .map_or_else(String::new, |issue| issue.url.clone()),
        ),
        About::New(scenario) => (
            format!("every cell of {scenario} has an accepted answer"),
            "Read the pending snapshot of a full run, then accept it with clawgauge accept"
                .to_owned(),
            String::new(),
        ),
    }
}

fn result(record: &Record, rules: &Rules, finding: &Finding<'_>) -> Value {
    let difference = finding.difference();
    let cells = finding.cells_words(record);
    let text = format!(
        "{}: {difference}. On {}, {cells}",
        finding.kind(),
        finding.gateway
    );
    let command = replay(record, finding.gateway, finding.example);
    let markdown = format!(
        "**{}** on {}: {}\n\n{}\n\nFor example {}. To ask it again: {}",
        finding.kind(),
        escape::code(finding.gateway),
        escape::text(&cells),
        escape::code(&difference),
        escape::code(finding.example),
        escape::code(&command),
    );
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.places.get(&finding.rule),
        "level": level(finding.severity),
        "kind": "fail",
        "message": { "text": sentence(&one_line(&text)), "markdown": markdown },
        "locations": [location(record, finding.file, finding.line)],
        "partialFingerprints": { "clawgaugeCause/v1": finding.fingerprint() },
        "properties": {
            "gateway": finding.gateway,
            "cells": finding.cells,
            "example": finding.example,
            "severity": finding.severity,
            "replay": command,
        },
    });
    if finding.is_security() {
        result["properties"]["security-severity"] = json!(CRITICAL);
    }
    if let About::Cause(cause) = finding.about {
        result["properties"]["cause"] = json!(cause.id);
        result["properties"]["where"] = json!(cause.conditions);
        if !cause.also.is_empty() {
            result["properties"]["by"] = json!(cause.by);
            result["properties"]["also"] = json!(also(record, cause));
        }
        result["properties"]["failing"] = json!(cause.failing);
        if let Some(difference) = &cause.difference {
            let (file, line) = place(&difference.snapshot);
            let mut related = location(record, file, line);
            related["id"] = json!(1);
            related["message"] = json!({ "text": "The accepted answer." });
            result["relatedLocations"] = json!([related]);
        }
    }
    if let Some(suppression) = finding.excuse.map(|excuse| suppression(record, excuse)) {
        result["suppressions"] = json!([suppression]);
    }
    result
}

/// An excuse: somebody accepted it, in a file outside of what is scanned.
fn suppression(record: &Record, excuse: Excuse<'_>) -> Value {
    let why = match excuse {
        Excuse::Known(id) => match record.known_issue(id) {
            Some(issue) => format!(
                "{id}: {} ({}, {})",
                issue.title,
                issue.kind.name(),
                issue.url
            ),
            None => id.to_owned(),
        },
        Excuse::AsInBaseline => {
            let baseline = record.run.baseline.as_deref().unwrap_or_default();
            format!("the gateway answered the same in the baseline, run {baseline}")
        }
        Excuse::BelowSeverity => {
            format!(
                "less severe than {}, which was asked for",
                record.run.severity.name()
            )
        }
    };
    json!({ "kind": "external", "status": "accepted", "justification": one_line(&why) })
}

/// What locations are relative to that are in no repository of the caller.
fn base(record: &Record) -> Value {
    match record.run.data {
        Some(_) => json!({}),
        None => json!({ ROOT: {
            "description": { "text": "The folder that holds clawgauge's scenarios and snapshots." },
        }}),
    }
}

/// A place in the caller's repository, where it holds the file; else one in clawgauge's data.
fn location(record: &Record, file: &str, line: Option<usize>) -> Value {
    let uri = |file: &str| -> String { file.split('/').map(segment).collect::<Vec<_>>().join("/") };
    let artifact = match in_repository(record, file) {
        Some(file) => json!({ "uri": uri(&file) }),
        None => json!({ "uri": uri(file), "uriBaseId": ROOT }),
    };
    let mut place = json!({ "artifactLocation": artifact });
    // Code scanning shows no result without a region.
    place["region"] = json!({ "startLine": line.unwrap_or(1) });
    json!({ "physicalLocation": place })
}

/// A part of a path as part of a URI.
fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
        .replace("%2E", ".")
        .replace("%5F", "_")
}

fn invocation(record: &Record, facts: &Facts, findings: usize) -> Value {
    let (ending, why) = record.ending();
    let troubles = troubles(record, facts);
    let mut notes: Vec<String> = troubles.iter().take(MOST_NOTIFICATIONS).cloned().collect();
    let left = [
        (
            troubles.len().saturating_sub(MOST_NOTIFICATIONS),
            "notifications",
        ),
        (findings.saturating_sub(MOST_RESULTS), "results"),
    ];
    for (left, what) in left {
        if left > 0 {
            notes.push(format!(
                "{left} more {what} are left out; the record holds them"
            ));
        }
    }
    let notes: Vec<Value> = notes
        .iter()
        .map(|note| json!({ "level": "error", "message": { "text": sentence(note) } }))
        .collect();
    json!({
        "executionSuccessful": matches!(ending, Ending::Holds | Ending::Broken),
        "exitCode": ending.code(),
        "exitCodeDescription": part::why(record, &why),
        "startTimeUtc": record.run.started,
        "endTimeUtc": record.run.finished,
        "toolExecutionNotifications": notes,
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker | Severity::Severe => "error",
        Severity::Shape => "warning",
        Severity::Cosmetic => "note",
    }
}

/// A text as a sentence, as viewers expect it.
fn sentence(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => "-".to_owned(),
    }
}

/// A rule's id as one word in Pascal case, which is how viewers show it.
fn name(id: &str) -> String {
    let words = id.split(|c: char| !c.is_alphanumeric());
    words
        .flat_map(|word| {
            let mut characters = word.chars();
            let first = characters
                .next()
                .map(|first| first.to_uppercase().to_string());
            [first.unwrap_or_default(), characters.as_str().to_owned()]
        })
        .collect()
}

fn is_url(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"`{}|\\^".contains(&byte);
    (text.starts_with("https://") || text.starts_with("http://")) && text.bytes().all(plain)
}
