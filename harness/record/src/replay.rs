//! What a record tells as the run told it: the events again, with every verdict as it was.
//!
//! Nothing is judged anew. The rules come from the scenario files, which must be those that the record was judged by.

use std::time::Duration;

use super::{CellRecord, GatewayRecord, LaunchRecord, ObservedRecord, Record};
use crate::events::{CellResult, Expected, GatewayInfo, LaunchInfo, LaunchLog};
use crate::judge::{Deviation, Difference, Verdict, VerdictKind};
use crate::observe::Observation;
use contract::plan::PlannedCell;
use contract::release::Version;
use contract::scenario::Catalogue;

impl GatewayRecord {
    /// That the gateway was ready to be launched; `selected` cells were asked for.
    pub fn ready(&self, release: &Version, selected: usize, filtered: bool) -> GatewayInfo {
        GatewayInfo {
            gateway: self.reference.clone(),
            version: release.clone(),
            integrity: self.integrity.clone(),
            node: self.node.clone(),
            notes: self.notes.clone(),
            senders: self.senders.clone(),
            missing: self.missing.clone(),
            selected,
            launches: Vec::new(),
            filtered,
        }
    }
}

impl LaunchRecord {
    /// That the launch ended; what the gateway wrote is not in a record.
    pub fn ended(&self, gateway: &str) -> LaunchInfo {
        LaunchInfo {
            gateway: gateway.to_owned(),
            profile: self.profile.clone(),
            attempt: self.attempt,
            ready: self.ready_ms.map(Duration::from_millis),
            stop: self.stop_ms.map(Duration::from_millis),
            exit: self.exit,
            killed: self.killed,
            failure: self.failure.clone(),
            proof: self.proof,
            model: self.model.clone(),
            log: LaunchLog::default(),
        }
    }
}

impl ObservedRecord {
    /// What was observed, with its normalised answer.
    pub fn observation(&self, answer: &str) -> Observation {
        Observation {
            outcome: self.outcome.clone(),
            direction: self.direction.unwrap_or_default(),
            status: self.status,
            start: self.start,
            error_type: self.error_type.clone(),
            message: self.message.clone(),
            model_calls: self.model_calls,
            late_calls: self.late_calls,
            answer: answer.to_owned(),
            took: Duration::try_from_secs_f64(self.ms / 1000.0).unwrap_or_default(),
        }
    }
}

impl Record {
    /// The result that a cell of this record was made from; `release` is what its gateway was judged as.
    ///
    /// # Errors
    /// What the record says about the cell does not fit the scenario files or the rest of the record: in one line.
    pub fn result(
        &self,
        cell: &CellRecord,
        planned: &PlannedCell,
        release: &Version,
        catalogue: &Catalogue,
    ) -> Result<CellResult, String> {
        let expected = Expected::of(&planned.cell, release);
        let asked = expected.as_ref().map(|expected| &expected.rule);
        let recorded = cell.expected.as_ref().map(|expected| &expected.rule);
        if asked != recorded {
            return Err(format!(
                "it names the rule {}, and the scenario files name {}",
                recorded.map_or("none", String::as_str),
                asked.map_or("none", String::as_str)
            ));
        }
        let issue = cell.known_issue.as_ref().map(|id| {
            let mut issues = catalogue.known_issues.iter();
            let issue = issues.find(|issue| issue.id == *id).cloned();
            issue.ok_or_else(|| format!("there is no known issue {id}"))
        });
        let observed = cell.observed.as_ref().map(|observed| {
            let answer = self.observed(cell).ok_or("its answer is missing")?;
            Ok::<_, String>(observed.observation(answer))
        });
        Ok(CellResult {
            gateway: cell.gateway.clone(),
            cell: planned.cell.clone(),
            expected,
            observed: observed.transpose()?,
            verdict: verdict(cell)?,
            known_issue: issue.transpose()?,
            accepted: self.accepted(cell).map(str::to_owned),
            difference: self.difference(cell)?,
            attempts: cell.attempts.clone(),
        })
    }

    /// Where the outcome of a cell is right and its answer is not the accepted one: its cause says so.
    fn difference(&self, cell: &CellRecord) -> Result<Option<Difference>, String> {
        let Some(id) = cell.cause else {
            return Ok(None);
        };
        let cause = self.causes.iter().find(|cause| cause.id == id);
        let cause = cause.ok_or_else(|| format!("its cause {id} is missing"))?;
        Ok(cause.difference.as_ref().map(|difference| Difference {
            snapshot: difference.snapshot.clone(),
            accepted: difference.accepted.clone(),
            observed: difference.observed.clone(),
        }))
    }
}

/// The verdict with what belongs to it.
fn verdict(cell: &CellRecord) -> Result<Verdict, String> {
    let deviation = || -> Result<Deviation, String> {
        let direction = cell.direction;
        direction.ok_or_else(|| "it deviates in no direction".to_owned())
    };
    let reason = || cell.reason.clone().unwrap_or_default();
    Ok(match cell.verdict {
        VerdictKind::Conforms => Verdict::Conforms,
        VerdictKind::Deviates => Verdict::Deviates(deviation()?),
        VerdictKind::Known => Verdict::Known(deviation()?),
        VerdictKind::Stale => Verdict::Stale,
        VerdictKind::New => Verdict::New,
        VerdictKind::NotApplicable => Verdict::NotApplicable(reason()),
        VerdictKind::CouldNotRun => Verdict::CouldNotRun(reason()),
    })
}
