//! A comparison at a terminal: the verdict, then cause by cause what a release manager asks, then what was not compared.

use super::words;
use crate::{Detail, Paint};
use base::text::{count, one_line};
use studies::compare::{Advice, AnswerRecord, Cause, ChangeSeverity, Comparison, Place, Side};

/// At most so many places of a cause are told.
const PLACES: usize = 4;
/// At most so many distinct answers.
const ANSWERS: usize = 3;
/// At most so many causes that nobody has to act on.
const MINOR: usize = 10;
/// At most so many lines of a difference.
const DIFFERENCE: usize = 8;
/// At most so many reasons why cells were not compared.
const GAPS: usize = 6;
/// Where what follows a label begins.
const INDENT: usize = 11;

/// Renders a comparison for a terminal of so many columns.
pub fn comparison_text(
    comparison: &Comparison,
    detail: Detail,
    columns: usize,
    paint: Paint,
) -> String {
    let mut page = Page {
        out: String::new(),
        comparison,
        detail,
        columns,
        paint,
    };
    page.head();
    let minor = |cause: &&Cause| cause.weight > ChangeSeverity::ContractChange;
    let (minor, major): (Vec<_>, Vec<_>) = comparison.causes.iter().partition(minor);
    for cause in major {
        if detail > Detail::Quiet || cause.weight == ChangeSeverity::Blocker {
            page.cause(cause);
        }
    }
    if detail > Detail::Quiet {
        let most = if detail == Detail::Verbose {
            usize::MAX
        } else {
            MINOR
        };
        for cause in minor.iter().take(most) {
            page.cause(cause);
        }
        if minor.len() > most {
            let left = minor.len() - most;
            page.line(&format!(
                "\nand {left} more that change no direction; --verbose tells them"
            ));
        }
        page.foot();
    }
    page.out
}

struct Page<'a> {
    out: String,
    comparison: &'a Comparison,
    detail: Detail,
    columns: usize,
    paint: Paint,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A label and what belongs to it, wrapped under each other.
    fn field(&mut self, label: &str, text: &str) {
        let width = self.columns.saturating_sub(INDENT).max(20);
        // Header names and addresses stay whole.
        let options = textwrap::Options::new(width)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(text, options);
        for (number, line) in lines.iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            let label = self
                .paint
                .dim(&format!("{label:<width$}", width = INDENT - 2));
            self.line(&format!("  {label}{line}"));
        }
    }

    fn head(&mut self) {
        let comparison = self.comparison;
        let paint = self.paint;
        let verdict = words::verdict(comparison).to_uppercase();
        let verdict = match verdict.as_str() {
            "GO" => paint.good(&verdict),
            "NO GO" => paint.bad(&verdict),
            _ => paint.warn(&verdict),
        };
        let (a, b) = (&comparison.a.reference, &comparison.b.reference);
        let names = paint.bold(&format!("{} -> {}", one_line(a), one_line(b)));
        let why = comparison.ended().why;
        self.line(&format!("{names}   {verdict}: {}", one_line(&why)));
        let counts = &comparison.counts;
        let mut told = format!(
            "{} compared, {} changed",
            count(counts.compared, "cell"),
            counts.changed
        );
        match words::tally(comparison) {
            tally if tally.is_empty() => {}
            tally => told.push_str(&format!(": {tally}")),
        }
        self.line(&format!("  {told}"));
        for (name, side) in [("A", &comparison.a), ("B", &comparison.b)] {
            self.side(name, side);
        }
        if !comparison.same_contract {
            let warning = "A and B were judged by different scenario files: a verdict of one says little about the other";
            self.line(&format!("  {}", paint.warn(warning)));
        }
    }

    fn side(&mut self, name: &str, side: &Side) {
        let mut parts = Vec::new();
        if let Some(version) = &side.version
            && !side.reference.contains(version.as_str())
        {
            parts.push(format!("judged as {version}"));
        }
        if let Some(part) = &side.part {
            parts.push(one_line(part));
        }
        if let Some(failure) = &side.failure {
            parts.push(one_line(failure));
        }
        parts.extend(side.notes.iter().map(|note| one_line(note)));
        if !parts.is_empty() {
            self.line(&format!(
                "  {}",
                self.paint.warn(&format!("{name}: {}", parts.join("; ")))
            ));
        }
    }

    fn cause(&mut self, cause: &Cause) {
        let paint = self.paint;
        let name = format!(
            "{} {}",
            words::weight(cause.weight).to_uppercase(),
            cause.id
        );
        let name = match cause.weight {
            ChangeSeverity::Blocker => paint.bad(&name),
            ChangeSeverity::Severe | ChangeSeverity::ContractChange | ChangeSeverity::Shape => {
                paint.warn(&name)
            }
            ChangeSeverity::Cosmetic => paint.bold(&name),
            ChangeSeverity::Improvement => paint.good(&name),
        };
        let mut head = format!("{}, {}", words::kinds(cause), count(cause.cells, "cell"));
        if let Some(issue) = &cause.known_issue {
            head.push_str(&format!(", known as {}", one_line(&issue.id)));
        }
        self.line(&format!("\n{name}  {head}"));
        match words::title(cause) {
            title if title.is_empty() => self.field("what", words::bearing(cause)),
            title => self.field("what", &title),
        }
        match words::same_line(cause) {
            true => self.answers("still", &cause.after),
            false => {
                self.answers("got", &cause.before);
                self.answers("get now", &cause.after);
            }
        }
        self.places(&cause.places);
        self.difference(cause);
        // A known issue says more than the rule that it breaks.
        if cause.weight <= ChangeSeverity::ContractChange && cause.known_issue.is_none() {
            self.rule(cause);
        }
        self.advice(cause);
        if cause.weight <= ChangeSeverity::ContractChange {
            // Commands are copied, so that they are never wrapped.
            for (label, command) in ["show", "prove"]
                .iter()
                .zip(words::commands(self.comparison, cause))
            {
                let label = paint.dim(&format!("{label:<width$}", width = INDENT - 2));
                self.line(&format!("  {label}{command}"));
            }
        }
    }

    fn answers(&mut self, label: &str, answers: &[AnswerRecord]) {
        let one = answers.len() == 1;
        let told = answers.iter().take(ANSWERS).map(|answer| {
            let text = words::answer(answer);
            match one {
                true => text,
                false => format!("{text} ({})", count(answer.cells, "cell")),
            }
        });
        let mut told: Vec<String> = told.collect();
        if answers.len() > ANSWERS {
            told.push(format!("{} others", answers.len() - ANSWERS));
        }
        for (number, text) in told.iter().enumerate() {
            self.field(if number == 0 { label } else { "" }, text);
        }
    }

    fn places(&mut self, places: &[Place]) {
        let most = if self.detail == Detail::Verbose {
            usize::MAX
        } else {
            PLACES
        };
        let mut last_words: &[String] = &[];
        for (number, place) in places.iter().take(most).enumerate() {
            let label = if number == 0 { "who" } else { "" };
            let cells = count(place.cells, "cell");
            let short = one_line(&place.short);
            self.field(label, &format!("{}: {short} ({cells})", place.scenario));
            if !place.who.is_empty() && place.who != last_words {
                self.field("", &format!("= {}", one_line(&place.who.join("; "))));
            }
            last_words = &place.who;
        }
        if places.len() > most {
            let left = &places[most..];
            let cells = left.iter().map(|place| place.cells).sum();
            let text = format!(
                "and {} more, {}",
                count(left.len(), "place"),
                count(cells, "cell")
            );
            self.field("", &text);
        }
    }

    fn difference(&mut self, cause: &Cause) {
        let Some(difference) = &cause.difference else {
            return;
        };
        let diff = similar::TextDiff::from_lines(&difference.a, &difference.b);
        let lines = diff.iter_all_changes().filter_map(|change| {
            let line = one_line(change.value());
            match change.tag() {
                similar::ChangeTag::Equal => None,
                similar::ChangeTag::Delete => Some(self.paint.bad(&format!("- {line}"))),
                similar::ChangeTag::Insert => Some(self.paint.good(&format!("+ {line}"))),
            }
        });
        let lines: Vec<String> = lines.collect();
        for line in lines.iter().take(DIFFERENCE) {
            self.line(&format!("{:INDENT$}{line}", ""));
        }
        if lines.len() > DIFFERENCE {
            self.field("", &format!("and {} lines more", lines.len() - DIFFERENCE));
        }
    }

    fn rule(&mut self, cause: &Cause) {
        let sources = words::sources(cause);
        let Some(first) = sources.first() else {
            return;
        };
        let more = match sources.len() {
            1 => String::new(),
            many => format!(", and {} more", count(many - 1, "source")),
        };
        self.field("by", &format!("{first}{more}"));
    }

    fn advice(&mut self, cause: &Cause) {
        let mut label = "instead";
        let shut: usize = cause.advice.iter().map(Advice::cells).max().unwrap_or(0);
        let plain = |text: &str| one_line(text);
        for advice in &cause.advice {
            let cells = advice.cells();
            let for_whom = match cells == shut && cause.beyond_advice == 0 {
                true => String::new(),
                false => format!(" (helps {})", count(cells, "cell")),
            };
            self.field(
                label,
                &format!("{}{for_whom}", words::advice(advice, &plain)),
            );
            label = "or";
        }
        if let Some(issue) = &cause.known_issue
            && cause.weight < ChangeSeverity::Improvement
        {
            self.field("way out", &one_line(&issue.workaround));
        }
        if cause.beyond_advice > 0 {
            let cells = count(cause.beyond_advice, "cell");
            self.field("", &format!("no other request is let in for {cells}"));
        }
    }

    fn foot(&mut self) {
        let comparison = self.comparison;
        if !comparison.unchanged.is_empty() {
            let cells: usize = comparison.unchanged.iter().map(|group| group.cells).sum();
            let groups = comparison.unchanged.iter().map(|group| {
                let issue = group.known_issue.as_deref().unwrap_or("no known issue");
                format!(
                    "{} {} ({})",
                    group.cells,
                    group.direction.name(),
                    one_line(issue)
                )
            });
            let groups: Vec<String> = groups.collect();
            let text = format!(
                "{} break the contract on both alike: {}",
                count(cells, "cell"),
                groups.join(", ")
            );
            self.line("");
            self.field("nothing new", &text);
        }
        if comparison.gaps.is_empty() {
            return;
        }
        let cells: usize = comparison.gaps.iter().map(|gap| gap.cells).sum();
        let most = if self.detail == Detail::Verbose {
            usize::MAX
        } else {
            GAPS
        };
        let head = format!("{} not compared", count(cells, "cell"));
        self.line(&format!("\n{}", self.paint.bold(&head)));
        for gap in comparison.gaps.iter().take(most) {
            self.field("", &words::gap(gap));
        }
        if comparison.gaps.len() > most {
            let left = comparison.gaps.len() - most;
            self.field("", &format!("and {}", count(left, "more reason")));
        }
    }
}
