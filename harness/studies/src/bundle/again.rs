//! A run judged again from its record: what was observed goes through the same judge and the same recorder once more.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;
use jiff::civil::Date;

use super::write::log_name;
use super::{BundleError, Manifest};
use crate::reread::{Reread, attempt, launch_of};
use contract::plan::budget::Shown;
use contract::plan::{Barred, Places, Plan, PlannedCell, Selection, cells};
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::scenario::model::Kind;
use contract::snapshots::Snapshots;
use record::events::{Budgeted, CellResult, RunEvent};
use record::judge::Judge;
use record::judge::{Proof, VerdictKind};
use record::{CellRecord, FinishedRun, Gate, GatewayRecord, Recorder, Results};

/// What a run is judged again from.
pub(super) struct Again<'a> {
    pub(super) results: &'a Results<'a>,
    pub(super) logs: &'a BTreeMap<String, Vec<u8>>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) snapshots: &'a Snapshots,
    pub(super) places: Places<'a>,
    /// What is read back of its answers, and what does not follow.
    pub(super) reread: Reread<'a>,
}

/// What a gateway was asked.
struct Asked<'a> {
    gateway: &'a GatewayRecord,
    /// Its folder in the bundle.
    folder: String,
    release: Version,
    /// The places of the cells that it was to be asked.
    planned: FixedBitSet,
    /// The places of those that are recorded.
    told: FixedBitSet,
    /// Launches in which the model was reached: profile and attempt.
    reached: BTreeSet<(String, u32)>,
}

impl<'a> Again<'a> {
    /// Judges every cell again.
    pub(super) fn run(&mut self, gate: Gate) -> Result<FinishedRun<'a>, BundleError> {
        let record = self.results.head();
        let run = &record.run;
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
        let mut asked: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
        let folders = Manifest::gateways(record);
        for (gateway, about) in record.gateways.iter().zip(folders) {
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
            let mut planned = FixedBitSet::with_capacity(self.places.count());
            let cells = plan.launches.iter().flat_map(|launch| launch.cells.iter());
            planned.extend(cells.filter_map(|planned| self.places.place(&planned.cell)));
            let now = Asked {
                gateway,
                folder: about.folder,
                release,
                planned,
                told: FixedBitSet::with_capacity(self.places.count()),
                reached: BTreeSet::new(),
            };
            if asked.insert(gateway.reference.as_str(), now).is_some() {
                return Err(bad(format!(
                    "the gateway {} is there twice",
                    gateway.reference
                )));
            }
        }
        each_cell(self.results, &mut |cell| {
            let seen = cell.observed.as_ref();
            if seen.is_some_and(|seen| seen.model_calls > Some(0))
                && let Some(asked) = asked.get_mut(cell.gateway.as_str())
            {
                let launch = (cell.profile().to_owned(), attempt(cell));
                asked.reached.insert(launch);
            }
        })?;
        each_cell(self.results, &mut |cell| {
            let result = match asked.get_mut(cell.gateway.as_str()) {
                Some(asked) => self.judged(asked, cell, today),
                None => self.unasked(cell),
            };
            if let Some(result) = result {
                recorder.event(&RunEvent::Cell(result));
            }
        })?;
        for asked in asked.values() {
            self.missing(asked, run.budget.is_some());
        }
        if run.stopped_early {
            recorder.stop_early();
        }
        if run.interrupted {
            recorder.event(&RunEvent::Interrupted);
        }
        Ok(recorder.ended(self.catalogue))
    }

    /// A recorded cell judged again, if it was asked for.
    fn judged(
        &mut self,
        asked: &mut Asked<'_>,
        recorded: &CellRecord,
        today: Option<Date>,
    ) -> Option<CellResult> {
        let cell = self.places.find(&recorded.id);
        let place = cell.as_ref().and_then(|cell| self.places.place(cell));
        let place = place.filter(|place| asked.planned.contains(*place));
        let (Some(cell), Some(place)) = (cell, place) else {
            return self.unasked(recorded);
        };
        if asked.told.put(place) {
            self.reread.differ(recorded, "is recorded", "twice", "once");
            return None;
        }
        let log = match cell.scenario.kind {
            Kind::Start => asked.log(recorded, self.logs),
            Kind::Requests | Kind::Sequence => String::new(),
        };
        let proof = self.proof(recorded, asked);
        let missing = &asked.gateway.missing;
        let planned = PlannedCell {
            barred: Barred::of(self.catalogue, &asked.release, missing, &cell),
            cell,
        };
        let judge = Judge {
            catalogue: self.catalogue,
            snapshots: self.snapshots,
            gateway: &asked.gateway.reference,
            release: &asked.release,
            known_issues: today,
        };
        let reread = &mut self.reread;
        Some(reread.judge(&judge, &planned, recorded, Some(&log), proof))
    }

    /// Says that a cell is recorded which was not asked for.
    fn unasked(&mut self, recorded: &CellRecord) -> Option<CellResult> {
        let what = "not among those asked for";
        self.reread.differ(recorded, "the cell", "recorded", what);
        None
    }

    /// Says which cells were asked for and are not recorded.
    fn missing(&mut self, asked: &Asked<'_>, in_part: bool) {
        if asked.planned == asked.told {
            return;
        }
        for cell in cells(self.catalogue) {
            let place = self.places.place(&cell);
            let is_left = |place| asked.planned.contains(place) && !asked.told.contains(place);
            if !place.is_some_and(is_left) {
                continue;
            }
            let missing = &asked.gateway.missing;
            let barred = Barred::of(self.catalogue, &asked.release, missing, &cell);
            // What a budget leaves out is counted, and the counts are compared.
            if !in_part || barred.is_some() {
                let id = cell.id();
                self.reread.note(id, "the cell", "missing", "asked for");
            }
        }
    }

    /// Whether a refusal in the launch of a cell proves something.
    fn proof(&mut self, cell: &CellRecord, asked: &Asked<'_>) -> Proof {
        let launch = launch_of(asked.gateway, cell);
        let recorded = launch
            .and_then(|launch| launch.proof)
            .unwrap_or(Proof::Shown);
        if recorded == Proof::Missing && asked.reached(cell) {
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

impl Asked<'_> {
    /// Whether the model was reached in the launch that brought a cell's answer.
    fn reached(&self, cell: &CellRecord) -> bool {
        let launch = (cell.profile().to_owned(), attempt(cell));
        self.reached.contains(&launch)
    }

    fn log(&self, cell: &CellRecord, members: &BTreeMap<String, Vec<u8>>) -> String {
        let name = log_name(&self.folder, cell.profile(), attempt(cell));
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

/// Shows every recorded cell.
pub(super) fn each_cell(
    results: &Results<'_>,
    visit: &mut dyn FnMut(&CellRecord),
) -> Result<(), BundleError> {
    let read = results.each_cell(&mut |cell| {
        visit(cell);
        Ok(())
    });
    read.map_err(|error| BundleError::Member(super::RECORD.to_owned(), error.to_string()))
}

/// Verdicts, counted.
pub(super) fn counted(results: &[CellResult]) -> BTreeMap<VerdictKind, usize> {
    let mut counts = BTreeMap::new();
    for result in results {
        *counts.entry(result.facts.verdict.kind()).or_insert(0) += 1;
    }
    counts
}
