//! How a run ends: counts, exit code, and the reason in one line.

use serde::{Deserialize, Serialize};

use super::{FailOn, GatewayRecord, LaunchRecord, Record};
use crate::judge::Proof;
use base::text::count;

/// Counts of verdicts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Summary {
    /// Cells that were selected.
    pub selected: usize,
    /// As the rules and snapshots say.
    pub conforms: usize,
    /// Not as they say.
    pub deviates: usize,
    /// As a known issue says.
    pub known: usize,
    /// A known issue that does not show.
    pub stale: usize,
    /// Without a snapshot.
    pub new: usize,
    /// Cannot be asked of the release.
    pub not_applicable: usize,
    /// Were not asked: the machine lacks something that they take.
    #[serde(default)]
    pub not_asked: usize,
    /// Could not be asked.
    pub could_not_run: usize,
    /// Cells that make the run fail, whatever their verdict; those that could not run are not among them.
    #[serde(default)]
    pub failing: usize,
    /// Cells that would, but the gateway answered the same in the baseline.
    #[serde(default)]
    pub as_in_baseline: usize,
    /// Cells that would, but are not as severe as what was asked for.
    #[serde(default)]
    pub below_severity: usize,
    /// Cells that made the baseline's run fail and are as they should be now.
    #[serde(default)]
    pub better: usize,
    /// Cells that were not asked on this machine, as `run.may_skip` says that they may.
    #[serde(default)]
    pub expected_skips: usize,
    /// Cells of the scenarios that were not selected; they are not in the record.
    #[serde(default)]
    pub not_selected: usize,
    /// Selected cells that an interrupted or broken-off run did not come to; they are not in the record.
    #[serde(default)]
    pub not_reached: usize,
}

/// How a run ends; the exit codes are a published contract. The command line adds two of its own, for usage and bugs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The contract holds and at least one cell ran.
    Holds,
    /// The contract is broken.
    Broken,
    /// A gateway did not install, start or stay up.
    Gateway,
    /// Incomplete, or nothing ran.
    Incomplete,
    /// Interrupted.
    Interrupted,
}

impl Ending {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Broken => 1,
            Self::Gateway => 3,
            Self::Incomplete => 4,
            Self::Interrupted => 130,
        }
    }

    /// The verdict, as reports begin with it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "GO",
            Self::Broken => "NO-GO",
            Self::Gateway | Self::Incomplete | Self::Interrupted => "COULD NOT TELL",
        }
    }

    /// What the exit code means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Holds => "the contract holds and at least one cell ran",
            Self::Broken => "the contract is broken",
            Self::Gateway => "the gateway did not install, start or stay up",
            Self::Incomplete => "incomplete, or nothing ran",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Summary {
    /// Cells that were not asked on this machine, and nobody said that they may be skipped.
    pub fn skipped_unexpectedly(&self) -> usize {
        self.not_asked.saturating_sub(self.expected_skips)
    }

    /// Cells that were asked and answered.
    pub fn ran(&self) -> usize {
        let all = [
            self.conforms,
            self.deviates,
            self.known,
            self.stale,
            self.new,
        ];
        // A record that somebody made may say anything.
        all.into_iter().fold(0, usize::saturating_add)
    }
}

impl Record {
    /// How the run ends, and why in one line.
    pub fn ending(&self) -> (Ending, String) {
        let (ending, why) = self.plain_ending();
        match (&self.run.shard, &self.run.budget) {
            (Some(shares), _) => (
                ending,
                format!("shard {} of {}: {why}", shares.number, shares.of),
            ),
            (None, Some(part)) if part.is_part() && part.cells_asked > 0 => {
                let cut = part.cut().map(|cut| format!("; {cut}")).unwrap_or_default();
                (ending, format!("{}: {why}{cut}", part.share()))
            }
            (None, _) => (ending, why),
        }
    }

    fn plain_ending(&self) -> (Ending, String) {
        if self.run.interrupted {
            return (Ending::Interrupted, "interrupted".to_owned());
        }
        let summary = &self.summary;
        let ran = summary.ran();
        if summary.failing > 0 {
            return (Ending::Broken, self.why_broken());
        }
        let unrelated = self
            .relations
            .iter()
            .filter(|relation| relation.failing)
            .count();
        if unrelated > 0 {
            let twice = self.run.twice.as_ref().map(|twice| twice.differing.len());
            let why = match twice.filter(|differing| *differing > 0) {
                Some(differing) => {
                    let cells = count(differing, "cell");
                    format!("asked twice, {cells} answered in two ways")
                }
                None => format!("{unrelated} relations between cells do not hold"),
            };
            return (Ending::Broken, why);
        }
        if self.run.baseline_strict && summary.better > 0 {
            let cells = count(summary.better, "cell");
            let why = format!("the baseline excuses {cells} that need no excuse any more");
            return (Ending::Broken, why);
        }
        if let Some(failed) = self.failed_gateway() {
            return (Ending::Gateway, failed);
        }
        let lacking = summary.skipped_unexpectedly();
        let lacking = (lacking > 0).then(|| {
            let cells = count(lacking, "cell");
            format!("{cells} not asked, since this machine lacks what they take")
        });
        let lost = summary.could_not_run;
        let lost = (lost > 0).then(|| format!("{lost} cells could not run"));
        if lost.is_some() || lacking.is_some() {
            let holds = (ran > 0).then(|| format!("the contract holds on {ran} cells"));
            let whys: Vec<String> = lost.into_iter().chain(lacking).collect();
            let whys = whys.join(", ");
            let why = holds.map_or(whys.clone(), |holds| format!("{holds}, but {whys}"));
            return (Ending::Incomplete, why);
        }
        let twice = self.run.twice.as_ref();
        if let Some(why) = twice.and_then(|twice| twice.incomplete.as_ref()) {
            return (Ending::Incomplete, format!("the second time: {why}"));
        }
        if ran == 0 {
            let why = match &self.run.shard {
                Some(shares) if shares.mine().next().is_none() => {
                    let (launches, busy) = (shares.launches.len(), shares.busy());
                    format!(
                        "nothing ran: the run has {launches} launches, enough for {busy} shards"
                    )
                }
                Some(_) | None => match &self.run.budget {
                    Some(part) => part.nothing_asked(),
                    None => "no cell ran".to_owned(),
                },
            };
            return (Ending::Incomplete, why);
        }
        let mut parts = Vec::new();
        for (count, what) in [
            (summary.known, "deviate as known issues say"),
            (
                summary.as_in_baseline,
                "are not as they should be, as in the baseline",
            ),
            (
                summary.below_severity,
                "are not as they should be, but less severe than asked for",
            ),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let why = match parts.is_empty() {
            true => format!("the contract holds on all {ran} cells that ran"),
            false => format!("of {ran} cells that ran, {}", parts.join(", ")),
        };
        let why = match twice {
            Some(_) => format!("{why}; asked twice, each answered the same"),
            None => why,
        };
        (Ending::Holds, why)
    }

    fn why_broken(&self) -> String {
        let summary = &self.summary;
        let known = match self.run.fail_on {
            FailOn::Deviates => 0,
            FailOn::Known => summary.known,
        };
        let mut parts = Vec::new();
        for (count, what) in [
            (summary.deviates, "deviate"),
            (known, "known to deviate"),
            (summary.stale, "stale"),
            (summary.new, "without a snapshot"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let mut why = format!("of {} cells that ran, {}", summary.ran(), parts.join(", "));
        let mut excused = Vec::new();
        for (count, what) in [
            (summary.as_in_baseline, "as in the baseline"),
            (summary.below_severity, "less severe than asked for"),
        ] {
            if count > 0 {
                excused.push(format!("{count} of them {what}"));
            }
        }
        if !excused.is_empty() {
            why.push_str(&format!("; {}", excused.join(", ")));
        }
        if self.run.stopped_early {
            why.push_str("; stopped at the first");
        }
        why
    }

    /// A gateway that could not be used, or whose last launch of a profile failed.
    fn failed_gateway(&self) -> Option<String> {
        self.gateways.iter().find_map(GatewayRecord::failed)
    }
}

impl GatewayRecord {
    /// Why it could not be used, or why its last launch of a profile failed.
    pub fn failed(&self) -> Option<String> {
        let name = &self.reference;
        if self.error.is_some() {
            return Some(format!("{name} could not be used"));
        }
        // What an earlier attempt has called into question no later one takes back.
        let voided = |launch: &&LaunchRecord| launch.proof == Some(Proof::Void);
        let mut failed = self
            .launches
            .iter()
            .filter(voided)
            .chain(self.last_launches());
        failed.find_map(|launch| {
            let failure = launch.failure.as_deref()?;
            Some(format!("{name}, profile {}: {failure}", launch.profile))
        })
    }
}
