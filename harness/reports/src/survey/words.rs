//! Words that the pages of a survey share.

use contract::region::Conditions;
use contract::release::Version;
use record::ScenarioRecord;
use record::region;
use record::symbol::CellSymbol;
use studies::survey::{Entry, Mark, Release, Row, Span, StateKind, Table};

/// The page of a release.
pub(super) fn release_file(version: &Version) -> String {
    format!("{version}.html")
}

/// The whole report of a release's run.
pub(super) fn matrix_file(version: &Version) -> String {
    format!("{version}.matrix.html")
}

/// Whether there is anything to see in it.
pub(super) fn has_matrix(release: &Release) -> bool {
    release.state.kind != StateKind::CannotInstall
}

/// Conditions as pairs: an axis, and its values in few words.
pub(super) fn pairs(scenario: &ScenarioRecord, conditions: &Conditions) -> Vec<(String, String)> {
    let conditions = conditions.iter().map(|(axis, values)| (axis, values));
    let pairs = region::pairs(Some(scenario), conditions);
    let pairs = pairs.map(|(axis, values)| (axis.to_owned(), values.replace(',', ", ")));
    pairs.collect()
}

/// The same in one line; `all` where there is no condition.
pub(super) fn conditions_line(
    scenario: &ScenarioRecord,
    conditions: &Conditions,
    all: &str,
) -> String {
    let conditions = conditions.iter().map(|(axis, values)| (axis, values));
    region::prose(Some(scenario), conditions, all)
}

/// A version without its year, where all in the table are of one year.
pub(super) fn short(version: &Version, table: &Table) -> String {
    let year = |version: &Version| version.to_string().split('.').next().map(str::to_owned);
    let one = year(version);
    let text = version.to_string();
    match table
        .releases
        .iter()
        .all(|release| year(&release.version) == one)
    {
        true => text
            .split_once('.')
            .map_or(text.clone(), |(_, rest)| rest.to_owned()),
        false => text,
    }
}

/// What a request must carry, in words.
pub(super) fn send(entry: &Entry) -> String {
    match &entry.send {
        None => "nobody gets in".to_owned(),
        Some(parts) if parts.is_empty() => "nothing: no credential, no scopes".to_owned(),
        Some(parts) => {
            let words = parts.iter().map(|part| match part.split_once(": ") {
                Some(("scopes", value)) => format!("x-openclaw-scopes: {value}"),
                Some((_, value)) => value.to_owned(),
                None => part.clone(),
            });
            words.collect::<Vec<_>>().join(", and ")
        }
    }
}

/// Everybody who gets in, in words.
pub(super) fn who(scenario: &ScenarioRecord, entry: &Entry) -> String {
    if entry.who.is_empty() {
        return "nobody".to_owned();
    }
    let ways = entry.who.iter();
    let ways = ways.map(|conditions| conditions_line(scenario, conditions, "everybody"));
    ways.collect::<Vec<_>>().join(", or ")
}

/// A span as pages show it.
#[derive(Debug, Clone)]
pub(super) struct SpanView {
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) seen: String,
    pub(super) when: String,
    pub(super) issue: Option<String>,
}

impl From<&Span<Mark>> for SpanView {
    fn from(span: &Span<Mark>) -> Self {
        let mark = &span.seen;
        Self {
            class: mark.look.class(),
            sign: mark.look.sign(),
            seen: seen(mark),
            when: span.when(),
            issue: mark.issue.clone(),
        }
    }
}

/// What was seen; where the answer to whoever is let in is another one, that too.
pub(super) fn seen(mark: &Mark) -> String {
    match mark.look {
        CellSymbol::Body => format!("{}, with another answer", mark.seen),
        CellSymbol::In
        | CellSymbol::Out
        | CellSymbol::Allow
        | CellSymbol::Deny
        | CellSymbol::Denial
        | CellSymbol::KnownAllow
        | CellSymbol::KnownDeny
        | CellSymbol::Known
        | CellSymbol::Stale
        | CellSymbol::New
        | CellSymbol::Lost
        | CellSymbol::NotApplicable
        | CellSymbol::NotAsked => mark.seen.clone(),
    }
}

/// The sentence that tells a row: `let in until 2026.3.24, 403 forbidden 2026.3.28 to 2026.3.31 (openclaw#58357), ...`.
pub(super) fn sentence(row: &Row) -> String {
    let spans = row.spans.iter().map(|span| {
        let mark = &span.seen;
        let why = match &mark.issue {
            Some(issue) => format!(" ({issue})"),
            None if mark.look.is_sound() || mark.look.is_silent() => String::new(),
            None => " (wrongly)".to_owned(),
        };
        format!("{} {}{why}", seen(mark), span.when())
    });
    spans.collect::<Vec<_>>().join(", ")
}

/// How a release fared, as a sign that needs no colour.
pub(super) fn state_sign(kind: StateKind) -> &'static str {
    match kind {
        StateKind::Ran => "",
        StateKind::Broken => "!",
        StateKind::CannotStart => "⊘",
        StateKind::CannotInstall => "×",
    }
}

/// `1 cell`, `2 cells`.
pub(super) fn cells(count: usize) -> String {
    match count {
        1 => "1 cell".to_owned(),
        count => format!("{count} cells"),
    }
}
