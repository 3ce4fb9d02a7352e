//! What `merge` refuses, each with the words that say what to do.

use super::*;

/// Two shards of one run, whose records the test may change.
fn two(sandbox: &Sandbox) {
    for number in 1..=2 {
        shard(sandbox, number, 2, &["--where", "credential=valid"]).code(0);
    }
}

/// Changes the second record.
fn change(sandbox: &Sandbox, change: impl FnOnce(&mut Value)) {
    let mut second = record(sandbox, "2.json");
    change(&mut second);
    let text = serde_json::to_string(&second).unwrap();
    fs::write(sandbox.folder.path().join("2.json"), text).unwrap();
}

/// One thing that is another in the second shard.
#[rstest]
#[case::number(
    "/run/shard/of",
    "3",
    "the numbers of shards differ: shard 1 of 2, 1.json, has 2, and shard 2 of 3, 2.json, has 3",
    "the same N"
)]
#[case::data(
    "/run/table_hash",
    "\"beef\"",
    "the scenario files (run.table_hash) differ",
    "the same checkout"
)]
#[case::harness(
    "/run/harness",
    "\"9.9.9\"",
    "the versions of clawgauge differ",
    "the same clawgauge"
)]
#[case::cells(
    "/run/where",
    "[\"credential=wrong\"]",
    "the cells asked for differ: shard 1 of 2, 1.json, has credential=valid",
    "the same cells"
)]
#[case::launch(
    "/run/shard/launches/0/profile",
    "\"other\"",
    "the launches differ",
    "the same gateways"
)]
#[case::share(
    "/run/shard/launches/0/shard",
    "9",
    "the launches differ",
    "the same gateways"
)]
#[case::day(
    "/run/known_issues_on",
    "\"2030-01-01\"",
    "the days on which known issues are heeded differ",
    "past midnight"
)]
#[case::no_day(
    "/run/known_issues_on",
    "null",
    "2.json, has none",
    "the same --known-issues"
)]
#[case::fail_on(
    "/run/fail_on",
    "\"known\"",
    "what makes the run fail differ",
    "--fail-on and --severity"
)]
#[case::severity(
    "/run/severity",
    "\"blocker\"",
    "has deviates and blocker",
    "--fail-on and --severity"
)]
#[case::baseline(
    "/run/baseline",
    "\"beef\"",
    "the baselines differ",
    "the same --baseline"
)]
#[case::release(
    "/gateways/0/version",
    "\"2026.9.5\"",
    "its release is 2026.9.6 in 1.json, and 2026.9.5 in 2.json",
    "instead of one that moves"
)]
#[case::integrity(
    "/gateways/0/integrity",
    "\"sha512-x\"",
    "its integrity is unknown in 1.json, and sha512-x in 2.json",
    "instead of one that moves"
)]
#[case::node(
    "/gateways/0/node",
    "\"1.2.3\"",
    "its Node is unknown",
    "the same Node"
)]
#[case::rule(
    "/cells/0/expected/rule",
    "\"another\"",
    "the rule: recorded Some(\"another\"), again Some(\"no-scopes-header-is-full-operator\")",
    "run that shard again"
)]
#[case::strange(
    "/cells/0/id",
    "\"strange/profile=none\"",
    "2.json has a cell that the run was not asked for: strange/profile=none on reference",
    "run that shard again"
)]
#[case::answer(
    "/answers",
    "[]",
    "the answer: recorded \"none\", again",
    "run that shard again"
)]
fn mixed_records(#[case] place: &str, #[case] value: &str, #[case] why: &str, #[case] help: &str) {
    let sandbox = Sandbox::new();
    two(&sandbox);
    merge(&sandbox, [1, 2]).code(0);
    fs::remove_file(sandbox.folder.path().join("merged.json")).unwrap();
    change(&sandbox, |second| {
        let value: Value = serde_json::from_str(value).unwrap();
        let (parent, key) = place.rsplit_once('/').unwrap();
        match second.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            parent => parent[key] = value,
        }
    });
    merge(&sandbox, [1, 2])
        .code(2)
        .stderr(contains(why))
        .stderr(contains("help: ").and(contains(help)));
    assert!(!sandbox.folder.path().join("merged.json").exists());
}

#[test]
fn a_gap_is_named() {
    let sandbox = Sandbox::new();
    for number in 1..=3 {
        shard(&sandbox, number, 3, &[]).code(0);
    }
    merge(&sandbox, [1, 3])
        .code(2)
        .stderr(contains("shard 2 of 3 is missing (").and(contains(" on reference")))
        .stderr(contains("clawgauge run --shard 2/3 --report json=PATH"));
    merge(&sandbox, [2])
        .code(2)
        .stderr(contains("shard 1 of 3 is missing").and(contains("shard 3 of 3 is missing")));
}

#[test]
fn an_overlap_is_named() {
    let sandbox = Sandbox::new();
    two(&sandbox);
    merge(&sandbox, [1, 2, 2])
        .code(2)
        .stderr(contains("shard 2 comes twice: 2.json and 2.json"));
    // A cell of the first in the second, and one of its own a second time.
    let first = record(&sandbox, "1.json")["cells"][0].clone();
    let second = text(&sandbox, "2.json");
    change(&sandbox, |second| {
        second["cells"].as_array_mut().unwrap().push(first);
    });
    merge(&sandbox, [1, 2])
        .code(2)
        .stderr(contains("belongs to shard 1, once"));
    fs::write(sandbox.folder.path().join("2.json"), second).unwrap();
    change(&sandbox, |second| {
        let own = second["cells"][0].clone();
        second["cells"].as_array_mut().unwrap().push(own);
    });
    merge(&sandbox, [1, 2])
        .code(2)
        .stderr(contains("belongs to shard 2, once"));
}

/// Only whoever was stopped may lack a cell; then the whole was stopped, too.
#[test]
fn a_missing_cell_is_named() {
    let sandbox = Sandbox::new();
    two(&sandbox);
    change(&sandbox, |second| {
        second["cells"].as_array_mut().unwrap().remove(0);
    });
    merge(&sandbox, [1, 2])
        .code(2)
        .stderr(contains("2.json is not whole: chat-completions/"));
    change(&sandbox, |second| {
        second["run"]["interrupted"] = true.into()
    });
    merge(&sandbox, [1, 2])
        .code(130)
        .stderr(contains("interrupted"));
}

#[test]
fn what_is_no_shard() {
    let sandbox = Sandbox::new();
    two(&sandbox);
    let whole = ["run", "--report", "json=3.json"];
    clawgauge(&sandbox).args(whole).assert().code(0);
    merge(&sandbox, [1, 2, 3])
        .code(2)
        .stderr(contains(
            "3.json is the record of a whole run, not of a shard",
        ))
        .stderr(contains("clawgauge report 3.json"));
    merge(&sandbox, [1, 2, 4])
        .code(2)
        .stderr(contains("4.json: ").and(contains("for every K")));
    fs::write(sandbox.folder.path().join("4.json"), "{ \"schema\": ").unwrap();
    merge(&sandbox, [1, 2, 4])
        .code(2)
        .stderr(contains("4.json: not a record of clawgauge"));
    clawgauge(&sandbox)
        .arg("merge")
        .assert()
        .code(2)
        .stderr(contains("RECORD"));
}

/// Records that were judged by other files than those at hand are not read by these.
#[test]
fn other_files_at_hand() {
    let sandbox = Sandbox::new();
    two(&sandbox);
    sandbox.edit(
        "scenarios/chat-completions.toml",
        "title",
        "# changed\ntitle",
    );
    merge(&sandbox, [1, 2])
        .code(2)
        .stderr(contains("the shards were judged by other scenario files"))
        .stderr(contains("--root DIR"));
}

/// What a shard says of a cell has to follow from the answer that it recorded, also where all shards say the same.
#[rstest]
#[case::verdict(|second: &mut Value| {
    let denied = denied(second);
    let cell = &mut second["cells"][denied];
    cell["verdict"] = "known".into();
    cell["direction"] = "wrong-denial".into();
}, "the verdict: recorded (Known, Some(WrongDenial)), again (Conforms, None)")]
#[case::answer(|second: &mut Value| {
    let denied = denied(second);
    let answer = second["cells"][denied]["observed"]["answer"].as_u64().unwrap();
    let text = &mut second["answers"][usize::try_from(answer).unwrap()];
    *text = text.as_str().unwrap().replace("model-calls: 0", "model-calls: 1").into();
}, "calls to the model: recorded Some(0), again Some(1)")]
#[case::more_in_the_body(|second: &mut Value| {
    let denied = denied(second);
    let answer = second["cells"][denied]["observed"]["answer"].as_u64().unwrap();
    let text = &mut second["answers"][usize::try_from(answer).unwrap()];
    *text = text.as_str().unwrap().replace("{\n", "{\n    \"stack\": \"at /srv\",\n").into();
}, "the verdict: recorded (Conforms, None), again (Deviates, Some(WrongDenial))")]
fn an_answer_that_says_otherwise(#[case] forge: fn(&mut Value), #[case] message: &str) {
    let sandbox = Sandbox::new();
    for number in 1..=2 {
        shard(&sandbox, number, 2, &["--where", "credential=absent"]).code(0);
    }
    change(&sandbox, forge);
    merge(&sandbox, 1..=2)
        .code(2)
        .stderr(contains(
            "2.json was changed, or another clawgauge wrote it",
        ))
        .stderr(contains(message))
        .stderr(contains("run that shard again"));
}

/// The first cell whose caller was refused.
fn denied(record: &Value) -> usize {
    let mut cells = record["cells"].as_array().unwrap().iter();
    cells
        .position(|cell| cell["observed"]["status"] == 401)
        .unwrap()
}

#[test]
fn other_snapshots_than_those_at_hand() {
    let sandbox = Sandbox::new();
    two(&sandbox);
    for name in ["1.json", "2.json"] {
        let mut shard = record(&sandbox, name);
        shard["run"]["snapshots_hash"] = "beef".into();
        fs::write(sandbox.folder.path().join(name), shard.to_string()).unwrap();
    }
    merge(&sandbox, 1..=2)
        .code(2)
        .stderr(contains("other snapshots (beef) than those at hand"))
        .stderr(contains("merge with the clawgauge that ran the shards"));
}
