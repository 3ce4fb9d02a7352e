//! Relations between what was observed of two cells: they need no expected value.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::events::CellResult;
use crate::observe::Observation;
use contract::scenario::model::Direction;
use contract::scenario::{Holds, Relation};

/// A relation that two or more cells of one gateway break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The gateway.
    pub gateway: String,
    /// Id of the relation.
    pub relation: String,
    /// The relation in one sentence.
    pub title: String,
    /// `file:line` of the relation.
    pub origin: String,
    /// The first pair that breaks it.
    pub example: (String, String),
    /// How many pairs break it and no known issue explains either cell.
    pub unexplained: usize,
    /// How many pairs break it because of a known issue.
    pub explained: usize,
}

/// Checks every relation on every gateway's cells that were observed.
pub fn broken_relations(relations: &[Relation], results: &[CellResult]) -> Vec<Broken> {
    let pairs = relations.iter().flat_map(|relation| &relation.pairs);
    let related: HashSet<&str> = pairs.flat_map(|(one, two)| [one.as_str(), two]).collect();
    let mut by_gateway: BTreeMap<&str, HashMap<&str, &CellResult>> = BTreeMap::new();
    let observed = results
        .iter()
        .filter(|result| result.facts.observed.is_some());
    for result in observed.filter(|_| !related.is_empty()) {
        if let Some(id) = related.get(result.cell.id().as_str()) {
            let cells = by_gateway.entry(&result.facts.gateway).or_default();
            cells.insert(id, result);
        }
    }
    let mut broken = Vec::new();
    for (gateway, cells) in &by_gateway {
        for relation in relations {
            broken.extend(check(relation, gateway, cells));
        }
    }
    broken
}

fn check(relation: &Relation, gateway: &str, cells: &HashMap<&str, &CellResult>) -> Option<Broken> {
    let mut found: Option<Broken> = None;
    for (first, second) in &relation.pairs {
        let (Some(one), Some(two)) = (cells.get(first.as_str()), cells.get(second.as_str())) else {
            continue;
        };
        let (Some(seen), Some(other)) = (&one.facts.observed, &two.facts.observed) else {
            continue;
        };
        if holds(relation.holds, seen, other) {
            continue;
        }
        let explained = one.facts.known_issue.is_some() || two.facts.known_issue.is_some();
        let pair = || (first.clone(), second.clone());
        let entry = found.get_or_insert_with(|| Broken {
            gateway: gateway.to_owned(),
            relation: relation.id.clone(),
            title: relation.title.clone(),
            origin: relation.origin.clone(),
            example: pair(),
            unexplained: 0,
            explained: 0,
        });
        if explained {
            entry.explained += 1;
        } else {
            // What nothing explains is the better example.
            if entry.unexplained == 0 {
                entry.example = pair();
            }
            entry.unexplained += 1;
        }
    }
    found
}

fn holds(what: Holds, first: &Observation, second: &Observation) -> bool {
    match what {
        Holds::NoNarrower => {
            first.direction == Direction::Deny || second.direction == Direction::Allow
        }
        Holds::SameVerdict => first.direction == second.direction,
        Holds::SameAnswer => first.answer == second.answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Allow, Deny};
    use rstest::rstest;

    fn seen(direction: Direction, answer: &str) -> Observation {
        Observation {
            direction,
            answer: answer.to_owned(),
            ..Observation::default()
        }
    }

    #[rstest]
    #[case(Holds::NoNarrower, (Allow, "a"), (Deny, "a"), false)]
    #[case(Holds::NoNarrower, (Deny, "a"), (Allow, "b"), true)]
    #[case(Holds::NoNarrower, (Deny, "a"), (Deny, "b"), true)]
    #[case(Holds::SameVerdict, (Deny, "a"), (Allow, "a"), false)]
    #[case(Holds::SameVerdict, (Allow, "a"), (Allow, "b"), true)]
    #[case(Holds::SameAnswer, (Deny, "a"), (Deny, "b"), false)]
    #[case(Holds::SameAnswer, (Deny, "a"), (Deny, "a"), true)]
    fn what_holds(
        #[case] what: Holds,
        #[case] first: (Direction, &str),
        #[case] second: (Direction, &str),
        #[case] expected: bool,
    ) {
        let got = holds(what, &seen(first.0, first.1), &seen(second.0, second.1));
        assert_eq!(got, expected);
    }
}
