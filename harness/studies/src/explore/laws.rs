//! What must hold whatever an oracle answers: laws of the file, relations between two answers, and two that are built in.

use std::collections::BTreeMap;

use contract::cell_id::CellId;
use contract::scenario::{AskedRelation, Never, Relation};
use record::judge::broken_relations;

use super::findings::{Seen, World};

/// A law that needs no file.
const TELLS_NOTHING: &str = "no answer tells a secret";
/// Another one.
const NO_ERROR: &str = "no well-formed request makes a gateway answer with a server error";

impl World<'_> {
    /// Notes on each cell which laws it breaks.
    pub(super) fn judge_by_laws(&self, seen: &mut [Seen<'_>]) {
        for one in seen.iter_mut() {
            if one.observed.tells_secret() {
                one.laws.insert(TELLS_NOTHING.to_owned());
            }
            let expected = one.result.facts.expected.as_ref();
            let expected = expected.and_then(|expected| expected.outcome.status);
            let status = one.observed.status;
            if status.is_some_and(|status| status >= 500) && status != expected {
                one.laws.insert(NO_ERROR.to_owned());
            }
            let broken = self
                .rules
                .nevers
                .iter()
                .filter(|never| self.breaks(one, never));
            let broken: Vec<String> = broken.map(|never| never.title.clone()).collect();
            one.laws.extend(broken);
        }
        let places = (0..).zip(seen.iter());
        let places: BTreeMap<String, usize> = places
            .map(|(place, one)| (one.result.cell.id(), place))
            .collect();
        for relation in &self.rules.relations {
            for (one, other) in self.pairs(relation, seen, &places) {
                let pair = (seen[one].result.cell.id(), seen[other].result.cell.id());
                let of_two = Relation {
                    id: relation.id.clone(),
                    title: relation.title.clone(),
                    holds: relation.holds,
                    origin: String::new(),
                    pairs: vec![pair],
                };
                let results = [seen[one].result.clone(), seen[other].result.clone()];
                if !broken_relations(&[of_two], &results).is_empty() {
                    seen[other].laws.insert(relation.title.clone());
                }
            }
        }
    }

    fn breaks(&self, one: &Seen<'_>, never: &Never) -> bool {
        let cell = &one.result.cell;
        let harmless = never.unless_answer_has.as_ref();
        let is_meant = never.when.iter().all(|(axis, ids)| {
            let mut values = cell.axes().filter(|(name, _)| name == axis);
            values.any(|(_, value)| ids.iter().any(|id| id == value))
        });
        is_meant
            && is_among(one.cell.tried.mode(self.contract), &never.modes)
            && one.observed.grants > never.grants
            && !harmless.is_some_and(|line| one.observed.answer.contains(line))
    }

    /// The places of the cells that a relation compares.
    fn pairs(
        &self,
        relation: &AskedRelation,
        seen: &[Seen<'_>],
        places: &BTreeMap<String, usize>,
    ) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (place, one) in seen.iter().enumerate() {
            let cell = &one.result.cell;
            let mode = one.cell.tried.mode(self.contract);
            let mut values: Vec<(&str, &str)> = cell.axes().collect();
            let is_meant = relation.when.iter().all(|(axis, ids)| {
                let mut values = values.iter().filter(|(name, _)| name == axis);
                values.any(|(_, value)| ids.iter().any(|id| id == value))
            });
            let axis = values.iter().position(|(name, _)| *name == relation.axis);
            let Some(axis) = axis.filter(|_| is_meant && is_among(mode, &relation.modes)) else {
                continue;
            };
            let own = values[axis].1;
            for (_, other) in relation.pairs.iter().filter(|(one, _)| one == own) {
                values[axis].1 = other;
                let id = CellId::text(&cell.scenario.id, values.iter().copied());
                found.extend(places.get(&id).map(|other| (place, *other)));
            }
        }
        found
    }
}

/// Whether a mode is among these; none means all.
pub(super) fn is_among(mode: &str, modes: &[String]) -> bool {
    modes.is_empty() || modes.iter().any(|known| known == mode)
}
