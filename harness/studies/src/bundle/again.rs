//! A run judged again from its record: what was observed goes through the same judge and the same recorder once more.

use std::collections::{BTreeMap, HashMap};

use super::write::log_name;
use super::{BundleError, Manifest};
use crate::reread::{Reread, attempt, launch_of};
use contract::plan::budget::Shown;
use contract::plan::{Plan, Selection};
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::scenario::model::Kind;
use contract::snapshots::Snapshots;
use record::events::{Budgeted, RunEvent};
use record::judge::Judge;
use record::judge::{Proof, VerdictKind};
use record::{CellRecord, Gate, GatewayRecord, Record, Recorder};

/// What a run is judged again from.
pub(super) struct Again<'a> {
    pub(super) record: &'a Record,
    pub(super) logs: &'a BTreeMap<String, Vec<u8>>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) snapshots: &'a Snapshots,
    /// What is read back of its answers, and what does not follow.
    pub(super) reread: Reread<'a>,
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
                self.reread.differ(cell, "is recorded", "twice", "once");
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
            for planned in plan.launches.iter().flat_map(|launch| launch.cells.iter()) {
                let place = (gateway.reference.clone(), planned.cell.id());
                let Some(recorded) = cells.remove(&place) else {
                    // What a budget leaves out is counted, and the counts are compared.
                    if run.budget.is_some() && planned.barred.is_none() {
                        continue;
                    }
                    let id = planned.cell.id();
                    self.reread.note(id, "the cell", "missing", "asked for");
                    continue;
                };
                let log = match planned.cell.scenario.kind {
                    Kind::Start => launches.log(recorded, self.logs),
                    Kind::Requests | Kind::Sequence => String::new(),
                };
                let proof = self.proof(recorded, &launches);
                let reread = &mut self.reread;
                let result = reread.judge(&judge, &planned, recorded, Some(&log), proof);
                recorder.event(&RunEvent::Cell(result));
            }
        }
        let left = self.record.cells.iter();
        let left = left.filter(|cell| cells.contains_key(&(cell.gateway.clone(), cell.id.clone())));
        for cell in left {
            self.reread
                .differ(cell, "the cell", "recorded", "not among those asked for");
        }
        if run.stopped_early {
            recorder.stop_early();
        }
        if run.interrupted {
            recorder.event(&RunEvent::Interrupted);
        }
        Ok(recorder.finish(self.catalogue).0)
    }

    /// Whether a refusal in the launch of a cell proves something.
    fn proof(&mut self, cell: &CellRecord, launches: &Launches<'_>) -> Proof {
        let launch = launch_of(launches.gateway, cell);
        let recorded = launch
            .and_then(|launch| launch.proof)
            .unwrap_or(Proof::Shown);
        if recorded == Proof::Missing && launches.reached(cell) {
            self.reread.differ(
                cell,
                "proof of its launch",
                "missing",
                "the model was reached",
            );
            return Proof::Shown;
        }
        if recorded != Proof::Void
            && let Some(doubt) = launch.and_then(|launch| launch.model.as_ref()?.doubt())
        {
            self.reread
                .differ(cell, "proof of its launch", recorded, doubt);
            return Proof::Void;
        }
        recorded
    }
}

/// The launches of one gateway.
struct Launches<'a> {
    gateway: &'a GatewayRecord,
    folder: &'a str,
    cells: &'a [CellRecord],
}

impl Launches<'_> {
    /// Whether the model was reached in the launch that brought a cell's answer.
    fn reached(&self, cell: &CellRecord) -> bool {
        let same = |other: &&CellRecord| {
            other.gateway == cell.gateway
                && other.profile() == cell.profile()
                && attempt(other) == attempt(cell)
        };
        let mut mine = self.cells.iter().filter(same);
        mine.any(|other| {
            let seen = other.observed.as_ref();
            seen.is_some_and(|seen| seen.model_calls > Some(0))
        })
    }

    fn log(&self, cell: &CellRecord, members: &BTreeMap<String, Vec<u8>>) -> String {
        let name = log_name(self.folder, cell.profile(), attempt(cell));
        let bytes = members.get(&name).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// The events that tell of a gateway and its launches.
fn events_of(gateway: &GatewayRecord, release: &Version, plan: &Plan) -> Vec<RunEvent> {
    let ready = gateway.ready(release, plan.len(), plan.unselected);
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
