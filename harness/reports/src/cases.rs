//! The map of questions: for a terminal, and as Markdown.

use std::fmt::Write as _;

use super::access::cell_text;
use super::style::Paint;
use base::text::{count, one_line};
use contract::cases::{Case, Cases, Coverage};

/// How many questions are asked, in one line.
pub fn cases_summary(cases: &Cases) -> String {
    let summary = &cases.summary;
    format!(
        "{} of {} asked, {} partly; {} not",
        summary.asked,
        match summary.questions {
            1 => "1 question is".to_owned(),
            questions => format!("{questions} questions are"),
        },
        summary.partly,
        match summary.not_asked {
            1 => "1 is".to_owned(),
            not_asked => format!("{not_asked} are"),
        },
    )
}

/// Each question with the cells that ask it, for a terminal.
pub fn cases_text(cases: &Cases, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.bold(&cases_summary(cases)));
    for case in &cases.cases {
        let state = match case.coverage {
            Coverage::Asked => paint.good("asked"),
            Coverage::Partly => paint.warn("partly"),
            Coverage::NotAsked => paint.bad("not asked"),
        };
        let _ = writeln!(out, "\n{}  {state}{}", one_line(&case.id), by(case, ", "));
        let _ = writeln!(out, "  {}", one_line(&case.question));
        for glob in &case.globs {
            let _ = writeln!(out, "  {}", paint.dim(&one_line(glob)));
        }
        if !case.reason.is_empty() {
            let _ = writeln!(out, "  {}: {}", why(case), one_line(&case.reason));
        }
    }
    out
}

/// The same as a table.
pub fn cases_markdown(cases: &Cases) -> String {
    let mut out = format!(
        "# Questions of other test suites\n\n{}.\n\n| case | question | asked by | missing, or why not |\n|---|---|---|---|\n",
        cases_summary(cases)
    );
    for case in &cases.cases {
        let globs = case
            .globs
            .iter()
            .map(|glob| format!("`{}`", cell_text(glob)));
        let globs: Vec<String> = globs.collect();
        let asked = match case.coverage {
            Coverage::Asked | Coverage::Partly => format!("{}: {}", by(case, ""), globs.join(", ")),
            Coverage::NotAsked => "not asked".to_owned(),
        };
        let [id, question, reason] =
            [&case.id, &case.question, &case.reason].map(|text| cell_text(text));
        let _ = writeln!(out, "| {id} | {question} | {asked} | {reason} |");
    }
    out
}

/// By how many cells it is asked, and on which releases; empty where it is not.
fn by(case: &Case, before: &str) -> String {
    match case.coverage {
        Coverage::NotAsked => String::new(),
        Coverage::Asked | Coverage::Partly => {
            format!(
                "{before}{}, {}",
                count(case.cells, "cell"),
                case.releases.join(" and ")
            )
        }
    }
}

fn why(case: &Case) -> &'static str {
    match case.coverage {
        Coverage::Asked | Coverage::Partly => "missing",
        Coverage::NotAsked => "why not",
    }
}
