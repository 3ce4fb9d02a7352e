//! What a bisection found, schema `clawgauge.bisect/1`: every rendering is made from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::bounds::Label;
use super::classifier::{BAD, Classifier, GOOD, differing};
use super::hunt::Hunt;
use super::question::QuestionKind;
use super::search::Change;
use super::tested::{Answer, Tested};
use contract::release::{Releases, Version};
use contract::scenario::Catalogue;
use record::Ending;

/// Name and version of the format.
const SCHEMA: &str = "clawgauge.bisect/1";

/// What a bisection found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Bisection {
    /// `clawgauge.bisect/1`.
    pub schema: &'static str,
    /// Id of the cell, `scenario/rule`, or id of the known issue.
    pub subject: String,
    /// Which of them.
    pub kind: QuestionKind,
    /// The question in one sentence; may be empty.
    pub title: String,
    /// Ids of the cells that were asked.
    pub cells: Vec<String>,
    /// Cells that were not asked, and why.
    pub left_out: Vec<LeftOut>,
    /// The outcome that is good, where the ends did not decide that.
    pub expect: Option<String>,
    /// First and last release of the line.
    pub ends: (String, String),
    /// How many releases there are from one to the other, both included.
    pub releases: usize,
    /// Where the answer changes, in the order of releases.
    pub changes: Vec<ChangeRecord>,
    /// Every release that was tested or cannot be, in order.
    pub tested: Vec<ReleaseRecord>,
    /// Releases between two others that answer the same: that nothing changes on them is assumed.
    pub assumed: Vec<String>,
    /// Whether it was told to stop before the end.
    pub interrupted: bool,
}

/// Cells that were not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct LeftOut {
    /// How many.
    pub cells: usize,
    /// Why.
    pub reason: String,
}

/// In which way an answer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// From good to bad.
    Break,
    /// From bad to good.
    Fix,
    /// From one answer to another, both of them right, or both wrong.
    Change,
}

/// A change of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ChangeRecord {
    /// In which way.
    pub kind: ChangeKind,
    /// The last release with the answer before.
    pub before: String,
    /// The first release that is known to have the answer after.
    pub after: String,
    /// The releases of which each may be the first with the answer after: only `after`, unless some between could not be told.
    pub first: Vec<String>,
    /// The cells whose answer changes, by what they answer.
    pub cells: Vec<CellChange>,
    /// Known issues that speak about it.
    pub known_issues: Vec<IssueMention>,
    /// The command that prints a script which shows it.
    pub repro: String,
}

/// Cells whose answer changes in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct CellChange {
    /// How many.
    pub cells: usize,
    /// Id of one of them.
    pub example: String,
    /// The answer before.
    pub before: AnswerRecord,
    /// The answer after.
    pub after: AnswerRecord,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AnswerRecord {
    /// Name of the outcome, if it fits one.
    pub outcome: Option<String>,
    /// Status, error type and message in one line.
    pub line: String,
    /// Whether it is what the rule asks for on that release.
    pub conforms: bool,
}

/// A known issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct IssueMention {
    /// Its public name.
    pub id: String,
    /// The bug in one sentence.
    pub title: String,
    /// Where one can read about it; may be empty.
    pub url: String,
}

/// A release that was tested, or that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ReleaseRecord {
    /// The release.
    pub release: String,
    /// What it was called.
    pub called: Option<Label>,
    /// `good` or `bad`, where there are sides; none where it does not tell.
    pub side: Option<&'static str>,
    /// What its cells answer, with their number.
    pub answers: Vec<(AnswerRecord, usize)>,
    /// Why it does not tell.
    pub why: Option<String>,
    /// When the registry says that it was published; for display only.
    pub published: Option<Timestamp>,
    /// Integrity of its package.
    pub integrity: Option<String>,
    /// Version of Node.
    pub node: Option<String>,
    /// What was done so that it runs.
    pub notes: Vec<String>,
    /// Whether it was read from an earlier record instead of being launched.
    pub kept: bool,
}

impl Bisection {
    /// It holds where a change is known to the release, and is incomplete where none was found or where it may be on one of
    /// several; and the reason in one line.
    pub fn ending(&self) -> (Ending, String) {
        let wide = self.changes.iter().find(|change| change.first.len() > 1);
        match (self.interrupted, &self.changes[..], wide) {
            (true, ..) => (Ending::Interrupted, "interrupted".to_owned()),
            (false, [], _) => (
                Ending::Incomplete,
                "no release with another answer was found".to_owned(),
            ),
            (false, _, Some(change)) => (
                Ending::Incomplete,
                format!("the first may be any of {}", change.first.join(", ")),
            ),
            (false, _, None) => (Ending::Holds, String::new()),
        }
    }

    /// What is known of a release.
    pub fn release(&self, name: &str) -> Option<&ReleaseRecord> {
        self.tested.iter().find(|tested| tested.release == name)
    }
}

impl Hunt {
    /// What was found so far.
    pub fn finish(
        &self,
        catalogue: &Catalogue,
        releases: &Releases,
        interrupted: bool,
    ) -> Bisection {
        let name = |place: usize| self.line[place].to_string();
        let changes = self.search.changes();
        let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, reason) in &self.question.left_out {
            *left_out.entry(reason).or_default() += 1;
        }
        let left_out = left_out.into_iter().map(|(reason, cells)| LeftOut {
            cells,
            reason: reason.to_owned(),
        });
        Bisection {
            schema: SCHEMA,
            subject: self.question.name.clone(),
            kind: self.question.kind,
            title: self.question.title.clone(),
            cells: self.question.ids().collect(),
            left_out: left_out.collect(),
            expect: self.expect.clone(),
            ends: (name(0), name(self.line.len() - 1)),
            releases: self.line.len(),
            changes: changes
                .iter()
                .filter_map(|change| self.change(change, catalogue))
                .collect(),
            tested: self
                .tested
                .iter()
                .map(|(place, tested)| self.release_record(*place, tested, releases))
                .collect(),
            assumed: self.search.assumed().into_iter().map(name).collect(),
            interrupted,
        }
    }

    fn change(&self, change: &Change, catalogue: &Catalogue) -> Option<ChangeRecord> {
        let (before, after) = (
            self.tested.get(&change.before)?,
            self.tested.get(&change.after)?,
        );
        let mut cells = differing(&before.answers, &after.answers);
        match &self.classifier {
            Some(Classifier::Both { cells: sides, .. } | Classifier::OnlyBad(_, sides)) => {
                cells.retain(|cell| sides.contains(cell));
            }
            Some(Classifier::OnlyGood(good)) => cells.retain(|cell| good.contains_key(cell)),
            Some(Classifier::Any(_) | Classifier::Expect(_)) | None => {}
        }
        let mut groups: Vec<CellChange> = Vec::new();
        let mut issues: Vec<&str> = Vec::new();
        for cell in &cells {
            let (Some(was), Some(is)) = (before.answers.get(cell), after.answers.get(cell)) else {
                continue;
            };
            issues.extend(
                [was, is]
                    .iter()
                    .filter_map(|answer| answer.known_issue.as_deref()),
            );
            let (was, is) = (answer_record(was), answer_record(is));
            match groups
                .iter_mut()
                .find(|group| group.before == was && group.after == is)
            {
                Some(group) => group.cells += 1,
                None => groups.push(CellChange {
                    cells: 1,
                    example: cell.clone(),
                    before: was,
                    after: is,
                }),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.cells));
        issues.sort_unstable();
        issues.dedup();
        let kind = self.kind(change, &groups);
        let bad = match kind {
            ChangeKind::Break | ChangeKind::Change => &after.release,
            ChangeKind::Fix => &before.release,
        };
        let example = groups.first().map_or("", |group| group.example.as_str());
        let first = change.unclear.iter().chain([&change.after]);
        Some(ChangeRecord {
            kind,
            before: before.release.to_string(),
            after: after.release.to_string(),
            first: first.map(|place| self.line[*place].to_string()).collect(),
            repro: repro(example, bad),
            known_issues: catalogue
                .known_issues
                .iter()
                .filter(|issue| issues.contains(&issue.id.as_str()))
                .map(|issue| IssueMention {
                    id: issue.id.clone(),
                    title: issue.title.clone(),
                    url: issue.url.clone(),
                })
                .collect(),
            cells: groups,
        })
    }

    /// By the sides where there are sides, else by the contract.
    fn kind(&self, change: &Change, groups: &[CellChange]) -> ChangeKind {
        let side = |place: usize| match self.sides.get(&place) {
            Some(Ok(class)) if self.side_name(*class).is_some() => Some(*class),
            _ => None,
        };
        match (side(change.before), side(change.after)) {
            (Some(GOOD), Some(BAD)) => return ChangeKind::Break,
            (Some(BAD), Some(GOOD)) => return ChangeKind::Fix,
            _ => {}
        }
        let right_before = groups.iter().all(|group| group.before.conforms);
        let right_after = groups.iter().all(|group| group.after.conforms);
        match (right_before, right_after) {
            (true, false) => ChangeKind::Break,
            (false, true) => ChangeKind::Fix,
            (true, true) | (false, false) => ChangeKind::Change,
        }
    }

    fn release_record(&self, place: usize, tested: &Tested, releases: &Releases) -> ReleaseRecord {
        let mut answers: Vec<(AnswerRecord, usize)> = Vec::new();
        for answer in tested.answers.values().map(answer_record) {
            match answers.iter_mut().find(|(other, _)| *other == answer) {
                Some((_, count)) => *count += 1,
                None => answers.push((answer, 1)),
            }
        }
        answers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let side = self.sides.get(&place);
        let trouble = tested.trouble.as_ref().map(|trouble| trouble.why.clone());
        ReleaseRecord {
            release: tested.release.to_string(),
            called: self
                .ends()
                .find(|(end, _)| *end == place)
                .map(|(_, label)| label),
            side: side.and_then(|side| self.side_name(*side.as_ref().ok()?)),
            answers,
            why: match side {
                Some(Err(why)) => Some(why.clone()),
                Some(Ok(_)) => None,
                None => trouble,
            },
            published: releases.published(&tested.release),
            integrity: tested.integrity.clone(),
            node: tested.node.clone(),
            notes: tested.notes.clone(),
            kept: tested.kept,
        }
    }
}

fn answer_record(answer: &Answer) -> AnswerRecord {
    AnswerRecord {
        outcome: answer.seen.outcome.clone(),
        line: answer.line(),
        conforms: answer.conforms(),
    }
}

fn repro(cell: &str, release: &Version) -> String {
    format!("clawgauge repro {cell} --gateway openclaw@{release}")
}
