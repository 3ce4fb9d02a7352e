//! The first pass over the cells: what is counted, the gateways in their order, and the axes that the cells really have.

use std::collections::HashMap;

use crate::facts::Facts;
use record::{AxisRecord, CellRecord, Results, ResultsError, ScenarioRecord, ValueRecord};

/// What the first pass finds.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// What is counted.
    pub(super) facts: Facts,
    /// The record's gateways in their order; what only cells name comes after.
    pub(super) gateways: Vec<String>,
    /// The record's scenarios with every axis and value that its cells have.
    pub(super) scenarios: Vec<ScenarioRecord>,
    /// Places of scenarios.
    places: HashMap<String, usize>,
}

impl Layout {
    /// Reads all cells once.
    pub(super) fn of(results: &Results<'_>) -> Result<Self, ResultsError> {
        let head = results.head();
        let gateways = head.gateways.iter();
        let places = head.scenarios.iter().enumerate();
        let mut layout = Self {
            facts: Facts::default(),
            gateways: gateways.map(|gateway| gateway.reference.clone()).collect(),
            scenarios: head.scenarios.clone(),
            places: places
                .map(|(at, scenario)| (scenario.id.clone(), at))
                .collect(),
        };
        results.each_cell(&mut |cell| {
            layout.facts.cell(cell);
            layout.scenario(cell);
            if layout.gateway_place(&cell.gateway).is_none() {
                layout.gateways.push(cell.gateway.clone());
            }
            Ok(())
        })?;
        Ok(layout)
    }

    /// The place of a gateway.
    pub(super) fn gateway_place(&self, name: &str) -> Option<usize> {
        self.gateways.iter().position(|known| known == name)
    }

    /// The place of a scenario.
    pub(super) fn scenario_place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Learns the axes of a scenario from its cells: a record need not describe it.
    fn scenario(&mut self, cell: &CellRecord) {
        let place = self.scenario_place(cell.scenario()).unwrap_or_else(|| {
            self.scenarios.push(ScenarioRecord {
                id: cell.scenario().to_owned(),
                title: String::new(),
                file: String::new(),
                axes: Vec::new(),
                sets: Vec::new(),
            });
            let place = self.scenarios.len() - 1;
            self.places.insert(cell.scenario().to_owned(), place);
            place
        });
        let axes = &mut self.scenarios[place].axes;
        for (name, value) in cell.axes.iter() {
            let axis = match axes.iter().position(|axis| axis.name == name) {
                Some(axis) => axis,
                None => {
                    axes.push(AxisRecord {
                        name: name.to_owned(),
                        values: Vec::new(),
                    });
                    axes.len() - 1
                }
            };
            let values = &mut axes[axis].values;
            if values.iter().all(|known| known.id != value) {
                values.push(ValueRecord {
                    id: value.to_owned(),
                    short: value.to_owned(),
                    title: String::new(),
                });
            }
        }
    }
}
