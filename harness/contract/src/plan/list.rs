//! Cells of a launch, in an order: a few bytes each, however many they are.

use std::sync::Arc;

use super::{Barred, Cell};
use crate::scenario::model::Scenario;

/// A cell and whether it can be asked.
#[derive(Debug, Clone)]
pub struct PlannedCell {
    /// The cell.
    pub cell: Cell,
    /// Why it cannot be asked, if it cannot.
    pub barred: Option<Barred>,
}

/// Planned cells, in an order; each is made when it is looked at.
#[derive(Debug, Clone, Default)]
pub struct PlannedCells {
    numbers: Vec<u32>,
    sections: Vec<Section>,
}

/// Neighbours in the list that differ by their number only.
#[derive(Debug, Clone)]
struct Section {
    scenario: Arc<Scenario>,
    barred: Option<Barred>,
    /// The place after its last cell.
    end: usize,
}

impl PlannedCells {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Adds one at the end.
    pub fn push(&mut self, planned: PlannedCell) {
        let Cell { scenario, number } = planned.cell;
        self.numbers.push(number);
        let end = self.numbers.len();
        match self.sections.last_mut() {
            Some(last)
                if Arc::ptr_eq(&last.scenario, &scenario) && last.barred == planned.barred =>
            {
                last.end = end;
            }
            Some(_) | None => self.sections.push(Section {
                scenario,
                barred: planned.barred,
                end,
            }),
        }
    }

    /// The cell at a place.
    ///
    /// # Panics
    /// There is none.
    pub fn get(&self, place: usize) -> PlannedCell {
        let number = self.numbers[place];
        let section = self
            .sections
            .partition_point(|section| section.end <= place);
        let section = &self.sections[section];
        PlannedCell {
            cell: Cell {
                scenario: Arc::clone(&section.scenario),
                number,
            },
            barred: section.barred.clone(),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = PlannedCell> + Clone {
        (0..self.len()).map(|place| self.get(place))
    }

    /// The cells that can be asked, in order.
    pub fn askable(&self) -> impl Iterator<Item = Cell> + Clone {
        let asked = self.iter().filter(|planned| planned.barred.is_none());
        asked.map(|planned| planned.cell)
    }
}

impl FromIterator<PlannedCell> for PlannedCells {
    fn from_iter<T: IntoIterator<Item = PlannedCell>>(cells: T) -> Self {
        let mut list = Self::default();
        cells.into_iter().for_each(|planned| list.push(planned));
        list
    }
}
