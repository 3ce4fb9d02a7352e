//! What a run did not ask, and why: of every kind, in one place. Every report begins with it.

use std::time::Duration;

use super::{Ending, Record};
use base::text::{count, duration};

/// Why cells were not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// The command line or the project's file asks for other cells.
    NotSelected,
    /// Other machines ask them.
    OtherShards,
    /// They do not fit into the run's budget.
    Budget,
    /// The run ended before.
    NotReached,
    /// This machine lacks something that they take, and nobody said that it may.
    Machine,
    /// This machine lacks something that they take, as expected.
    MachineExpected,
    /// They cannot be asked of the release.
    NotApplicable,
    /// They were to be asked, and something went wrong.
    CouldNotRun,
}

impl Unasked {
    fn words(self) -> &'static str {
        match self {
            Self::NotSelected => "not selected",
            Self::OtherShards => "in other shards",
            Self::Budget => "beyond the budget",
            Self::NotReached => "not reached",
            Self::Machine => "not asked on this machine",
            Self::MachineExpected => "skipped as expected",
            Self::NotApplicable => "not applicable",
            Self::CouldNotRun => "could not run",
        }
    }
}

impl Record {
    /// How many cells were not asked, by why; kinds of which there are none are left out.
    pub fn unasked(&self) -> Vec<(Unasked, usize)> {
        let summary = &self.summary;
        let of_run =
            |shares: &contract::plan::Shares| shares.selected.saturating_sub(summary.selected);
        let budget = self.run.budget.as_ref().map(|part| {
            let told = summary.ran().saturating_add(summary.could_not_run);
            part.cells.saturating_sub(told)
        });
        let all = [
            (Unasked::Budget, budget.unwrap_or(0)),
            (Unasked::NotSelected, summary.not_selected),
            (
                Unasked::OtherShards,
                self.run.shard.as_ref().map_or(0, of_run),
            ),
            (Unasked::NotReached, summary.not_reached),
            (Unasked::CouldNotRun, summary.could_not_run),
            (Unasked::Machine, summary.skipped_unexpectedly()),
            (Unasked::MachineExpected, summary.expected_skips),
            (Unasked::NotApplicable, summary.not_applicable),
        ];
        all.into_iter().filter(|(_, cells)| *cells > 0).collect()
    }

    /// The first line of every report about a run that did not ask every cell: `GO for 3440 of 4348 cells; 868 skipped as
    /// expected, 40 not applicable`. Within a budget rules and time come first. `None` where every cell was asked.
    pub fn headline(&self) -> Option<String> {
        let unasked = self.unasked();
        if unasked.is_empty() {
            return None;
        }
        let ending = self.ending().0;
        let word = ending.word();
        let ran = self.summary.ran();
        let rest = unasked.iter().map(|(_, cells)| *cells);
        let all = count(rest.fold(ran, usize::saturating_add), "cell");
        let part = self.run.budget.as_ref().filter(|part| part.is_part());
        let said = match part {
            Some(part) => {
                let took = duration(Duration::from_millis(part.took_ms));
                let (asked, cells) = (part.cells_asked, count(part.cells, "cell"));
                format!("{word} for {} in {took} ({asked} of {cells})", part.share())
            }
            None => match ending {
                Ending::Holds | Ending::Broken => format!("{word} for {ran} of {all}"),
                Ending::Gateway | Ending::Incomplete | Ending::Interrupted => {
                    format!("{word}: {ran} of {all} ran")
                }
            },
        };
        // The cells of a part are told already.
        let rest = unasked.iter().filter(|(why, _)| *why != Unasked::Budget);
        let rest: Vec<String> = rest
            .map(|(why, cells)| format!("{cells} {}", why.words()))
            .collect();
        Some(match rest.is_empty() {
            true => said,
            false => format!("{said}; {}", rest.join(", ")),
        })
    }

    /// The entries of what may be skipped that are no longer needed: every cell that they name was asked. Only a whole run knows.
    pub fn skips_not_needed(&self) -> impl Iterator<Item = &str> {
        let run = &self.run;
        let whole = run.cells.is_empty()
            && run.conditions.is_empty()
            && run.shard.is_none()
            && self.summary.not_reached == 0
            && !run.budget.as_ref().is_some_and(super::PartRecord::is_part);
        let skips = run.may_skip.iter().filter(move |_| whole);
        let idle = skips.filter(|skip| skip.skipped == 0 && skip.asked > 0);
        idle.map(|skip| skip.entry.as_str())
    }
}
