//! The commands of a page, given to a shell as a reader would type them.
//!
//! `clawgauge` and `cargo run --` are the binary under test there. It finds no other program, so nothing is
//! installed and no release is launched; files that a command reads are in its folder.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::support::{Sandbox, repository};

/// Releases whose survey records serve as what somebody ran before.
const RECORDS: [&str; 2] = ["2026.3.28", "2026.9.6"];

/// A record with a cause in it: what `results.json` is a copy of.
const BROKEN: &str = "broken.json";

/// A folder in which every command of the pages can be typed.
pub(crate) struct Desk {
    sandbox: Sandbox,
}

impl Desk {
    /// Without anything on it.
    pub(crate) fn bare() -> Self {
        Self::on(Sandbox::new())
    }

    /// With `results.json`, a record that has a cause.
    pub(crate) fn with_record() -> Self {
        let desk = Self::bare();
        desk.broken_record();
        desk
    }

    fn on(sandbox: Sandbox) -> Self {
        fs::create_dir(sandbox.folder.path().join("no-tools")).unwrap();
        // Its commands say `--root data`.
        sandbox.root();
        Self { sandbox }
    }

    /// With every file that a command of the pages reads.
    pub(crate) fn new() -> Self {
        let desk = Self::on(Sandbox::whole());
        let folder = desk.folder();
        for name in ["site/records", "records"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        fs::write(folder.join("token"), "a-token-for-tests\n").unwrap();
        fs::write(folder.join("headers"), "X-Forwarded-User: me@example.com\n").unwrap();
        let survey = repository().join("harness/survey/records");
        for release in RECORDS {
            let name = format!("{release}.json.gz");
            fs::copy(survey.join(&name), folder.join("site/records").join(&name)).unwrap();
        }
        fs::copy(
            survey.join("2026.9.6.json.gz"),
            folder.join("contract.json"),
        )
        .unwrap();
        desk.prepare("clawgauge run 'chat-completions/profile=none/credential=absent/**' --report json=stable.json");
        for shard in 1..=3 {
            desk.prepare(&format!(
                "clawgauge run 'chat-completions/*/credential=absent/**' --shard {shard}/3 --report json={shard}.json"
            ));
        }
        desk.prepare("clawgauge run 'chat-completions/profile=none/credential=absent/**' --bundle evidence.tar.gz");
        desk.broken_record();
        desk
    }

    /// A record with a cause in it, made by a contract that the gateway does not keep.
    fn broken_record(&self) {
        let broken = Sandbox::new();
        broken.edit(
            "scenarios/chat-completions.toml",
            "expect = \"missing-scope-write\"",
            "expect = \"unauthorized\"",
        );
        let record = self.folder().join(BROKEN);
        let report = format!("json={}", record.display());
        let cells = "chat-completions/profile=none/credential=absent/**";
        let args = ["run", cells, "--report", &report];
        broken.clawgauge().args(args).assert().code(1);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.sandbox.folder.path()
    }

    fn prepare(&self, line: &str) {
        let output = self.type_in(line, "");
        assert_eq!(output.status.code(), Some(0), "{line}: {}", stderr(&output));
    }

    /// What a line does. `results.json` is as it was, whatever other lines wrote.
    pub(crate) fn run(&self, line: &str) -> Output {
        let broken = self.folder().join(BROKEN);
        if broken.exists() {
            fs::copy(broken, self.folder().join("results.json")).unwrap();
        }
        self.type_in(line, "")
    }

    /// What a line does before anything is read but the command line itself: every command that would do something reads
    /// the project's file first, and this one is not there.
    pub(crate) fn parse(&self, line: &str) -> Output {
        self.type_in(line, "--config is-not-there.toml")
    }

    fn type_in(&self, line: &str, flags: &str) -> Output {
        let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
        let script = format!(
            "clawgauge() {{ PATH=no-tools \"$BINARY\" --root data {flags} \"$@\"; }}\n\
             cargo() {{\n\
               [ \"$1 $2\" = 'run --' ] || {{ echo 'not a run of clawgauge' >&2; return 99; }}\n\
               shift 2\n\
               clawgauge \"$@\"\n\
             }}\n{line}"
        );
        assert_cmd::Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("BINARY", binary)
            .env("HOME", self.folder())
            .env("TMPDIR", self.sandbox.temp())
            .env("LC_ALL", "C")
            .env("NO_COLOR", "1")
            .current_dir(self.folder())
            .timeout(std::time::Duration::from_secs(180))
            .output()
            .unwrap()
    }
}

/// What was said on stderr.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A line of a `sh` block, by what can be done with it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads files and answers: exit code 0.
    Offline,
    /// Wants a release or a program that is not there: exit code 3, once everything that was typed has been understood.
    NeedsMore,
    /// Launches something, never ends, asks an address, or answers by what the machine has: its command line is parsed.
    ParsedOnly,
    /// Not a command of clawgauge.
    Foreign,
}

/// Heads of lines that are not clawgauge's; a new one is added here once somebody has seen that it works.
const FOREIGN: [&str; 9] = [
    "cargo test --workspace",
    "cargo fmt --all",
    "cargo clippy --workspace --all-targets -- -D warnings",
    "cargo install --locked --path harness/clawgauge",
    "apt-get install ",
    "sh repro.sh",
    "REPRO_VERSION=",
    "REPRO_GATEWAY=",
    "mdbook ",
];

/// Says what can be done with a line.
pub(crate) fn kind(line: &str) -> Kind {
    if FOREIGN.iter().any(|head| line.starts_with(head)) {
        return Kind::Foreign;
    }
    let command = line.trim_start_matches("CLAWGAUGE_ATTACH_SECRET=\"$(cat token)\" ");
    let command = command
        .strip_prefix("cargo run -- ")
        .or_else(|| command.strip_prefix("clawgauge "));
    let Some(command) = command else {
        panic!("neither a command of clawgauge nor one that is known: {line}");
    };
    let has = |flag: &str| command.split_whitespace().any(|word| word == flag);
    let published = command.contains("--gateway ");
    match command.split_whitespace().next().unwrap_or_default() {
        "--help" | "list" | "plan" | "show" | "contract" | "cases" | "check" | "accept"
        | "report" | "merge" | "verify" | "schema" | "completions" | "man" => Kind::Offline,
        "repro" => Kind::Offline,
        "survey" if has("--from") => Kind::Offline,
        "survey" | "bisect" | "compare" | "docs" | "routes" | "explore" => Kind::NeedsMore,
        "attach" if has("--dry-run") => Kind::Offline,
        "run" if published => Kind::NeedsMore,
        "attach" | "run" | "mutants" | "doctor" | "coverage" => Kind::ParsedOnly,
        "gateway" | "clients" if has("install") => Kind::NeedsMore,
        "gateway" | "clients" => Kind::Offline,
        other => panic!("what can be done with `clawgauge {other}` here? {line}"),
    }
}

/// The commands of a page: lines of its `sh` blocks, without what follows a `#`.
pub(crate) fn lines(block: &str) -> Vec<String> {
    block
        .lines()
        .map(|line| {
            line.split(" #")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .filter(|line| !line.is_empty())
        .collect()
}
