//! The suite's own score: the scenarios are run against a reference gateway with one seeded fault after the other.
//!
//! A fault that no cell shows is a survivor. Survivors need a written reason in `scenarios/survivors.toml`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use futures_util::future::join;
use futures_util::{StreamExt as _, stream};
use reference_gateway::Fault;
use tokio_util::sync::CancellationToken;

use crate::{RunOptions, drive, run};
use contract::cell_id::CellId;
use contract::plan::Selection;
use contract::scenario::Catalogue;
use contract::scenario::model::Kind;
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

/// What became of each mutant, and whether the cells that show them hold without a fault.
#[derive(Debug)]
pub struct Mutants {
    /// In the order of the mutants.
    pub fates: Vec<MutantResult>,
    /// Of the gateway without a fault: it must survive, or its cells would catch anything.
    pub sound: MutantResult,
}

/// Runs the scenarios against each mutant, `jobs` at a time, and tells each fate once as it is known; beside them the gateway
/// without a fault is asked what shows them.
///
/// A mutant's run ends with the first cell that deviates. It asks the cell that showed the fault last, and then all.
pub async fn run_mutants(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    mutants: &[Fault],
    jobs: usize,
    options: &(dyn Fn(Option<Fault>, Selection) -> RunOptions + Sync),
    tell: &(dyn Fn(usize, &MutantResult) + Sync),
    cancel: &CancellationToken,
) -> Mutants {
    // A cell that is there no more is no reason to fail.
    let known = |mutant: &Fault| {
        let cell = first(&mutant.name())?;
        let selection = Selection::parse(catalogue, &[cell.to_owned()], &[]).ok()?;
        Some((cell.to_owned(), selection))
    };
    let known: Vec<_> = mutants.iter().map(known).collect();
    // What waits is begun first: a mutant that no cell is known for, then sequences.
    let waits = |index: &usize| match &known[*index] {
        None => 0,
        Some((cell, _)) => match is_sequence(catalogue, cell) {
            true => 1,
            false => 2,
        },
    };
    let mut order: Vec<usize> = (0..mutants.len()).collect();
    order.sort_by_key(waits);
    let fates = stream::iter(order).map(|index| {
        let known = known[index].iter().map(|(_, selection)| selection.clone());
        async move {
            let mut fate_so_far = MutantResult::Survived;
            for selection in known.chain([Selection::default()]) {
                let options = options(Some(mutants[index]), selection);
                fate_so_far = fate(catalogue, snapshots, options, cancel).await;
                if matches!(fate_so_far, MutantResult::Caught(..)) || cancel.is_cancelled() {
                    break;
                }
            }
            tell(index, &fate_so_far);
            (index, fate_so_far)
        }
    });
    let fates = fates.buffer_unordered(jobs.max(1)).collect::<Vec<_>>();
    let ask_sound = async |cells: BTreeSet<String>| match cells.is_empty() {
        true => MutantResult::Survived,
        false => {
            let options = options(None, Selection::only(cells));
            fate(catalogue, snapshots, options, cancel).await
        }
    };
    let expected: BTreeSet<String> = known.iter().flatten().map(|(id, _)| id.clone()).collect();
    let (mut fates, mut sound) = join(fates, ask_sound(expected.clone())).await;
    fates.sort_by_key(|(index, _)| *index);
    let fates: Vec<MutantResult> = fates.into_iter().map(|(_, fate)| fate).collect();
    let others = fates.iter().filter_map(|fate| match fate {
        MutantResult::Caught(cell, _) => Some(cell.clone()).filter(|cell| !expected.contains(cell)),
        MutantResult::Survived | MutantResult::Unknown(_) => None,
    });
    let others: BTreeSet<String> = others.collect();
    if sound == MutantResult::Survived {
        sound = ask_sound(others).await;
    }
    Mutants { fates, sound }
}

/// Whether a cell is a step of a sequence.
fn is_sequence(catalogue: &Catalogue, cell: &str) -> bool {
    let id = CellId::of(cell).scenario();
    let mut scenarios = catalogue.scenarios.iter();
    scenarios.any(|scenario| scenario.id == id && scenario.kind == Kind::Sequence)
}

/// The cell that showed a fault last.
fn first(fault: &str) -> Option<&'static str> {
    let mut lines = FIRST.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == fault).map(|(_, cell)| cell)
}

/// Runs the scenarios against one gateway until the first cell that deviates.
pub(crate) async fn fate(
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
        // A fault without a line is asked with all cells, which takes long.
        for fault in faults {
            assert!(first(&fault).is_some(), "{fault}");
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
