//! The cells of one profile: launch, ask, judge, and try again where the surroundings failed.
//!
//! An answer is judged as it is: only cells without one are asked again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::attempt::Attempt;
use super::budget::{cut_sequences, is_cut};
use super::seen::{Missed, Seen};
use super::slots::Slots;
use super::target::Target;
use super::verdicts::LaunchJudge;
use super::{Context, RunEvent};
use contract::plan::{PlannedCells, PlannedLaunch};
use contract::scenario::model::{Direction, Kind};
use record::judge::Proof;

/// Launches one profile of a gateway and asks its cells; everything is told in events.
pub(super) async fn run_launch(
    context: &Arc<Context>,
    target: &Arc<Target>,
    slots: &Slots,
    PlannedLaunch { profile, cells }: PlannedLaunch,
) {
    let bench = LaunchJudge { context, target };
    let asked = &*bench.askable(&cells).await;
    let Some(config) = context
        .catalogue
        .profiles
        .get(&profile)
        .and_then(|profile| profile.launch_for(&target.version).ok())
    else {
        return;
    };
    // The cells that are still without an answer, and why earlier attempts brought none.
    let mut left = FixedBitSet::with_capacity(asked.len());
    left.insert_range(..);
    let mut attempts: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut number = 0;
    while !left.is_clear() {
        number += 1;
        let again = number <= context.options.retries && !context.cancel.is_cancelled();
        let attempt = Attempt {
            context,
            target,
            profile: &profile,
            config,
            number,
            again,
        };
        let sent = with_whole_sequences(&left, asked);
        let cells = match sent.is_full() {
            true => Cow::Borrowed(asked),
            false => Cow::Owned(sent.ones().map(|place| asked.get(place)).collect()),
        };
        let (seen, proof) = attempt.run(&cells, slots).await;
        let again = again && !context.cancel.is_cancelled();
        let broke_off = seen.iter().any(Result::is_err);
        let sequences = cut_sequences(context, &cells, &seen, proof);
        let mut cut = 0;
        for (row, place) in sent.ones().enumerate() {
            if !left.contains(place) {
                continue;
            }
            let (cell, seen) = (cells.get(row).cell, seen.get(row));
            // What is wrong is told, however the launch went on.
            let is_wrong = |seen: &Seen| {
                let rank = || bench.rank(&cell, seen.clone());
                seen.is_ok() && rank() == LaunchJudge::DEVIATES
            };
            let is_cut = |seen: &Seen| {
                !attempts.contains_key(&place)
                    && (is_cut(context, seen, proof) || sequences.contains(&cell.scenario.id))
            };
            let is_unproved = |seen: &Seen| {
                let denied = seen
                    .as_ref()
                    .is_ok_and(|seen| seen.direction == Direction::Deny);
                denied && cell.must_be_denied(&target.version)
            };
            let objection = match &seen {
                seen if is_cut(seen) && !is_wrong(seen) => {
                    cut += 1;
                    left.remove(place);
                    continue;
                }
                Err(missed) if again && !matches!(missed, Missed::Odd(_)) => {
                    Some(missed.to_string())
                }
                // A refusal that proves nothing, since its launch broke off, is no answer yet.
                seen if again
                    && broke_off
                    && proof == Proof::Missing
                    && is_unproved(seen)
                    && !is_wrong(seen) =>
                {
                    Some(proof.objection().unwrap_or_default().to_owned())
                }
                Ok(_) | Err(_) => None,
            };
            match objection {
                Some(reason) => attempts.entry(place).or_default().push(reason),
                None => {
                    left.remove(place);
                    let attempts = attempts.remove(&place).unwrap_or_default();
                    bench.judge(&cell, seen, proof, attempts).await;
                }
            }
        }
        if cut > 0 {
            context.emit(RunEvent::OutOfTime {
                profile: profile.clone(),
                cells: cut,
            });
        }
    }
}

/// The cells without an answer; of a sequence all steps, since each builds on those before it.
fn with_whole_sequences(left: &FixedBitSet, asked: &PlannedCells) -> FixedBitSet {
    let step = |place: usize| {
        let scenario = asked.get(place).cell.scenario;
        (scenario.kind == Kind::Sequence).then(|| scenario.id.clone())
    };
    let sequences: BTreeSet<String> = left.ones().filter_map(step).collect();
    let beside = |place: &usize| step(*place).is_some_and(|scenario| sequences.contains(&scenario));
    let mut sent = left.clone();
    if !sequences.is_empty() {
        sent.extend((0..asked.len()).filter(beside));
    }
    sent
}
