//! `survey.json`: the table for programs, schema `clawgauge.survey/1`.

use serde::Serialize;

use super::access::{Access, Entry, access};
use super::mark::Mark;
use super::spans::{Open, Span};
use super::state::StateKind;
use super::table::{Row, Table};
use record::symbol::CellSymbol;
use record::{IssueRecord, Summary};

/// Name and version of the format.
pub const SURVEY_SCHEMA: &str = "clawgauge.survey/1";

/// The table for programs.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct SurveyDocument {
    /// [`SURVEY_SCHEMA`].
    pub schema: String,
    /// Version of clawgauge.
    pub harness: String,
    /// When the last release was asked, RFC 3339.
    pub finished: String,
    /// Hash over the scenario files that every release was judged by.
    pub table_hash: String,
    /// Globs over cell ids that were asked for; none means every cell.
    pub cells: Vec<String>,
    /// Conditions that were asked for.
    #[serde(rename = "where")]
    pub conditions: Vec<String>,
    /// The releases in order; `marks` of a row are in the same order.
    pub releases: Vec<ReleaseDocument>,
    /// Who gets in, by route and auth mode.
    pub access: Vec<AccessDocument>,
    /// Cells of which the same is said on every release.
    pub rows: Vec<RowDocument>,
    /// The known issues that show.
    pub known_issues: Vec<IssueDocument>,
}

/// A release.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ReleaseDocument {
    /// Its version.
    pub version: String,
    /// How it fared.
    pub state: StateKind,
    /// RerunReason it did not simply run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was done so that it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workarounds: Vec<String>,
    /// Version of Node that it ran on.
    pub node: Option<String>,
    /// Integrity of its package.
    pub integrity: Option<String>,
    /// When it was asked, RFC 3339.
    pub finished: String,
    /// Counts of its verdicts.
    pub summary: Summary,
}

/// Releases on which the same holds.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct When {
    /// The first release on which it was seen.
    pub first: String,
    /// The last one.
    pub last: String,
    /// The last release before on which something else was seen: it changed behind that one. None where nothing is known from
    /// before.
    pub after: Option<String>,
    /// The first release behind on which something else was seen. None where it holds to the end.
    pub before: Option<String>,
    /// Whether releases between these could not be asked.
    pub open: Open,
    /// The same in words.
    pub words: String,
}

/// What holds on some releases.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct SpanDocument {
    /// On which.
    #[serde(flatten)]
    pub when: When,
    /// What was seen.
    pub seen: String,
    /// What that means.
    pub look: CellSymbol,
    /// The known issue that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_issue: Option<String>,
}

/// Cells of which the same is said on every release.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct RowDocument {
    /// A name that stays as long as its cells are these.
    pub id: String,
    /// Id of the scenario.
    pub scenario: String,
    /// Values by axis that select exactly its cells; no axis means every cell of the scenario.
    #[serde(rename = "where")]
    pub conditions: indexmap::IndexMap<String, Vec<String>>,
    /// Ids of the rules that they fall under.
    pub rules: Vec<String>,
    /// Since which release until which.
    pub spans: Vec<SpanDocument>,
    /// A letter a release, as in reports; a blank where the release could not be asked at all.
    pub marks: String,
    /// Ids of the cells.
    pub cells: Vec<String>,
}

/// Who gets in at some routes.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct AccessDocument {
    /// Id of the scenario.
    pub scenario: String,
    /// Ids of the routes.
    pub routes: Vec<String>,
    /// By auth mode.
    pub modes: indexmap::IndexMap<String, Vec<EntryDocument>>,
}

/// Who gets in on some releases.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct EntryDocument {
    /// On which.
    #[serde(flatten)]
    pub when: When,
    /// The least that a request must carry; none where nobody gets in.
    pub send: Option<Vec<String>>,
    /// Everybody who gets in: alternatives, each of values by axis. An alternative without any is everybody.
    pub who: Vec<indexmap::IndexMap<String, Vec<String>>>,
    /// Whether that is as the contract says on all of them.
    pub sound: bool,
    /// On which of them it is not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
}

/// A known issue, and where it showed.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct IssueDocument {
    /// What is known about it.
    #[serde(flatten)]
    pub issue: IssueRecord,
    /// On which releases it showed.
    pub shows: Vec<When>,
}

impl<T> From<&Span<T>> for When {
    fn from(span: &Span<T>) -> Self {
        Self {
            first: span.first.to_string(),
            last: span.last.to_string(),
            after: span.after.as_ref().map(ToString::to_string),
            before: span.before.as_ref().map(ToString::to_string),
            open: span.open,
            words: span.when(),
        }
    }
}

impl From<&Span<Mark>> for SpanDocument {
    fn from(span: &Span<Mark>) -> Self {
        Self {
            when: span.into(),
            seen: span.seen.seen.clone(),
            look: span.seen.look,
            known_issue: span.seen.issue.clone(),
        }
    }
}

impl From<&Span<Entry>> for EntryDocument {
    fn from(span: &Span<Entry>) -> Self {
        let who = span.seen.who.iter();
        Self {
            when: span.into(),
            send: span.seen.send.clone(),
            who: who
                .map(|conditions| conditions.iter().cloned().collect())
                .collect(),
            sound: span.seen.wrong.is_none(),
            wrong: span.seen.wrong.as_ref().map(ToString::to_string),
        }
    }
}

impl From<Access> for AccessDocument {
    fn from(access: Access) -> Self {
        let modes = access.modes.iter().map(|(mode, spans)| {
            let entries = spans.iter().map(EntryDocument::from).collect();
            (mode.clone(), entries)
        });
        Self {
            modes: modes.collect(),
            scenario: access.scenario,
            routes: access.routes,
        }
    }
}

impl RowDocument {
    fn of(table: &Table, row: &Row) -> Self {
        let sign = |mark: &Option<Mark>| mark.as_ref().map_or(" ", |mark| mark.look.sign());
        Self {
            id: row.id.clone(),
            scenario: table.scenarios[row.scenario].id.clone(),
            conditions: row.conditions.iter().cloned().collect(),
            rules: row.rules.clone(),
            spans: row.spans.iter().map(SpanDocument::from).collect(),
            marks: row.marks.iter().map(sign).collect(),
            cells: row.cells.clone(),
        }
    }
}

impl From<&Table> for SurveyDocument {
    fn from(table: &Table) -> Self {
        let releases = table.releases.iter().map(|release| ReleaseDocument {
            version: release.version.to_string(),
            state: release.state.kind,
            reason: release.state.reason.clone(),
            workarounds: release.state.workarounds.clone(),
            node: release.node.clone(),
            integrity: release.integrity.clone(),
            finished: release.finished.clone(),
            summary: release.summary.clone(),
        });
        let issues = table.issues.iter().map(|issue| IssueDocument {
            issue: issue.issue.clone(),
            shows: issue.spans.iter().map(When::from).collect(),
        });
        Self {
            schema: SURVEY_SCHEMA.to_owned(),
            harness: table.harness.clone(),
            finished: table.finished.clone(),
            table_hash: table.table_hash.clone(),
            cells: table.cells.clone(),
            conditions: table.conditions.clone(),
            releases: releases.collect(),
            access: access(table)
                .into_iter()
                .map(AccessDocument::from)
                .collect(),
            rows: table
                .rows
                .iter()
                .map(|row| RowDocument::of(table, row))
                .collect(),
            known_issues: issues.collect(),
        }
    }
}
