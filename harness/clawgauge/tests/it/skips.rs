//! What a run did not ask, and why: what this machine lacks makes it incomplete unless somebody said that it may, every report
//! begins with it, and `doctor` says what to install.

use std::fs;

use crate::support::Sandbox;
use crate::support::schema::assert_described;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use rstest::rstest;
use serde_json::Value;

/// Of the scenario's 200 cells 50 are asked by each client; a sandbox has no libraries.
const SCENARIO: &str = "client-libraries";
const LIBRARIES: [&str; 2] = ["openai-node", "openai-python"];

/// Without a project's file nothing may be skipped.
fn strict() -> Sandbox {
    let sandbox = Sandbox::whole();
    fs::remove_file(sandbox.folder.path().join("clawgauge.toml")).unwrap();
    sandbox
}

fn project(sandbox: &Sandbox, entries: &str) {
    let text = format!("[run]\nmay-skip = [{entries}]\n");
    fs::write(sandbox.folder.path().join("clawgauge.toml"), text).unwrap();
}

fn run(sandbox: &Sandbox, flags: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = sandbox.clawgauge();
    command.args(["run", "--report", "json=r.json"]).args(flags);
    command.assert()
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.folder.path().join(name)).unwrap()
}

fn record(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&text(sandbox, "r.json")).unwrap()
}

fn stdout(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// A gate that lost half of a scenario is not green, and says what to do.
#[test]
fn what_the_machine_lacks_makes_a_run_incomplete() {
    let sandbox = strict();
    let assert = run(&sandbox, &[SCENARIO]).code(4).stderr(
        contains("clawgauge doctor").and(contains("100 cells not asked, since this machine lacks")),
    );
    let printed = stdout(&assert);
    let first = "COULD NOT TELL: 100 of ";
    assert!(printed.starts_with(first), "{printed}");
    let record = record(&sandbox);
    assert_described("record", &record);
    let summary = &record["summary"];
    assert_eq!(
        (&summary["not_asked"], &summary["expected_skips"]),
        (&100.into(), &0.into())
    );
    assert_eq!(summary["not_applicable"], 0);
    for cell in record["cells"].as_array().unwrap() {
        let sender = cell["axes"]["sender"].as_str().unwrap();
        let verdict = match LIBRARIES.contains(&sender) {
            true => "not-asked",
            false => "conforms",
        };
        assert_eq!(cell["verdict"], verdict, "{cell}");
        assert!(cell.get("standing").is_none(), "{cell}");
    }
}

/// By name or by glob, on the command line or in the project's file; half of it is not enough.
#[rstest]
#[case::by_name("\"openai-node\", \"openai-python\"", &[], 0)]
#[case::by_glob("\"client-libraries/**\"", &[], 0)]
#[case::half("\"openai-node\"", &[], 4)]
#[case::flags_go_before("\"**\"", &["--may-skip", "openai-node"], 4)]
#[case::flags("", &["--may-skip", "openai-node", "--may-skip", "openai-python"], 0)]
#[case::something_else("\"network-namespaces\", \"nginx\"", &[], 4)]
fn what_may_be_skipped_is_said(#[case] file: &str, #[case] flags: &[&str], #[case] code: i32) {
    let sandbox = strict();
    project(&sandbox, file);
    let mut all = vec![SCENARIO];
    all.extend(flags);
    let assert = run(&sandbox, &all).code(code);
    let record = record(&sandbox);
    let expected = record["summary"]["expected_skips"].as_u64().unwrap();
    let skips = record["run"]["may_skip"].as_array().unwrap();
    assert!(!skips.is_empty());
    match code {
        0 => {
            assert_eq!(expected, 100);
            let skipped = skips.iter().map(|skip| skip["skipped"].as_u64().unwrap());
            assert_eq!(skipped.sum::<u64>(), 100);
            let first = stdout(&assert);
            let first = first.lines().next().unwrap();
            assert!(
                first.starts_with("GO for 100 of ")
                    && first.contains(" not selected, 100 skipped as expected"),
                "{first}"
            );
        }
        _ => assert!(expected < 100),
    }
}

/// Every format begins with how much was not asked, and none is greener than the exit code.
#[rstest]
#[case::expected(&["--may-skip", "**"], 0, "GO for 100 of ")]
#[case::unexpected(&[], 4, "COULD NOT TELL: 100 of ")]
fn every_report_begins_with_what_was_not_asked(
    #[case] flags: &[&str],
    #[case] code: i32,
    #[case] word: &str,
) {
    let sandbox = strict();
    let mut all = vec![SCENARIO];
    all.extend(flags);
    let reports = [
        "junit=r.xml",
        "sarif=r.sarif",
        "ctrf=r.ctrf.json",
        "tap=r.tap",
        "markdown=r.md",
        "html=r.html",
        "annotations=r.txt",
        "summary=r.summary",
    ];
    all.extend(reports.iter().flat_map(|report| ["--report", report]));
    let printed = stdout(&run(&sandbox, &all).code(code));
    let headline = printed.lines().next().unwrap();
    assert!(headline.starts_with(word), "{headline}");
    for (file, place) in [
        (
            "r.xml",
            format!("<testsuites name=\"clawgauge: {headline}\""),
        ),
        ("r.tap", format!("# {headline}\n")),
        ("r.md", format!("**{headline}**\n")),
        ("r.summary", format!("## clawgauge\n\n**{headline}**\n")),
        ("r.html", format!("<p class=\"share\">{headline}</p>")),
        (
            "r.txt",
            format!(
                "::notice title={}::",
                headline.replace(':', "%3A").replace(',', "%2C")
            ),
        ),
        (
            "r.sarif",
            format!("\"exitCodeDescription\": \"{headline}; "),
        ),
        ("r.ctrf.json", format!("\"why\":\"{headline}; ")),
    ] {
        let text = text(&sandbox, file);
        assert!(
            text.contains(&place),
            "{file} has no {place:?}:\n{text:.600}"
        );
    }
    let junit = text(&sandbox, "r.xml");
    let count = |what: &str| junit.matches(what).count();
    let (errors, skipped) = match code {
        0 => (0, 100),
        _ => (100, 0),
    };
    assert_eq!((count("<error "), count("<skipped ")), (errors, skipped));
    assert_eq!(text(&sandbox, "r.tap").matches("\nnot ok ").count(), errors);
    // The same when it is rendered again.
    let mut again = sandbox.clawgauge();
    again
        .args(["report", "r.json", "--exit-code"])
        .assert()
        .code(code)
        .stdout(starts_with(format!("{headline}\n")));
}

/// An entry that nothing needs any more is told; only a whole run knows that.
#[test]
fn an_entry_that_is_not_needed_is_told() {
    let sandbox = Sandbox::new();
    project(&sandbox, "\"chat-completions/**\"");
    let told = "may-skip is no longer needed for chat-completions/**: every cell was asked";
    run(&sandbox, &[]).code(0).stdout(contains(told));
    run(&sandbox, &["--where", "profile=none"])
        .code(0)
        .stdout(contains(told).not());
}

#[rstest]
#[case("openai-nod", "did you mean `openai-node`?")]
#[case("client-librarys", "did you mean `client-libraries/**`?")]
fn an_entry_that_names_nothing_is_a_slip(#[case] entry: &str, #[case] help: &str) {
    let sandbox = strict();
    run(&sandbox, &["--may-skip", entry])
        .code(2)
        .stderr(contains("may-skip").and(contains(help)));
}

/// Shards and bundles carry what may be skipped, so that the whole is judged as its parts were.
#[test]
fn merge_and_verify_know_what_may_be_skipped() {
    let sandbox = strict();
    for shard in ["1/2", "2/2"] {
        let report = format!("json={}.json", &shard[..1]);
        let flags = [
            SCENARIO,
            "--may-skip",
            "**",
            "--shard",
            shard,
            "--report",
            &report,
        ];
        run(&sandbox, &flags).code(0);
    }
    let mut merge = sandbox.clawgauge();
    merge
        .args(["merge", "1.json", "2.json"])
        .assert()
        .code(0)
        .stdout(contains("100 skipped as expected"));
    let flags = [SCENARIO, "--may-skip", "**", "--bundle", "e.tar.gz"];
    run(&sandbox, &flags).code(0);
    let mut verify = sandbox.clawgauge();
    verify.args(["verify", "e.tar.gz"]).assert().code(0);
}

/// Before `not-asked` was a verdict, such cells were `not-applicable` and excused: a record of then reads as it did.
#[test]
fn an_older_record_reads_as_what_it_means() {
    let sandbox = strict();
    run(&sandbox, &[SCENARIO, "--may-skip", "**"]).code(0);
    let mut old = record(&sandbox);
    for cell in old["cells"].as_array_mut().unwrap() {
        if cell["verdict"] == "not-asked" {
            cell["verdict"] = "not-applicable".into();
            cell.as_object_mut().unwrap().remove("standing");
        }
    }
    old["run"].as_object_mut().unwrap().remove("may_skip");
    let summary = old["summary"].as_object_mut().unwrap();
    summary.insert("not_applicable".to_owned(), 100.into());
    for key in ["not_asked", "expected_skips", "not_selected", "not_reached"] {
        summary.remove(key);
    }
    // The cells are the last key of a record.
    let cells = old.as_object_mut().unwrap().remove("cells").unwrap();
    let head = old.to_string();
    let text = format!("{},\"cells\":{cells}}}", head.strip_suffix('}').unwrap());
    fs::write(sandbox.folder.path().join("old.json"), text).unwrap();
    let mut report = sandbox.clawgauge();
    report
        .args(["report", "old.json", "--exit-code"])
        .assert()
        .code(0)
        .stdout(starts_with(
            "GO for 100 of 200 cells; 100 skipped as expected\n",
        ));
}

/// What doctor says is what a run comes to.
#[test]
fn doctor_says_what_to_install_and_for_what() {
    let sandbox = strict();
    let doctor = |flags: &[&str], code: i32| {
        let mut command = sandbox.clawgauge();
        command.env("PATH", sandbox.folder.path());
        let assert = command.arg("doctor").args(flags).assert().code(code);
        stdout(&assert)
    };
    let told = doctor(&[], 4);
    for words in [
        "missing: nginx, for ",
        "missing: haproxy, for ",
        "missing: network namespaces, for ",
        "missing: curl, for 50 cells (client-libraries 50)",
        "missing: npm, for 110 cells (browser 60, client-libraries 50)",
        "missing: python3 with venv, for 50 cells (client-libraries 50)",
        "missing: node, which nothing takes",
        "  apt-get install --no-install-recommends nginx-light\n",
        "  apt-get install iproute2\n",
        "  apt-get install python3-venv\n  apt-get install npm\n",
        "  clawgauge clients install openai-python\n",
        "  may-skip = [\"chromium\", \"curl\", \"haproxy\", \"network namespaces\", \"nginx\", \"openai-node\", \"openai-python\"]\n",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
    let json: Value = serde_json::from_str(&doctor(&["--json", SCENARIO], 4)).unwrap();
    assert_eq!(
        (&json["cells"], &json["askable"]),
        (&200.into(), &50.into())
    );
    let needs = json["needs"].as_array().unwrap();
    let curl = needs.iter().find(|need| need["name"] == "curl").unwrap();
    assert_eq!(curl["install"], "apt-get install curl");
    assert_eq!(curl["scenarios"]["client-libraries"], 50);
    // What may be missing is no reason to worry, and what nothing takes is none either.
    let skip = [
        "--may-skip",
        "curl",
        "--may-skip",
        "openai-node",
        "--may-skip",
        "openai-python",
    ];
    doctor(&[&[SCENARIO][..], &skip[..2]].concat(), 4);
    doctor(&[&[SCENARIO][..], &skip].concat(), 0);
    doctor(&["chat-completions"], 0);
    // A release that is not installed takes npm, whatever may be skipped.
    let release = [
        "chat-completions",
        "--gateway",
        "openclaw@2026.9.6",
        "--may-skip",
        "**",
    ];
    let told = doctor(&release, 4);
    assert!(
        told.contains("this machine can ask 0 of 650 cells"),
        "{told}"
    );
    // A run comes to the same.
    let mut run = sandbox.clawgauge();
    run.env("PATH", sandbox.folder.path())
        .args(["run", SCENARIO])
        .assert()
        .code(4)
        .stderr(contains("150 cells not asked"));
}
