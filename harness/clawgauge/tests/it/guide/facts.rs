//! What the pages claim of files, exit codes, formats, words and the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use contract::data::Data;
use contract::scenario::Catalogue;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use super::help::{help, subcommands};
use super::page::{GUIDE, Page, pages};
use super::shell::{Desk, stderr};
use super::support::{Sandbox, repository};

/// The exit codes of clawgauge.
const CODES: [&str; 7] = ["0", "1", "2", "3", "4", "70", "130"];
/// What a reproduction script says when it cannot tell.
const CANNOT_TELL: &str = "125";

/// A file or folder of the repository that a text names is there.
#[test]
fn files_are_real() {
    let roots = [
        "harness/",
        "scenarios/",
        "snapshots/",
        "fixtures/",
        "ci/",
        ".ci/",
    ];
    let mut checked = 0;
    for page in pages() {
        for span in &page.spans {
            let path = span.split_whitespace().next().unwrap_or_default();
            if roots.iter().any(|root| path.starts_with(root)) {
                checked += 1;
                assert!(
                    repository().join(path).exists(),
                    "{}: there is no {path}",
                    page.path.display()
                );
            }
        }
    }
    assert!(checked > 40, "only {checked} paths were checked");
}

/// The exit codes on every page are among those of `clawgauge --help`, and their own page has all of them.
#[test]
fn exit_codes_are_real() {
    let told = help(&[]);
    let told = told.split("Exit codes:\n").nth(1).unwrap();
    let told: Vec<&str> = told
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.parse::<u8>().is_ok())
        .collect();
    assert_eq!(told, CODES);
    let mut pages_with = 0;
    for page in pages() {
        let name = page.path.display();
        let tables = page.tables("exit code");
        pages_with += usize::from(!tables.is_empty());
        for row in tables.iter().copied().flatten() {
            for code in row[0].split(", ") {
                let script = code == CANNOT_TELL && page.path.ends_with("reproduction.md");
                assert!(CODES.contains(&code) || script, "{name}: {code}");
            }
        }
        let text = fs::read_to_string(repository().join(&page.path)).unwrap();
        for after in text.split("xit code ").skip(1) {
            let code: String = after.chars().take_while(char::is_ascii_digit).collect();
            assert!(
                code.is_empty() || CODES.contains(&code.as_str()),
                "{name}: exit code {code}"
            );
        }
    }
    assert!(
        pages_with > 12,
        "only {pages_with} pages say what to do with an exit code"
    );
    let page = Page::read(format!("{GUIDE}/exit-codes.md"));
    let rows: Vec<&str> = page.tables("exit code")[0]
        .iter()
        .map(|row| row[0].as_str())
        .collect();
    assert_eq!(rows, CODES);
}

/// The page of commands has each command, and nothing else.
#[test]
fn the_commands_page_is_complete() {
    let page = Page::read(format!("{GUIDE}/commands.md"));
    let rows = page.tables("command")[0].iter();
    let named: BTreeSet<String> = rows
        .flat_map(|row| {
            row[0]
                .split(", ")
                .map(|command| command.split(' ').next().unwrap().to_owned())
        })
        .collect();
    assert_eq!(named, subcommands());
}

/// The page of reports has each format and each letter of a matrix.
#[test]
fn the_reports_page_is_complete() {
    let page = Page::read(format!("{GUIDE}/reports.md"));
    let named: BTreeSet<&str> = page.tables("format")[0]
        .iter()
        .map(|row| row[0].as_str())
        .collect();
    let help = help(&["report"]);
    let formats = help.split("Formats: ").nth(1).unwrap();
    let formats: BTreeSet<&str> = formats
        .split([',', ' ', '\n'])
        .filter(|word| !word.is_empty())
        .take_while(|word| !word.starts_with('-'))
        .collect();
    assert_eq!(named, formats);
    for format in named {
        let report = format!("{format}=-");
        let args = ["report", "nowhere.json", "--report", &report];
        let assert = Sandbox::new().clawgauge().args(args).assert().code(2);
        assert.stderr(contains("there is no format").not());
    }

    let desk = Desk::with_record();
    let output = desk.run("clawgauge report results.json");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let legend = told
        .lines()
        .find(|line| line.contains("+ let in"))
        .unwrap_or_else(|| panic!("{told}"));
    let rest = told.split(legend).nth(1).unwrap().lines().nth(1).unwrap();
    let letters = |text: &str| -> BTreeSet<String> {
        text.split_whitespace()
            .filter(|word| word.chars().count() == 1)
            .map(str::to_owned)
            .collect()
    };
    let shown: BTreeSet<String> = page.tables("letter")[0]
        .iter()
        .flat_map(|row| letters(&row[0]))
        .collect();
    assert_eq!(shown, letters(&format!("{legend} {rest}")));
}

/// Verdicts, deviations and severities are called in the glossary as they are in the record.
#[test]
fn the_glossary_uses_the_words_of_the_record() {
    let output = Sandbox::new().clawgauge().arg("schema").assert().code(0);
    let schema: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let mut words = BTreeSet::new();
    constants(&schema, &mut words);
    let page = Page::read(format!("{GUIDE}/glossary.md"));
    let tables = page.tables("word");
    let rows: BTreeMap<&str, &str> = tables
        .iter()
        .copied()
        .flatten()
        .map(|row| (row[0].as_str(), row[1].as_str()))
        .collect();
    assert!(rows.len() > 20, "{rows:?}");
    let all = [
        (
            "verdict",
            &[
                "conforms",
                "deviates",
                "known",
                "stale",
                "new",
                "not-applicable",
                "not-asked",
                "could-not-run",
            ][..],
        ),
        (
            "deviation",
            &[
                "unexpected-allow",
                "unexpected-deny",
                "wrong-denial",
                "wrong-body",
            ],
        ),
        ("severity", &["blocker", "shape", "cosmetic"]),
    ];
    for (row, names) in all {
        for name in names {
            assert!(rows[row].contains(name), "{row}: {name} is missing");
            assert!(words.contains(*name), "{row}: the record has no {name}");
        }
    }
}

/// The contract's table is the one that the scenario files make.
#[test]
fn the_guide_shows_the_contract() {
    let sandbox = Sandbox::whole();
    let output = sandbox.clawgauge().arg("contract").assert().code(0);
    let printed = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let section = printed.split("\n## endpoints\n").nth(1).unwrap();
    let table: Vec<&str> = section
        .lines()
        .skip_while(|line| !line.starts_with("| endpoint"))
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(table.len() > 5, "{section}");
    let page = fs::read_to_string(repository().join(GUIDE).join("contract.md")).unwrap();
    let table = table.join("\n");
    assert!(page.contains(&table), "the page should have:\n{table}");
    let heading = "\n## What each answer grants\n\n";
    let granted = printed.split(heading).nth(1).unwrap().trim_end();
    assert!(granted.contains("| `unauthorized` (401) |"), "{granted}");
    assert!(page.contains(granted), "the page should have:\n{granted}");
}

/// The project's file that the guide shows is one.
#[test]
fn the_projects_file_is_one() {
    let page = Page::read(format!("{GUIDE}/gate.md"));
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.folder.path().join("clawgauge.toml"),
        page.code("toml")[0],
    )
    .unwrap();
    let refused = sandbox.clawgauge().arg("run").assert().code(2);
    refused.stderr(contains("cannot write ").and(contains("reports/junit.xml: ")));
}

/// The variables of a reproduction script are those that the script reads.
#[test]
fn the_scripts_variables_are_real() {
    let output = Desk::bare()
        .run("clawgauge repro chat-completions/profile=none/credential=absent/scopes=absent");
    let script = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut checked = BTreeSet::new();
    for page in pages() {
        let words = page.all_code().flat_map(|code| {
            code.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
        });
        for word in words.filter(|word| word.starts_with("REPRO_")) {
            let read = script
                .lines()
                .any(|line| line.contains("process.env") && line.contains(word))
                || script.contains(&format!("${word}"));
            assert!(
                read,
                "{}: the script does not read {word}; {}",
                page.path.display(),
                stderr(&output)
            );
            checked.insert(word.to_owned());
        }
    }
    assert!(checked.len() >= 2, "only {checked:?}");
}

/// What a pipeline gives to the action, the action takes.
#[test]
fn the_actions_inputs_are_real() {
    let action: Value = read_yaml(&fs::read_to_string(repository().join("ci/action.yml")).unwrap());
    let inputs = action["inputs"].as_object().unwrap();
    let mut checked = 0;
    for page in pages() {
        for block in page.code("yaml") {
            let steps = read_yaml(block);
            let steps = steps.as_array().into_iter().flatten();
            for step in steps.filter(|step| {
                step["uses"]
                    .as_str()
                    .is_some_and(|uses| uses.contains("clawgauge/ci@"))
            }) {
                for name in step["with"].as_object().unwrap().keys() {
                    checked += 1;
                    assert!(
                        inputs.contains_key(name),
                        "{}: the action has no input {name}",
                        page.path.display()
                    );
                }
            }
        }
    }
    assert!(checked >= 3, "only {checked} inputs were checked");
}

fn read_yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The texts that a schema lists as values.
fn constants(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("const", Value::String(text)) => drop(into.insert(text.clone())),
                    ("enum", Value::Array(texts)) => {
                        into.extend(texts.iter().filter_map(Value::as_str).map(str::to_owned))
                    }
                    (_, value) => constants(value, into),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| constants(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What has been measured of the newest release stands word for word in the README and on the page about trust.
#[test]
fn what_was_measured_is_told() {
    let catalogue = Catalogue::load(&Data::Embedded).unwrap();
    let measured = catalogue.figures.last().unwrap();
    let sentences = reports::figures(measured);
    assert!(sentences.len() >= 3, "{measured:?}");
    for name in ["README.md", "harness/guide/src/trust.md"] {
        let page = fs::read_to_string(repository().join(name)).unwrap();
        for sentence in sentences.iter().chain([&measured.version, &measured.on]) {
            assert!(
                page.contains(sentence.as_str()),
                "{name} does not say: {sentence}"
            );
        }
    }
}
