//! A reproduction as a bug report, in the form that OpenClaw asks for.

use std::fmt::Write as _;

use super::comments::{answer, is_start, rule, title};
use super::{Repro, script};
use contract::scenario::IssueKind;

/// Renders a reproduction as a bug report around its script.
pub fn markdown(repro: &Repro) -> String {
    let release = &repro.release;
    let mut out = format!("# {}\n\n## Summary\n\n", title(repro));
    let _ = writeln!(out, "{}.", repro.question);
    for (axis, title) in repro.values.iter() {
        let _ = writeln!(out, "- {axis}: {title}");
    }
    if let Some(explanation) = &repro.issue {
        let _ = writeln!(out, "\n{}", explanation.issue.means);
        let _ = writeln!(out, "\nWorkaround: {}", explanation.issue.workaround);
    }
    let what = if is_start(repro) {
        "starts the gateway"
    } else {
        "starts the gateway and sends the request"
    };
    let _ = write!(
        out,
        "\n## Steps to reproduce\n\n1. Save the script below as `repro.sh`. It needs sh, npm and node, 18 or later.\n2. `sh repro.sh` installs openclaw@{release} into a temporary folder, {what}, prints what it saw and removes everything again.\n3. Exit code 1 shows the bug, 0 says that it is gone, 125 that the script cannot tell. `git bisect run` takes it.\n\n## Expected\n\n"
    );
    let one = &repro.expectation;
    let _ = write!(
        out,
        "{}\n\n{}\n\nSource: {}\n",
        sentence_of(&answer(&one.outcome)),
        rule(one),
        one.source
    );
    out.push_str("\n## Actual\n\n");
    match (&repro.seen, &repro.issue) {
        (Some(seen), _) => {
            let _ = writeln!(out, "{}", sentence_of(seen));
        }
        (None, Some(explanation)) => {
            let _ = writeln!(out, "{}", sentence_of(&answer(&explanation.observed)));
        }
        (None, None) => {
            out.push_str("<!-- the lines `observed` and `verdict` that the script prints -->\n")
        }
    }
    let _ = write!(
        out,
        "\n## OpenClaw version\n\n{release}\n\n## Node and OS\n\n<!-- the line `gateway` that the script prints -->\n\n## Regression since\n\n{}\n\n## Script\n\n",
        regression(repro)
    );
    let script = script(repro);
    let fence = fence(&script);
    let _ = write!(out, "{fence}sh\n{script}{fence}\n");
    out
}

fn sentence_of(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// From when on and until when, as the known issue says.
fn regression(repro: &Repro) -> String {
    let Some(explanation) = &repro.issue else {
        return "<!-- not known: run it with REPRO_VERSION=... on earlier releases -->".to_owned();
    };
    let issue = &explanation.issue;
    let range = issue.range();
    let since = match (&range.since, issue.kind) {
        (Some(since), _) => format!("{since} is the first release that has it"),
        (None, IssueKind::Regression) => "every earlier release that is known has it".to_owned(),
        (None, IssueKind::Security | IssueKind::Compatibility) => {
            "not a regression: every earlier release that is known has it".to_owned()
        }
    };
    let until = range
        .until
        .map(|until| format!("; {until} is the first that has not"));
    let url = if issue.url.is_empty() {
        &issue.id
    } else {
        &issue.url
    };
    format!("{since}{} ({url})", until.unwrap_or_default())
}

/// A fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}
