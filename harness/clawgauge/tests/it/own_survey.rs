//! The project's own survey: the committed table is what the committed records say, and it tells the story of openclaw#58357.

use std::fs;

use crate::support::{Sandbox, repository};
use clawgauge::record::Results;

/// The cell of the reporter's request: mode none, nobody says anything.
const SEED: &str = "chat-completions/profile=none/credential=absent/scopes=absent";

#[test]
fn the_committed_table_is_what_the_records_say() {
    let folder = repository().join("harness/survey");
    let sandbox = Sandbox::whole();
    let made = sandbox
        .clawgauge()
        .args(["survey", "--markdown", "-", "--from"])
        .arg(folder.join("records"))
        .assert()
        .code(0);
    let made = String::from_utf8(made.get_output().stdout.clone()).unwrap();
    let committed = fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(
        made == committed,
        "make it anew: clawgauge survey --from harness/survey/records --markdown harness/survey/README.md"
    );
    let story = "| profile: none; scopes: absent | 1 | let in until 2026.3.24, 403 forbidden 2026.3.28 to 2026.3.31 (openclaw#58357), let in since 2026.4.1 |";
    assert!(committed.contains(story), "{committed}");
}

#[test]
fn releases_from_2026_3_24_to_2026_9_6_tell_the_seeds_story() {
    let records = repository().join("harness/survey/records");
    let mut answers: Vec<(String, String)> = Vec::new();
    let mut held = 0;
    for entry in fs::read_dir(records).unwrap() {
        let results = Results::open(&entry.unwrap().path()).unwrap();
        held += 1;
        let gateway = &results.head().gateways[0];
        let release = gateway.version.clone().unwrap();
        assert!(gateway.integrity.is_some(), "{release}");
        results
            .each_cell(&mut |cell| {
                if cell.id == SEED
                    && let Some(observed) = &cell.observed
                {
                    answers.push((release.clone(), observed.outcome.clone().unwrap()));
                }
                Ok(())
            })
            .unwrap();
    }
    assert!(answers.len() >= 25, "{answers:?}");
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    assert!(readme.contains(&format!("of {held} releases,")));
    let mut refused: Vec<&str> = answers
        .iter()
        .filter(|(_, outcome)| outcome == "missing-scope-write")
        .map(|(release, _)| release.as_str())
        .collect();
    refused.sort_unstable();
    assert_eq!(refused, ["2026.3.28", "2026.3.31"]);
    for end in ["2026.3.24", "2026.4.1", "2026.9.6"] {
        assert!(answers.contains(&(end.to_owned(), "answered".to_owned())));
    }
}
