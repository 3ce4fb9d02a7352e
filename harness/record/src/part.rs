//! A run within a budget: what it left out.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::events::CellResult;
use base::text::{count, duration};
use contract::plan::budget::Shown;
use contract::release::Version;
use contract::scenario::Catalogue;

/// What a run asked within a budget, and what it left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PartRecord {
    /// Milliseconds that it was given, from its first launch on.
    pub budget_ms: u64,
    /// Milliseconds that what was planned was estimated to take.
    pub estimated_ms: u64,
    /// Where the estimates come from: `data`, or what earlier runs on the machine took.
    pub estimates: String,
    /// Milliseconds that it took, from its first launch to the end of the last.
    pub took_ms: u64,
    /// Whether the time was over before all that was planned had been asked.
    pub out_of_time: bool,
    /// Rules that speak about the selected cells that can be asked of the release.
    pub rules: usize,
    /// Of these rules, those of which at least one cell was answered.
    pub rules_asked: usize,
    /// Selected cells that can be asked of the release.
    pub cells: usize,
    /// Of these cells, those that were answered.
    pub cells_asked: usize,
    /// Rules of which fewer cells were answered than can be asked.
    pub left_out: Vec<RuleLeftOut>,
    /// Known issues that selected cells have, and no cell that was answered.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub known_issues_not_asked: Vec<String>,
    /// Relations between selected cells of which no pair was answered.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub relations_not_asked: Vec<String>,
    /// Launches that were not made because they do not fit the budget, by profile.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub launches_left_out: Vec<String>,
    /// Launches that were planned, and not made or not asked to the end when the time was over.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub launches_cut: Vec<LaunchCut>,
    /// Milliseconds that the launch takes that takes least, by estimate; none where there is no launch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub least_ms: Option<u64>,
}

/// A rule that was not asked, or not of all its cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RuleLeftOut {
    /// Id of its scenario.
    pub scenario: String,
    /// Its name, unique in the scenario.
    pub rule: String,
    /// Its selected cells that can be asked of the release.
    pub cells: usize,
    /// Of these, those that were answered.
    pub asked: usize,
}

/// A launch that the end of the time cut short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LaunchCut {
    /// Id of the profile.
    pub profile: String,
    /// Its cells that were not asked any more.
    pub cells: usize,
}

impl PartRecord {
    /// Whether it left anything out.
    pub fn is_part(&self) -> bool {
        self.cells_asked < self.cells
    }

    /// Rules of which no cell was answered.
    pub fn rules_not_asked(&self) -> impl Iterator<Item = &RuleLeftOut> {
        self.left_out.iter().filter(|rule| rule.asked == 0)
    }

    /// How much of the contract it is: `61 of 125 rules`.
    pub fn share(&self) -> String {
        format!("{} of {}", self.rules_asked, count(self.rules, "rule"))
    }

    /// That it is a part, for whoever needs a whole run: `it is a part: 61 of 125 rules, asked within a budget of 2 min`.
    pub fn is_a_part(&self) -> Option<String> {
        let budget = duration(Duration::from_millis(self.budget_ms));
        let said = format!(
            "it is a part: {}, asked within a budget of {budget}",
            self.share()
        );
        self.is_part().then_some(said)
    }

    /// Notes that the time was over before so many cells of a launch were asked.
    pub(super) fn cut_short(&mut self, profile: &str, cells: usize) {
        self.out_of_time = true;
        self.launches_cut.push(LaunchCut {
            profile: profile.to_owned(),
            cells,
        });
        self.launches_cut.sort_by(|a, b| a.profile.cmp(&b.profile));
    }

    /// Why nothing at all was asked.
    pub(super) fn nothing_asked(&self) -> String {
        let time = |ms| duration(Duration::from_millis(ms));
        let budget = time(self.budget_ms);
        match (self.out_of_time, self.least_ms) {
            (true, _) => format!(
                "no rule was asked: the budget of {budget} was over before any cell was answered"
            ),
            (false, Some(least)) => format!(
                "no rule was asked: the launch that takes least takes some {}, and the budget is {budget}",
                time(least)
            ),
            (false, None) => "no cell ran".to_owned(),
        }
    }

    /// What the end of the time cut off, in half a line.
    pub fn cut(&self) -> Option<String> {
        let cells: usize = self.launches_cut.iter().map(|cut| cut.cells).sum();
        (cells > 0).then(|| {
            format!(
                "out of time: not asked are {} of {} that fit by estimate",
                count(cells, "cell"),
                count(self.launches_cut.len(), "launch")
            )
        })
    }
}

/// What the recorder must know of a budget until the run ends.
#[derive(Debug, Clone)]
pub(super) struct Open {
    whole: Shown,
    release: Version,
    started: Option<Instant>,
    ended: Option<Instant>,
}

impl Open {
    /// The budget begins now where it is watched, and where a record is judged again it took what it took.
    pub(super) fn new(whole: Shown, release: Version, watched: bool) -> Self {
        Self {
            whole,
            release,
            started: watched.then(Instant::now),
            ended: None,
        }
    }

    /// A launch has ended, perhaps the last one.
    pub(super) fn launch_ended(&mut self) {
        self.ended = Some(Instant::now());
    }

    /// Says what was asked and what was not.
    pub(super) fn close(
        &self,
        part: &mut PartRecord,
        results: &[CellResult],
        catalogue: &Catalogue,
    ) {
        if let Some(started) = self.started {
            let took = self.ended.map_or(Duration::ZERO, |ended| ended - started);
            part.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        }
        let answered = results
            .iter()
            .filter(|result| result.facts.observed.is_some());
        let cells = answered.map(|result| result.cell.clone());
        let asked = Shown::by(cells, catalogue, &self.release);
        let whole = &self.whole;
        part.rules = whole.rules.len();
        part.rules_asked = asked.rules.len();
        part.cells = whole.cells;
        part.cells_asked = asked.cells;
        let rules = whole.rules.iter().map(|(place, cells)| RuleLeftOut {
            scenario: place.0.clone(),
            rule: place.1.clone(),
            cells: *cells,
            asked: asked.rules.get(place).copied().unwrap_or_default(),
        });
        part.left_out = rules.filter(|rule| rule.asked < rule.cells).collect();
        let left = |whole: &BTreeSet<String>, asked: &BTreeSet<String>| {
            whole.difference(asked).cloned().collect()
        };
        part.known_issues_not_asked = left(&whole.issues, &asked.issues);
        part.relations_not_asked = left(&whole.relations, &asked.relations);
    }
}
