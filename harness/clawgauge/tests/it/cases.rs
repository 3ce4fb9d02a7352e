//! The map of questions: what `cases` prints of it, and what `check` says of a row that points at nothing.

use std::fs;

use crate::support::Sandbox;
use crate::support::schema::assert_described;
use clawgauge::contract::data::Data;
use clawgauge::contract::scenario::Catalogue;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

const FILE: &str = "scenarios/cases.toml";

/// A map of one question of each kind.
const MAP: &str = r#"schema = 1

[[case]]
id = "theirs/1"
question = "Is the right token enough?"
source = "theirs.test.ts"
asked = ["chat-completions/profile=token/credential=valid/*"]

[[case]]
id = "theirs/2"
question = "Does a | in a header matter?"
source = "theirs.test.ts"
asked = ["chat-completions/profile={none,token}/credential=absent/scopes=absent", "chat-completions/profile=none/credential=absent/*"]
partly = "no header has a |"

[[case]]
id = "theirs/3"
question = "Are images taken?"
source = "theirs.test.ts"
not-asked = "none of the contract's business"
"#;

fn with_map() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.root().join(FILE), MAP).unwrap();
    sandbox
}

fn printed(sandbox: &Sandbox, format: &str) -> String {
    let assert = sandbox
        .clawgauge()
        .args(["cases", "--format", format])
        .assert()
        .code(0);
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn a_map_is_printed() {
    let sandbox = with_map();
    let text = printed(&sandbox, "text");
    assert_eq!(
        text,
        "1 of 3 questions are asked, 1 partly; 1 is not\n\
         \n\
         theirs/1  asked, 13 cells, since 2026.3.22\n\
         \x20 Is the right token enough?\n\
         \x20 chat-completions/profile=token/credential=valid/*\n\
         \n\
         theirs/2  partly, 14 cells, since 2026.3.22\n\
         \x20 Does a | in a header matter?\n\
         \x20 chat-completions/profile={none,token}/credential=absent/scopes=absent\n\
         \x20 chat-completions/profile=none/credential=absent/*\n\
         \x20 missing: no header has a |\n\
         \n\
         theirs/3  not asked\n\
         \x20 Are images taken?\n\
         \x20 why not: none of the contract's business\n"
    );

    let markdown = printed(&sandbox, "markdown");
    let row = "| theirs/2 | Does a \\| in a header matter? | 14 cells, since 2026.3.22: ";
    assert!(markdown.contains(row), "{markdown}");
    assert!(markdown.contains("\n1 of 3 questions are asked, 1 partly; 1 is not.\n"));

    let json: Value = serde_json::from_str(&printed(&sandbox, "json")).unwrap();
    assert_described("map", &json);
    let [first, _, last] = &json["cases"].as_array().unwrap()[..] else {
        panic!("{json}");
    };
    assert_eq!(first["origin"], "scenarios/cases.toml:4");
    assert_eq!(first["coverage"], "asked");
    assert_eq!(
        first["rules"],
        serde_json::json!([
            "chat-completions/no-scopes-header-is-full-operator, every release",
            "chat-completions/shared-secret-ignores-declared-scopes, every release",
        ])
    );
    assert_eq!(last["coverage"], "not-asked");
    assert_eq!(last["releases"], serde_json::json!([]));
}

/// The releases on which a question is asked are those on which its cells can be: here no release between two profiles' ranges.
#[test]
fn releases_are_those_of_scenario_and_profile() {
    let sandbox = with_map();
    let cells = "profile=token/credential=valid/*";
    sandbox.edit(FILE, cells, "profile=trusted-proxy/credential=identity/*");
    assert!(
        printed(&sandbox, "text")
            .contains("asked, 13 cells, since 2026.3.22, before 2026.3.31 and since 2026.4.27\n")
    );
    let first = "since = \"2026.3.22\"\n";
    sandbox.edit("scenarios/chat-completions.toml", first, "");
    let cells = "profile=trusted-proxy/credential=identity/*";
    sandbox.edit(FILE, cells, "profile=password/credential=valid/*");
    assert!(printed(&sandbox, "text").contains("asked, 13 cells, every release\n"));
}

#[rstest]
#[case::scenario(
    "chat-completions/profile=token",
    "chat-completion/profile=token",
    "scenarios/cases.toml:7",
    "did you mean `chat-completions/profile=token/credential=valid/*`?"
)]
#[case::value(
    "credential=valid",
    "credential=vaild",
    "scenarios/cases.toml:7",
    "did you mean `chat-completions/profile=token/credential=valid/*`?"
)]
#[case::no_glob(
    "credential=valid/*",
    "credential={valid",
    "cases.toml:7",
    "is not a glob"
)]
#[case::key("not-asked", "not-aksed", "cases.toml:20", "did you mean `not-asked`?")]
#[case::twice(
    "theirs/2",
    "theirs/1",
    "cases.toml:10",
    "case `theirs/1` is there twice"
)]
#[case::both(
    "partly = \"no header has a |\"",
    "not-asked = \"no\"",
    "cases.toml:10",
    "case `theirs/2` must say one of `asked` and `not-asked`"
)]
#[case::neither(
    "not-asked = \"none of the contract's business\"",
    "",
    "cases.toml:17",
    "case `theirs/3` must say one of `asked` and `not-asked`"
)]
#[case::no_reason(
    "none of the contract's business",
    " ",
    "cases.toml:17",
    "case `theirs/3` has an empty text"
)]
fn a_row_that_points_at_nothing(
    #[case] from: &str,
    #[case] to: &str,
    #[case] place: &str,
    #[case] told: &str,
) {
    let sandbox = with_map();
    sandbox.edit(FILE, from, to);
    for command in ["check", "cases"] {
        let assert = sandbox.clawgauge().arg(command).assert().code(2);
        assert.stderr(contains(place).and(contains(told)));
    }
}

/// A run is judged by the same contract whatever the map says, and without one.
#[test]
fn nothing_is_judged_by_the_map() {
    let sandbox = with_map();
    let hash = || {
        let data = Data::Folder(sandbox.root());
        assert!(!data.judged_by().unwrap().contains_key(FILE));
        Catalogue::load(&data).unwrap().table_hash
    };
    let before = hash();
    sandbox.edit(FILE, "Is the right token enough?", "Is it?");
    assert_eq!(hash(), before);
    sandbox
        .clawgauge()
        .arg("check")
        .assert()
        .code(0)
        .stdout(contains("1 of 3 questions are asked, 1 partly; 1 is not\n"));

    fs::remove_file(sandbox.root().join(FILE)).unwrap();
    assert_eq!(hash(), before);
    let check = sandbox.clawgauge().arg("check").assert().code(0);
    check.stdout(contains("questions").not());
    let cases = sandbox.clawgauge().arg("cases").assert().code(2);
    cases.stderr(contains("there is no scenarios/cases.toml"));
}

/// The map of the repository: each question of the files that it names, and what is asked is really there.
#[test]
fn the_projects_map_is_sound() {
    let sandbox = Sandbox::whole();
    let json: Value = serde_json::from_str(&printed(&sandbox, "json")).unwrap();
    let summary = |name: &str| json["summary"][name].as_u64().unwrap();
    assert!(summary("questions") >= 276, "{}", json["summary"]);
    assert_eq!(
        summary("asked") + summary("partly") + summary("not_asked"),
        summary("questions")
    );
    for case in json["cases"].as_array().unwrap() {
        let asked = case["coverage"] != "not-asked";
        assert_eq!(case["cells"] != 0, asked, "{case}");
        assert_eq!(case["releases"] != serde_json::json!([]), asked, "{case}");
        assert_eq!(case["rules"] != serde_json::json!([]), asked, "{case}");
        assert!(case["question"].as_str().unwrap().ends_with('?'), "{case}");
    }
}
