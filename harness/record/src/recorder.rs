//! Builds a [`Record`] from run events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::tables::Texts;
use super::{
    CauseRecord, CellRecord, DifferenceRecord, ExpectedRecord, Gate, GateEffect, GatewayRecord,
    LaunchRecord, ObservedRecord, Record, RelationRecord, RuleRecord, RunInfo, SCHEMA, Summary,
};
use crate::events::{CellResult, Expected, RunEvent};
use crate::judge::{Broken, Cause, Severity, Verdict, broken_relations, causes};
use crate::kept::{Facts, KeptResult, Pool};
use crate::observe::Observation;
use contract::plan::{Missing, Shares};
use contract::scenario::Catalogue;
use contract::scenario::model::Kind;

/// Builds a record from a run's events.
#[derive(Debug)]
pub struct Recorder {
    run: RunInfo,
    gate: Gate,
    gateways: Vec<GatewayRecord>,
    order: BTreeMap<String, usize>,
    pool: Pool,
    results: Vec<KeptResult>,
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
            snapshots_hash: None,
            interrupted: false,
            stopped_early: false,
            fail_on: gate.fail_on,
            severity: gate.severity,
            baseline: gate.baseline.as_ref().map(|baseline| baseline.run.clone()),
            known_issues_on: None,
            cells: Vec::new(),
            conditions: Vec::new(),
            shard: None,
        };
        Self {
            run,
            gate,
            gateways: Vec::new(),
            order: BTreeMap::new(),
            pool: Pool::default(),
            results: Vec::new(),
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
                self.order.insert(info.gateway.clone(), self.gateways.len());
                self.gateways.push(GatewayRecord {
                    reference: info.gateway.clone(),
                    version: Some(info.version.to_string()),
                    integrity: info.integrity.clone(),
                    node: info.node.clone(),
                    notes: info.notes.clone(),
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
                    senders: Vec::new(),
                    missing: Missing::new(),
                    error: Some(error.clone()),
                    launches: Vec::new(),
                });
            }
            RunEvent::LaunchEnded(info) => {
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
        let facts = (&result.expected, &result.observed, &result.verdict);
        let standing = self.standing(&result.gateway, &result.cell.id, facts);
        standing == Some(GateEffect::Fails)
    }

    /// Notes that the run is told to stop because of a cell that makes it fail, not by a person.
    pub fn stop_early(&mut self) {
        self.run.stopped_early = true;
    }

    fn standing(
        &self,
        gateway: &str,
        cell: &str,
        (expected, observed, verdict): (&Option<Expected>, &Option<Observation>, &Verdict),
    ) -> Option<GateEffect> {
        self.gate.standing(
            gateway,
            cell,
            verdict.kind(),
            severity(expected.as_ref(), observed.as_ref(), verdict),
            observed.as_ref(),
        )
    }

    /// Ends the record, and hands back the results with it: snapshots are made from them.
    pub fn finish(mut self, catalogue: &Catalogue) -> (Record, Vec<KeptResult>) {
        self.run.finished = now();
        let order = std::mem::take(&mut self.order);
        self.results.sort_by(|a, b| {
            let place = |result: &KeptResult| order.get(&result.facts.gateway).copied();
            (place(a), &a.cell.scenario.id, &a.cell.combination).cmp(&(
                place(b),
                &b.cell.scenario.id,
                &b.cell.combination,
            ))
        });
        let causes = causes(&self.results);
        let by_cell: BTreeMap<(&str, &str), usize> = causes
            .iter()
            .flat_map(|cause| {
                cause
                    .cells
                    .iter()
                    .map(|cell| ((cause.gateway.as_str(), cell.as_str()), cause.id))
            })
            .collect();
        let mut tables = Tables::default();
        let mut cells = Vec::with_capacity(self.results.len());
        for result in &self.results {
            let facts = &*result.facts;
            let place = (facts.gateway.as_str(), result.cell.id.as_str());
            let cause = by_cell.get(&place).copied();
            let told = (&facts.expected, &facts.observed, &facts.verdict);
            let standing = self.standing(&facts.gateway, &result.cell.id, told);
            cells.push(tables.cell_record(result, catalogue, cause, standing));
        }
        let summary = self.summary(&cells);
        let broken = match &self.run.shard {
            Some(_) => Vec::new(),
            None => broken_relations(&catalogue.relations, &self.results),
        };
        let relations = broken
            .into_iter()
            .map(|broken| relation_record(broken, &self.gate));
        let causes = causes.into_iter().map(|cause| cause_record(cause, &cells));
        let mut record = Record {
            schema: SCHEMA.to_owned(),
            run: self.run,
            gateways: self.gateways,
            summary,
            causes: causes.collect(),
            relations: relations.collect(),
            scenarios: Vec::new(),
            rules: tables.rules.into_values().collect(),
            known_issues: Vec::new(),
            requests: tables.requests.into_texts(),
            answers: tables.answers.into_texts(),
            cells,
        };
        record.describe(catalogue);
        (record, self.results)
    }

    fn summary(&self, cells: &[CellRecord]) -> Summary {
        let mut summary = Summary {
            selected: cells.len(),
            ..Summary::default()
        };
        for (result, cell) in self.results.iter().zip(cells) {
            *match &result.facts.verdict {
                Verdict::Conforms => &mut summary.conforms,
                Verdict::Deviates(_) => &mut summary.deviates,
                Verdict::Known(_) => &mut summary.known,
                Verdict::Stale => &mut summary.stale,
                Verdict::New => &mut summary.new,
                Verdict::NotApplicable(_) => &mut summary.not_applicable,
                Verdict::CouldNotRun(_) => &mut summary.could_not_run,
            } += 1;
            match cell.standing {
                Some(GateEffect::Fails) => summary.failing += 1,
                Some(GateEffect::AsInBaseline) => summary.as_in_baseline += 1,
                Some(GateEffect::BelowSeverity) => summary.below_severity += 1,
                None => {}
            }
            if self.gate.is_better(&cell.gateway, &cell.id, cell.verdict) {
                summary.better += 1;
            }
        }
        summary
    }
}

/// How severe a result is.
fn severity(
    expected: Option<&Expected>,
    observed: Option<&Observation>,
    verdict: &Verdict,
) -> Option<Severity> {
    let asked = expected.map(|expected| expected.outcome.id.as_str());
    let seen = observed.and_then(|seen| seen.outcome.as_deref());
    Severity::of(verdict, asked.is_some() && asked == seen)
}

/// What cells refer to, gathered on the way.
#[derive(Debug, Default)]
struct Tables {
    rules: BTreeMap<(String, String), RuleRecord>,
    requests: Texts,
    answers: Texts,
}

impl Tables {
    fn cell_record(
        &mut self,
        result: &KeptResult,
        catalogue: &Catalogue,
        cause: Option<usize>,
        standing: Option<GateEffect>,
    ) -> CellRecord {
        let facts = &*result.facts;
        let (direction, reason) = match &facts.verdict {
            Verdict::Deviates(deviation) | Verdict::Known(deviation) => (Some(*deviation), None),
            Verdict::NotApplicable(reason) | Verdict::CouldNotRun(reason) => {
                (None, Some(reason.clone()))
            }
            Verdict::Conforms | Verdict::Stale | Verdict::New => (None, None),
        };
        let scenario = &result.cell.scenario;
        let request = (scenario.kind != Kind::Start)
            .then(|| contract::request::as_text(&result.cell, catalogue))
            .map(|text| self.requests.take(text));
        CellRecord {
            id: result.cell.id.clone(),
            gateway: facts.gateway.clone(),
            axes: result.cell.axes().collect(),
            request,
            expected: self.expected(result.cell.scenario.id.as_str(), facts),
            observed: facts.observed.as_ref().map(|observed| ObservedRecord {
                outcome: observed.outcome.clone(),
                direction: Some(observed.direction),
                status: observed.status,
                start: observed.start,
                error_type: observed.error_type.clone(),
                message: observed.message.clone(),
                model_calls: observed.model_calls,
                late_calls: observed.late_calls,
                answer: Some(self.answers.place(&observed.answer)),
                ms: (result.took.as_secs_f64() * 10_000.0).round() / 10.0,
            }),
            verdict: facts.verdict.kind(),
            known_issue: facts.known_issue.as_ref().map(|issue| issue.id.clone()),
            direction,
            severity: severity(
                facts.expected.as_ref(),
                facts.observed.as_ref(),
                &facts.verdict,
            ),
            standing,
            reason,
            cause,
            attempts: facts.attempts.clone(),
        }
    }

    fn expected(&mut self, scenario: &str, facts: &Facts) -> Option<ExpectedRecord> {
        let expected = facts.expected.as_ref()?;
        self.rules
            .entry((scenario.to_owned(), expected.rule.clone()))
            .or_insert_with(|| RuleRecord {
                scenario: scenario.to_owned(),
                id: expected.rule.clone(),
                title: expected.title.clone(),
                origin: expected.origin.clone(),
                source: expected.source.clone(),
            });
        Some(ExpectedRecord {
            rule: expected.rule.clone(),
            outcome: expected.outcome.id.clone(),
            direction: expected.outcome.direction,
            status: expected.outcome.status,
            answer: facts
                .accepted
                .as_ref()
                .map(|accepted| self.answers.place(accepted)),
        })
    }
}

fn cause_record(cause: Cause, cells: &[CellRecord]) -> CauseRecord {
    let mine = cells.iter().filter(|cell| cell.cause == Some(cause.id));
    let failing = mine
        .clone()
        .filter(|cell| cell.standing == Some(GateEffect::Fails));
    CauseRecord {
        failing: failing.count(),
        severity: mine
            .filter_map(|cell| cell.severity)
            .max()
            .unwrap_or_default(),
        id: cause.id,
        gateway: cause.gateway,
        scenario: cause.scenario,
        conditions: cause.conditions.into_iter().collect(),
        cells: cause.cells.len(),
        example: cause.cells.first().cloned().unwrap_or_default(),
        expected: cause.expected,
        observed: cause.observed,
        answer: cause.answer,
        direction: cause.deviation,
        known_issue: cause.known_issue,
        rule: cause.rule,
        title: cause.title,
        origin: cause.origin,
        source: cause.source,
        difference: cause.difference.map(|difference| DifferenceRecord {
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
