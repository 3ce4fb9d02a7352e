//! Every report of a record says what the record says, whatever a gateway answered.

use std::fs;
use std::path::PathBuf;

use crate::support::Sandbox;
use crate::support::agree::{rendered, reports_agree};
use crate::support::synthetic;
use clap::ValueEnum as _;
use clawgauge::record::Results;
use clawgauge::reports::{Format, write_report};
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// Runs a faulty gateway and returns the record's path.
fn run(sandbox: &Sandbox, gateway: &str, flags: &[&str]) -> PathBuf {
    let path = sandbox.folder.path().join("r.json");
    let _ = fs::remove_file(&path);
    let report = format!("json={}", path.display());
    sandbox
        .clawgauge()
        .args(["run", "--gateway", gateway, "--report", &report])
        .args(flags)
        .output()
        .unwrap();
    path
}

/// Real runs: everything conforms, something deviates, relations break, known issues explain or are stale, nothing can be
/// asked, and what severity and baseline excuse.
#[test]
fn reports_of_runs_agree() {
    let sandbox = Sandbox::whole();
    let chat = "chat-completions/**";
    reports_agree(&run(&sandbox, "reference", &[chat]));
    let faulty = sandbox.faulty_gateway("secret-scopes-honoured");
    let broken = run(&sandbox, &faulty, &[chat]);
    reports_agree(&broken);
    let baseline = sandbox.folder.path().join("baseline.json");
    fs::copy(&broken, &baseline).unwrap();
    let excused = ["--baseline", baseline.to_str().unwrap()];
    let excused = [&[chat][..], &excused].concat();
    reports_agree(&run(&sandbox, &faulty, &excused));
    let two = [
        chat,
        "--gateway",
        "reference",
        "--where",
        "profile=none,token",
    ];
    reports_agree(&run(&sandbox, &faulty, &two));
    let models = "endpoints/profile=none/**";
    let unscoped = sandbox.faulty_gateway("models-unscoped");
    let release = [models, "--release", "2026.3.24"];
    for flags in [
        &[][..],
        &["--fail-on", "known"],
        &["--known-issues", "off"],
        &["--severity", "blocker"],
    ] {
        reports_agree(&run(&sandbox, &unscoped, &[&release[..], flags].concat()));
    }
    let dies = sandbox.broken_gateway("dies-at-start");
    reports_agree(&run(&sandbox, &dies, &[chat, "--where", "profile=token"]));
    reports_agree(&run(
        &sandbox,
        "/nowhere/openclaw.mjs",
        &[chat, "--where", "profile=token"],
    ));
}

#[test]
fn reports_of_hostile_records_agree() {
    let folder = tempfile::tempdir().unwrap();
    for (number, text) in synthetic::HOSTILE.iter().enumerate() {
        let path = folder.path().join(format!("{number}.json"));
        fs::write(&path, synthetic::every_verdict(text).to_string()).unwrap();
        reports_agree(&path);
    }
    let path = folder.path().join("long.json");
    let long = "long \u{e4}| ".repeat(7_000);
    fs::write(&path, synthetic::every_verdict(&long).to_string()).unwrap();
    reports_agree(&path);
    let path = folder.path().join("causes.json");
    fs::write(&path, synthetic::many_causes(25).to_string()).unwrap();
    reports_agree(&path);
}

/// A record as it stands in a file.
fn opened(record: &Value) -> (tempfile::TempDir, Results<'static>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.json");
    fs::write(&path, record.to_string()).unwrap();
    let results = Results::open(&path).unwrap();
    (folder, results)
}

/// Whatever a gateway says, it is text: GitHub's Markdown makes neither HTML, nor links, nor mentions of it, and tables
/// keep their columns.
#[test]
fn markdown_stays_text() {
    let mut options = comrak::Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.render.r#unsafe = true;
    for text in synthetic::HOSTILE {
        let (_folder, results) = opened(&synthetic::every_verdict(text));
        let markdown = rendered(Format::Markdown, &results);
        let html = comrak::markdown_to_html(&markdown, &options);
        for tag in ["<script", "<img", "<b>", "<!--", "<del"] {
            assert!(!html.contains(tag), "{tag} of {text:?}:\n{html}");
        }
        let links: Vec<&str> = html
            .split("href=\"")
            .skip(1)
            .map(|link| link.split('"').next().unwrap())
            .collect();
        assert!(
            links
                .iter()
                .all(|link| link.starts_with("https://example.com/issues/")),
            "{links:?}"
        );
        for table in html.split("<table>").skip(1) {
            let table = table.split("</table>").next().unwrap();
            let heads = table.matches("<th").count() - table.matches("<thead").count();
            for row in table.split("<tr>").skip(2) {
                assert_eq!(row.matches("<td").count(), heads, "{row}");
            }
        }
        // Mentions count outside of code only.
        let outside: String = html
            .split("<code")
            .map(|part| part.rsplit("</code>").next().unwrap())
            .collect();
        assert!(!outside.contains("@maintainer"), "{outside}");
    }
}

/// No line but the annotations' own looks like a command, and nothing in them ends or begins another.
#[test]
fn annotations_stay_in_their_line() {
    for text in synthetic::HOSTILE {
        let (_folder, results) = opened(&synthetic::every_verdict(text));
        let annotations = rendered(Format::Annotations, &results);
        for line in annotations
            .split(['\n', '\r', '\u{85}', '\u{2028}'])
            .filter(|line| !line.is_empty())
        {
            let kinds = ["::error ", "::warning ", "::notice "];
            assert!(kinds.iter().any(|kind| line.starts_with(kind)), "{line:?}");
            assert!(!line.contains('\u{1b}'), "{line:?}");
            let (properties, _) = line[2..].split_once("::").unwrap();
            for property in properties.split_once(' ').unwrap().1.split(',') {
                let (name, value) = property.split_once('=').unwrap();
                assert!(["file", "line", "title"].contains(&name), "{line:?}");
                assert!(!value.contains(':'), "{line:?}");
            }
            for (place, _) in line.match_indices('%') {
                assert!(
                    ["%25", "%0A", "%3A", "%2C"]
                        .iter()
                        .any(|code| line[place..].starts_with(code)),
                    "{line:?}"
                );
            }
        }
    }
}

/// GitHub drops the eleventh of a kind without a word.
#[test]
fn annotations_say_what_they_leave_out() {
    let (_folder, results) = opened(&synthetic::many_causes(25));
    let annotations = rendered(Format::Annotations, &results);
    for kind in ["error", "warning"] {
        let mine = annotations
            .lines()
            .filter(|line| line.starts_with(&format!("::{kind} ")));
        let mine: Vec<&str> = mine.collect();
        assert_eq!(mine.len(), 10);
        assert!(
            mine[9].starts_with(&format!("::{kind} title=and 16 more {kind}s::")),
            "{}",
            mine[9]
        );
    }
}

/// What people read, as it is.
#[test]
fn small_reports() {
    let record = synthetic::every_verdict("scope `missing` | <b>");
    let (_folder, results) = opened(&record);
    for format in Format::value_variants() {
        // The page has tests of its own, and is read in a browser.
        if !matches!(format, Format::Json | Format::Html) {
            insta::assert_snapshot!(format!("small-{format}"), rendered(*format, &results));
        }
    }
}

/// Where nothing ran, no report is green.
#[rstest]
#[case::nothing_ran(&[])]
#[case::interrupted(&["interrupted"])]
fn an_ending_without_red_cells_is_told(#[case] what: &[&str]) {
    let mut record = synthetic::every_verdict("x");
    let keep = |cell: &Value| {
        cell["verdict"] == "conforms" && !what.is_empty() || cell["verdict"] == "not-applicable"
    };
    synthetic::retain(&mut record, keep);
    record["run"]["interrupted"] = Value::Bool(!what.is_empty());
    let (folder, results) = opened(&record);
    reports_agree(&folder.path().join("r.json"));
    for (format, told) in [
        (Format::Junit, "<error type=\"run\""),
        (Format::Ctrf, "\"failed\":1"),
        (Format::Tap, "not ok"),
        (Format::Markdown, "**Could not tell**"),
    ] {
        assert!(rendered(format, &results).contains(told), "{format}");
    }
}

/// A summary is added to what the file holds, and stays below what GitHub takes.
#[test]
fn a_summary_is_added_within_its_limit() {
    let (folder, results) = opened(&synthetic::every_verdict("x"));
    let path = folder.path().join("summary.md");
    fs::write(&path, "before\n").unwrap();
    for _ in 0..2 {
        write_report(Format::Summary, &results, &path).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("before\n## clawgauge\n\n**NO-GO for "));
    assert_eq!(text.matches("## clawgauge\n").count(), 2);
    assert!(!text.contains("Left out"));

    let limit = 1024 * 1024;
    fs::write(&path, "x".repeat(limit - 1500)).unwrap();
    write_report(Format::Summary, &results, &path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.len() <= limit && text.len() > limit - 1000,
        "{}",
        text.len()
    );
    assert!(text.contains("**No go**") && text.contains("Left out for want of room: "));

    fs::write(&path, "x".repeat(limit - 10)).unwrap();
    let error = write_report(Format::Summary, &results, &path).unwrap_err();
    assert!(error.to_string().contains("no room left"), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len() as usize, limit - 10);
}

#[test]
fn a_device_stays_a_device() {
    let (_folder, results) = opened(&synthetic::every_verdict("x"));
    write_report(Format::Annotations, &results, "/dev/null".as_ref()).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

/// In a workflow of GitHub a run annotates and summarises by itself, and nothing else that it says is heeded as a command.
#[test]
fn a_run_in_a_workflow() {
    let sandbox = Sandbox::new();
    let gateway = sandbox.broken_gateway("ignores-scopes");
    let summary = sandbox.folder.path().join("summary.md");
    let run = || {
        let mut command = sandbox.clawgauge();
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary)
            .args(["run", "--gateway", &gateway, "--where", "profile=none"]);
        command
    };
    // The caller's repository has no such file, unless it holds the contract.
    let told = String::from_utf8(run().output().unwrap().stdout).unwrap();
    assert!(
        told.contains("\n::error title=") && !told.contains(" file="),
        "{told}"
    );
    fs::remove_file(&summary).unwrap();
    fs::create_dir(sandbox.folder.path().join(".git")).unwrap();
    let output = run().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let (word, rest) = stdout
        .strip_prefix("::stop-commands::")
        .unwrap()
        .split_once('\n')
        .unwrap();
    let (report, annotations) = rest.split_once(&format!("\n::{word}::\n")).unwrap();
    assert!(report.contains("unexpected-allow"));
    assert!(
        annotations.starts_with("::error file=data/scenarios/chat-completions.toml,line="),
        "{annotations}"
    );
    assert!(
        fs::read_to_string(&summary)
            .unwrap()
            .starts_with("## clawgauge\n\n**NO-GO for ")
    );

    // Another report on stdout is not heeded either.
    let output = run().args(["--report", "tap=-"]).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let word = stdout
        .lines()
        .next()
        .unwrap()
        .replace("::stop-commands::", "");
    assert!(
        stdout.find("TAP version 14").unwrap() < stdout.find(&format!("::{word}::\n")).unwrap()
    );

    fs::remove_file(&summary).unwrap();
    run()
        .args([
            "--report",
            "annotations=/dev/null",
            "--report",
            "summary=other.md",
        ])
        .assert()
        .code(1)
        .stdout(contains("::error").not());
    assert!(!summary.exists());
    assert!(sandbox.folder.path().join("other.md").exists());

    // A summary that cannot be written changes nothing about the verdict.
    run()
        .env("GITHUB_STEP_SUMMARY", "/nowhere/summary.md")
        .assert()
        .code(1)
        .stderr(contains(
            "cannot write the summary report to /nowhere/summary.md",
        ));
}

/// Hundreds of thousands of bytes go through the temporary file of the suites.
#[test]
fn many_cells_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.json");
    synthetic::write_many(&path, 3_000);
    reports_agree(&path);
}
