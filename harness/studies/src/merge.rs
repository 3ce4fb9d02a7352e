//! Shards of a run become one record: the one that an unsharded run would have written, but for run id and times.
//!
//! [`merge`] refuses what is not exactly one whole run ([`MergeError`] says why), judges every cell again and refuses what
//! its shard judged otherwise, and lets a [`Recorder`] fold causes, judge relations and count over all of them. The records
//! are read cell by cell; what is kept is what a run keeps.

mod check;
mod error;

pub use error::{MergeError, Sides};

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use contract::plan::{Barred, Cell, Missing, Places, Plan, PlannedCell, Selection, Shares, cells};
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use jiff::civil::Date;
use record::events::{CellResult, Expected, Facts, RunEvent};
use record::judge::{Judge, Proof, Verdict};
use record::{
    CellRecord, FinishedRun, Gate, GatewayRecord, PartRecord, Record, Recorder, Results,
    ResultsError,
};

use crate::reread::{Reread, launch_of};

/// The record of one shard.
#[derive(Debug)]
pub struct Part<'a> {
    /// What it is called in messages: its file.
    pub name: String,
    /// The record.
    pub results: Results<'a>,
}

impl Part<'_> {
    fn head(&self) -> &Record {
        self.results.head()
    }

    fn shares(&self) -> Result<&Shares, MergeError> {
        let run = &self.head().run;
        if let Some(part) = run.budget.as_ref().and_then(PartRecord::is_a_part) {
            return Err(MergeError::Part(self.name.clone(), part));
        }
        let shares = run.shard.as_ref();
        shares.ok_or_else(|| MergeError::NotAShard(self.name.clone()))
    }

    /// Whether it may lack cells: whoever stopped it knows.
    fn stopped(&self) -> bool {
        self.head().run.interrupted || self.head().run.stopped_early
    }
}

/// Makes one record out of the shards of a run, in whatever order they are given.
///
/// # Errors
/// They are not all shards of one run, each once; see [`MergeError`].
pub fn merge<'a>(
    parts: &[Part<'_>],
    catalogue: &'a Catalogue,
    snapshots: &Snapshots,
    gate: Gate,
) -> Result<FinishedRun<'a>, MergeError> {
    let (first, shares) = check::whole(parts)?;
    let run = &first.head().run;
    if run.table_hash != catalogue.table_hash {
        return Err(MergeError::OtherData {
            records: run.table_hash.clone(),
            here: catalogue.table_hash.clone(),
        });
    }
    let accepted = run.snapshots_hash.as_deref();
    if let Some(records) = accepted.filter(|hash| *hash != snapshots.hash()) {
        return Err(MergeError::OtherSnapshots {
            records: records.to_owned(),
            here: snapshots.hash().to_owned(),
        });
    }
    if run.baseline.as_ref() != gate.baseline.as_ref().map(|baseline| &baseline.run) {
        return Err(MergeError::Baseline {
            records: run.baseline.clone(),
            given: gate.baseline.map(|baseline| baseline.run),
        });
    }
    let invalid = |why: String| MergeError::Invalid(first.name.clone(), why);
    let day = run.known_issues_on.as_deref().map(str::parse).transpose();
    let day = day.map_err(|error: jiff::Error| invalid(error.to_string()))?;
    let selection = Selection::parse(catalogue, &run.cells, &run.conditions);
    let selection = selection.map_err(|error| invalid(error.to_string()))?;

    let mut recorder = Recorder::new(&catalogue.table_hash, gate)
        .held_against(run.snapshots_hash.as_deref())
        .asked_for(day, &run.cells, &run.conditions);
    let mut merged = Merged {
        catalogue,
        snapshots,
        known_issues: day,
        shares,
        recorder: &mut recorder,
        gateways: BTreeMap::new(),
        places: Places::of(catalogue),
    };
    merged.gateways(parts, &selection)?;
    for part in parts {
        merged.part(part)?;
    }
    let errors = merged.left(parts)?;

    let heads = || parts.iter().map(|part| &part.head().run);
    if heads().any(|run| run.stopped_early) {
        recorder.stop_early();
    }
    let mut merged = recorder.ended(catalogue);
    let record = &mut merged.head;
    record.run.interrupted = heads().any(|run| run.interrupted);
    // Times of one form are in order as texts, too.
    let begun = heads().map(|run| run.started.clone()).min();
    let ended = heads().map(|run| run.finished.clone()).max();
    record.run.started = begun.unwrap_or_default();
    record.run.finished = ended.unwrap_or_default();
    for gateway in &mut record.gateways {
        if let Some(error) = errors.get(&gateway.reference) {
            gateway.error = Some(error.clone());
        }
    }
    Ok(merged)
}

/// A gateway of the whole run.
struct MergedGateway {
    /// None where no shard could have it.
    release: Option<Version>,
    /// What the machines that have it have not.
    missing: Missing,
    /// Why a shard could not have it, by the shard's number.
    errors: BTreeMap<u32, String>,
    /// The places of the cells that it was to be asked.
    planned: FixedBitSet,
    /// The places of those that their shards have told.
    told: FixedBitSet,
}

impl MergedGateway {
    /// Why a cell cannot be asked of it, if it cannot.
    fn barred(&self, catalogue: &Catalogue, cell: &Cell) -> Option<Barred> {
        Barred::of(catalogue, self.release.as_ref()?, &self.missing, cell)
    }
}

/// What is known of the whole run while its parts are told.
struct Merged<'a> {
    catalogue: &'a Catalogue,
    snapshots: &'a Snapshots,
    /// The day on which known issues are heeded.
    known_issues: Option<Date>,
    shares: &'a Shares,
    recorder: &'a mut Recorder,
    gateways: BTreeMap<String, MergedGateway>,
    places: Places<'a>,
}

impl Merged<'_> {
    /// Tells of the gateways and their launches, in the order of the run, and plans what each was asked.
    fn gateways(&mut self, parts: &[Part<'_>], selection: &Selection) -> Result<(), MergeError> {
        for name in check::gateways(self.shares) {
            let mut known: Option<(&Part<'_>, GatewayRecord)> = None;
            let mut errors = BTreeMap::new();
            for part in parts {
                let gateways = &part.head().gateways;
                let Some(mine) = gateways.iter().find(|mine| mine.reference == name) else {
                    continue;
                };
                if let Some(error) = &mine.error {
                    errors.insert(part.shares()?.number, error.clone());
                    continue;
                }
                match &mut known {
                    None => known = Some((part, mine.clone())),
                    Some((other, known)) => {
                        check::same_gateway((&other.name, known), (&part.name, mine))?;
                        known.launches.extend(mine.launches.iter().cloned());
                        let more = mine.notes.iter();
                        let more: Vec<String> = more
                            .filter(|note| !known.notes.contains(note))
                            .cloned()
                            .collect();
                        known.notes.extend(more);
                    }
                }
            }
            let mut merged = MergedGateway {
                release: None,
                missing: Missing::new(),
                errors,
                planned: FixedBitSet::with_capacity(self.places.count()),
                told: FixedBitSet::with_capacity(self.places.count()),
            };
            match known {
                Some((part, gateway)) => self.gateway(part, &gateway, selection, &mut merged)?,
                None => {
                    if let Some(error) = merged.errors.values().next() {
                        self.recorder.event(&RunEvent::GatewayFailed {
                            gateway: name.to_owned(),
                            error: error.clone(),
                            help: None,
                        });
                    }
                }
            }
            self.gateways.insert(name.to_owned(), merged);
        }
        Ok(())
    }

    fn gateway(
        &mut self,
        part: &Part<'_>,
        gateway: &GatewayRecord,
        selection: &Selection,
        merged: &mut MergedGateway,
    ) -> Result<(), MergeError> {
        let invalid = |why: String| MergeError::Invalid(part.name.clone(), why);
        let name = &gateway.reference;
        let release = gateway.version.as_deref().unwrap_or_default();
        let release: Version = release
            .parse()
            .map_err(|error| invalid(format!("the release of {name}: {error}")))?;
        let plan = Plan::new(self.catalogue, &release, selection)
            .without(&gateway.missing, self.catalogue);
        let ready = gateway.ready(&release, plan.len(), plan.unselected);
        self.recorder.event(&RunEvent::GatewayReady(ready));
        for launch in &gateway.launches {
            self.recorder
                .event(&RunEvent::LaunchEnded(launch.ended(name)));
        }
        for launch in plan.launches {
            if check::shard_of(self.shares, name, &launch.profile).is_none() {
                let profile = &launch.profile;
                return Err(invalid(format!(
                    "no shard makes the launch {profile} of {name}"
                )));
            }
            let places = launch.cells.iter();
            let places = places.filter_map(|planned| self.places.place(&planned.cell));
            merged.planned.extend(places);
        }
        merged.release = Some(release);
        merged.missing = gateway.missing.clone();
        Ok(())
    }

    /// Tells the cells of one shard.
    fn part(&mut self, part: &Part<'_>) -> Result<(), MergeError> {
        let mut trouble = None;
        let mut reread = Reread::new(part.head(), self.catalogue);
        let read = part.results.each_cell(&mut |cell| {
            self.cell(part, &mut reread, cell).map_err(|error| {
                trouble = Some(error);
                std::io::Error::other("refused")
            })
        });
        match (trouble, read) {
            (Some(trouble), _) => Err(trouble),
            (None, Err(error)) => Err(MergeError::Read(part.name.clone(), error)),
            (None, Ok(())) => Ok(()),
        }
    }

    fn cell(
        &mut self,
        part: &Part<'_>,
        reread: &mut Reread<'_>,
        cell: &CellRecord,
    ) -> Result<(), MergeError> {
        let id = || format!("{} on {}", cell.id, cell.gateway);
        let strange = || MergeError::Strange(part.name.clone(), id());
        let gateway = self.gateways.get_mut(&cell.gateway).ok_or_else(strange)?;
        let planned = self.places.find(&cell.id).ok_or_else(strange)?;
        let place = self.places.place(&planned).ok_or_else(strange)?;
        let shard = check::shard_of(self.shares, &cell.gateway, planned.profile());
        let shard = shard.filter(|_| gateway.planned.contains(place));
        let shard = shard.ok_or_else(strange)?;
        if shard != part.shares()?.number || gateway.told.put(place) {
            return Err(MergeError::CellTwice {
                part: part.name.clone(),
                cell: id(),
                shard,
            });
        }
        let planned = PlannedCell {
            barred: gateway.barred(self.catalogue, &planned),
            cell: planned,
        };
        let release = gateway.release.as_ref().ok_or_else(strange)?;
        let judge = Judge {
            catalogue: self.catalogue,
            snapshots: self.snapshots,
            gateway: &cell.gateway,
            release,
            known_issues: self.known_issues,
        };
        let mut gateways = part.head().gateways.iter();
        let gateway = gateways.find(|gateway| gateway.reference == cell.gateway);
        let launch = gateway.and_then(|gateway| launch_of(gateway, cell));
        let proof = launch.and_then(|launch| launch.proof);
        let proof = proof.unwrap_or(Proof::Shown);
        let result = reread.judge(&judge, &planned, cell, None, proof);
        reread.compare(cell, &result);
        if let Some(difference) = reread.differences.drain(..).next() {
            return Err(MergeError::Unsound(part.name.clone(), difference));
        }
        self.recorder.event(&RunEvent::Cell(result));
        Ok(())
    }

    /// Takes care of cells that no shard told: their shard was stopped, or could not have the gateway, or is broken.
    /// Returns why gateways could not be had.
    fn left(&mut self, parts: &[Part<'_>]) -> Result<BTreeMap<String, String>, MergeError> {
        let mut stopped: BTreeMap<u32, &Part<'_>> = BTreeMap::new();
        for part in parts {
            stopped.insert(part.shares()?.number, part);
        }
        let mut missing: Option<(String, String, u32)> = None;
        for (name, gateway) in &self.gateways {
            let Some(release) = &gateway.release else {
                continue;
            };
            let is_left = |cell: &Cell| {
                let place = self.places.place(cell);
                place.is_some_and(|place| {
                    gateway.planned.contains(place) && !gateway.told.contains(place)
                })
            };
            for cell in cells(self.catalogue).filter(is_left) {
                let shard = check::shard_of(self.shares, name, cell.profile()).unwrap_or_default();
                match (gateway.errors.get(&shard), stopped.get(&shard)) {
                    (Some(error), _) => {
                        let expected = Expected::of(&cell, release);
                        let verdict = match gateway.barred(self.catalogue, &cell) {
                            Some(barred) => Verdict::from(&barred),
                            None => Verdict::CouldNotRun(format!(
                                "shard {shard} could not have it: {error}"
                            )),
                        };
                        let facts = Facts::unseen(name, expected, verdict);
                        let result = CellResult::new(&cell, facts);
                        self.recorder.event(&RunEvent::Cell(result));
                    }
                    (None, Some(part)) if part.stopped() => {}
                    (None, _) => {
                        let this = (name.clone(), cell.id(), shard);
                        missing = Some(missing.map_or(this.clone(), |first| first.min(this)));
                    }
                }
            }
        }
        if let Some((name, id, shard)) = missing {
            let part = stopped.get(&shard).map_or("?", |part| part.name.as_str());
            let cell = format!("{id} on {name}");
            return Err(MergeError::CellMissing(part.to_owned(), cell));
        }
        let gateways = self.gateways.iter().filter_map(|(name, gateway)| {
            let (shard, error) = gateway.errors.iter().next()?;
            gateway.release.as_ref()?;
            Some((name.clone(), format!("in shard {shard}: {error}")))
        });
        Ok(gateways.collect())
    }
}

impl MergeError {
    /// A record that cannot be read.
    pub fn read(name: &str, error: ResultsError) -> Self {
        Self::Read(name.to_owned(), error)
    }
}
