//! A run that has ended: the head of its record, and its cells as the recorder kept them.
//!
//! A cell of the record is made whenever somebody looks at it, so that a run of a million cells does not hold a million.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::recorder::fold;
use super::tables::Texts;
use super::{
    CellRecord, ExpectedRecord, Gate, GateEffect, ObservedRecord, Record, RuleRecord, Summary,
};
use crate::events::{CellResult, Facts};
use crate::judge::{Cause, Verdict, VerdictKind};
use contract::plan::Cell;
use contract::scenario::Catalogue;
use contract::scenario::model::Kind;

/// A record's table holds so many distinct requests; a cell beyond them carries its own.
const MOST_REQUESTS: usize = 10_000;

/// A run that has ended.
#[derive(Debug)]
pub struct FinishedRun<'a> {
    /// The record without its cells.
    pub head: Record,
    /// The results, in the order of the record: snapshots are made from them.
    pub results: Vec<CellResult>,
    cells: Vec<Place>,
    /// The places of the accepted and the observed answer, by the facts that hold them.
    answers: HashMap<*const Facts, [Option<usize>; 2]>,
    catalogue: &'a Catalogue,
    /// Cells that the baseline excuses and that were not answered.
    unasked_excuses: usize,
}

/// What a cell has beside its result.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Its request in the table, from 1.
    request: Option<NonZeroU32>,
    /// Its cause; 0 for none.
    cause: u32,
    standing: Option<GateEffect>,
}

impl<'a> FinishedRun<'a> {
    /// Takes in results that are in order; `head` is filled but for what relates cells to each other. With it comes how many cells of
    /// each cause make the run fail.
    pub(super) fn new(
        mut head: Record,
        results: Vec<CellResult>,
        causes: &[Cause],
        gate: &Gate,
        catalogue: &'a Catalogue,
    ) -> (Self, Vec<usize>) {
        let mut failing = vec![0; causes.len()];
        let mut cells = vec![Place::default(); results.len()];
        for cause in causes {
            for cell in &cause.cells {
                cells[*cell].cause = u32::try_from(cause.id).unwrap_or(u32::MAX);
            }
        }
        let mut rules = BTreeMap::new();
        let (mut requests, mut texts) = (Texts::default(), Texts::default());
        let mut answers = HashMap::new();
        let (mut scenarios, mut issues) = (BTreeSet::new(), BTreeSet::new());
        let mut answered_excuses = 0;
        // What was not asked, the recorder has counted.
        let mut summary = Summary {
            selected: results.len(),
            ..head.summary
        };
        head.run.may_skip = gate.may_skip.record();
        for (result, place) in results.iter().zip(&mut cells) {
            let (facts, cell) = (&*result.facts, &result.cell);
            let id = cell.id();
            let (verdict, severity) = (facts.verdict.kind(), facts.severity);
            let observed = facts.observed.as_ref();
            let standing = gate.standing(&facts.gateway, &id, verdict, severity, observed);
            let text = (cell.scenario.kind != Kind::Start)
                .then(|| contract::request::as_text(cell, catalogue));
            let request = text.and_then(|text| requests.take(text, MOST_REQUESTS));
            let request = request.and_then(|place| NonZeroU32::new(place + 1));
            // What many cells share is looked at once.
            let known = answers.entry(Arc::as_ptr(&result.facts));
            let is_new = matches!(known, Entry::Vacant(_));
            let [accepted, seen] = known.or_insert([None; 2]);
            if let Some(expected) = facts.expected.as_ref().filter(|_| is_new) {
                let scenario = &cell.scenario.id;
                let key = (scenario.as_str(), expected.rule.as_str());
                rules.entry(key).or_insert_with(|| RuleRecord {
                    scenario: scenario.clone(),
                    id: expected.rule.clone(),
                    title: expected.title.clone(),
                    origin: expected.origin.clone(),
                    source: expected.source.clone(),
                });
                *accepted = facts.accepted.as_ref().map(|text| texts.keep(text));
            }
            if let Some(observed) = observed.filter(|_| is_new) {
                *seen = Some(texts.keep(&observed.answer));
            }
            if scenarios.last() != Some(&cell.scenario.id.as_str()) {
                scenarios.insert(cell.scenario.id.as_str());
            }
            issues.extend(facts.known_issue.as_ref().map(|issue| issue.id.as_str()));
            summary.add(&facts.verdict, standing);
            for entry in gate.may_skip.naming(&id) {
                let skip = &mut head.run.may_skip[entry];
                match verdict {
                    VerdictKind::NotAsked => skip.skipped += 1,
                    VerdictKind::NotApplicable => {}
                    _ => skip.asked += 1,
                }
            }
            answered_excuses +=
                usize::from(observed.is_some() && gate.is_excused(&facts.gateway, &id));
            summary.better += usize::from(gate.is_better(&facts.gateway, &id, verdict));
            let of_cause = (place.cause as usize)
                .checked_sub(1)
                .and_then(|place| failing.get_mut(place));
            if let Some(of_cause) = of_cause {
                *of_cause += usize::from(standing == Some(GateEffect::Fails));
            }
            place.request = request;
            place.standing = standing;
        }
        head.summary = summary;
        head.rules = rules.into_values().collect();
        head.describe(catalogue, &scenarios, &issues);
        head.requests = requests.into_texts();
        head.answers = texts.into_texts();
        let excuses = gate.baseline.iter().flat_map(|baseline| {
            let gateways = head.gateways.iter();
            gateways.map(|gateway| baseline.excuses(&gateway.reference))
        });
        let unasked_excuses = excuses.sum::<usize>().saturating_sub(answered_excuses);
        let run = Self {
            head,
            results,
            cells,
            answers,
            catalogue,
            unasked_excuses,
        };
        (run, failing)
    }

    /// Makes every cell, in order.
    ///
    /// # Errors
    /// What `visit` returns.
    pub(super) fn each_cell(
        &self,
        visit: &mut dyn FnMut(&CellRecord) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let mut cells = self.results.iter().zip(&self.cells);
        cells.try_for_each(|(result, place)| visit(&self.cell(result, *place)))
    }

    /// Makes one cell.
    pub fn cell_of(&self, gateway: &str, cell: &Cell) -> Option<CellRecord> {
        let order = |reference: &str| {
            let mut gateways = self.head.gateways.iter();
            gateways.position(|gateway| gateway.reference == reference)
        };
        let key = (order(gateway), &cell.scenario.id, cell.number);
        let place = self.results.binary_search_by(|result| {
            let of = &result.cell;
            (order(&result.facts.gateway), &of.scenario.id, of.number).cmp(&key)
        });
        let place = place.ok()?;
        Some(self.cell(&self.results[place], self.cells[place]))
    }

    /// Cells that the baseline excuses and that were not answered now, so that nobody knows whether they still need it.
    pub fn unasked_excuses(&self) -> usize {
        self.unasked_excuses
    }

    /// The cells that only the baseline excuses, as a record that can take its place: it excuses no more than is still needed. `None`
    /// where there are none.
    pub fn smaller_baseline(&self) -> Option<FinishedRun<'a>> {
        let cells = self.results.iter().zip(&self.cells);
        let needed = cells.filter(|(_, place)| place.standing == Some(GateEffect::AsInBaseline));
        let needed: Vec<CellResult> = needed.map(|(result, _)| result.clone()).collect();
        let mut head = self.head.clone();
        head.relations.retain(|relation| !relation.failing);
        if needed.is_empty() && head.relations.is_empty() {
            return None;
        }
        head.run.baseline = None;
        head.run.baseline_strict = false;
        head.run.twice = None;
        let cells: BTreeSet<String> = needed.iter().map(|result| result.cell.id()).collect();
        head.run.cells = cells.into_iter().collect();
        head.run.conditions.clear();
        let summary = &self.head.summary;
        head.summary = Summary {
            not_selected: summary.not_selected + summary.selected - needed.len(),
            ..Summary::default()
        };
        let gate = Gate {
            fail_on: head.run.fail_on,
            severity: head.run.severity,
            ..Gate::default()
        };
        Some(fold(head, needed, &gate, self.catalogue))
    }

    /// The record with all its cells, and the results.
    pub fn into_record(self) -> (Record, Vec<CellResult>) {
        let cells = self.results.iter().zip(&self.cells);
        let cells = cells
            .map(|(result, place)| self.cell(result, *place))
            .collect();
        let record = Record { cells, ..self.head };
        (record, self.results)
    }

    fn cell(&self, result: &CellResult, place: Place) -> CellRecord {
        let (facts, cell) = (&*result.facts, &result.cell);
        let (direction, reason) = match &facts.verdict {
            Verdict::Deviates(deviation) | Verdict::Known(deviation) => (Some(*deviation), None),
            Verdict::NotApplicable(reason)
            | Verdict::NotAsked(reason)
            | Verdict::CouldNotRun(reason) => (None, Some(reason.clone())),
            Verdict::Conforms | Verdict::Stale | Verdict::New => (None, None),
        };
        let own = place.request.is_none() && cell.scenario.kind != Kind::Start;
        let answers = self.answers.get(&Arc::as_ptr(&result.facts));
        let [accepted, seen] = answers.copied().unwrap_or_default();
        CellRecord {
            id: cell.id(),
            gateway: facts.gateway.clone(),
            axes: cell.axes().collect(),
            request: place.request.map(|place| place.get() as usize - 1),
            own_request: own.then(|| contract::request::as_text(cell, self.catalogue)),
            expected: facts.expected.as_ref().map(|expected| ExpectedRecord {
                rule: expected.rule.clone(),
                outcome: expected.outcome.id.clone(),
                direction: expected.outcome.direction,
                grants: Some(expected.outcome.grants),
                status: expected.outcome.status,
                answer: accepted,
            }),
            observed: facts.observed.as_ref().map(|observed| ObservedRecord {
                outcome: observed.outcome.clone(),
                direction: Some(observed.direction),
                grants: Some(observed.grants),
                status: observed.status,
                start: observed.start,
                error_type: observed.error_type.clone(),
                message: observed.message.clone(),
                model_calls: observed.model_calls,
                late_calls: observed.late_calls,
                answer: seen,
                ms: (f64::from(result.took) / 100.0).round() / 10.0,
            }),
            verdict: facts.verdict.kind(),
            known_issue: facts.known_issue.as_ref().map(|issue| issue.id.clone()),
            direction,
            severity: facts.severity,
            standing: place.standing,
            reason,
            cause: (place.cause > 0).then_some(place.cause as usize),
            attempts: facts.attempts.clone(),
        }
    }
}

impl Summary {
    fn add(&mut self, verdict: &Verdict, standing: Option<GateEffect>) {
        *match verdict {
            Verdict::Conforms => &mut self.conforms,
            Verdict::Deviates(_) => &mut self.deviates,
            Verdict::Known(_) => &mut self.known,
            Verdict::Stale => &mut self.stale,
            Verdict::New => &mut self.new,
            Verdict::NotApplicable(_) => &mut self.not_applicable,
            Verdict::NotAsked(_) => &mut self.not_asked,
            Verdict::CouldNotRun(_) => &mut self.could_not_run,
        } += 1;
        match standing {
            Some(GateEffect::Fails) => self.failing += 1,
            Some(GateEffect::AsInBaseline) => self.as_in_baseline += 1,
            Some(GateEffect::BelowSeverity) => self.below_severity += 1,
            Some(GateEffect::ExpectedSkip) => self.expected_skips += 1,
            None => {}
        }
    }
}
