//! What records say together, on records that are made up: two axes, one scenario that knows routes.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use contract::release::Version;
use record::Record;
use record::symbol::CellSymbol;

const SCOPES: [&str; 3] = ["absent", "read", "write"];
const MODES: [&str; 2] = ["none", "token"];

/// A release of which each cell is said to be so: a letter a mode and scope, as reports show them.
fn kept(version: &str, letters: [&str; 2]) -> Kept {
    let reference = format!("openclaw@{version}");
    let cells = MODES.iter().zip(letters).flat_map(|(mode, letters)| {
        let reference = reference.clone();
        SCOPES.iter().zip(letters.chars()).map(move |(scopes, letter)| {
            let (verdict, direction, allowed) = match letter {
                '+' => ("conforms", Value::Null, true),
                '.' => ("conforms", Value::Null, false),
                'A' => ("deviates", json!("unexpected-allow"), false),
                'D' => ("deviates", json!("unexpected-deny"), true),
                'd' => ("known", json!("unexpected-deny"), true),
                '/' => ("not-applicable", Value::Null, true),
                '?' => ("could-not-run", Value::Null, true),
                other => panic!("{other}"),
            };
            let in_now = matches!(letter, '+' | 'A');
            json!({
                "id": format!("routes/profile={mode}/endpoint=chat/scopes={scopes}"),
                "gateway": reference,
                "expected": { "rule": if allowed { "in" } else { "out" }, "outcome": "x", "direction": if allowed { "allow" } else { "deny" }, "status": 200 },
                "observed": match letter { '/' | '?' => Value::Null, _ => json!({
                    "outcome": null, "status": if in_now { 200 } else { 403 }, "error_type": if in_now { Value::Null } else { json!("forbidden") },
                    "message": null, "model_calls": u32::from(in_now),
                }) },
                "verdict": verdict, "direction": direction,
                "known_issue": if letter == 'd' { json!("issue#1") } else { Value::Null },
                "reason": if letter == '/' || letter == '?' { json!("so it is") } else { Value::Null },
            })
        })
    });
    let cells: Vec<Value> = cells.collect();
    let count = |verdict: &str| {
        cells
            .iter()
            .filter(|cell| cell["verdict"] == verdict)
            .count()
    };
    let values = |names: &[&str]| -> Vec<Value> {
        names
            .iter()
            .map(|name| json!({ "id": name, "short": name, "title": format!("title of {name}") }))
            .collect()
    };
    let record = json!({
        "schema": "clawgauge.results/1",
        "run": { "id": "1", "started": "2026-11-23T15:00:00Z", "finished": "2026-11-23T15:00:05Z", "harness": "0.1.0", "table_hash": "abc", "interrupted": false },
        "gateways": [{ "ref": reference, "version": version, "integrity": null, "node": "24.21.0", "launches": MODES.map(launch) }],
        "summary": { "selected": 6, "conforms": count("conforms"), "deviates": count("deviates"), "known": count("known"), "stale": 0, "new": 0,
            "not_applicable": count("not-applicable"), "could_not_run": count("could-not-run") },
        "causes": [],
        "scenarios": [{ "id": "routes", "title": "", "file": "scenarios/routes.toml", "axes": [
            { "name": "profile", "values": values(&MODES) }, { "name": "endpoint", "values": values(&["chat"]) }, { "name": "scopes", "values": values(&SCOPES) },
        ] }],
        "known_issues": if count("known") > 0 { json!([{ "id": "issue#1", "url": "https://example.com/1", "title": "t", "kind": "regression", "releases": "r",
            "means": "m", "workaround": "w", "bytes_say": "", "file": "f" }]) } else { json!([]) },
        "cells": cells,
    });
    let mut record: Record = serde_json::from_value(record).unwrap();
    record.fill_in();
    Kept {
        version: version.parse().unwrap(),
        file: format!("{version}.json.gz"),
        bytes: 1,
        record,
    }
}

fn launch(mode: &str) -> Value {
    json!({ "profile": mode, "ready_ms": 10, "stop_ms": 1, "exit": 0, "killed": false, "proof": "shown" })
}

/// The seed's story on made-up releases.
fn story() -> Vec<Kept> {
    vec![
        kept("2026.4.1", ["+.+", "+++"]),
        kept("2026.3.24", ["+++", "+++"]),
        kept("2026.3.28", ["d.+", "d.+"]),
        kept("2026.3.31", ["d.+", "+++"]),
    ]
}

fn told(table: &Table) -> Vec<String> {
    let rows = table.rows.iter().map(|row| {
        let conditions = row
            .conditions
            .iter()
            .map(|(axis, values)| format!("{axis}={}", values.join(",")));
        let spans = row.spans.iter().map(|span| {
            let mark = &span.seen;
            format!("{}{} {}", mark.look.sign(), mark.seen, span.when())
        });
        format!(
            "{}: {}",
            conditions.collect::<Vec<_>>().join(" "),
            spans.collect::<Vec<_>>().join(", ")
        )
    });
    rows.collect()
}

#[test]
fn cells_with_one_story_are_one_row() {
    let table = Table::of(&story()).unwrap();
    let versions: Vec<String> = table
        .releases
        .iter()
        .map(|release| release.version.to_string())
        .collect();
    assert_eq!(
        versions,
        ["2026.3.24", "2026.3.28", "2026.3.31", "2026.4.1"]
    );
    assert_eq!(
        told(&table),
        [
            "profile=none scopes=absent: +let in until 2026.3.24, d403 forbidden 2026.3.28 to 2026.3.31, +let in since 2026.4.1",
            "profile=none scopes=read: +let in until 2026.3.24, .403 forbidden since 2026.3.28",
            "scopes=write: +let in on all from 2026.3.24 to 2026.4.1",
            "profile=token scopes=absent: +let in until 2026.3.24, d403 forbidden on 2026.3.28, +let in since 2026.3.31",
            "profile=token scopes=read: +let in until 2026.3.24, .403 forbidden on 2026.3.28, +let in since 2026.3.31",
        ]
    );
    let changing: Vec<bool> = table.rows.iter().map(Row::changes).collect();
    assert_eq!(changing, [true, true, false, true, true]);
    assert_eq!(table.issues.len(), 1);
    assert_eq!(table.issues[0].spans[0].when(), "2026.3.28 to 2026.3.31");
    assert_eq!(table.issues[0].cells, [Some(0), Some(2), Some(1), Some(0)]);
    // A row's name depends on its cells alone.
    let again = Table::of(&story()[..2]).unwrap();
    let names = |table: &Table| {
        table
            .rows
            .iter()
            .map(|row| row.id.clone())
            .collect::<Vec<_>>()
    };
    assert_ne!(names(&table), names(&again));
    let all = |table: &Table| table.rows.iter().map(|row| row.cells.len()).sum::<usize>();
    assert_eq!((all(&table), all(&again)), (6, 6));
}

#[test]
fn who_gets_in_is_told_newest_contract_included() {
    let table = Table::of(&story()).unwrap();
    let [chat] = &access(&table)[..] else {
        panic!("one route")
    };
    let told: Vec<String> = chat
        .modes
        .iter()
        .flat_map(|(mode, spans)| {
            spans.iter().map(move |span| {
                let send = span.seen.send.as_ref().map(|parts| parts.join(" and "));
                format!(
                    "{mode} {}: {:?}{}",
                    span.when(),
                    send.unwrap_or_default(),
                    span.seen
                        .wrong
                        .as_ref()
                        .map_or(String::new(), |wrong| format!(" {wrong}"))
                )
            })
        })
        .collect();
    assert_eq!(
        told,
        [
            "none until 2026.3.24: \"\"",
            "none 2026.3.28 to 2026.3.31: \"scopes: title of write\" not as the contract says",
            "none since 2026.4.1: \"\"",
            "token until 2026.3.24: \"\"",
            "token on 2026.3.28: \"scopes: title of write\" not as the contract says",
            "token since 2026.3.31: \"\"",
        ]
    );
}

/// The same get in on all releases; that the contract forbids it is over with the first.
#[test]
fn what_was_wrong_on_some_releases_of_a_span_is_said_of_these() {
    let records = [
        kept("2026.3.24", ["+A+", "+++"]),
        kept("2026.3.28", ["+++", "+++"]),
        kept("2026.3.31", ["???", "+++"]),
        kept("2026.4.1", ["+++", "+++"]),
    ];
    let table = Table::of(&records).unwrap();
    let access = access(&table);
    let wrong: Vec<_> = access[0]
        .modes
        .iter()
        .map(|(_, spans)| (spans.len(), spans[0].seen.wrong.clone()))
        .collect();
    let until = Wrong::When("until 2026.3.24".to_owned());
    assert_eq!(wrong, [(1, Some(until.clone())), (1, None)]);
    assert_eq!(
        until.to_string(),
        "not as the contract says until 2026.3.24"
    );
}

#[test]
fn a_release_that_cannot_be_asked_is_a_gap_and_not_an_answer() {
    let mut records = story();
    records[3] = kept("2026.3.31", ["???", "???"]);
    let table = Table::of(&records).unwrap();
    assert_eq!(
        told(&table)[0],
        "scopes=absent: +let in until 2026.3.24, d403 forbidden on 2026.3.28, perhaps on neighbouring releases, +let in since 2026.4.1 or earlier"
    );
    assert!(
        changes(&table, 1, 2).is_empty(),
        "nothing is known to have changed"
    );
    assert_eq!(table.issues[0].cells[2], None);
    // A hole is no deviation.
    assert!(
        !table
            .rows
            .iter()
            .any(|row| row.deviates() && row.marks[1].as_ref().unwrap().look == CellSymbol::In)
    );
}

#[test]
fn changes_are_folded_and_the_gravest_comes_first() {
    let before = kept("2026.8.2", ["++.", ".++"]);
    let after = kept("2026.9.1", ["+D.", "Add"]);
    let table = Table::of(&[before, after]).unwrap();
    let told: Vec<String> = changes(&table, 0, 1)
        .iter()
        .map(|change| {
            let conditions = change
                .conditions
                .iter()
                .map(|(axis, values)| format!("{axis}={}", values.join(",")));
            let conditions: Vec<String> = conditions.collect();
            format!(
                "{} {} {}>{} {}",
                conditions.join(" "),
                change.cells,
                change.before.look.sign(),
                change.after.look.sign(),
                change.issues.join(",")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "profile=token scopes=absent 1 .>A ",
            "profile=none scopes=read 1 +>D ",
            "profile=token scopes=read,write 2 +>d issue#1",
        ]
    );
}

#[test]
fn records_that_do_not_go_together_are_refused() {
    let mut records = story();
    records[1].record.run.table_hash = "other".to_owned();
    let error = Table::of(&records).unwrap_err().to_string();
    assert!(
        error.contains("2026.3.24 by other") && error.contains("2026.3.31 by abc"),
        "{error}"
    );
    let mut records = story();
    records[1].record.run.cells = vec!["chat/**".to_owned()];
    assert!(matches!(
        Table::of(&records),
        Err(TableError::MixedCells(..))
    ));
    assert!(matches!(Table::of(&[]), Err(TableError::None)));
}

#[rstest]
#[case::nothing_there(None, Again::Nothing, Some(RerunReason::NoRecord))]
#[case::enough(Some(["+++", "+++"]), Again::Nothing, None)]
#[case::deviating_is_enough(Some(["DDD", "A+."]), Again::Incomplete, None)]
#[case::again(Some(["+++", "+++"]), Again::All, Some(RerunReason::Again))]
#[case::holes_stay(Some(["+?+", "+++"]), Again::Nothing, None)]
#[case::holes_are_filled(Some(["+?+", "+++"]), Again::Incomplete, Some(RerunReason::Incomplete(1)))]
fn what_is_run(
    #[case] letters: Option<[&str; 2]>,
    #[case] again: Again,
    #[case] why: Option<RerunReason>,
) {
    let asked = SurveyRequest {
        table_hash: "abc".to_owned(),
        cells: Vec::new(),
        conditions: Vec::new(),
    };
    let kept = letters.map(|letters| kept("2026.9.6", letters));
    match (asked.decide(Ok(kept), again), why) {
        (Decision::Keep(_), None) => {}
        (Decision::Run(found), Some(why)) => assert_eq!(found, why),
        (todo, why) => panic!("{todo:?} instead of {why:?}"),
    }
}

#[test]
fn what_is_asked_for_is_a_set() {
    let mut record = kept("2026.9.6", ["+++", "+++"]);
    record.record.run.cells = vec!["b/**".to_owned(), "a/**".to_owned()];
    let asked = |cells: &[&str]| SurveyRequest {
        table_hash: "abc".to_owned(),
        cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
        conditions: Vec::new(),
    };
    let same = asked(&["a/**", "b/**", "a/**"]).decide(Ok(Some(record.clone())), Again::Nothing);
    assert!(matches!(same, Decision::Keep(_)));
    let other = asked(&["a/**"]).decide(Ok(Some(record.clone())), Again::Nothing);
    assert_eq!(other, Decision::Run(RerunReason::OtherCells));
    record.record.run.interrupted = true;
    let broken = asked(&["a/**", "b/**"]).decide(Ok(Some(record)), Again::Nothing);
    assert_eq!(broken, Decision::Run(RerunReason::BrokenOff));
}

#[test]
fn states_are_read_off_records() {
    let state = |change: &dyn Fn(&mut Record)| {
        let mut kept = kept("2026.3.31", ["+.+", "+++"]);
        change(&mut kept.record);
        State::of(&kept.record)
    };
    assert_eq!(state(&|_| {}).kind, StateKind::Ran);
    let missing = state(&|record| record.gateways[0].error = Some("no such thing".to_owned()));
    assert_eq!(
        (missing.kind, missing.reason.as_deref()),
        (StateKind::CannotInstall, Some("no such thing"))
    );
    let down = |record: &mut Record, which: &[usize]| {
        for place in which {
            let launch = &mut record.gateways[0].launches[*place];
            (launch.ready_ms, launch.failure, launch.proof) =
                (None, Some("did not start: x".to_owned()), None);
        }
    };
    let some = state(&|record| down(record, &[1]));
    assert_eq!(
        (some.kind, some.reason.as_deref()),
        (StateKind::Ran, Some("profile token: did not start: x"))
    );
    let all = state(&|record| down(record, &[0, 1]));
    assert_eq!(
        (all.kind, all.reason.as_deref()),
        (StateKind::CannotStart, Some("2 profiles: did not start: x"))
    );
    // A start that is refused as it must be is no failure.
    let refused = state(&|record| record.gateways[0].launches[1].ready_ms = None);
    assert_eq!(refused.kind, StateKind::Ran);
    let unproven = |record: &mut Record| {
        let launches = record.gateways[0].launches.iter_mut();
        launches.for_each(|launch| launch.proof = Some(record::judge::Proof::Missing));
    };
    // Some request reached a model, so that only a launch is in doubt.
    assert_eq!(state(&|record| unproven(record)).kind, StateKind::Ran);
    let broken = state(&|record| {
        unproven(record);
        for observed in record
            .cells
            .iter_mut()
            .filter_map(|cell| cell.observed.as_mut())
        {
            (observed.model_calls, observed.status) = (Some(0), Some(500));
        }
        record.gateways[0].notes = vec!["y is installed beside it".to_owned()];
    });
    assert_eq!(broken.kind, StateKind::Broken);
    assert!(broken.reason.unwrap().contains("cells are answered 500"));
    assert_eq!(broken.workarounds, ["y is installed beside it"]);
}

#[test]
fn the_document_says_the_same_as_the_table() {
    let table = Table::of(&story()).unwrap();
    let document = serde_json::to_value(SurveyDocument::from(&table)).unwrap();
    assert_eq!(document["schema"], SURVEY_SCHEMA);
    let row = &document["rows"][0];
    assert_eq!(row["marks"], "+dd+");
    assert_eq!(row["spans"][1]["known_issue"], "issue#1");
    assert_eq!(row["spans"][1]["after"], "2026.3.24");
    assert_eq!(row["spans"][2]["words"], "since 2026.4.1");
    assert_eq!(
        document["access"][0]["modes"]["none"][1]["send"],
        json!(["scopes: title of write"])
    );
    assert_eq!(
        document["known_issues"][0]["shows"][0]["first"],
        "2026.3.28"
    );
    let versions: Vec<Version> = table
        .releases
        .iter()
        .map(|release| release.version.clone())
        .collect();
    assert!(versions.is_sorted());
}
