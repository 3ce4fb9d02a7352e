//! A gateway asked twice: what it does not answer the same.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Ending, FinishedRun, RelationRecord};
use crate::events::CellResult;
use crate::observe::Observation;
use crate::sameness::{RecordedAnswer, Sameness};

/// The id of the relation between a cell and itself, asked again.
const RELATION: &str = "same-answer-twice";

/// What came of asking everything a second time, of gateways that were launched anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TwiceRecord {
    /// Cells that were answered both times.
    pub compared: usize,
    /// Those of them that were answered in two ways.
    pub differing: Vec<TwoAnswers>,
    /// Why the second time is not complete; none where it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub incomplete: Option<String>,
}

/// A cell that was answered in two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TwoAnswers {
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Id of the cell.
    pub cell: String,
    /// The first answer, in one line.
    pub first: String,
    /// The second answer, in one line; where both lines are the same, headers or bodies differ.
    pub second: String,
}

impl FinishedRun<'_> {
    /// Notes what the same cells answered another time. What differs makes the run fail: of two answers one is wrong, or the contract
    /// does not say which.
    pub fn compare_with_second(&mut self, second: &FinishedRun<'_>) {
        fn place(result: &CellResult) -> (&str, &str, u32) {
            let cell = &result.cell;
            (&result.facts.gateway, &cell.scenario.id, cell.number)
        }
        let answered = |result: &&CellResult| result.facts.observed.is_some();
        let later = second.results.iter().filter(answered);
        let later: HashMap<_, _> = later.map(|result| (place(result), result)).collect();
        let mut twice = TwiceRecord::default();
        let mut lost = 0;
        for first in self.results.iter().filter(answered) {
            let Some(second) = later.get(&place(first)) else {
                lost += 1;
                continue;
            };
            let (Some(one), Some(other)) = (&first.facts.observed, &second.facts.observed) else {
                continue;
            };
            twice.compared += 1;
            if !same(one, other) {
                twice.differing.push(TwoAnswers {
                    gateway: first.facts.gateway.clone(),
                    cell: first.cell.id(),
                    first: RecordedAnswer::from(one).line(),
                    second: RecordedAnswer::from(other).line(),
                });
            }
        }
        let (ending, why) = second.head.ending();
        twice.incomplete = match ending {
            Ending::Gateway | Ending::Incomplete | Ending::Interrupted if lost > 0 => Some(why),
            _ if lost > 0 => Some(format!("{lost} cells had no answer")),
            _ => None,
        };
        self.head.run.interrupted |= second.head.run.interrupted;
        for gateway in &self.head.gateways {
            let mine = twice.differing.iter();
            let mine = mine.filter(|two| two.gateway == gateway.reference);
            let Some(example) = mine.clone().next() else {
                continue;
            };
            let scenario = self.head.scenarios.iter().find(|scenario| {
                contract::cell_id::CellId::of(&example.cell).scenario() == scenario.id
            });
            self.head.relations.push(RelationRecord {
                gateway: gateway.reference.clone(),
                id: RELATION.to_owned(),
                title: "asked twice, a gateway answers the same".to_owned(),
                origin: scenario.map_or_else(String::new, |scenario| scenario.file.clone()),
                example: (example.cell.clone(), example.cell.clone()),
                unexplained: mine.count(),
                explained: 0,
                failing: true,
            });
        }
        self.head.run.twice = Some(twice);
    }
}

fn same(one: &Observation, other: &Observation) -> bool {
    RecordedAnswer::from(one).same(&RecordedAnswer::from(other), Sameness::Text)
}
