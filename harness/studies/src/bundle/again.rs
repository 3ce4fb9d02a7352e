//! A run judged again from its record: what was observed goes through the same judge and the same recorder once more.

use std::collections::{BTreeMap, HashMap};

use super::difference::Difference;
use super::write::log_name;
use super::{BundleError, Manifest};
use contract::plan::budget::Shown;
use contract::plan::{Cell, Plan, Selection};
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::scenario::model::{Direction, Kind};
use contract::snapshots::Snapshots;
use record::answer::{Answer, direction};
use record::events::{Budgeted, RunEvent};
use record::judge::Judge;
use record::judge::{Proof, Verdict, VerdictKind};
use record::observe::Observation;
use record::{CellRecord, Gate, GatewayRecord, LaunchRecord, ObservedRecord, Record, Recorder};

/// What a run is judged again from.
pub(super) struct Again<'a> {
    pub(super) record: &'a Record,
    pub(super) logs: &'a BTreeMap<String, Vec<u8>>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) snapshots: &'a Snapshots,
    pub(super) differences: Vec<Difference>,
    /// Cells whose outcome the normalised answer cannot tell.
    pub(super) as_recorded: usize,
}

impl Again<'_> {
    /// Judges every cell again.
    pub(super) fn run(&mut self, gate: Gate) -> Result<Record, BundleError> {
        let run = &self.record.run;
        let bad = |what: String| BundleError::Member(super::RECORD.to_owned(), what);
        let selection = Selection::parse(self.catalogue, &run.cells, &run.conditions);
        let selection = selection.map_err(|error| bad(error.to_string()))?;
        let today = run.known_issues_on.as_deref().map(str::parse).transpose();
        let today = today.map_err(|error: jiff::Error| bad(error.to_string()))?;
        // An older record does not say it.
        let snapshots = run.snapshots_hash.as_ref().map(|_| self.snapshots.hash());
        let mut recorder = Recorder::new(&self.catalogue.table_hash, gate)
            .held_against(snapshots)
            .asked_for(today, &run.cells, &run.conditions)
            .sharded(run.shard.clone());
        let mut cells: HashMap<(String, String), &CellRecord> = HashMap::new();
        for cell in &self.record.cells {
            let place = (cell.gateway.clone(), cell.id.clone());
            if cells.insert(place, cell).is_some() {
                self.differ(cell, "is recorded", "twice", "once");
            }
        }
        let folders = Manifest::gateways(self.record);
        for (gateway, about) in self.record.gateways.iter().zip(folders) {
            let release = gateway.version.as_deref().map(str::parse::<Version>);
            let Some(release) = release else {
                recorder.event(&RunEvent::GatewayFailed {
                    gateway: gateway.reference.clone(),
                    error: gateway.error.clone().unwrap_or_default(),
                    help: None,
                });
                continue;
            };
            let release = release.map_err(|error| bad(error.to_string()))?;
            let mut plan = Plan::new(self.catalogue, &release, &selection)
                .without(&gateway.missing, self.catalogue);
            if let Some(shares) = &run.shard {
                shares.cut(&gateway.reference, &mut plan);
            }
            if let Some(part) = &run.budget {
                recorder.event(&RunEvent::Budgeted(Box::new(Budgeted {
                    release: release.clone(),
                    whole: Shown::of(&plan, self.catalogue),
                    part: part.clone(),
                    watched: false,
                })));
            }
            for event in events_of(gateway, &release, &plan) {
                recorder.event(&event);
            }
            let judge = Judge {
                catalogue: self.catalogue,
                snapshots: self.snapshots,
                gateway: &gateway.reference,
                release: &release,
                known_issues: today,
            };
            let launches = Launches {
                gateway,
                folder: &about.folder,
                cells: &self.record.cells,
            };
            for planned in plan.launches.iter().flat_map(|launch| &launch.cells) {
                let place = (gateway.reference.clone(), planned.cell.id.clone());
                let Some(recorded) = cells.remove(&place) else {
                    // What a budget leaves out is counted, and the counts are compared.
                    if run.budget.is_some() && planned.not_applicable.is_none() {
                        continue;
                    }
                    let id = planned.cell.id.clone();
                    self.note(id, "the cell", "missing", "asked for");
                    continue;
                };
                let attempts = recorded.attempts.clone();
                let result = match (&planned.not_applicable, &recorded.observed) {
                    (Some(reason), None) => {
                        let verdict = Verdict::NotApplicable(reason.clone());
                        judge.unseen(&planned.cell, verdict, attempts)
                    }
                    (Some(reason), Some(_)) => {
                        self.differ(recorded, "an answer", "recorded", reason);
                        let verdict = Verdict::NotApplicable(reason.clone());
                        judge.unseen(&planned.cell, verdict, attempts)
                    }
                    (None, None) => {
                        let reason = recorded.reason.clone().unwrap_or_default();
                        judge.cell(&planned.cell, Err(reason), Proof::Shown, attempts)
                    }
                    (None, Some(observed)) => {
                        let seen = self.observation(&planned.cell, recorded, observed, &launches);
                        let proof = self.proof(recorded, &launches);
                        judge.cell(&planned.cell, Ok(seen), proof, attempts)
                    }
                };
                recorder.event(&RunEvent::Cell(Box::new(result)));
            }
        }
        let left = self.record.cells.iter();
        let left = left.filter(|cell| cells.contains_key(&(cell.gateway.clone(), cell.id.clone())));
        for cell in left {
            self.differ(cell, "the cell", "recorded", "not among those asked for");
        }
        if run.stopped_early {
            recorder.stop_early();
        }
        if run.interrupted {
            recorder.event(&RunEvent::Interrupted);
        }
        Ok(recorder.finish(self.catalogue).0)
    }

    /// The observation that a record holds, its outcome found anew.
    fn observation(
        &mut self,
        cell: &Cell,
        recorded: &CellRecord,
        observed: &ObservedRecord,
        launches: &Launches<'_>,
    ) -> Observation {
        let answer = self.record.observed(recorded).unwrap_or_default();
        if answer.is_empty() {
            self.differ(recorded, "the answer", "none", "every observation has one");
        }
        let log = match cell.scenario.kind {
            Kind::Start => launches.log(recorded, self.logs),
            Kind::Requests | Kind::Sequence => String::new(),
        };
        let mut again = observed.observation(answer);
        let Some(typed) = Answer::recorded(observed, answer, &log) else {
            self.differ(
                recorded,
                "the answer",
                answer,
                "not as clawgauge writes one",
            );
            again.outcome = None;
            again.direction = Direction::Deny;
            return again;
        };
        self.fields(recorded, observed, &typed);
        again.outcome = match observed.late_calls {
            true => None,
            false => self.outcome(observed, &typed),
        };
        let outcome = again.outcome.as_ref();
        let known = outcome.and_then(|id| self.catalogue.outcomes.get(id));
        again.direction = known.map_or_else(
            || {
                direction(
                    typed.status,
                    typed.start,
                    typed.model_calls,
                    observed.late_calls,
                )
            },
            |outcome| outcome.direction,
        );
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

    /// Whether a refusal in the launch of a cell proves something.
    fn proof(&mut self, cell: &CellRecord, launches: &Launches<'_>) -> Proof {
        let recorded = launches.proof(cell).unwrap_or(Proof::Shown);
        if recorded == Proof::Missing && launches.reached(cell) {
            self.differ(
                cell,
                "proof of its launch",
                "missing",
                "the model was reached",
            );
            return Proof::Shown;
        }
        if recorded != Proof::Void
            && let Some(doubt) = launches.doubt(cell)
        {
            self.differ(cell, "proof of its launch", recorded, doubt);
            return Proof::Void;
        }
        recorded
    }

    fn differ(
        &mut self,
        cell: &CellRecord,
        what: &str,
        recorded: impl std::fmt::Debug,
        again: impl std::fmt::Debug,
    ) {
        let id = format!("{} on {}", cell.id, cell.gateway);
        self.note(id, what, recorded, again);
    }

    fn note(
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

/// The launches of one gateway.
struct Launches<'a> {
    gateway: &'a GatewayRecord,
    folder: &'a str,
    cells: &'a [CellRecord],
}

impl Launches<'_> {
    /// The attempt that brought a cell's answer: each earlier one left a reason.
    fn attempt(cell: &CellRecord) -> u32 {
        u32::try_from(cell.attempts.len()).map_or(u32::MAX, |earlier| earlier.saturating_add(1))
    }

    /// The launch that brought a cell's answer.
    fn launch(&self, cell: &CellRecord) -> Option<&LaunchRecord> {
        let mut launches = self.gateway.launches.iter();
        launches.find(|launch| {
            launch.profile == cell.profile() && launch.attempt == Self::attempt(cell)
        })
    }

    fn proof(&self, cell: &CellRecord) -> Option<Proof> {
        self.launch(cell)?.proof
    }

    /// Why the recorded calls of the model leave a denial in that launch without proof.
    fn doubt(&self, cell: &CellRecord) -> Option<String> {
        self.launch(cell)?.model.as_ref()?.doubt()
    }

    /// Whether the model was reached in the launch that brought a cell's answer.
    fn reached(&self, cell: &CellRecord) -> bool {
        let same = |other: &&CellRecord| {
            other.gateway == cell.gateway
                && other.profile() == cell.profile()
                && Self::attempt(other) == Self::attempt(cell)
        };
        let mut mine = self.cells.iter().filter(same);
        mine.any(|other| {
            let seen = other.observed.as_ref();
            seen.is_some_and(|seen| seen.model_calls > Some(0))
        })
    }

    fn log(&self, cell: &CellRecord, members: &BTreeMap<String, Vec<u8>>) -> String {
        let name = log_name(self.folder, cell.profile(), Self::attempt(cell));
        let bytes = members.get(&name).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// The events that tell of a gateway and its launches.
fn events_of(gateway: &GatewayRecord, release: &Version, plan: &Plan) -> Vec<RunEvent> {
    let ready = gateway.ready(release, plan.len(), plan.filtered);
    let launches = gateway.launches.iter();
    let ended = launches.map(|launch| RunEvent::LaunchEnded(launch.ended(&gateway.reference)));
    std::iter::once(RunEvent::GatewayReady(ready))
        .chain(ended)
        .collect()
}

/// Verdicts by name, counted.
pub(super) fn counted(cells: &[CellRecord]) -> BTreeMap<VerdictKind, usize> {
    let mut counts = BTreeMap::new();
    for cell in cells {
        *counts.entry(cell.verdict).or_insert(0) += 1;
    }
    counts
}
