//! Whether the verdicts of a bundle follow from what was observed.

use base::files::sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::again::{self, Again, counted};
use super::write::configs;
use super::{BASELINE, Bundle, BundleError, MANIFEST, Manifest, RECORD};
use crate::difference::Difference;
use crate::reread::Reread;
use contract::data::Data;
use contract::plan::{Places, Selection, cells};
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::judge::VerdictKind;
use record::{Baseline, CellRecord, Gate, MaySkip, Record};

/// What a bundle is judged by.
#[derive(Debug, Clone)]
pub enum By {
    /// The data in it: do its verdicts follow?
    Itself,
    /// Other data: what would change?
    Other(Data),
}

/// What was checked, and what does not follow.
#[derive(Debug)]
pub struct Checked {
    /// The record as the bundle has it, without its cells.
    pub record: Record,
    /// What it says of itself.
    pub manifest: Manifest,
    /// How many cells have which verdict, judged again.
    pub verdicts: BTreeMap<VerdictKind, usize>,
    /// Cells whose outcome is taken as recorded: their normalised answers only name what it asks about.
    pub as_recorded: usize,
    /// Hash over the files that were judged by.
    pub table_hash: String,
    /// Scenarios of which the run was not asked for every cell: how many were left out, and how many there are.
    pub left_out: BTreeMap<String, (usize, usize)>,
    /// Files of the bundle's data that are not as this clawgauge carries them, each with what differs.
    pub foreign: Vec<String>,
    /// Whether its causes were checked: not those that an older clawgauge folded in its own way.
    pub causes: bool,
    /// What does not follow.
    pub differences: Vec<Difference>,
}

/// Judges a bundle's run again.
///
/// # Errors
/// A member is missing or cannot be understood, so that there is nothing to judge.
pub fn verify(bundle: &Bundle, by: &By) -> Result<Checked, BundleError> {
    let manifest = bundle.manifest()?;
    let mut differences = hashes(bundle, &manifest);
    let results = bundle.results_in(RECORD)?;
    let record = results.head();
    let data = match by {
        By::Itself => Data::Memory(Arc::new(bundle.data()?)),
        By::Other(data) => data.clone(),
    };
    let invalid = |error: String| BundleError::Member("data/".to_owned(), error);
    let catalogue = Catalogue::load(&data).map_err(|problems| invalid(problems.render(false)))?;
    let snapshots = Snapshots::load(&data).map_err(|error| invalid(error.to_string()))?;
    let baseline = match bundle.members.contains_key(BASELINE) {
        false => None,
        true => {
            let baseline = Baseline::of(&bundle.results_in(BASELINE)?);
            let bad = |error| BundleError::Member(BASELINE.to_owned(), format!("{error}"));
            Some(baseline.map_err(bad)?)
        }
    };
    let may_skip = MaySkip::recorded(&record.run.may_skip, &catalogue);
    let may_skip = may_skip.map_err(|error| invalid(error.to_string()))?;
    let gate = Gate {
        fail_on: record.run.fail_on,
        severity: record.run.severity,
        baseline,
        may_skip,
        strict: record.run.baseline_strict,
    };
    let mut again = Again {
        results: &results,
        logs: &bundle.members,
        catalogue: &catalogue,
        snapshots: &snapshots,
        places: Places::of(&catalogue),
        reread: Reread::new(record, &catalogue),
    };
    let mut rejudged = again.run(gate)?;
    let by_folding = record.run.folding == rejudged.head.run.folding;
    let (as_recorded, found) = (again.reread.as_recorded, again.reread.differences);
    differences.extend(found);
    again::each_cell(&results, &mut |recorded| {
        let cell = again.places.find(&recorded.id);
        let now = cell.and_then(|cell| rejudged.cell_of(&recorded.gateway, &cell));
        // Of one that was not asked for, that is said already.
        if let Some(now) = now {
            differing((record, recorded), (&rejudged.head, &now), &mut differences);
        }
    })?;
    if let By::Itself = by {
        about(&manifest, record, &mut differences);
        let configs = configs(record, &catalogue);
        let configs = configs.map_err(|error| invalid(error.to_string()))?;
        let of_configs = |name: &&String| name.starts_with("configs/");
        for name in bundle.members.keys().filter(of_configs) {
            if !configs.contains_key(name) {
                differences.push(Difference::new(name, "the member", &"there", &"no launch"));
            }
        }
        for (name, bytes) in &configs {
            if bundle.members.get(name) != Some(bytes) {
                let what = "the configuration";
                differences.push(Difference::new(name, what, &"another", &"as data/ has it"));
            }
        }
        rest(record, &mut rejudged.head, &mut differences);
    }
    let selection = Selection::parse(&catalogue, &record.run.cells, &record.run.conditions);
    let selection = selection.map_err(|error| invalid(error.to_string()))?;
    let mut left_out: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for cell in cells(&catalogue) {
        let (left, all) = left_out.entry(cell.scenario.id.clone()).or_default();
        *left += usize::from(!selection.accepts(&cell));
        *all += 1;
    }
    left_out.retain(|_, (left, _)| *left > 0);
    Ok(Checked {
        verdicts: counted(&rejudged.results),
        table_hash: catalogue.table_hash.clone(),
        left_out,
        foreign: foreign(&bundle.data()?).map_err(|error| invalid(error.to_string()))?,
        record: record.clone(),
        manifest,
        as_recorded,
        causes: by_folding,
        differences,
    })
}

/// How data differ from those that this clawgauge carries: by these its author could have judged.
fn foreign(data: &BTreeMap<String, String>) -> std::io::Result<Vec<String>> {
    let own = Data::Embedded.judged_by()?;
    let mut names: Vec<&String> = own.keys().chain(data.keys()).collect();
    names.sort();
    names.dedup();
    let differing = names.into_iter().filter_map(|name| {
        let what = match (own.get(name), data.get(name)) {
            (Some(own), Some(other)) if own == other => return None,
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "missing",
            (None, _) => "added",
        };
        Some(format!("{name} {what}"))
    });
    Ok(differing.collect())
}

/// Whether every member is what the manifest says.
fn hashes(bundle: &Bundle, manifest: &Manifest) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (name, about) in &manifest.members {
        let Some(bytes) = bundle.members.get(name) else {
            differences.push(Difference::new(name, "the member", &"named", &"missing"));
            continue;
        };
        let is = sha256(bytes);
        if is != about.sha256 {
            differences.push(Difference::new(name, "SHA-256", &about.sha256, &is));
        } else if bytes.len() != about.bytes {
            let what = "length";
            differences.push(Difference::new(name, what, &about.bytes, &bytes.len()));
        }
    }
    let known = |name: &&String| *name != MANIFEST && !manifest.members.contains_key(*name);
    for name in bundle.members.keys().filter(known) {
        let there = "there, and not named in the manifest";
        differences.push(Difference::new(name, "the member", &there, &"unknown"));
    }
    differences
}

/// Whether manifest and record say the same about the run.
fn about(manifest: &Manifest, record: &Record, differences: &mut Vec<Difference>) {
    let run = &record.run;
    let mut check = Check {
        place: MANIFEST,
        found: differences,
    };
    check.same("version of clawgauge", &manifest.harness, &run.harness);
    check.same("run", &manifest.run, &run.id);
    check.same("end of the run", &manifest.finished, &run.finished);
    check.same("table hash", &manifest.table_hash, &run.table_hash);
    check.same("gateways", &manifest.gateways, &Manifest::gateways(record));
}

/// What two records say about a cell, with the texts instead of their places.
fn differing(
    (record, cell): (&Record, &CellRecord),
    (again, other): (&Record, &CellRecord),
    found: &mut Vec<Difference>,
) {
    let verdict = |cell: &CellRecord| Raw(cell.verdict.name().to_owned());
    let rule = |cell: &CellRecord| {
        let expected = cell.expected.as_ref()?;
        let by = (expected.rule.clone(), expected.outcome.clone());
        Some((by, expected.direction, expected.status))
    };
    let outcome = |cell: &CellRecord| cell.observed.as_ref().map(|seen| seen.outcome.clone());
    let got_in = |cell: &CellRecord| cell.observed.as_ref().map(|seen| seen.direction);
    let grants = |cell: &CellRecord| cell.observed.as_ref().and_then(|seen| seen.grants);
    let place = format!("{} on {}", cell.id, cell.gateway);
    let place = place.as_str();
    let mut check = Check { place, found };
    check.same("verdict", verdict(cell), verdict(other));
    check.same("rule", rule(cell), rule(other));
    check.same(
        "accepted answer",
        record.accepted(cell),
        again.accepted(other),
    );
    check.same("outcome", outcome(cell), outcome(other));
    check.same("whether the caller got in", got_in(cell), got_in(other));
    // An older record does not say it.
    if grants(cell).is_some() {
        check.same("what the caller got", grants(cell), grants(other));
    }
    check.same("known issue", &cell.known_issue, &other.known_issue);
    check.same("direction", cell.direction, other.direction);
    check.same("severity", cell.severity, other.severity);
    check.same("standing", cell.standing, other.standing);
    check.same("reason", &cell.reason, &other.reason);
    check.same("axes", &cell.axes, &other.axes);
    check.same("request", record.request(cell), again.request(other));
    // An older clawgauge folded them otherwise.
    if record.run.folding == again.run.folding {
        check.same("cause", cell.cause, other.cause);
    }
}

/// Values held against each other at one place.
struct Check<'a> {
    place: &'a str,
    found: &'a mut Vec<Difference>,
}

impl Check<'_> {
    fn same<T: PartialEq + fmt::Debug>(&mut self, what: &str, recorded: T, again: T) {
        if recorded != again {
            let difference = Difference::new(self.place, what, &recorded, &again);
            self.found.push(difference);
        }
    }
}

/// A text that is shown as it is, but for what a terminal would obey.
#[derive(PartialEq)]
struct Raw(String);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}",
            self.0.escape_debug().to_string().replace("\\\"", "\"")
        )
    }
}

/// Everything else of the record: counts, causes, relations, tables, how it ends.
fn rest(record: &Record, again: &mut Record, differences: &mut Vec<Difference>) {
    // Names and times of the run itself are as they are.
    let run = &record.run;
    again.run.id.clone_from(&run.id);
    again.run.started.clone_from(&run.started);
    again.run.finished.clone_from(&run.finished);
    again.run.harness.clone_from(&run.harness);
    if record.summary.not_selected == 0 {
        // An older record does not say it.
        again.summary.not_selected = 0;
    }
    let same_folding = run.folding == again.run.folding;
    again.run.folding = run.folding;
    let parts = |record: &Record| {
        let mut parts = serde_json::to_value(record).unwrap_or_default();
        if let Value::Object(parts) = &mut parts {
            // These are compared cell by cell.
            for part in ["cells", "answers", "requests"] {
                parts.remove(part);
            }
            if !same_folding {
                parts.remove("causes");
            }
            parts.insert("ending".to_owned(), record.ending().1.into());
        }
        parts
    };
    let (before, after) = (parts(record), parts(again));
    walk(RECORD, "", &before, &after, differences);
}

fn walk(place: &str, what: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let (one, other) = (one.get(name), other.get(name));
                let none = Value::Null;
                let what = format!("{what} {name}");
                walk(
                    place,
                    what.trim_start(),
                    one.unwrap_or(&none),
                    other.unwrap_or(&none),
                    found,
                );
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                walk(place, &format!("{what} {}", index + 1), one, other, found);
            }
        }
        (before, after) if before != after => {
            let raw = |value: &Value| Raw(value.to_string());
            found.push(Difference::new(place, what, &raw(before), &raw(after)));
        }
        _ => {}
    }
}
