//! What a run did not ask, in words.

use super::{Detail, Paint};
use base::text::{count, one_line};
use record::{PartRecord, Record};

/// At most so many names of rules and the like are told at a terminal.
const MAX_NAMES: usize = 8;

/// The first line of the terminal report of a run that did not ask everything.
pub(super) fn head(record: &Record, paint: Paint) -> String {
    let headline = record.headline();
    headline.map_or_else(String::new, |headline| {
        format!("{}\n", paint.bold(&headline))
    })
}

/// The last lines of the terminal report of such a run.
pub(super) fn foot(record: &Record, detail: Detail) -> String {
    let most = match detail {
        Detail::Quiet => 0,
        Detail::Normal => MAX_NAMES,
        Detail::Verbose => usize::MAX,
    };
    let lines = left_out(record, most);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// How the run ends, in one line, with its headline before it.
pub(super) fn why(record: &Record, why: &str) -> String {
    match record.headline() {
        Some(headline) => {
            let share = record.run.budget.as_ref().map(PartRecord::share);
            let bare = share.and_then(|share| why.strip_prefix(&format!("{share}: ")));
            one_line(&format!("{headline}; {}", bare.unwrap_or(why)))
        }
        None => one_line(why),
    }
}

/// What was not asked: rules, known issues, relations, launches, at most so many names of each; and what to do about a machine
/// that lacks something.
pub(super) fn left_out(record: &Record, most: usize) -> Vec<String> {
    let part = record.run.budget.as_ref().filter(|part| part.is_part());
    let mut lines = part.map_or_else(Vec::new, |part| beyond_budget(part, most));
    if record.summary.skipped_unexpectedly() > 0 {
        lines.push(format!(
            "{} not asked on this machine, and may-skip does not name them: `clawgauge doctor` says what to install",
            count(record.summary.skipped_unexpectedly(), "cell")
        ));
    }
    let idle: Vec<&str> = record.skips_not_needed().collect();
    if !idle.is_empty() {
        let idle = idle.join(", ");
        lines.push(format!(
            "may-skip is no longer needed for {idle}: every cell was asked"
        ));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// What a budget left out.
fn beyond_budget(part: &PartRecord, most: usize) -> Vec<String> {
    let rules = part.rules_not_asked();
    let rules: Vec<String> = rules
        .map(|rule| format!("{}/{}", rule.scenario, rule.rule))
        .collect();
    let thin = part.left_out.len() - rules.len();
    let mut lines = vec![
        named("rule", "not asked", &rules, most),
        named(
            "known issue",
            "not asked",
            &part.known_issues_not_asked,
            most,
        ),
        named("relation", "not asked", &part.relations_not_asked, most),
        named(
            "launch",
            "left out, since the budget has no room",
            &part.launches_left_out,
            most,
        ),
    ];
    lines.push(match thin {
        0 => String::new(),
        1 => "1 rule asked of some of its cells only".to_owned(),
        many => format!("{many} rules asked of some of their cells only"),
    });
    lines.extend(part.cut());
    lines
}

/// `3 rules not asked: a, b and 1 more`; nothing of none.
fn named(noun: &str, what: &str, names: &[String], most: usize) -> String {
    if names.is_empty() {
        return String::new();
    }
    let number = count(names.len(), noun);
    if most == 0 {
        return format!("{number} {what}");
    }
    let shown: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{number} {what}: {}{more}", shown.join(", "))
}
