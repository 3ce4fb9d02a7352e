//! The cells of one profile: launch, ask, judge, and try again where the surroundings failed.
//!
//! An answer is judged as it is: only cells without one are asked again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::attempt::Attempt;
use super::budget::{cut_sequences, is_cut};
use super::seen::{Missed, Seen};
use super::slots::Slots;
use super::target::{Target, partition};
use super::verdicts::LaunchJudge;
use super::{Context, RunEvent};
use contract::plan::PlannedCell;
use contract::scenario::model::{Direction, Kind};
use record::judge::Proof;

/// A cell that is still without an answer, and why earlier attempts brought none.
struct Open<'a> {
    planned: &'a PlannedCell,
    attempts: Vec<String>,
}

/// Launches one profile of a gateway and asks its cells; everything is told in events.
pub(super) async fn run_launch(
    context: &Arc<Context>,
    target: &Arc<Target>,
    slots: &Slots,
    profile: String,
    cells: &[PlannedCell],
) {
    let bench = LaunchJudge { context, target };
    let (asked, skipped) = partition(cells);
    for planned in skipped {
        if let Some(barred) = &planned.barred {
            bench.unseen(&planned.cell, barred.into(), Vec::new());
        }
    }
    let Some(config) = context
        .catalogue
        .profiles
        .get(&profile)
        .and_then(|profile| profile.launch_for(&target.version).ok())
    else {
        return;
    };
    let open = |planned| Open {
        planned,
        attempts: Vec::new(),
    };
    let mut left: Vec<Open<'_>> = asked.iter().copied().map(open).collect();
    let mut number = 0;
    while !left.is_empty() {
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
        let cells = with_whole_sequences(&left, &asked);
        let (seen, proof) = attempt.run(&cells, slots).await;
        let again = again && !context.cancel.is_cancelled();
        let broke_off = seen.iter().any(Result::is_err);
        let mut still = Vec::new();
        let sequences = cut_sequences(context, &cells, &seen, proof);
        let mut cut = 0;
        // Both are in the order of the plan, and what is left is among what was asked.
        let mut answers = cells.iter().zip(seen);
        for mut open in left {
            let mine = answers.find(|(cell, _)| std::ptr::eq(**cell, open.planned));
            let seen = mine.map(|(_, seen)| seen);
            let scenario = open.planned.cell.scenario.id.as_str();
            let seen = seen.unwrap_or_else(|| Err("it was not asked".into()));
            // What is wrong is told, however the launch went on.
            let is_wrong = |seen: &Seen| {
                let rank = || bench.rank(&open.planned.cell, seen.clone());
                seen.is_ok() && rank() == LaunchJudge::DEVIATES
            };
            let is_cut = |seen: &Seen| {
                open.attempts.is_empty()
                    && (is_cut(context, seen, proof) || sequences.contains(scenario))
            };
            let is_unproved = |seen: &Seen| {
                let denied = seen
                    .as_ref()
                    .is_ok_and(|seen| seen.direction == Direction::Deny);
                denied && open.planned.cell.must_be_denied(&target.version)
            };
            match seen {
                seen if is_cut(&seen) && !is_wrong(&seen) => cut += 1,
                Err(missed) if again && !matches!(missed, Missed::Odd(_)) => {
                    open.attempts.push(missed.to_string());
                    still.push(open);
                }
                // A refusal that proves nothing, since its launch broke off, is no answer yet.
                seen if again
                    && broke_off
                    && proof == Proof::Missing
                    && is_unproved(&seen)
                    && !is_wrong(&seen) =>
                {
                    let reason = proof.objection().unwrap_or_default();
                    open.attempts.push(reason.to_owned());
                    still.push(open);
                }
                seen => bench.judge(&open.planned.cell, seen, proof, open.attempts),
            }
        }
        if cut > 0 {
            context.emit(RunEvent::OutOfTime {
                profile: profile.clone(),
                cells: cut,
            });
        }
        left = still;
    }
}

/// The cells without an answer; of a sequence all steps, since each builds on those before it.
fn with_whole_sequences<'a>(left: &[Open<'a>], asked: &[&'a PlannedCell]) -> Vec<&'a PlannedCell> {
    let is_step = |cell: &PlannedCell| cell.cell.scenario.kind == Kind::Sequence;
    let steps = left.iter().filter(|open| is_step(open.planned));
    let sequences: BTreeSet<&str> = steps
        .map(|open| open.planned.cell.scenario.id.as_str())
        .collect();
    let mut left = left.iter().peekable();
    let wanted = |cell: &&PlannedCell| {
        let is_left = left.next_if(|open| std::ptr::eq(open.planned, *cell));
        let scenario = cell.cell.scenario.id.as_str();
        is_left.is_some() || (is_step(cell) && sequences.contains(scenario))
    };
    asked.iter().copied().filter(wanted).collect()
}
