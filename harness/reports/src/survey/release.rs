//! The page of one release: how it fared, what changed since its neighbour, what deviates, and the way to everything else.

use std::collections::BTreeMap;

use askama::Template;

use super::assets::{RELEASE_SCRIPT, STYLE};
use super::words;
use crate::html::assets::{policy_for, write_end_with};
use crate::html::causes::cut;
use crate::html::issues::is_web;
use record::Summary;
use record::judge::VerdictKind;
use studies::survey::{Change, Kept, Mark, Release, StateKind, Table, changes};

/// The page.
#[derive(Debug, Template)]
#[template(path = "release.html")]
struct Page<'a> {
    style: &'static str,
    policy: String,
    table: &'a Table,
    release: &'a Release,
    word: &'static str,
    class: &'static str,
    reason: Vec<String>,
    summary: &'a Summary,
    record: Option<String>,
    matrix: Option<String>,
    before: Option<Neighbour>,
    next: Option<Neighbour>,
    changed: Vec<ChangeView>,
    unknown: bool,
    deviating: Vec<Deviating>,
    issues: Vec<IssueView<'a>>,
    reasons: Vec<(usize, String)>,
}

#[derive(Debug)]
struct Neighbour {
    version: String,
    href: String,
}

/// What changed since the release before.
#[derive(Debug)]
struct ChangeView {
    scenario: String,
    pairs: Vec<(String, String)>,
    cells: String,
    before: MarkView,
    after: MarkView,
    kind: &'static str,
    issues: String,
    href: String,
}

#[derive(Debug)]
struct MarkView {
    class: &'static str,
    sign: &'static str,
    seen: String,
    words: &'static str,
    issue: Option<String>,
}

/// Cells that are not as the contract says.
#[derive(Debug)]
struct Deviating {
    scenario: String,
    pairs: Vec<(String, String)>,
    cells: String,
    mark: MarkView,
    answer: String,
    href: String,
    severe: bool,
}

#[derive(Debug)]
struct IssueView<'a> {
    id: &'a str,
    url: Option<&'a str>,
    title: &'a str,
    means: &'a str,
    workaround: &'a str,
    cells: String,
    shows: String,
}

impl From<&Mark> for MarkView {
    fn from(mark: &Mark) -> Self {
        Self {
            class: mark.look.class(),
            sign: mark.look.sign(),
            seen: words::seen(mark),
            words: mark.look.words(),
            issue: mark.issue.clone(),
        }
    }
}

/// Renders it.
pub(super) fn page(
    table: &Table,
    kept: &Kept,
    place: usize,
    records: Option<&str>,
) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    Page::new(table, kept, place, records).write_into(&mut out)?;
    write_end_with(RELEASE_SCRIPT, &mut out)?;
    Ok(out)
}

impl<'a> Page<'a> {
    fn new(table: &'a Table, kept: &Kept, place: usize, records: Option<&str>) -> Self {
        let release = &table.releases[place];
        let neighbour = |release: &Release| Neighbour {
            version: release.version.to_string(),
            href: words::release_file(&release.version),
        };
        let ran =
            |release: &Release| matches!(release.state.kind, StateKind::Ran | StateKind::Broken);
        // What could not be asked has nothing to compare with.
        let before = table.releases[..place].iter().rposition(ran);
        let changed = before
            .filter(|_| ran(release))
            .map(|before| changes(table, before, place));
        let summary = &release.summary;
        let deviates = summary.deviates + summary.stale + summary.new;
        let (word, class) = match (release.state.kind, deviates, summary.known) {
            (StateKind::CannotInstall, ..) => ("cannot be installed", "unsure"),
            (StateKind::CannotStart, ..) => ("cannot be started", "unsure"),
            (StateKind::Broken, ..) => ("is broken as published", "no-go"),
            (StateKind::Ran, 1.., _) => ("deviates", "no-go"),
            (StateKind::Ran, 0, 1..) => ("has known issues", "unsure"),
            (StateKind::Ran, 0, 0) => ("keeps the contract", "go"),
        };
        Self {
            style: STYLE,
            policy: policy_for(RELEASE_SCRIPT, STYLE),
            word,
            class,
            reason: release
                .state
                .reason
                .iter()
                .flat_map(|reason| reason.lines())
                .map(cut)
                .collect(),
            summary,
            record: records.map(|folder| match folder.is_empty() {
                true => kept.file.clone(),
                false => format!("{folder}/{}", kept.file),
            }),
            matrix: words::has_matrix(release).then(|| words::matrix_file(&release.version)),
            before: before
                .and_then(|before| table.releases.get(before))
                .map(neighbour),
            next: table.releases.get(place + 1).map(neighbour),
            unknown: changed.is_none(),
            changed: changed
                .unwrap_or_default()
                .iter()
                .map(|change| ChangeView::new(table, change))
                .collect(),
            deviating: deviating(table, place),
            issues: issues(table, place),
            reasons: reasons(kept),
            table,
            release,
        }
    }
}

impl ChangeView {
    fn new(table: &Table, change: &Change) -> Self {
        let scenario = &table.scenarios[change.scenario];
        let (before, after) = (&change.before, &change.after);
        let kind = match (before.look.is_sound(), after.look.is_sound()) {
            (true, true) => "the contract changed",
            (true, false) => "broke",
            (false, true) => "fixed",
            (false, false) => "deviates in another way",
        };
        Self {
            scenario: scenario.id.clone(),
            pairs: words::pairs(scenario, &change.conditions),
            cells: words::cells(change.cells),
            before: before.into(),
            after: after.into(),
            kind,
            issues: change.issues.join(", "),
            href: format!("{}#{}", super::INDEX, table.rows[change.row].id),
        }
    }
}

fn deviating(table: &Table, place: usize) -> Vec<Deviating> {
    let rows = table.rows.iter().filter_map(|row| {
        let mark = row.marks.get(place)?.as_ref()?;
        if mark.look.is_sound() || mark.look.is_silent() {
            return None;
        }
        let scenario = &table.scenarios[row.scenario];
        let answer = row.answers.get(place).cloned().flatten();
        Some((
            mark.look,
            Deviating {
                scenario: scenario.id.clone(),
                pairs: words::pairs(scenario, &row.conditions),
                cells: words::cells(row.cells.len()),
                mark: mark.into(),
                answer: cut(&answer.unwrap_or_default()),
                href: format!("{}#{}", super::INDEX, row.id),
                severe: mark.issue.is_none(),
            },
        ))
    });
    let mut rows: Vec<_> = rows.collect();
    let severe = |look| {
        record::symbol::CellSymbol::ALL
            .iter()
            .position(|known| *known == look)
    };
    rows.sort_by_key(|(look, _)| severe(*look));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn issues(table: &Table, place: usize) -> Vec<IssueView<'_>> {
    let shown = table.issues.iter().filter_map(|issue| {
        let cells = issue
            .cells
            .get(place)
            .copied()
            .flatten()
            .filter(|cells| *cells > 0)?;
        let shows: Vec<String> = issue
            .spans
            .iter()
            .map(studies::survey::Span::when)
            .collect();
        let url = issue.issue.url.as_str();
        Some(IssueView {
            id: &issue.issue.id,
            url: is_web(url).then_some(url),
            title: &issue.issue.title,
            means: &issue.issue.means,
            workaround: &issue.issue.workaround,
            cells: words::cells(cells),
            shows: shows.join(", "),
        })
    });
    shown.collect()
}

/// RerunReason cells were not asked, each reason once.
fn reasons(kept: &Kept) -> Vec<(usize, String)> {
    let mut counts: BTreeMap<(VerdictKind, &str), usize> = BTreeMap::new();
    for cell in &kept.record.cells {
        if let Some(reason) = &cell.reason {
            *counts.entry((cell.verdict, reason)).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|((_, reason), count)| (count, cut(reason)))
        .collect()
}
