//! What a run saw becomes pending snapshots where it differs from the accepted ones.

use crate::Record;
use crate::events::CellResult;
use crate::judge::Verdict;
use contract::plan::cells;
use contract::release::Version;
use contract::scenario::Catalogue;
use contract::snapshots::{
    Answer, Snapshot, SnapshotCells, SnapshotError, Snapshots, contract_since,
};

/// Writes pending snapshots and returns their paths.
///
/// A filtered or incomplete run, a shard or a part within a budget never writes, CI never writes, and only cells that keep their rule are written: a
/// deviating cell keeps its accepted answer.
///
/// # Errors
/// A file that cannot be written or removed.
pub fn keep_pending(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    record: &Record,
    results: &[CellResult],
) -> Result<Vec<String>, SnapshotError> {
    let whole = record.summary.could_not_run == 0
        && !record.run.interrupted
        && !record.run.stopped_early
        && record.run.shard.is_none()
        && record.gateways.len() == 1;
    let may_write = catalogue.data.is_folder()
        && std::env::var_os("CI").is_none()
        && std::env::var("INSTA_UPDATE").as_deref() != Ok("no");
    let release = record
        .gateways
        .first()
        .and_then(|gateway| gateway.version.as_ref()?.parse::<Version>().ok());
    let Some(release) = release else {
        return Ok(Vec::new());
    };
    if !whole || !may_write || record.summary.selected != cells(catalogue).count() {
        return Ok(Vec::new());
    }
    let mut written = Vec::new();
    for scenario in &catalogue.scenarios {
        for profile in &scenario.axes[scenario.profile_axis()].values {
            let accepted = snapshots.find(scenario, &profile.id, &release);
            let mine = || {
                results.iter().filter(|result| {
                    result.cell.scenario.id == scenario.id && result.cell.profile() == profile.id
                })
            };
            let mut new = Snapshot {
                cells: SnapshotCells::default(),
                ..accepted.cloned().unwrap_or_else(|| Snapshot {
                    scenario: scenario.id.clone(),
                    profile: profile.id.clone(),
                    since: contract_since(scenario, &profile.id, &release)
                        .unwrap_or_else(|| release.clone()),
                    cells: SnapshotCells::default(),
                })
            };
            let before = |result: &CellResult| accepted?.cells.get(&result.cell.key());
            let has = |result: &&CellResult| before(result).is_some();
            let stays = !mine().any(|result| told(result).is_some())
                && accepted
                    .is_some_and(|accepted| mine().filter(has).count() == accepted.cells.len());
            if stays {
                snapshots.discard_pending(&new)?;
                continue;
            }
            let cells = mine().filter_map(|result| {
                let answer = told(result).or_else(|| before(result).cloned())?;
                Some((result.cell.key(), answer))
            });
            new.cells = cells.collect();
            if new.cells.is_empty() {
                continue;
            }
            if accepted.is_some_and(|accepted| accepted.render() == new.render()) {
                snapshots.discard_pending(&new)?;
            } else {
                written.push(snapshots.write_pending(&new)?);
            }
        }
    }
    Ok(written)
}

/// The answer that a snapshot should have of a cell instead of what it has.
fn told(result: &CellResult) -> Option<Answer> {
    // Where a known issue says what is observed, the snapshot stays what the rule says.
    let facts = &result.facts;
    let differs = facts.by_rule() && (facts.verdict == Verdict::New || facts.difference.is_some());
    let observed = facts.observed.as_ref().filter(|_| differs)?;
    Some(Answer {
        outcome: observed.label(),
        text: observed.answer.clone(),
        line: 0,
    })
}
