//! What others made to read these formats: published schemas, validators and parsers, installed from npm and PyPI once and
//! kept in the target folder. Ignored unless asked for: they need a network the first time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::support::synthetic;
use clawgauge::record::Results;
use clawgauge::reports::{Format, write_report};
use serde_json::Value;

const NPM: [&str; 3] = [
    "@microsoft/sarif-multitool-linux@5.7.0",
    "ctrf@0.3.0",
    "tap-parser@18.3.4",
];
const PYPI: [&str; 2] = ["junitparser==5.0.3", "xmlschema==4.3.2"];
/// Its source holds the schema that Jenkins publishes for JUnit.
const SCHEMA_IN: &str = "pytest==8.4.2";

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The folder with the consumers.
fn consumers() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let versions = [&NPM[..], &PYPI, &[SCHEMA_IN]].concat().join("\n");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumers");
        let stamp = folder.join("versions");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == versions) {
            return folder;
        }
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join("package.json"),
            "{\"private\":true,\"type\":\"module\"}",
        )
        .unwrap();
        let quiet = [
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ];
        run(Command::new("npm")
            .current_dir(&folder)
            .args(quiet)
            .args(NPM));
        run(Command::new("chmod").arg("+x").arg(multitool(&folder)));
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(folder.join("py")));
        let pip = || {
            let mut pip = Command::new(folder.join("py/bin/pip"));
            pip.arg("--quiet").current_dir(&folder);
            pip
        };
        run(pip().arg("install").args(PYPI));
        run(pip().args(["download", "--no-deps", "--no-binary", "pytest", SCHEMA_IN]));
        let archive = format!("{}.tar.gz", SCHEMA_IN.replace("==", "-"));
        run(Command::new("tar").current_dir(&folder).args([
            "xzf",
            &archive,
            "--strip-components=3",
            "--wildcards",
            "*/junit-10.xsd",
        ]));
        fs::write(stamp, versions).unwrap();
        folder
    })
}

fn multitool(folder: &Path) -> PathBuf {
    folder.join("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool")
}

/// A report of each hostile record, of a long one, and of those that `CLAWGAUGE_REPORTS_OF` names.
fn reports(format: Format, suffix: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let mut records = Vec::new();
    for (number, text) in synthetic::HOSTILE.iter().enumerate() {
        let path = folder.path().join(format!("{number}.record"));
        fs::write(&path, synthetic::every_verdict(text).to_string()).unwrap();
        records.push(path);
    }
    let many = folder.path().join("many.record");
    synthetic::write_many(&many, 2_000);
    records.push(many);
    let given = std::env::var_os("CLAWGAUGE_REPORTS_OF").unwrap_or_default();
    records.extend(std::env::split_paths(&given).filter(|path| path.is_file()));
    let reports = records.iter().enumerate().map(|(number, record)| {
        let path = folder.path().join(format!("report-{number}.{suffix}"));
        write_report(format, &Results::open(record).unwrap(), &path).unwrap();
        path
    });
    let reports = reports.collect();
    (folder, reports)
}

/// The validator of SARIF's own editors, with the rules of the specification and those of GitHub's code scanning.
#[test]
#[ignore = "needs the network"]
fn sarif_is_what_code_scanning_takes() {
    let (folder, reports) = reports(Format::Sarif, "sarif");
    let log = folder.path().join("log.json");
    Command::new(multitool(consumers()))
        // It need not know the machine's languages.
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .current_dir(folder.path())
        .args([
            "validate",
            "--rule-kind",
            "Sarif;Ghas",
            "--log",
            "ForceOverwrite",
            "-o",
        ])
        .arg(&log)
        .args(&reports)
        .output()
        .unwrap();
    let log: Value = serde_json::from_slice(&fs::read(log).unwrap()).unwrap();
    let run = &log["runs"][0];
    let results: Vec<&Value> = run["results"].as_array().unwrap().iter().collect();
    // This project has no home page yet; that it misses one in each shows that it read them all.
    let (home, wrong): (Vec<&Value>, Vec<_>) = results
        .into_iter()
        .partition(|result| result["ruleId"] == "SARIF2005");
    assert_eq!(home.len(), reports.len());
    assert!(
        wrong.iter().all(|result| result["level"] == "note"),
        "{wrong:#?}"
    );
    let failed = &run["invocations"][0]["toolExecutionNotifications"];
    assert!(failed.is_null(), "{failed}");
}

#[test]
#[ignore = "needs the network"]
fn ctrf_is_strictly_valid() {
    let (_folder, reports) = reports(Format::Ctrf, "json");
    let script = "import { validateStrict } from 'ctrf'; import fs from 'node:fs'; \
                  for (const path of process.argv.slice(1)) validateStrict(JSON.parse(fs.readFileSync(path)));";
    run(Command::new("node")
        .current_dir(consumers())
        .args(["--input-type=module", "-e", script])
        .args(&reports));
}

#[test]
#[ignore = "needs the network"]
fn tap_is_what_its_parser_takes() {
    let (_folder, reports) = reports(Format::Tap, "tap");
    for report in reports {
        let output = Command::new(consumers().join("node_modules/.bin/tap-parser"))
            .args(["--strict", "-j", "0"])
            .stdin(fs::File::open(&report).unwrap())
            .output()
            .unwrap();
        let events: Value = serde_json::from_slice(&output.stdout).unwrap();
        let events = events.as_array().unwrap();
        let last = |name: &str| events.iter().rev().find(|event| event[0] == name).unwrap();
        let complete = &last("complete")[1];
        let text = fs::read_to_string(&report).unwrap();
        let points = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(complete["count"], points("ok ") + points("not ok "));
        assert_eq!(complete["plan"]["end"], complete["count"], "{complete}");
        let todo = text
            .lines()
            .filter(|line| line.contains(" # TODO "))
            .count();
        assert_eq!(complete["todo"], todo);
        // Nothing but points that fail is a failure: no line that it does not understand.
        for failure in complete["failures"].as_array().unwrap() {
            assert!(
                failure["tapError"].is_null() || failure["tapError"] == "no plan",
                "{failure}"
            );
        }
        assert!(
            !events.iter().any(|event| event[0] == "extra"),
            "{report:?}"
        );
        assert_eq!(complete["bailout"], false);
    }
}

/// The schema that Jenkins publishes, which knows properties of suites and not yet of cases; and a parser in Python.
#[test]
#[ignore = "needs the network"]
fn junit_is_valid_and_parsed() {
    let (folder, reports) = reports(Format::Junit, "xml");
    let schema = fs::read_to_string(consumers().join("junit-10.xsd")).unwrap();
    let case =
        "<xs:element name=\"testcase\">\n        <xs:complexType>\n            <xs:sequence>\n";
    assert!(schema.contains(case));
    let with = format!("{case}<xs:element ref=\"properties\" minOccurs=\"0\"/>\n");
    let path = folder.path().join("junit.xsd");
    fs::write(&path, schema.replace(case, &with)).unwrap();
    let script = "
import sys, xmlschema, junitparser
schema = xmlschema.XMLSchema(sys.argv[1])
for path in sys.argv[2:]:
    schema.validate(path)
    report = junitparser.JUnitXml.fromfile(path)
    written = report.tests, report.failures, report.errors
    report.update_statistics()
    assert written == (report.tests, report.failures, report.errors), path
";
    run(Command::new(consumers().join("py/bin/python"))
        .args(["-c", script])
        .arg(path)
        .args(reports));
}
