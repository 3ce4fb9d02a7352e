//! Reports whose unit is a cause: SARIF, Markdown, annotations.

use super::*;

/// Findings that no cause holds: relations, and groups of cells that are stale or without a snapshot.
fn other_findings(record: &Value) -> usize {
    let relations = array(record, "relations").iter();
    let relations = relations.filter(|relation| {
        relation["failing"] == true || relation["unexplained"].as_u64().unwrap() > 0
    });
    let mut groups = BTreeSet::new();
    for cell in array(record, "cells") {
        let gateway = text(cell, "gateway");
        match text(cell, "verdict") {
            "stale" => groups.insert((gateway, text(cell, "known_issue"))),
            "new" => groups.insert((gateway, text(cell, "id").split('/').next().unwrap())),
            _ => continue,
        };
    }
    relations.count() + groups.len()
}

pub(super) fn sarif(record: &Value, report: &str) {
    let report: Value = serde_json::from_str(report).unwrap();
    let run = &report["runs"][0];
    let results = array(run, "results");
    let causes = array(record, "causes");
    assert_eq!(results.len(), causes.len() + other_findings(record));
    assert_eq!(run["properties"]["summary"], record["summary"]);
    let rules = array(&run["tool"]["driver"], "rules");
    let mut fingerprints = BTreeSet::new();
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        let fingerprint = text(&result["partialFingerprints"], "clawgaugeCause/v1");
        let gateway = text(&result["properties"], "gateway");
        assert!(fingerprints.insert((gateway, fingerprint)), "{result}");
    }
    for (cause, result) in causes.iter().zip(results) {
        assert_eq!(result["properties"]["cause"], cause["id"]);
        assert_eq!(result["properties"]["cells"], cause["cells"]);
        assert_eq!(result["properties"]["gateway"], cause["gateway"]);
        assert_eq!(result["properties"]["where"], cause["where"]);
        let rule = text(cause, "rule").split(", ").next().unwrap();
        assert_eq!(
            text(result, "ruleId"),
            format!("{}/{rule}", text(cause, "scenario"))
        );
        let level = match text(cause, "severity") {
            "blocker" | "severe" => "error",
            "shape" => "warning",
            "cosmetic" => "note",
            other => panic!("{other}"),
        };
        assert_eq!(result["level"], level);
        let suppressed = result["suppressions"].as_array().is_some();
        assert_eq!(suppressed, cause["failing"] == 0, "{result}");
        let place = &result["locations"][0]["physicalLocation"];
        let origin = format!(
            "{}:{}",
            text(&place["artifactLocation"], "uri"),
            place["region"]["startLine"]
        );
        // Where the contract is the caller's, the place is one in the caller's repository.
        let folder = record["run"]["data"].as_str();
        let expected = match folder {
            Some(folder) => format!("{folder}/{}", text(cause, "origin")),
            None => text(cause, "origin").to_owned(),
        };
        assert_eq!(expected, origin);
        let base = &place["artifactLocation"]["uriBaseId"];
        assert_eq!(base.is_null(), folder.is_some(), "{place}");
        let critical = result["properties"]["security-severity"].is_string();
        assert_eq!(critical, cause["direction"] == "unexpected-allow");
    }
}

/// Counts that the Markdown report tells in one line.
fn counts(record: &Value) -> String {
    let summary = &record["summary"];
    let mut parts = vec![
        format!("{} selected", summary["selected"]),
        format!("{} conform", summary["conforms"]),
    ];
    for (key, what) in [
        ("deviates", "deviate"),
        ("known", "known"),
        ("stale", "stale"),
        ("new", "new"),
        ("not_applicable", "not applicable"),
        ("not_asked", "not asked"),
        ("could_not_run", "could not run"),
        ("as_in_baseline", "as in the baseline"),
        ("below_severity", "less severe than asked for"),
        ("better", "better than the baseline"),
    ] {
        if summary[key] != 0 {
            parts.push(format!("{} {what}", summary[key]));
        }
    }
    parts.join(", ")
}

pub(super) fn markdown(record: &Value, report: &str) {
    let first = report.lines().next().unwrap();
    // What was not asked comes first.
    let verdict = [
        "**Go**",
        "**No go**",
        "**Could not tell**",
        "**GO for ",
        "**NO-GO for ",
        "**COULD NOT TELL: ",
    ];
    assert!(
        verdict.iter().any(|word| first.starts_with(word)),
        "{first}"
    );
    assert!(
        report.contains(&counts(record)),
        "{}\n{report}",
        counts(record)
    );
    let open = |cause: &&Value| cause["failing"] != 0;
    let causes = array(record, "causes").iter().filter(open);
    for cause in causes.take(15) {
        assert!(
            report.contains(&format!(
                "cause {}: `{}`",
                cause["id"],
                text(cause, "scenario")
            )),
            "{cause}"
        );
    }
    let issues = array(record, "known_issues");
    for issue in issues {
        assert!(
            report.contains(&format!("- **{}**", text(issue, "id").replace('*', "\\*"))),
            "{issue}"
        );
    }
    let mut scenarios: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for cell in array(record, "cells") {
        let scenario = text(cell, "id").split('/').next().unwrap();
        *scenarios
            .entry((text(cell, "gateway"), scenario))
            .or_default() += 1;
    }
    for ((_, scenario), cells) in scenarios {
        assert!(
            report.contains(&format!("| `{scenario}` | {cells} |")),
            "{scenario}"
        );
    }
}

pub(super) fn annotations(record: &Value, report: &str) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in report.lines() {
        let (kind, rest) = line.strip_prefix("::").unwrap().split_once(' ').unwrap();
        assert!(["error", "warning", "notice"].contains(&kind), "{line}");
        let (properties, message) = rest.split_once("::").unwrap();
        assert!(!message.is_empty());
        let more = properties
            .strip_prefix("title=and ")
            .map(|more| more.split(' ').next().unwrap());
        *counts.entry(kind).or_default() += more.map_or(1, |more| more.parse::<usize>().unwrap());
    }
    for kind in ["error", "warning", "notice"] {
        let lines = report
            .lines()
            .filter(|line| line.starts_with(&format!("::{kind} ")));
        assert!(lines.count() <= 10);
    }
    let mut issues = BTreeSet::new();
    for cell in array(record, "cells") {
        if let (Some(issue), true) = (cell["known_issue"].as_str(), cell["verdict"] != "stale") {
            issues.insert((text(cell, "gateway"), issue));
        }
    }
    let causes = array(record, "causes").iter().filter(|cause| {
        // What a known issue excuses stands under the issue.
        cause["failing"] != 0
            || cause["known_issue"].is_null()
            || record["run"]["fail_on"] == "known"
    });
    let troubles = troubles(record);
    let summary = |name: &str| record["summary"][name].as_u64().unwrap_or(0);
    let unasked = [
        "not_applicable",
        "not_asked",
        "could_not_run",
        "not_selected",
        "not_reached",
    ];
    let headline = unasked.iter().any(|name| summary(name) > 0);
    let found = causes.count() + other_findings(record) + issues.len() + troubles;
    let wanted = found + usize::from(headline);
    assert_eq!(counts.values().sum::<usize>(), wanted, "{report}");
    assert!(counts.get("error").copied().unwrap_or(0) >= troubles);
}

/// Gateways that could not be used, last launches that failed, reasons why cells could not run or were not asked.
fn troubles(record: &Value) -> usize {
    let mut troubles = usize::from(record["run"]["interrupted"] == true);
    for gateway in array(record, "gateways") {
        troubles += usize::from(gateway["error"].is_string());
        let last: BTreeMap<&str, &Value> = array(gateway, "launches")
            .iter()
            .map(|launch| (text(launch, "profile"), launch))
            .collect();
        troubles += last
            .values()
            .filter(|launch| launch["failure"].is_string())
            .count();
    }
    let cells = array(record, "cells").iter();
    let reasons: BTreeSet<_> = cells
        .filter(|cell| {
            let excused = cell["standing"] == "expected-skip";
            cell["verdict"] == "could-not-run" || cell["verdict"] == "not-asked" && !excused
        })
        .map(|cell| {
            (
                text(cell, "gateway"),
                text(&cell["axes"], "profile"),
                text(cell, "reason"),
            )
        })
        .collect();
    troubles + reasons.len()
}

/// Each line is NAME=VALUE, each name is there once, and the counts are the record's.
pub(super) fn outputs(record: &Value, report: &str) {
    let lines = report.lines().map(|line| line.split_once('=').unwrap());
    let told: BTreeMap<&str, &str> = lines.clone().collect();
    assert_eq!(told.len(), lines.count(), "{report}");
    let mut counted = 0;
    for (name, count) in record["summary"].as_object().unwrap() {
        if let Some(value) = told.get(name.replace('_', "-").as_str()) {
            assert_eq!(*value, count.to_string(), "{name}");
            counted += 1;
        }
    }
    assert_eq!(
        counted,
        told.len() - 3,
        "all but cells and the two lists: {report}"
    );
    let listed: BTreeSet<&str> = told["broken-rules"].split(' ').collect();
    for cause in array(record, "causes")
        .iter()
        .filter(|cause| cause["failing"] != 0)
    {
        let rule = text(cause, "rule").split(", ").next().unwrap();
        let rule = format!("{}/{rule}", text(cause, "scenario"));
        assert!(listed.contains(&*rule), "{rule} in {report}");
    }
}
