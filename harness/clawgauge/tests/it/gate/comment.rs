//! `ci/comment.sh` with a make-believe gh, which keeps one pull request's comments in a folder.

use std::fs;

use assert_cmd::Command;
use predicates::str::contains;

use super::{bare, shell};
use crate::support::{Sandbox, repository};

/// One comment, `$0.comment`; a query finds it if it begins with what the query asks for.
const GH: &str = r#"echo "$*" >> "$0.log"
[ ! -f "$0.broken" ] || { echo 'gh: Resource not accessible by integration' >&2; exit 1; }
for word; do case $word in body=@*) cp "${word#body=@}" "$0.comment" ;; esac; done
case "$*" in
  *--paginate*)
    marker=$(printf '%s' "$*" | sed 's/.*startswith("\([^"]*\)").*/\1/')
    [ ! -f "$0.comment" ] || [ "$(head -n 1 "$0.comment")" != "$marker" ] || echo 77 ;;
esac"#;

struct Forge {
    sandbox: Sandbox,
}

impl Forge {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let bin = sandbox.folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        shell(&bin.join("gh"), GH);
        Self { sandbox }
    }

    fn file(&self, end: &str) -> std::path::PathBuf {
        self.sandbox.folder.path().join(format!("bin/gh{end}"))
    }

    fn said(&self, end: &str) -> String {
        fs::read_to_string(self.file(end)).unwrap_or_default()
    }

    fn comment(&self, report: &str) -> Command {
        fs::write(self.sandbox.folder.path().join("report.md"), report).unwrap();
        let bin = self.sandbox.folder.path().join("bin");
        let path = std::env::var("PATH").unwrap();
        let mut command = bare(&self.sandbox, &repository().join("ci/comment.sh"));
        command
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("GITHUB_REPOSITORY", "owner/repo")
            .env("PULL_REQUEST", "5")
            .arg("report.md");
        command
    }
}

#[test]
fn it_is_updated_and_not_repeated() {
    let forge = Forge::new();
    forge.comment("**Go** for `x`\n").assert().code(0);
    let log = forge.said(".log");
    assert!(
        log.contains("api --method POST repos/owner/repo/issues/5/comments"),
        "{log}"
    );
    assert_eq!(
        forge.said(".comment"),
        "<!-- clawgauge comment: clawgauge -->\n\n## clawgauge\n\n**Go** for `x`\n"
    );
    forge.comment("**No go**\n").assert().code(0);
    let log = forge.said(".log");
    assert_eq!(log.matches("POST").count(), 1, "{log}");
    assert!(
        log.contains("api --method PATCH repos/owner/repo/issues/comments/77"),
        "{log}"
    );
    assert!(forge.said(".comment").ends_with("\n**No go**\n"));
    // Another gate of the pull request has its own.
    forge.comment("**Go**\n").arg("nightly").assert().code(0);
    assert_eq!(forge.said(".log").matches("POST").count(), 2);
    assert!(
        forge
            .said(".comment")
            .starts_with("<!-- clawgauge comment: nightly -->\n")
    );
}

/// GitHub refuses what is longer than 65536 characters.
#[test]
fn a_long_report_is_cut_at_a_line() {
    let forge = Forge::new();
    let line = format!("{}\n", "é".repeat(50));
    forge.comment(&line.repeat(2000)).assert().code(0);
    let comment = forge.said(".comment");
    assert!(comment.len() < 65536, "{}", comment.len());
    assert!(comment.contains("\n\nCut off: the report is longer"));
    let whole = comment.lines().filter(|text| text.starts_with('é'));
    assert!(whole.into_iter().all(|text| text == line.trim_end()));
}

/// The verdict is the step's before; a comment that cannot be made is no other.
#[test]
fn what_hinders_it_is_said_and_fails_nothing() {
    let forge = Forge::new();
    let no_pull_request = forge.comment("x\n").env_remove("PULL_REQUEST").assert();
    no_pull_request
        .code(0)
        .stderr(contains("this is no pull request; no comment is made"));
    let empty = forge.comment("").assert();
    empty
        .code(0)
        .stderr(contains("is markdown among the formats?"));
    assert_eq!(forge.said(".log"), "");
    fs::write(forge.file(".broken"), "").unwrap();
    let forbidden = forge.comment("x\n").assert();
    forbidden
        .code(0)
        .stderr(contains("the comments of pull request 5 cannot be read"));
    forge.comment("x\n").arg("a name").assert().code(2);
}
