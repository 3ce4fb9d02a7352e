//! What the page says without JavaScript: the template's data.

use std::cmp::Reverse;
use std::io::Write;

use askama::Template;

use super::assets::{STYLE, policy};
use super::causes::{CauseView, RelationView};
use super::issues::{IssueView, ReasonView};
use super::layout::Layout;
use crate::facts::Tally;
use crate::part::left_out;
use crate::test_status::TestStatus;
use record::judge::VerdictKind;
use record::{CauseRecord, Ending, FailOn, GatewayRecord, Record, RunInfo, Summary};

/// Units that a bar of counts is wide.
const BAR: usize = 1000;
/// Units that a count takes at least, so that one deviation among thousands is seen.
const LEAST: usize = 9;
/// So many causes are open; the rest unfolds.
const OPEN: usize = 20;

/// The page up to its data.
#[derive(Debug, Template)]
#[template(path = "page.html")]
pub(super) struct Page<'a> {
    style: &'static str,
    policy: String,
    word: &'static str,
    /// How much was asked, where that is not everything.
    share: Option<String>,
    class: &'static str,
    why: String,
    not_asked: Vec<String>,
    code: u8,
    heading: String,
    run: &'a RunInfo,
    gateways: Vec<GatewayView<'a>>,
    summary: &'a Summary,
    counts: Vec<Count>,
    failing: Vec<CauseView>,
    more: Vec<CauseView>,
    fresh: usize,
    relations: Vec<RelationView>,
    issues: Vec<IssueView>,
    known_fails: bool,
    excused: Vec<CauseView>,
    lost: Vec<ReasonView>,
    not_applicable: Vec<ReasonView>,
}

/// A gateway.
#[derive(Debug)]
struct GatewayView<'a> {
    name: &'a str,
    record: Option<&'a GatewayRecord>,
    cells: usize,
    counts: Vec<Count>,
    scenarios: Vec<ScenarioView<'a>>,
}

/// A scenario on a gateway.
#[derive(Debug)]
struct ScenarioView<'a> {
    anchor: String,
    id: &'a str,
    title: &'a str,
    counts: Vec<Count>,
    class: &'static str,
}

/// One part of a bar of counts.
#[derive(Debug)]
struct Count {
    class: &'static str,
    words: &'static str,
    count: usize,
    start: usize,
    width: usize,
}

impl<'a> Page<'a> {
    /// Gathers it.
    pub(super) fn new(record: &'a Record, layout: &'a Layout) -> Self {
        let (ending, why) = record.ending();
        let class = match ending {
            Ending::Holds => "go",
            Ending::Broken => "no-go",
            Ending::Gateway | Ending::Incomplete | Ending::Interrupted => "unsure",
        };
        let several = layout.gateways.len() > 1;
        let names = layout.gateways.iter().map(String::as_str);
        let mut causes: Vec<_> = record.causes.iter().collect();
        // The gravest first, who got in before who was kept out, then what most cells show.
        causes.sort_by_key(|cause| {
            let failing = Reverse(cause.failing);
            (Reverse(cause.severity), cause.direction, failing, cause.id)
        });
        let views = |chosen: &dyn Fn(&CauseRecord) -> bool| -> Vec<CauseView> {
            let chosen = causes.iter().filter(|cause| chosen(cause));
            chosen
                .map(|cause| CauseView::new(record, several, cause))
                .collect()
        };
        let mut failing = views(&|cause| cause.failing > 0);
        let more = failing.split_off(OPEN.min(failing.len()));
        let relations = record.relations.iter().filter(|relation| relation.failing);
        Self {
            style: STYLE,
            policy: policy(),
            word: ending.word(),
            share: record.headline(),
            not_asked: left_out(record, usize::MAX),
            class,
            why,
            code: ending.code(),
            heading: names.collect::<Vec<_>>().join(", "),
            run: &record.run,
            gateways: gateways(record, layout),
            summary: &record.summary,
            counts: counts_of(&record.summary),
            failing,
            more,
            fresh: record.summary.new,
            relations: relations
                .map(|relation| RelationView::new(several, relation))
                .collect(),
            issues: IssueView::all(record, layout, several),
            known_fails: record.run.fail_on == FailOn::Known,
            excused: views(&|cause| cause.failing == 0 && cause.known_issue.is_none()),
            lost: ReasonView::all(layout, several, &|reason| reason.red),
            not_applicable: ReasonView::all(layout, several, &|reason| !reason.red),
        }
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        self.write_into(out)
    }

    /// Stale known issues make a run fail, whatever else there is.
    fn stale(&self) -> impl Iterator<Item = &IssueView> {
        self.issues.iter().filter(|issue| issue.stale > 0)
    }

    /// Whether anything makes the run fail.
    fn fails(&self) -> bool {
        self.summary.failing > 0 || !self.relations.is_empty()
    }
}

fn gateways<'a>(record: &'a Record, layout: &'a Layout) -> Vec<GatewayView<'a>> {
    let facts = &layout.facts;
    let views = layout.gateways.iter().enumerate().map(|(place, name)| {
        let scenarios = layout.scenarios.iter().enumerate();
        let scenarios = scenarios.filter_map(|(scenario, known)| {
            let counts = facts.scenarios.get(&(name.clone(), known.id.clone()))?;
            let failing = counts.count(TestStatus::Fails);
            Some(ScenarioView {
                anchor: format!("g{place}-s{scenario}"),
                id: &known.id,
                title: &known.title,
                counts: counts_in(counts),
                class: match (failing, counts.of(VerdictKind::CouldNotRun)) {
                    (1.., _) => "bad",
                    (0, 1..) => "lost",
                    (0, 0) => "fine",
                },
            })
        });
        let mut records = record.gateways.iter();
        let all = facts.gateways.get(name);
        GatewayView {
            name,
            record: records.find(|it| it.reference == *name),
            cells: all.map_or(0, Tally::all),
            counts: all.map_or_else(Vec::new, counts_in),
            scenarios: scenarios.collect(),
        }
    });
    views.collect()
}

fn counts_of(summary: &Summary) -> Vec<Count> {
    counts([
        summary.conforms,
        summary.deviates,
        summary.stale,
        summary.new,
        summary.could_not_run,
        summary.known,
        summary.not_applicable,
        summary.not_asked,
    ])
}

fn counts_in(tally: &Tally) -> Vec<Count> {
    counts(
        [
            VerdictKind::Conforms,
            VerdictKind::Deviates,
            VerdictKind::Stale,
            VerdictKind::New,
            VerdictKind::CouldNotRun,
            VerdictKind::Known,
            VerdictKind::NotApplicable,
            VerdictKind::NotAsked,
        ]
        .map(|verdict| tally.of(verdict)),
    )
}

/// The parts of a bar; what no cell has is left out.
fn counts(counts: [usize; 8]) -> Vec<Count> {
    let words = [
        ("conforms", "conform"),
        ("deviates", "deviate"),
        ("stale", "stale"),
        ("new", "without a snapshot"),
        ("could-not-run", "could not run"),
        ("known", "known"),
        ("not-applicable", "not applicable"),
        ("not-asked", "not asked"),
    ];
    let all: usize = counts.iter().sum();
    let parts = counts.iter().filter(|count| **count > 0).count();
    let free = BAR - parts * LEAST;
    let mut start = 0;
    let mut views = Vec::new();
    for ((class, words), count) in words.into_iter().zip(counts) {
        if count > 0 {
            let width = LEAST + count * free / all;
            views.push(Count {
                class,
                words,
                count,
                start,
                width,
            });
            start += width;
        }
    }
    // What rounding left over belongs to the last part.
    if let Some(last) = views.last_mut() {
        last.width = BAR - last.start;
    }
    views
}

#[cfg(test)]
mod tests {
    use super::{BAR, LEAST, counts};

    #[test]
    fn one_among_thousands_is_seen_and_the_bar_is_full() {
        let parts = counts([9999, 1, 0, 0, 0, 3, 0, 0]);
        assert!(parts.iter().all(|part| part.width >= LEAST));
        assert_eq!(parts.iter().map(|part| part.width).sum::<usize>(), BAR);
        assert!(counts([0; 8]).is_empty());
    }
}
