//! The suite's own score: the scenarios are run against a reference gateway with one seeded fault after the other.
//!
//! A fault that no cell shows is a survivor. Survivors need a written reason in `scenarios/survivors.toml`.

use std::ops::ControlFlow;

use futures_util::{StreamExt as _, stream};
use reference_gateway::Fault;
use tokio_util::sync::CancellationToken;

use crate::{RunOptions, drive, run};
use contract::plan::Selection;
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::events::RunEvent;
use record::judge::{Deviation, Verdict};

/// The cell that showed each fault last, which is asked first. It says nothing about the fate: a line that is out of date
/// costs time. `clawgauge mutants` tells these cells.
const FIRST: &str = include_str!("mutants/first.txt");

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MutantResult {
    /// A cell told it from the sound gateway: the cell's id, and how it deviated.
    Caught(String, Deviation),
    /// No cell did.
    Survived,
    /// It could not be run to the end.
    Unknown(String),
}

/// Runs the scenarios against each mutant, `jobs` at a time, and tells each fate once as it is known.
///
/// A mutant's run ends with the first cell that deviates. It asks the cell that showed the fault last, and then all.
pub async fn run_mutants(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    mutants: &[Fault],
    jobs: usize,
    options: &(dyn Fn(Fault, Selection) -> RunOptions + Sync),
    tell: &(dyn Fn(usize, &MutantResult) + Sync),
    cancel: &CancellationToken,
) -> Vec<MutantResult> {
    // A mutant that no cell is known for takes longest.
    let mut order: Vec<usize> = (0..mutants.len()).collect();
    order.sort_by_key(|index| first(&mutants[*index].name()).is_some());
    let fates = stream::iter(order).map(|index| async move {
        let mutant = mutants[index];
        let known = first(&mutant.name()).map(str::to_owned);
        // A cell that is there no more is no reason to fail.
        let known = known.and_then(|cell| Selection::parse(catalogue, &[cell], &[]).ok());
        let mut fate_so_far = MutantResult::Survived;
        for selection in known.into_iter().chain([Selection::default()]) {
            let options = options(mutant, selection);
            fate_so_far = fate(catalogue, snapshots, options, cancel).await;
            if matches!(fate_so_far, MutantResult::Caught(..)) || cancel.is_cancelled() {
                break;
            }
        }
        tell(index, &fate_so_far);
        (index, fate_so_far)
    });
    let mut fates: Vec<_> = fates.buffer_unordered(jobs.max(1)).collect().await;
    fates.sort_by_key(|(index, _)| *index);
    fates.into_iter().map(|(_, fate)| fate).collect()
}

/// The cell that showed a fault last.
fn first(fault: &str) -> Option<&'static str> {
    let mut lines = FIRST.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == fault).map(|(_, cell)| cell)
}

/// Runs the scenarios against one gateway until the first cell that deviates. The sound gateway must survive, or its
/// mutants would be caught by what is wrong with the scenarios.
pub async fn fate(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    options: RunOptions,
    cancel: &CancellationToken,
) -> MutantResult {
    let mut caught: Option<MutantResult> = None;
    let mut trouble: Option<String> = None;
    let work =
        async |events, stop| run(catalogue.clone(), snapshots.clone(), options, events, stop).await;
    drive(work, cancel, |event| {
        match event {
            RunEvent::Cell(result) => match &result.facts.verdict {
                Verdict::Deviates(deviation) if caught.is_none() => {
                    caught = Some(MutantResult::Caught(result.cell.id(), *deviation));
                }
                Verdict::CouldNotRun(reason) => {
                    trouble.get_or_insert_with(|| format!("{}: {reason}", result.cell.id()));
                }
                _ => {}
            },
            RunEvent::GatewayFailed { error, .. } => trouble = Some(error.clone()),
            _ => {}
        }
        match caught {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    })
    .await;
    match (caught, trouble) {
        (Some(caught), _) => caught,
        (None, _) if cancel.is_cancelled() => MutantResult::Unknown("interrupted".to_owned()),
        // Trouble is no answer: what nobody could ask may be caught another time.
        (None, Some(trouble)) => MutantResult::Unknown(trouble),
        (None, None) => MutantResult::Survived,
    }
}

/// The share of mutants that were caught, in percent.
pub fn score(fates: &[MutantResult]) -> f64 {
    let caught = fates
        .iter()
        .filter(|fate| matches!(fate, MutantResult::Caught(..)))
        .count();
    if fates.is_empty() {
        return 0.0;
    }
    caught as f64 * 100.0 / fates.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cells_to_ask_first_are_there_and_of_faults_that_there_are() {
        let faults: Vec<String> = Fault::all().iter().map(|fault| fault.name()).collect();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let data = contract::data::Data::Folder(root.into());
        let catalogue = Catalogue::load(&data).unwrap();
        for line in FIRST.lines() {
            let (fault, cell) = line.split_once(' ').unwrap();
            assert!(faults.iter().any(|known| known == fault), "{fault}");
            assert!(
                Selection::parse(&catalogue, &[cell.to_owned()], &[]).is_ok(),
                "{cell}"
            );
            assert_eq!(first(fault), Some(cell));
        }
        assert_eq!(first("no-such-fault"), None);
    }

    #[test]
    fn the_score_counts_what_was_caught() {
        let caught = || MutantResult::Caught(String::new(), Deviation::UnexpectedAllow);
        assert_eq!(score(&[]), 0.0);
        assert_eq!(
            score(&[
                caught(),
                caught(),
                MutantResult::Survived,
                MutantResult::Unknown(String::new())
            ]),
            50.0
        );
    }
}
