//! A comparison as a note for an issue: the verdict first, then a table of causes, then each in full, then what was
//! compared and how to see it again.

use super::words;
use crate::markdown::escape::{code, code_cell, fenced, link, text};
use base::text::{count, quoted};
use studies::compare::{AnswerRecord, Cause, ChangeSeverity, Comparison, Side};

/// At most so many causes are told in full.
const MOST: usize = 20;
/// At most so many places of a cause.
const PLACES: usize = 12;
/// At most so many reasons why cells were not compared.
const GAPS: usize = 20;
/// At most so many distinct answers.
const ANSWERS: usize = 6;

/// Renders a comparison as Markdown.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut out = String::new();
    head(&mut out, comparison);
    table(&mut out, comparison);
    for cause in comparison.causes.iter().take(MOST) {
        section(&mut out, comparison, cause);
    }
    if comparison.causes.len() > MOST {
        let left = count(comparison.causes.len() - MOST, "cause");
        out.push_str(&format!("\nand {left} more, which `--format json` holds\n"));
    }
    unchanged(&mut out, comparison);
    gaps(&mut out, comparison);
    versions(&mut out, comparison);
    out
}

fn head(out: &mut String, comparison: &Comparison) {
    let verdict = words::verdict(comparison);
    let mut letters = verdict.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let ended = comparison.ended();
    out.push_str(&format!(
        "**{first}{}** for {} after {}: {} (exit code {})\n\n",
        letters.as_str(),
        code(&comparison.b.reference),
        code(&comparison.a.reference),
        text(&ended.why),
        ended.ending.code()
    ));
    let counts = &comparison.counts;
    let tally = match words::tally(comparison) {
        tally if tally.is_empty() => String::new(),
        tally => format!(": {tally}"),
    };
    out.push_str(&format!(
        "{} compared, {} changed{tally}.\n",
        count(counts.compared, "cell"),
        counts.changed
    ));
    for (name, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        if let Some(part) = &side.part {
            out.push_str(&format!("\n{name}: {}.\n", text(part)));
        }
    }
    if !comparison.same_contract {
        out.push_str("\nBoth were judged by different scenario files: a verdict of one says little about the other.\n");
    }
}

fn table(out: &mut String, comparison: &Comparison) {
    if comparison.causes.is_empty() {
        return;
    }
    out.push_str(
        "\n| | what | who got | get now | cells | known as |\n|---|---|---|---|---|---|\n",
    );
    for cause in comparison.causes.iter().take(MOST) {
        let issue = cause.known_issue.as_ref();
        let issue = issue.map_or(String::new(), |issue| code_cell(&issue.id));
        out.push_str(&format!(
            "| {} {} | {} | {} | {} | {} | {issue} |\n",
            words::weight(cause.weight),
            cause.id,
            text(&words::kinds(cause)),
            first(&cause.before),
            first(&cause.after),
            cause.cells,
        ));
    }
}

/// The most frequent answer, for a cell of a table.
fn first(answers: &[AnswerRecord]) -> String {
    let Some(first) = answers.first() else {
        return String::new();
    };
    let more = match answers.len() {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    format!("{}{more}", code_cell(&words::answer(first)))
}

fn section(out: &mut String, comparison: &Comparison, cause: &Cause) {
    let heading = match words::title(cause) {
        title if title.is_empty() => words::kinds(cause),
        title => title,
    };
    out.push_str(&format!(
        "\n### {} {}: {}\n\n",
        words::weight(cause.weight),
        cause.id,
        text(&heading)
    ));
    if let Some(issue) = &cause.known_issue {
        let url = match issue.url.as_str() {
            "" => String::new(),
            url => format!(" {}", link(url)),
        };
        out.push_str(&format!(
            "- **Known as** {}{url}, releases {}: {}\n",
            code(&issue.id),
            text(&issue.releases),
            text(&issue.means)
        ));
    }
    out.push_str(&format!(
        "- **For the contract**: {}\n",
        words::bearing(cause)
    ));
    match words::same_line(cause) {
        true => answers(out, "Get as before", &cause.after),
        false => {
            answers(out, "Got", &cause.before);
            answers(out, "Get now", &cause.after);
        }
    }
    places(out, cause);
    for rule in cause.rules.iter().take(MOST) {
        let id = format!(
            "{}/{}",
            rule.scenario,
            rule.b.as_deref().unwrap_or_default()
        );
        out.push_str(&format!("- **Rule** {}: {}", code(&id), text(&rule.title)));
        match rule.source.as_str() {
            "" => out.push('\n'),
            source => out.push_str(&format!(" ({})\n", text(source))),
        }
    }
    for advice in &cause.advice {
        let helps = count(advice.cells(), "cell");
        let said = words::advice(advice, &|line| code(line));
        out.push_str(&format!("- **Send instead**: {said} (helps {helps})\n"));
    }
    if let Some(issue) = &cause.known_issue
        && cause.weight < ChangeSeverity::Improvement
    {
        out.push_str(&format!("- **Way out**: {}\n", text(&issue.workaround)));
    }
    if cause.beyond_advice > 0 {
        let cells = count(cause.beyond_advice, "cell");
        out.push_str(&format!("- No other request is let in for {cells}\n"));
    }
    if let Some(difference) = &cause.difference {
        let diff = similar::TextDiff::from_lines(&difference.a, &difference.b);
        let diff = diff.unified_diff().context_radius(1).to_string();
        if !diff.is_empty() {
            out.push_str(&format!("\n{}", fenced(&diff, "diff", "")));
        }
    }
    let commands = words::commands(comparison, cause).join("\n");
    out.push_str(&format!("\n{}", fenced(&commands, "sh", "")));
}

fn answers(out: &mut String, label: &str, answers: &[AnswerRecord]) {
    let told = answers.iter().take(ANSWERS).map(|answer| {
        let said = code(&words::answer(answer));
        match answers.len() {
            1 => said,
            _ => format!("{said} ({})", count(answer.cells, "cell")),
        }
    });
    let mut told: Vec<String> = told.collect();
    if answers.len() > ANSWERS {
        told.push(format!("{} others", answers.len() - ANSWERS));
    }
    out.push_str(&format!("- **{label}**: {}\n", told.join(", ")));
}

fn places(out: &mut String, cause: &Cause) {
    out.push_str("- **Who**:\n");
    for place in cause.places.iter().take(PLACES) {
        let cells = count(place.cells, "cell");
        let who = match place.who.is_empty() {
            true => String::new(),
            false => format!(": {}", text(&place.who.join("; "))),
        };
        out.push_str(&format!(
            "  - {} where {} ({cells}){who}\n",
            code(&place.scenario),
            code(&place.short)
        ));
    }
    if cause.places.len() > PLACES {
        let left = count(cause.places.len() - PLACES, "place");
        out.push_str(&format!("  - and {left} more\n"));
    }
}

fn unchanged(out: &mut String, comparison: &Comparison) {
    if comparison.unchanged.is_empty() {
        return;
    }
    out.push_str("\n### Nothing new\n\nThese break the contract on both alike.\n\n");
    for group in &comparison.unchanged {
        let issue = group.known_issue.as_deref();
        let issue = issue.map_or("no known issue".to_owned(), code);
        let cells = count(group.cells, "cell");
        out.push_str(&format!(
            "- {} on {cells}: {issue}\n",
            group.direction.name()
        ));
    }
}

fn gaps(out: &mut String, comparison: &Comparison) {
    if comparison.gaps.is_empty() {
        return;
    }
    out.push_str("\n### Not compared\n\n");
    for gap in comparison.gaps.iter().take(GAPS) {
        out.push_str(&format!("- {}\n", text(&words::gap(gap))));
    }
    if comparison.gaps.len() > GAPS {
        let left = count(comparison.gaps.len() - GAPS, "more reason");
        out.push_str(&format!("- and {left}\n"));
    }
}

fn versions(out: &mut String, comparison: &Comparison) {
    out.push_str("\n### What was compared\n\n| | gateway | release | integrity | Node | run |\n|---|---|---|---|---|---|\n");
    for (name, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        out.push_str(&row(name, side));
    }
    let again = again(comparison);
    out.push_str(&format!(
        "\nTo see it again:\n\n{}",
        fenced(&again, "sh", "")
    ));
}

/// The command that compares anew; what was a record is run again.
fn again(comparison: &Comparison) -> String {
    let (a, b) = (&comparison.a, &comparison.b);
    let mut words = vec!["clawgauge compare".to_owned()];
    words.extend([&a.reference, &b.reference].map(|reference| quoted(reference)));
    // Sides that were asked different things have no one command.
    if (&a.cells, &a.conditions) == (&b.cells, &b.conditions) {
        words.extend(a.cells.iter().map(|glob| quoted(glob)));
        let conditions = a.conditions.iter();
        words.extend(conditions.map(|condition| format!("--where {}", quoted(condition))));
    }
    words.join(" ")
}

fn row(name: &str, side: &Side) -> String {
    let or = |value: &Option<String>| {
        let value = value.as_deref();
        value.map_or("unknown".to_owned(), code_cell)
    };
    format!(
        "| {name} | {} | {} | {} | {} | {} of {} |\n",
        code_cell(&side.reference),
        or(&side.version),
        or(&side.integrity),
        or(&side.node),
        code_cell(&side.run),
        text(&side.finished)
    )
}
