//! Builds a [`Record`] from run events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::finished::FinishedRun;
use super::part::Open;
use super::{
    CausePartRecord, CauseRecord, DifferenceRecord, FOLDING, Gate, GateEffect, GatewayRecord,
    LaunchRecord, Record, RelationRecord, RunInfo, SCHEMA, Summary,
};
use crate::events::{CellResult, RunEvent};
use crate::judge::{Broken, Cause, CausePart, Deviation, broken_relations, causes};
use crate::kept::Pool;
use contract::plan::{Missing, Shares};
use contract::scenario::Catalogue;

/// Builds a record from a run's events.
#[derive(Debug)]
pub struct Recorder {
    run: RunInfo,
    gate: Gate,
    gateways: Vec<GatewayRecord>,
    order: BTreeMap<String, usize>,
    pool: Pool,
    results: Vec<CellResult>,
    /// Cells that were selected, and that were not.
    selected: (usize, usize),
    /// What a budget leaves out, until all is known.
    open: Option<Open>,
}

impl Recorder {
    /// Begins a record; `table_hash` says what is judged by, `gate` what makes the run fail.
    pub fn new(table_hash: &str, gate: Gate) -> Self {
        let started = now();
        let run = RunInfo {
            id: base::secret::new_canary()
                .trim_start_matches("canary-")
                .to_owned(),
            finished: started.clone(),
            started,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            table_hash: table_hash.to_owned(),
            data: None,
            snapshots_hash: None,
            folding: FOLDING,
            interrupted: false,
            stopped_early: false,
            fail_on: gate.fail_on,
            severity: gate.severity,
            baseline: gate.baseline.as_ref().map(|baseline| baseline.run.clone()),
            baseline_strict: gate.strict,
            twice: None,
            may_skip: Vec::new(),
            known_issues_on: None,
            cells: Vec::new(),
            conditions: Vec::new(),
            shard: None,
            budget: None,
        };
        Self {
            run,
            gate,
            gateways: Vec::new(),
            order: BTreeMap::new(),
            pool: Pool::default(),
            results: Vec::new(),
            selected: (0, 0),
            open: None,
        }
    }

    /// Notes the hash of the snapshots that are judged by, where there are any.
    #[must_use]
    pub fn held_against(mut self, snapshots_hash: Option<&str>) -> Self {
        self.run.snapshots_hash = snapshots_hash.map(str::to_owned);
        self
    }

    /// Notes what was asked for: the day on which known issues are heeded, globs over cell ids, conditions.
    #[must_use]
    pub fn asked_for(
        mut self,
        known_issues_on: Option<Date>,
        cells: &[String],
        conditions: &[String],
    ) -> Self {
        self.run.known_issues_on = known_issues_on.map(|day| day.to_string());
        self.run.cells = cells.to_vec();
        self.run.conditions = conditions.to_vec();
        self
    }

    /// Notes that this is one shard of a run: relations between its cells are then left to whoever has all of them.
    #[must_use]
    pub fn sharded(mut self, shares: Option<Shares>) -> Self {
        self.run.shard = shares;
        self
    }

    /// Takes in one event.
    pub fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::GatewayReady(info) => {
                self.selected.0 += info.selected;
                self.selected.1 += info.unselected;
                self.order.insert(info.gateway.clone(), self.gateways.len());
                self.results.reserve_exact(info.selected);
                self.gateways.push(GatewayRecord {
                    reference: info.gateway.clone(),
                    version: Some(info.version.to_string()),
                    integrity: info.integrity.clone(),
                    node: info.node.clone(),
                    notes: info.notes.clone(),
                    measured: info.measured.clone(),
                    senders: info.senders.clone(),
                    missing: info.missing.clone(),
                    error: None,
                    launches: Vec::new(),
                });
            }
            RunEvent::GatewayFailed { gateway, error, .. } => {
                self.order.insert(gateway.clone(), self.gateways.len());
                self.gateways.push(GatewayRecord {
                    reference: gateway.clone(),
                    version: None,
                    integrity: None,
                    node: None,
                    notes: Vec::new(),
                    measured: None,
                    senders: Vec::new(),
                    missing: Missing::new(),
                    error: Some(error.clone()),
                    launches: Vec::new(),
                });
            }
            RunEvent::LaunchEnded(info) => {
                self.open.iter_mut().for_each(Open::launch_ended);
                let launch = LaunchRecord {
                    profile: info.profile.clone(),
                    attempt: info.attempt,
                    ready_ms: info.ready.map(millis),
                    stop_ms: info.stop.map(millis),
                    exit: info.exit,
                    killed: info.killed,
                    failure: info.failure.clone(),
                    proof: info.proof,
                    model: info.model.clone(),
                };
                if let Some(gateway) = self
                    .gateways
                    .iter_mut()
                    .find(|gateway| gateway.reference == info.gateway)
                {
                    gateway.launches.push(launch);
                    gateway
                        .launches
                        .sort_by(|a, b| (&a.profile, a.attempt).cmp(&(&b.profile, b.attempt)));
                }
            }
            RunEvent::Cell(result) => self.results.push(self.pool.keep(result)),
            RunEvent::Budgeted(budgeted) => {
                let (whole, release) = (budgeted.whole.clone(), budgeted.release.clone());
                self.open = Some(Open::new(whole, release, budgeted.watched));
                self.run.budget = Some(budgeted.part.clone());
            }
            RunEvent::OutOfTime { profile, cells } => {
                if let Some(part) = &mut self.run.budget {
                    part.cut_short(profile, *cells);
                }
            }
            RunEvent::Interrupted => self.run.interrupted = !self.run.stopped_early,
            RunEvent::Preparing { .. }
            | RunEvent::LaunchStarted { .. }
            | RunEvent::LaunchReady { .. }
            | RunEvent::LaunchFailed { .. }
            | RunEvent::Asked { .. }
            | RunEvent::Finished => {}
        }
    }

    /// Whether a cell makes the run fail.
    pub fn fails(&self, result: &CellResult) -> bool {
        let facts = &result.facts;
        let standing = self.gate.standing(
            &facts.gateway,
            &result.cell.id(),
            facts.verdict.kind(),
            facts.severity,
            facts.observed.as_ref(),
        );
        standing == Some(GateEffect::Fails)
    }

    /// Notes that the run is told to stop because of a cell that makes it fail, not by a person.
    pub fn stop_early(&mut self) {
        self.run.stopped_early = true;
    }

    /// Ends the record, and hands back the results with it: snapshots are made from them.
    pub fn finish(self, catalogue: &Catalogue) -> (Record, Vec<CellResult>) {
        self.ended(catalogue).into_record()
    }

    /// Ends the run; its record is made cell by cell, whenever somebody looks at it.
    pub fn ended(mut self, catalogue: &Catalogue) -> FinishedRun<'_> {
        if let (Some(open), Some(part)) = (&self.open, &mut self.run.budget) {
            open.close(part, &self.results, catalogue);
        }
        let order = std::mem::take(&mut self.order);
        // No cell is told twice.
        self.results.sort_unstable_by(|a, b| {
            let place = |result: &CellResult| order.get(&result.facts.gateway).copied();
            (place(a), &a.cell.scenario.id, a.cell.number).cmp(&(
                place(b),
                &b.cell.scenario.id,
                b.cell.number,
            ))
        });
        let broken = match &self.run.shard {
            Some(_) => Vec::new(),
            None => broken_relations(&catalogue.relations, &self.results),
        };
        let relations = broken
            .into_iter()
            .map(|broken| relation_record(broken, &self.gate));
        self.run.finished = now();
        self.run.data.clone_from(&catalogue.in_repository);
        let (selected, not_selected) = self.selected;
        // What a budget leaves out is told with the budget.
        let not_reached = match self.run.budget {
            Some(_) => 0,
            None => selected.saturating_sub(self.results.len()),
        };
        let head = Record {
            schema: SCHEMA.to_owned(),
            run: self.run,
            gateways: self.gateways,
            summary: Summary {
                not_selected,
                not_reached,
                ..Summary::default()
            },
            causes: Vec::new(),
            relations: relations.collect(),
            scenarios: Vec::new(),
            rules: Vec::new(),
            known_issues: Vec::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            cells: Vec::new(),
        };
        fold(head, self.results, &self.gate, catalogue)
    }
}

/// Folds results into causes and counts them; `head` is filled but for that.
pub(super) fn fold<'a>(
    head: Record,
    results: Vec<CellResult>,
    gate: &Gate,
    catalogue: &'a Catalogue,
) -> FinishedRun<'a> {
    let causes = causes(&results);
    let (mut run, failing) = FinishedRun::new(head, results, &causes, gate, catalogue);
    let causes = causes.into_iter().zip(failing);
    let causes = causes.map(|(cause, failing)| cause_record(cause, failing, &run.results));
    run.head.causes = causes.collect();
    run
}

fn cause_record(cause: Cause, failing: usize, results: &[CellResult]) -> CauseRecord {
    let mut parts = cause
        .parts
        .into_iter()
        .map(|part| part_record(part, cause.deviation, results));
    let first = parts.next();
    let also = parts.collect();
    let first =
        first.unwrap_or_else(|| part_record(CausePart::default(), cause.deviation, results));
    CauseRecord {
        id: cause.id,
        gateway: cause.gateway,
        scenario: first.scenario,
        conditions: first.conditions,
        by: cause.by.into_iter().collect(),
        cells: cause.cells.len(),
        example: first.example,
        expected: first.expected,
        observed: first.observed,
        answer: first.answer,
        direction: cause.deviation,
        severity: cause.severity,
        failing,
        known_issue: cause.known_issue,
        rule: first.rule,
        title: first.title,
        origin: first.origin,
        source: first.source,
        difference: first.difference,
        also,
    }
}

fn part_record(part: CausePart, worst: Deviation, results: &[CellResult]) -> CausePartRecord {
    let example = part.cells.first().and_then(|place| results.get(*place));
    CausePartRecord {
        scenario: part.scenario,
        conditions: part.conditions.into_iter().collect(),
        cells: part.cells.len(),
        example: example.map_or_else(String::new, |result| result.cell.id()),
        expected: part.expected,
        direction: part.deviation.filter(|deviation| *deviation != worst),
        observed: part.observed,
        answer: part.answer,
        rule: part.rule,
        title: part.title,
        origin: part.origin,
        source: part.source,
        difference: part.difference.map(|difference| DifferenceRecord {
            snapshot: difference.snapshot,
            accepted: difference.accepted,
            observed: difference.observed,
        }),
    }
}

fn relation_record(broken: Broken, gate: &Gate) -> RelationRecord {
    RelationRecord {
        failing: gate.relation_fails(&broken.gateway, &broken.relation, broken.unexplained),
        gateway: broken.gateway,
        id: broken.relation,
        title: broken.title,
        origin: broken.origin,
        example: broken.example,
        unexplained: broken.unexplained,
        explained: broken.explained,
    }
}

/// The time that reports carry.
fn now() -> String {
    format!("{:.0}", time())
}

/// The day on which known issues are heeded or have expired; `SOURCE_DATE_EPOCH` takes precedence.
pub fn today() -> Date {
    time().to_zoned(TimeZone::UTC).date()
}

fn time() -> Timestamp {
    let fixed = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok());
    fixed
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or_else(base::time::now)
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
