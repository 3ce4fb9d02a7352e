//! Finding cells by their ids, and a place for each cell of a catalogue: what is known of a million cells is then a set of places.

use std::collections::HashMap;
use std::sync::Arc;

use super::Cell;
use crate::cell_id::CellId;
use crate::scenario::Catalogue;
use crate::scenario::model::Scenario;

/// The cells of a catalogue.
#[derive(Debug)]
pub struct Places<'a> {
    matrices: HashMap<&'a str, Matrix<'a>>,
    count: usize,
}

/// The cells of a scenario.
#[derive(Debug)]
struct Matrix<'a> {
    scenario: &'a Arc<Scenario>,
    /// The place of its first cell.
    first: usize,
    /// Names of the axes, each with the places of its values.
    axes: Vec<(&'a str, HashMap<&'a str, u32>)>,
}

impl<'a> Places<'a> {
    /// Of a catalogue.
    pub fn of(catalogue: &'a Catalogue) -> Self {
        let mut count = 0;
        let matrices = catalogue.scenarios.iter().map(|scenario| {
            let axes = scenario.axes.iter().map(|axis| {
                let values = axis.values.iter().map(|value| value.id.as_str());
                (axis.name.as_str(), values.zip(0..).collect())
            });
            let matrix = Matrix {
                scenario,
                first: count,
                axes: axes.collect(),
            };
            count += scenario.product() as usize;
            (scenario.id.as_str(), matrix)
        });
        let matrices = matrices.collect();
        Self { matrices, count }
    }

    /// How many places there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The cell with an id, if there is one.
    pub fn find(&self, id: &str) -> Option<Cell> {
        let id = CellId::of(id);
        let matrix = self.matrices.get(id.scenario())?;
        let mut parts = id.parts().skip(1);
        let mut number = 0;
        for (axis, values) in &matrix.axes {
            let (name, value) = parts.next()?.split_once('=')?;
            let place = values.get(value).filter(|_| name == *axis)?;
            number = number * u32::try_from(values.len()).ok()? + place;
        }
        let scenario = matrix.scenario;
        let excluded = scenario.excluded(&scenario.combination(number));
        (parts.next().is_none() && excluded.is_none()).then(|| Cell {
            scenario: Arc::clone(scenario),
            number,
        })
    }

    /// The place of a cell of this catalogue.
    pub fn place(&self, cell: &Cell) -> Option<usize> {
        let matrix = self.matrices.get(cell.scenario.id.as_str())?;
        Some(matrix.first + cell.number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use crate::plan::{Barred, PlannedCell, PlannedCells, cells};

    fn catalogue() -> Catalogue {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        Catalogue::load(&Data::Folder(root.into())).unwrap()
    }

    #[test]
    fn every_cell_is_found_and_has_a_place_of_its_own() {
        let catalogue = catalogue();
        let places = Places::of(&catalogue);
        let mut taken = std::collections::HashSet::new();
        for cell in cells(&catalogue) {
            let found = places.find(&cell.id()).unwrap();
            assert_eq!((found.id(), found.number), (cell.id(), cell.number));
            let place = places.place(&found).unwrap();
            assert!(
                place < places.count() && taken.insert(place),
                "{}",
                cell.id()
            );
        }
    }

    #[test]
    fn what_is_no_cell_is_not_found() {
        let catalogue = catalogue();
        let places = Places::of(&catalogue);
        let id = cells(&catalogue).next().unwrap().id();
        let (head, _) = id.rsplit_once('/').unwrap();
        for text in [
            "",
            "nothing",
            head,
            &format!("{id}/x=y"),
            &format!("{head}/x=y"),
            &format!("{id}x"),
        ] {
            assert!(places.find(text).is_none(), "{text}");
        }
        let mut scenarios = catalogue.scenarios.iter();
        let scenario = scenarios
            .find(|scenario| !scenario.excludes.is_empty())
            .unwrap();
        let mut numbers = 0..scenario.product();
        let is_excluded =
            |number: &u32| scenario.excluded(&scenario.combination(*number)).is_some();
        let excluded = scenario.combination(numbers.find(is_excluded).unwrap());
        assert!(places.find(&scenario.cell_id(&excluded)).is_none());
    }

    #[test]
    fn a_list_gives_back_what_was_put_into_it() {
        let catalogue = catalogue();
        let reasons = [None, Some("one"), Some("one"), None, Some("other")];
        let planned = cells(&catalogue).zip(reasons.iter().cycle());
        let planned = planned.map(|(cell, reason)| PlannedCell {
            cell,
            barred: reason.map(|reason| Barred::Release(reason.to_owned())),
        });
        let planned: Vec<_> = planned.collect();
        let told = |planned: &PlannedCell| (planned.cell.id(), planned.barred.clone());
        let wanted: Vec<_> = planned.iter().map(told).collect();
        let list: PlannedCells = planned.into_iter().collect();
        assert_eq!(list.len(), wanted.len());
        assert!(list.iter().map(|planned| told(&planned)).eq(wanted.clone()));
        assert_eq!(told(&list.get(wanted.len() - 1)), wanted[wanted.len() - 1]);
        let open = wanted.iter().filter(|(_, reason)| reason.is_none());
        assert!(
            list.askable()
                .map(|cell| cell.id())
                .eq(open.map(|(id, _)| id.clone()))
        );
    }
}
