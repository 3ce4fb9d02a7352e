//! The suite's own score: the scenarios are run against a reference gateway with one seeded fault after the other.
//!
//! A fault that no cell shows is a survivor. Survivors need a written reason in `scenarios/survivors.toml`.

use std::ops::ControlFlow;

use futures_util::{StreamExt as _, stream};
use reference_gateway::Fault;
use tokio_util::sync::CancellationToken;

use crate::{RunOptions, drive, run};
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use record::events::RunEvent;
use record::judge::{Deviation, Verdict};

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// A cell told it from the sound gateway: the cell's id, and how it deviated.
    Caught(String, Deviation),
    /// No cell did.
    Survived,
    /// It could not be run to the end.
    Unknown(String),
}

/// Runs the scenarios against each mutant, `jobs` at a time, and tells each fate once as it is known.
///
/// A mutant's run ends with the first cell that deviates.
pub async fn run_mutants(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    mutants: &[Fault],
    jobs: usize,
    options: &(dyn Fn(Fault) -> RunOptions + Sync),
    tell: &(dyn Fn(usize, &Fate) + Sync),
    cancel: &CancellationToken,
) -> Vec<Fate> {
    let fates = stream::iter(mutants.iter().enumerate()).map(|(index, mutant)| async move {
        let fate = fate(catalogue, snapshots, options(*mutant), cancel).await;
        tell(index, &fate);
        fate
    });
    fates.buffered(jobs.max(1)).collect().await
}

/// Runs the scenarios against one gateway until the first cell that deviates. The sound gateway must survive, or its
/// mutants would be caught by what is wrong with the scenarios.
pub async fn fate(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    options: RunOptions,
    cancel: &CancellationToken,
) -> Fate {
    let mut caught: Option<Fate> = None;
    let mut trouble: Option<String> = None;
    let work =
        async |events, stop| run(catalogue.clone(), snapshots.clone(), options, events, stop).await;
    drive(work, cancel, |event| {
        match event {
            RunEvent::Cell(result) => match &result.verdict {
                Verdict::Deviates(deviation) if caught.is_none() => {
                    caught = Some(Fate::Caught(result.cell.id.clone(), *deviation));
                }
                Verdict::CouldNotRun(reason) => {
                    trouble.get_or_insert_with(|| format!("{}: {reason}", result.cell.id));
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
        (None, _) if cancel.is_cancelled() => Fate::Unknown("interrupted".to_owned()),
        // Trouble is no answer: what nobody could ask may be caught another time.
        (None, Some(trouble)) => Fate::Unknown(trouble),
        (None, None) => Fate::Survived,
    }
}

/// The share of mutants that were caught, in percent.
pub fn score(fates: &[Fate]) -> f64 {
    let caught = fates
        .iter()
        .filter(|fate| matches!(fate, Fate::Caught(..)))
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
    fn the_score_counts_what_was_caught() {
        let caught = || Fate::Caught(String::new(), Deviation::UnexpectedAllow);
        assert_eq!(score(&[]), 0.0);
        assert_eq!(
            score(&[
                caught(),
                caught(),
                Fate::Survived,
                Fate::Unknown(String::new())
            ]),
            50.0
        );
    }
}
