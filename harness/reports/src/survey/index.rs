//! The page that one begins with: who gets in, the releases, the table, the known issues.

use askama::Template;

use super::assets::{STYLE, TABLE_SCRIPT};
use super::words::{self, SpanView};
use crate::html::assets::{policy_for, write_end_with};
use crate::html::issues::is_web;
use crate::html::script_json;
use record::symbol::CellSymbol;
use record::{RuleRecord, ScenarioRecord};
use studies::survey::{
    Access, Issue, Release, Row, StateKind, SurveyDocument, Table, Wrong, access,
};

/// The page up to its data.
#[derive(Debug, Template)]
#[template(path = "survey.html")]
struct Page<'a> {
    style: &'static str,
    policy: String,
    table: &'a Table,
    first: String,
    last: String,
    access: Vec<AccessView>,
    releases: Vec<ReleaseView>,
    scenarios: Vec<ScenarioView<'a>>,
    issues: Vec<IssueView<'a>>,
    legend: Vec<CellSymbol>,
    counts: Counts,
}

#[derive(Debug)]
struct Counts {
    releases: usize,
    ran: usize,
    rows: usize,
    changing: usize,
    cells: usize,
    issues: usize,
}

/// Who gets in at some routes.
#[derive(Debug)]
struct AccessView {
    routes: Vec<String>,
    modes: Vec<ModeView>,
}

#[derive(Debug)]
struct ModeView {
    mode: String,
    spans: Vec<EntryView>,
}

#[derive(Debug)]
struct EntryView {
    when: String,
    send: String,
    who: String,
    class: &'static str,
    sign: &'static str,
    wrong: Option<String>,
    now: bool,
}

/// A release as a column.
#[derive(Debug)]
struct ReleaseView {
    version: String,
    short: String,
    href: String,
    class: &'static str,
    sign: &'static str,
    words: &'static str,
    reason: Option<String>,
    workarounds: Vec<String>,
    node: Option<String>,
    conform: usize,
    known: usize,
    deviate: usize,
    open: usize,
    ran: bool,
}

/// A scenario with its rows.
#[derive(Debug)]
struct ScenarioView<'a> {
    scenario: &'a ScenarioRecord,
    rows: Vec<RowView>,
}

/// A row.
#[derive(Debug)]
struct RowView {
    place: usize,
    id: String,
    pairs: Vec<(String, String)>,
    cells: String,
    spans: Vec<SpanView>,
    marks: Vec<(&'static str, &'static str)>,
    quiet: bool,
}

/// A known issue.
#[derive(Debug)]
struct IssueView<'a> {
    issue: &'a Issue,
    url: Option<&'a str>,
    shows: Vec<String>,
    marks: Vec<(&'static str, String)>,
}

/// What the script needs that is not in the document.
#[derive(serde::Serialize)]
struct Data<'a> {
    survey: &'a SurveyDocument,
    rules: &'a [RuleRecord],
    answers: Vec<&'a [Option<String>]>,
    reasons: Vec<Vec<Option<&'a str>>>,
    looks: Vec<(&'static str, &'static str, &'static str)>,
}

/// Renders it.
pub(super) fn page(table: &Table, document: &SurveyDocument) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    Page::new(table).write_into(&mut out)?;
    let reasons = table.rows.iter().map(|row| {
        let marks = row.marks.iter();
        marks.map(|mark| mark.as_ref()?.reason.as_deref()).collect()
    });
    let data = Data {
        survey: document,
        rules: &table.rules,
        answers: table.rows.iter().map(|row| &row.answers[..]).collect(),
        reasons: reasons.collect(),
        looks: CellSymbol::ALL
            .iter()
            .map(|look| (look.sign(), look.class(), look.words()))
            .collect(),
    };
    out.extend_from_slice(b"<script type=\"application/json\" id=\"data\">");
    script_json::write(&mut out, &data)?;
    out.extend_from_slice(b"</script>\n");
    write_end_with(TABLE_SCRIPT, &mut out)?;
    Ok(out)
}

impl<'a> Page<'a> {
    fn new(table: &'a Table) -> Self {
        let version = |release: Option<&Release>| {
            release.map_or(String::new(), |release| release.version.to_string())
        };
        let ran = |release: &&Release| release.summary.ran() > 0;
        let scenarios = table.scenarios.iter().enumerate().map(|(place, scenario)| {
            let rows = table.rows.iter().enumerate();
            let own = rows.filter(|(_, row)| row.scenario == place);
            ScenarioView {
                scenario,
                rows: own
                    .map(|(place, row)| RowView::new(table, place, row))
                    .collect(),
            }
        });
        let shown = |look: &CellSymbol| {
            let mut marks = table.rows.iter().flat_map(|row| row.marks.iter().flatten());
            marks.any(|mark| mark.look == *look)
        };
        Self {
            style: STYLE,
            policy: policy_for(TABLE_SCRIPT, STYLE),
            first: version(table.releases.first()),
            last: version(table.releases.last()),
            access: access(table)
                .iter()
                .map(|access| AccessView::new(table, access))
                .collect(),
            releases: table
                .releases
                .iter()
                .map(|release| ReleaseView::new(table, release))
                .collect(),
            scenarios: scenarios.filter(|view| !view.rows.is_empty()).collect(),
            issues: table
                .issues
                .iter()
                .map(|issue| IssueView::new(table, issue))
                .collect(),
            legend: CellSymbol::ALL.into_iter().filter(shown).collect(),
            counts: Counts {
                releases: table.releases.len(),
                ran: table.releases.iter().filter(ran).count(),
                rows: table.rows.len(),
                changing: table
                    .rows
                    .iter()
                    .filter(|row| row.changes() || row.deviates())
                    .count(),
                cells: table.rows.iter().map(|row| row.cells.len()).sum(),
                issues: table.issues.len(),
            },
            table,
        }
    }
}

impl AccessView {
    fn new(table: &Table, access: &Access) -> Self {
        let scenario = table
            .scenarios
            .iter()
            .find(|scenario| scenario.id == access.scenario);
        let modes = access.modes.iter().map(|(mode, spans)| {
            let spans = spans.iter().map(|span| {
                // What was wrong on some releases only is told beside what holds, not instead of it.
                let (class, sign) = match (&span.seen.wrong, &span.seen.send) {
                    (Some(Wrong::Throughout), _) => ("known-deny", "!"),
                    (Some(Wrong::When(_)) | None, Some(_)) => ("in", "+"),
                    (Some(Wrong::When(_)) | None, None) => ("out", "."),
                };
                let who = |scenario| words::who(scenario, &span.seen);
                EntryView {
                    when: span.when(),
                    send: words::send(&span.seen),
                    who: scenario.map_or(String::new(), who),
                    class,
                    sign,
                    wrong: span.seen.wrong.as_ref().map(ToString::to_string),
                    now: span.before.is_none(),
                }
            });
            ModeView {
                mode: mode.clone(),
                // The newest is what most people ask for.
                spans: spans.rev().collect(),
            }
        });
        Self {
            routes: access.routes.clone(),
            modes: modes.collect(),
        }
    }
}

impl ReleaseView {
    fn new(table: &Table, release: &Release) -> Self {
        let (kind, summary) = (release.state.kind, &release.summary);
        Self {
            version: release.version.to_string(),
            short: words::short(&release.version, table),
            href: words::release_file(&release.version),
            class: kind.name(),
            sign: words::state_sign(kind),
            words: kind.words(),
            reason: release.state.reason.clone(),
            workarounds: release.state.workarounds.clone(),
            node: release.node.clone(),
            conform: summary.conforms,
            known: summary.known,
            deviate: summary.deviates + summary.stale + summary.new,
            open: summary.could_not_run + summary.not_asked,
            ran: matches!(kind, StateKind::Ran | StateKind::Broken),
        }
    }
}

impl RowView {
    fn new(table: &Table, place: usize, row: &Row) -> Self {
        let mark = |mark: &Option<studies::survey::Mark>| match mark {
            Some(mark) => (mark.look.class(), mark.look.sign()),
            None => ("absent", ""),
        };
        Self {
            place,
            id: row.id.clone(),
            pairs: words::pairs(&table.scenarios[row.scenario], &row.conditions),
            cells: words::cells(row.cells.len()),
            spans: row.spans.iter().map(SpanView::from).collect(),
            marks: row.marks.iter().map(mark).collect(),
            quiet: !row.changes() && !row.deviates(),
        }
    }
}

impl<'a> IssueView<'a> {
    fn new(table: &Table, issue: &'a Issue) -> Self {
        let url = issue.issue.url.as_str();
        let marks = table
            .releases
            .iter()
            .zip(&issue.cells)
            .map(|(release, cells)| match cells {
                Some(0) => ("in", format!("{}: does not show", release.version)),
                Some(count) => (
                    "known",
                    format!("{}: {}", release.version, words::cells(*count)),
                ),
                None => ("lost", format!("{}: not known", release.version)),
            });
        Self {
            issue,
            url: is_web(url).then_some(url),
            shows: issue
                .spans
                .iter()
                .map(studies::survey::Span::when)
                .collect(),
            marks: marks.collect(),
        }
    }
}
