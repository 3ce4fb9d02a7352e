//! Builds a [`Record`] from run events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{
    CauseRecord, CellRecord, DifferenceRecord, ExpectedRecord, FailOn, GatewayRecord, LaunchRecord,
    ObservedRecord, Record, RelationRecord, RunInfo, SCHEMA, Summary,
};
use crate::judge::{Broken, Cause, Verdict, broken_relations, causes};
use crate::run::{CellResult, RunEvent};
use crate::scenario::Relation;

/// Builds a record from a run's events.
#[derive(Debug)]
pub struct Recorder {
    run: RunInfo,
    gateways: Vec<GatewayRecord>,
    order: BTreeMap<String, usize>,
    results: Vec<CellResult>,
}

impl Recorder {
    /// Begins a record; `table_hash` says what is judged by.
    pub fn new(table_hash: &str, fail_on: FailOn) -> Self {
        let started = now();
        let run = RunInfo {
            id: crate::upstream::new_canary()
                .trim_start_matches("canary-")
                .to_owned(),
            finished: started.clone(),
            started,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            table_hash: table_hash.to_owned(),
            interrupted: false,
            fail_on,
        };
        Self {
            run,
            gateways: Vec::new(),
            order: BTreeMap::new(),
            results: Vec::new(),
        }
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
                    error: Some(error.clone()),
                    launches: Vec::new(),
                });
            }
            RunEvent::LaunchEnded(info) => {
                let launch = LaunchRecord {
                    profile: info.profile.clone(),
                    ready_ms: info.ready.map(millis),
                    stop_ms: info.stop.map(millis),
                    exit: info.exit,
                    killed: info.killed,
                    failure: info.failure.clone(),
                };
                if let Some(gateway) = self
                    .gateways
                    .iter_mut()
                    .find(|gateway| gateway.reference == info.gateway)
                {
                    gateway.launches.push(launch);
                    gateway.launches.sort_by(|a, b| a.profile.cmp(&b.profile));
                }
            }
            RunEvent::Cell(result) => self.results.push((**result).clone()),
            RunEvent::Interrupted => self.run.interrupted = true,
            RunEvent::Preparing { .. }
            | RunEvent::LaunchStarted { .. }
            | RunEvent::LaunchReady { .. }
            | RunEvent::LaunchFailed { .. }
            | RunEvent::Asked { .. }
            | RunEvent::Finished => {}
        }
    }

    /// Ends the record, and hands back the results with it: snapshots are made from them.
    pub fn finish(mut self, relations: &[Relation]) -> (Record, Vec<CellResult>) {
        self.run.finished = now();
        let order = std::mem::take(&mut self.order);
        self.results.sort_by(|a, b| {
            let place = |result: &CellResult| order.get(&result.gateway).copied();
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
        let cells: Vec<CellRecord> = self
            .results
            .iter()
            .map(|result| {
                cell_record(
                    result,
                    by_cell
                        .get(&(result.gateway.as_str(), result.cell.id.as_str()))
                        .copied(),
                )
            })
            .collect();
        let mut summary = Summary {
            selected: cells.len(),
            ..Summary::default()
        };
        for result in &self.results {
            *match &result.verdict {
                Verdict::Conforms => &mut summary.conforms,
                Verdict::Deviates(_) => &mut summary.deviates,
                Verdict::Known(_) => &mut summary.known,
                Verdict::Stale => &mut summary.stale,
                Verdict::New => &mut summary.new,
                Verdict::NotApplicable(_) => &mut summary.not_applicable,
                Verdict::CouldNotRun(_) => &mut summary.could_not_run,
            } += 1;
        }
        let causes = causes.into_iter().map(cause_record).collect();
        let relations = broken_relations(relations, &self.results);
        let record = Record {
            schema: SCHEMA.to_owned(),
            run: self.run,
            gateways: self.gateways,
            cells,
            causes,
            relations: relations.into_iter().map(relation_record).collect(),
            summary,
        };
        (record, self.results)
    }
}

fn cell_record(result: &CellResult, cause: Option<usize>) -> CellRecord {
    let (direction, reason) = match &result.verdict {
        Verdict::Deviates(deviation) | Verdict::Known(deviation) => (Some(*deviation), None),
        Verdict::NotApplicable(reason) | Verdict::CouldNotRun(reason) => {
            (None, Some(reason.clone()))
        }
        Verdict::Conforms | Verdict::Stale | Verdict::New => (None, None),
    };
    CellRecord {
        id: result.cell.id.clone(),
        gateway: result.gateway.clone(),
        axes: result
            .cell
            .axes()
            .map(|(axis, value)| (axis.to_owned(), value.to_owned()))
            .collect(),
        expected: result.expected.as_ref().map(|expected| ExpectedRecord {
            rule: expected.rule.clone(),
            outcome: expected.outcome.id.clone(),
            direction: expected.outcome.direction,
            status: expected.outcome.status,
        }),
        observed: result.observed.as_ref().map(|observed| ObservedRecord {
            outcome: observed.outcome.clone(),
            status: observed.status,
            start: observed.start,
            error_type: observed.error_type.clone(),
            message: observed.message.clone(),
            model_calls: observed.model_calls,
            answer: (result.verdict != Verdict::Conforms).then(|| observed.answer.clone()),
            ms: (observed.took.as_secs_f64() * 10_000.0).round() / 10.0,
        }),
        verdict: result.verdict.name().to_owned(),
        known_issue: result.known_issue.as_ref().map(|issue| issue.id.clone()),
        direction,
        reason,
        cause,
    }
}

fn cause_record(cause: Cause) -> CauseRecord {
    CauseRecord {
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

fn relation_record(broken: Broken) -> RelationRecord {
    RelationRecord {
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
        .unwrap_or_else(Timestamp::now)
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
