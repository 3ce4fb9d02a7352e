//! What a record holds of its answers, read back: the outcome of each is found anew, and what the record says of it is
//! held against the answer itself.

use contract::plan::PlannedCell;
use contract::scenario::Privilege;
use contract::scenario::model::{Direction, Protocol};
use contract::scenario::{Catalogue, Headers};
use record::answer::Answer;
use record::events::CellResult;
use record::judge::{Judge, Proof, Verdict};
use record::observe::Observation;
use record::{CellRecord, GatewayRecord, LaunchRecord, ObservedRecord, Record};

use crate::difference::Difference;

/// Reads the answers of one record back.
pub(crate) struct Reread<'a> {
    record: &'a Record,
    catalogue: &'a Catalogue,
    /// What does not follow from the answers.
    pub(crate) differences: Vec<Difference>,
    /// Cells whose outcome the normalised answer cannot tell.
    pub(crate) as_recorded: usize,
}

impl<'a> Reread<'a> {
    /// Nothing is read yet.
    pub(crate) fn new(record: &'a Record, catalogue: &'a Catalogue) -> Self {
        Self {
            record,
            catalogue,
            differences: Vec::new(),
            as_recorded: 0,
        }
    }

    /// Judges a cell again by what the record holds of it; `proof` is that of its launch.
    pub(crate) fn judge(
        &mut self,
        judge: &Judge<'_>,
        planned: &PlannedCell,
        recorded: &CellRecord,
        log: Option<&str>,
        proof: Proof,
    ) -> CellResult {
        let attempts = recorded.attempts.clone();
        match (&planned.barred, &recorded.observed) {
            (Some(barred), observed) => {
                if observed.is_some() {
                    self.differ(recorded, "an answer", "recorded", barred);
                }
                judge.unseen(&planned.cell, barred.into(), attempts)
            }
            (None, None) => {
                let reason = recorded.reason.clone().unwrap_or_default();
                judge.cell(&planned.cell, Err(reason), Proof::Shown, attempts)
            }
            (None, Some(observed)) => {
                let http = planned.cell.scenario.request.protocol == Protocol::Http;
                let counted = observed.model_calls.is_some();
                let all = http && counted && planned.cell.sender().is_none();
                let headers = all.then_some(&self.catalogue.outcomes.headers);
                let seen = self.observation(recorded, observed, log, headers);
                judge.cell(&planned.cell, Ok(seen), proof, attempts)
            }
        }
    }

    /// Says where a cell was recorded with another verdict than it has when it is judged again.
    pub(crate) fn compare(&mut self, recorded: &CellRecord, again: &CellResult) {
        let rule = recorded.expected.as_ref().map(|expected| &expected.rule);
        let now = again.facts.expected.as_ref().map(|expected| &expected.rule);
        if rule != now {
            self.differ(recorded, "the rule", rule, now);
        }
        let deviation = match again.facts.verdict {
            Verdict::Deviates(deviation) | Verdict::Known(deviation) => Some(deviation),
            _ => None,
        };
        let verdict = (recorded.verdict, recorded.direction);
        let now = (again.facts.verdict.kind(), deviation);
        if verdict != now {
            self.differ(recorded, "the verdict", verdict, now);
        }
    }

    /// The observation that the record holds, its outcome found anew; without what the gateway wrote (`log`), the outcome of a
    /// refused start is taken as recorded. `headers` tells of the lines that an answer does not hold.
    fn observation(
        &mut self,
        recorded: &CellRecord,
        observed: &ObservedRecord,
        log: Option<&str>,
        headers: Option<&Headers>,
    ) -> Observation {
        let answer = self.record.observed(recorded).unwrap_or_default();
        if answer.is_empty() {
            self.differ(recorded, "the answer", "none", "every observation has one");
        }
        let mut again = observed.observation(answer);
        let Some(typed) = Answer::recorded(observed, answer, log, headers) else {
            self.differ(
                recorded,
                "the answer",
                answer,
                "not as clawgauge writes one",
            );
            again.outcome = None;
            again.direction = Direction::Deny;
            again.grants = Privilege::None;
            return again;
        };
        self.fields(recorded, observed, &typed);
        again.outcome = match observed.late_calls {
            true => None,
            false => self.outcome(observed, &typed),
        };
        let outcome = again.outcome.as_ref();
        let known = outcome.and_then(|id| self.catalogue.outcomes.get(id));
        let outcomes = &self.catalogue.outcomes;
        again.grants = typed.grants(known.map(AsRef::as_ref), observed.late_calls, outcomes);
        again.direction = again.grants.direction();
        again
    }

    /// Says where what the record tells of an answer is not what the answer says.
    fn fields(&mut self, recorded: &CellRecord, observed: &ObservedRecord, answer: &Answer) {
        if observed.start != answer.start {
            self.differ(recorded, "whether it started", observed.start, answer.start);
        }
        if answer.start.is_some() {
            return;
        }
        if observed.status != answer.status {
            self.differ(recorded, "status", observed.status, answer.status);
        }
        if observed.model_calls != answer.model_calls {
            let (said, is) = (observed.model_calls, answer.model_calls);
            self.differ(recorded, "calls to the model", said, is);
        }
        for (pointer, said) in [
            ("/error/type", &observed.error_type),
            ("/error/message", &observed.message),
        ] {
            if answer.has_field(pointer, said.as_deref()) == Some(false) {
                self.differ(recorded, pointer, said, "something else in the answer");
            }
        }
    }

    /// The outcome that an answer fits; what the answer only names is taken as recorded.
    fn outcome(&mut self, observed: &ObservedRecord, answer: &Answer) -> Option<String> {
        for outcome in self.catalogue.outcomes.values() {
            match answer.fits(outcome) {
                Some(true) => return Some(outcome.id.clone()),
                None if observed.outcome.as_ref() == Some(&outcome.id) => {
                    self.as_recorded += 1;
                    return Some(outcome.id.clone());
                }
                Some(false) | None => {}
            }
        }
        None
    }

    /// Says of a cell where what is recorded is not what it should be.
    pub(crate) fn differ(
        &mut self,
        cell: &CellRecord,
        what: &str,
        recorded: impl std::fmt::Debug,
        again: impl std::fmt::Debug,
    ) {
        let id = format!("{} on {}", cell.id, cell.gateway);
        self.note(id, what, recorded, again);
    }

    /// Says where what is recorded is not what it should be.
    pub(crate) fn note(
        &mut self,
        place: String,
        what: &str,
        recorded: impl std::fmt::Debug,
        again: impl std::fmt::Debug,
    ) {
        let difference = Difference::new(place, what, &recorded, &again);
        self.differences.push(difference);
    }
}

/// The attempt that brought a cell's answer: each earlier one left a reason.
pub(crate) fn attempt(cell: &CellRecord) -> u32 {
    u32::try_from(cell.attempts.len()).map_or(u32::MAX, |earlier| earlier.saturating_add(1))
}

/// The launch that brought a cell's answer.
pub(crate) fn launch_of<'a>(
    gateway: &'a GatewayRecord,
    cell: &CellRecord,
) -> Option<&'a LaunchRecord> {
    let mut launches = gateway.launches.iter();
    launches.find(|launch| launch.profile == cell.profile() && launch.attempt == attempt(cell))
}
