//! The suite's own score: the scenarios are run against a reference gateway with one seeded fault after the other.
//!
//! A fault that no cell shows is a survivor. Survivors need a written reason in `scenarios/survivors.toml`.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, stream};
use reference_gateway::Fault;
use tokio_util::sync::CancellationToken;

use crate::{RunOptions, drive, run};
use contract::cell_id::CellId;
use contract::plan::Selection;
use contract::scenario::Catalogue;
use contract::scenario::model::PROFILE_AXIS;
use contract::snapshots::Snapshots;
use record::events::RunEvent;
use record::judge::{Deviation, Verdict};

/// The profile under which each fault showed last, which is asked first. It says nothing about the fate: a line that is out of
/// date costs time.
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
/// A mutant's run ends with the first cell that deviates. It takes the profiles one after the other: first the one under
/// which the fault showed last, then those that have just shown another fault, since neighbours in the list are alike.
pub async fn run_mutants(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    mutants: &[Fault],
    jobs: usize,
    options: &(dyn Fn(Fault, Selection) -> RunOptions + Sync),
    tell: &(dyn Fn(usize, &MutantResult) + Sync),
    cancel: &CancellationToken,
) -> Vec<MutantResult> {
    let order = Mutex::new(profiles(catalogue));
    let fates = stream::iter(mutants.iter().enumerate()).map(|(index, mutant)| {
        let order = &order;
        async move {
            let options = |selection| options(*mutant, selection);
            let first = first(&mutant.name());
            let fate = fate_in((order, first), catalogue, snapshots, &options, cancel).await;
            tell(index, &fate);
            fate
        }
    });
    fates.buffered(jobs.max(1)).collect().await
}

/// The profile under which a fault showed last.
fn first(fault: &str) -> Option<&'static str> {
    let mut lines = FIRST.lines().filter_map(|line| line.split_once(' '));
    lines
        .find(|(name, _)| *name == fault)
        .map(|(_, profile)| profile)
}

/// The profiles that scenarios name, those of the largest scenarios first.
fn profiles(catalogue: &Catalogue) -> Vec<String> {
    let mut scenarios: Vec<_> = catalogue.scenarios.iter().collect();
    scenarios.sort_by_key(|scenario| std::cmp::Reverse(scenario.product()));
    let values = scenarios
        .iter()
        .flat_map(|scenario| &scenario.axes[scenario.profile_axis()].values);
    let mut names: Vec<String> = Vec::new();
    for value in values {
        if !names.contains(&value.id) {
            names.push(value.id.clone());
        }
    }
    names
}

/// The fate of one mutant, asked profile by profile in an order that learns from each.
async fn fate_in(
    (order, first): (&Mutex<Vec<String>>, Option<&str>),
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    options: &dyn Fn(Selection) -> RunOptions,
    cancel: &CancellationToken,
) -> MutantResult {
    let mut left = order.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(place) = left.iter().position(|name| Some(name.as_str()) == first) {
        left[..=place].rotate_right(1);
    }
    let mut fate_so_far = MutantResult::Survived;
    let mut together = 1;
    while !left.is_empty() {
        let now: Vec<String> = left.drain(..together.min(left.len())).collect();
        let conditions = [format!("{PROFILE_AXIS}={}", now.join(","))];
        let selection = match Selection::parse(catalogue, &[], &conditions) {
            Ok(selection) => selection,
            Err(error) => return MutantResult::Unknown(error.to_string()),
        };
        match fate(catalogue, snapshots, options(selection), cancel).await {
            MutantResult::Survived => {}
            MutantResult::Unknown(why) => fate_so_far = MutantResult::Unknown(why),
            MutantResult::Caught(cell, deviation) => {
                let profile = CellId::of(&cell).profile();
                let mut order = order.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(place) = order.iter().position(|name| name == profile) {
                    order[..=place].rotate_right(1);
                }
                return MutantResult::Caught(cell, deviation);
            }
        }
        if cancel.is_cancelled() {
            break;
        }
        together *= 2;
    }
    fate_so_far
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
    fn the_profiles_to_ask_first_are_of_faults_that_there_are() {
        let faults: Vec<String> = Fault::all().iter().map(|fault| fault.name()).collect();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let data = contract::data::Data::Folder(root.into());
        let profiles = profiles(&Catalogue::load(&data).unwrap());
        for line in FIRST.lines() {
            let (fault, profile) = line.split_once(' ').unwrap();
            assert!(faults.iter().any(|known| known == fault), "{fault}");
            assert!(profiles.iter().any(|known| known == profile), "{profile}");
            assert_eq!(first(fault), Some(profile));
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
