//! What a bisection found: for a terminal, and as Markdown for an issue.

mod markdown;

use std::fmt::Write as _;

use studies::bisect::{AnswerRecord, Bisection, ChangeKind, ChangeRecord, ReleaseRecord};

use super::style::Paint;
use base::text::{count, one_line};

pub use markdown::bisection_markdown;

/// So many ways in which cells change are shown.
const GROUPS: usize = 5;

/// What was found, for a terminal.
pub fn bisection(found: &Bisection, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint.bold(&one_line(&found.subject)));
    if !found.title.is_empty() {
        let _ = writeln!(out, "{}", one_line(&found.title));
    }
    let _ = writeln!(out, "{}", scope(found));
    for left_out in &found.left_out {
        let _ = writeln!(
            out,
            "left out: {}, {}",
            count(left_out.cells, "cell"),
            one_line(&left_out.reason)
        );
    }
    for change in &found.changes {
        let _ = write!(out, "\n{}", one_change(found, change, paint));
    }
    if found.changes.is_empty() {
        let _ = writeln!(out, "\n{}", paint.warn(&nothing(found)));
    }
    let _ = write!(out, "\n{}", tested(found, paint));
    if let Some(assumed) = assumed(found) {
        let _ = writeln!(out, "{assumed}");
    }
    out
}

/// How much was looked at.
fn scope(found: &Bisection) -> String {
    let launched = found
        .tested
        .iter()
        .filter(|tested| !tested.kept && !tested.answers.is_empty());
    let mut text = format!(
        "{} to {}: {}, {} tested",
        found.ends.0,
        found.ends.1,
        count(found.releases, "release"),
        launched.count()
    );
    let kept = found.tested.iter().filter(|tested| tested.kept).count();
    if kept > 0 {
        let _ = write!(text, ", {kept} from earlier records");
    }
    if found.cells.len() > 1 {
        let _ = write!(text, "; {} each", count(found.cells.len(), "cell"));
    }
    if let Some(expect) = &found.expect {
        let _ = write!(text, "; good is {}", one_line(expect));
    }
    text
}

fn one_change(found: &Bisection, change: &ChangeRecord, paint: Paint) -> String {
    let (head, before, after) = words(found, change);
    let head = match change.kind {
        ChangeKind::Break => paint.bad(&head),
        ChangeKind::Fix => paint.good(&head),
        ChangeKind::Change => paint.warn(&head),
    };
    let mut out = format!("{head}\n");
    for (word, name) in [(before, &change.before), (after, &change.after)] {
        let _ = writeln!(out, "  {word:<16} {}", identity(found, name));
    }
    if change.first.len() > 1 {
        let list = change.first.join(", ");
        let _ = writeln!(
            out,
            "  {}",
            paint.warn(&format!("{after} is one of {list}:"))
        );
        for name in &change.first[..change.first.len() - 1] {
            let _ = writeln!(out, "    {}", why(found, name));
        }
    }
    for group in change.cells.iter().take(GROUPS) {
        if found.cells.len() > 1 {
            let _ = writeln!(
                out,
                "  {}, for example {}",
                count(group.cells, "cell"),
                one_line(&group.example)
            );
        }
        for (name, answer) in [
            (&change.before, &group.before),
            (&change.after, &group.after),
        ] {
            let _ = writeln!(out, "  {name:<16} {}", answered(answer));
        }
    }
    if change.cells.len() > GROUPS {
        let rest: usize = change.cells[GROUPS..].iter().map(|group| group.cells).sum();
        let _ = writeln!(out, "  and {} in other ways", count(rest, "cell"));
    }
    for issue in &change.known_issues {
        let _ = writeln!(
            out,
            "  known issue      {}: {} {}",
            issue.id,
            one_line(&issue.title),
            issue.url
        );
    }
    let _ = writeln!(out, "  show it          {}", change.repro);
    out
}

/// A heading, and the names of the two sides.
fn words(found: &Bisection, change: &ChangeRecord) -> (String, &'static str, &'static str) {
    let by = match change.first.len() {
        1 => change.after.clone(),
        _ => change.first.join(" or "),
    };
    let again = found
        .changes
        .iter()
        .take_while(|other| *other != change)
        .any(|other| other.kind == ChangeKind::Break);
    match (change.kind, again) {
        (ChangeKind::Break, _) => (format!("broken by {by}"), "last good", "first bad"),
        (ChangeKind::Fix, true) => (format!("fixed by {by}"), "last bad", "first good again"),
        (ChangeKind::Fix, false) => (format!("fixed by {by}"), "last bad", "first good"),
        (ChangeKind::Change, _) => (
            format!("changed by {by}"),
            "last as before",
            "first changed",
        ),
    }
}

/// Release, date and integrity.
fn identity(found: &Bisection, name: &str) -> String {
    let mut text = name.to_owned();
    if let Some(release) = found.release(name) {
        if let Some(published) = release.published {
            let _ = write!(text, "  published {}", published.strftime("%Y-%m-%d"));
        }
        if let Some(integrity) = &release.integrity {
            let _ = write!(text, "  {}", one_line(integrity));
        }
    }
    text
}

fn answered(answer: &AnswerRecord) -> String {
    let outcome = answer
        .outcome
        .as_deref()
        .unwrap_or("no outcome of a known name");
    let verdict = match answer.conforms {
        true => "as the rule asks",
        false => "not as the rule asks",
    };
    format!("{} ({outcome}, {verdict})", one_line(&answer.line))
}

/// Why nothing is known of a release.
fn why(found: &Bisection, name: &str) -> String {
    let why = found
        .release(name)
        .and_then(|release| release.why.as_deref());
    match why {
        Some(why) => format!("{name} could not be told: {}", one_line(why)),
        None => format!("{name} was not tested"),
    }
}

fn nothing(found: &Bisection) -> String {
    let answers = found
        .tested
        .iter()
        .find_map(|tested| tested.answers.first());
    match answers {
        Some((answer, _)) => format!(
            "every release that was tested answers the same: {}",
            one_line(&answer.line)
        ),
        None => "nothing was answered".to_owned(),
    }
}

fn tested(found: &Bisection, paint: Paint) -> String {
    let mut out = String::from("what was tested\n");
    for release in &found.tested {
        let side = match (release.side, &release.why) {
            (_, Some(_)) => paint.warn("cannot tell"),
            (Some("bad"), None) => paint.bad("bad"),
            (Some(side), None) => paint.good(side),
            (None, None) => match release.answers.iter().all(|(answer, _)| answer.conforms) {
                true => paint.good("conforms"),
                false => paint.bad("deviates"),
            },
        };
        let text = format!("  {:<16} {side} {}", release.release, summary(release));
        let _ = writeln!(out, "{}", text.trim_end());
    }
    out
}

/// What a release answers, or why it does not tell.
fn summary(release: &ReleaseRecord) -> String {
    let mut text = match (&release.why, &release.answers[..]) {
        (Some(why), _) => one_line(why),
        (None, []) => String::new(),
        (None, [(answer, _)]) => one_line(&answer.line),
        (None, [(answer, cells), rest @ ..]) => {
            let others: usize = rest.iter().map(|(_, cells)| cells).sum();
            format!(
                "{} ({}, {others} otherwise)",
                one_line(&answer.line),
                count(*cells, "cell")
            )
        }
    };
    if release.kept {
        text.push_str(" (from an earlier record)");
    }
    for note in &release.notes {
        let _ = write!(text, " [{}]", one_line(note));
    }
    text
}

/// What is assumed and was not looked at.
fn assumed(found: &Bisection) -> Option<String> {
    let number = found.assumed.len();
    (number > 0).then(|| {
        format!(
            "{} between releases that answer the same {} not tested; that nothing else changes there is an assumption (--probes N tests N more)",
            count(number, "release"),
            if number == 1 { "was" } else { "were" }
        )
    })
}
