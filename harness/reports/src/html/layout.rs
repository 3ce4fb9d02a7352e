//! The first pass over the cells: what is counted, and the axes that they really have.

use std::collections::BTreeMap;

use record::judge::VerdictKind;
use record::{
    AxisRecord, CellRecord, Results, ResultsError, ScenarioRecord, Standing, ValueRecord,
};

/// How many cells have which verdict.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    counts: BTreeMap<VerdictKind, usize>,
    /// Cells that make the run fail.
    pub(super) failing: usize,
    /// Cells that would, but for a baseline or the severity asked for.
    pub(super) excused: usize,
}

impl Tally {
    /// Cells with a verdict.
    pub(super) fn of(&self, verdict: VerdictKind) -> usize {
        self.counts.get(&verdict).copied().unwrap_or_default()
    }

    /// All cells.
    pub(super) fn all(&self) -> usize {
        self.counts.values().sum()
    }

    fn add(&mut self, cell: &CellRecord) {
        *self.counts.entry(cell.verdict).or_default() += 1;
        match cell.standing {
            Some(Standing::Fails) => self.failing += 1,
            Some(Standing::AsInBaseline | Standing::BelowSeverity) => self.excused += 1,
            None => {}
        }
    }
}

/// The cells of one gateway.
#[derive(Debug, Default)]
pub(super) struct GatewayTally {
    /// As the caller named it.
    pub(super) name: String,
    /// All its cells.
    pub(super) all: Tally,
    /// By place of the scenario.
    pub(super) scenarios: BTreeMap<usize, Tally>,
    /// By id of the known issue.
    pub(super) issues: BTreeMap<String, Tally>,
    /// Why cells were not asked: by verdict, profile and reason.
    pub(super) reasons: BTreeMap<(VerdictKind, String, String), usize>,
}

/// What the first pass finds.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// The record's gateways in their order; what only cells name comes after.
    pub(super) gateways: Vec<GatewayTally>,
    /// The record's scenarios with every axis and value that its cells have.
    pub(super) scenarios: Vec<ScenarioRecord>,
}

impl Tallies {
    /// Reads all cells once.
    pub(super) fn of(results: &Results<'_>) -> Result<Self, ResultsError> {
        let head = results.head();
        let mut tallies = Self {
            gateways: Vec::new(),
            scenarios: head.scenarios.clone(),
        };
        for gateway in &head.gateways {
            tallies.gateway(&gateway.reference);
        }
        results.each_cell(&mut |cell| {
            tallies.add(cell);
            Ok(())
        })?;
        Ok(tallies)
    }

    /// The place of a gateway.
    pub(super) fn gateway_place(&self, name: &str) -> Option<usize> {
        self.gateways.iter().position(|known| known.name == name)
    }

    /// The place of a scenario.
    pub(super) fn scenario_place(&self, id: &str) -> Option<usize> {
        self.scenarios.iter().position(|known| known.id == id)
    }

    fn add(&mut self, cell: &CellRecord) {
        let scenario = self.scenario(cell);
        let gateway = self.gateway(&cell.gateway);
        gateway.all.add(cell);
        gateway.scenarios.entry(scenario).or_default().add(cell);
        if let Some(issue) = &cell.known_issue {
            let tally = gateway.issues.entry(issue.clone()).or_default();
            tally.add(cell);
        }
        if let Some(reason) = &cell.reason {
            let key = (cell.verdict, cell.profile().to_owned(), reason.clone());
            *gateway.reasons.entry(key).or_default() += 1;
        }
    }

    fn gateway(&mut self, name: &str) -> &mut GatewayTally {
        let place = self.gateway_place(name).unwrap_or_else(|| {
            self.gateways.push(GatewayTally {
                name: name.to_owned(),
                ..GatewayTally::default()
            });
            self.gateways.len() - 1
        });
        &mut self.gateways[place]
    }

    /// The place of a cell's scenario; a record need not describe it, so that its axes are learnt from its cells.
    fn scenario(&mut self, cell: &CellRecord) -> usize {
        let place = self.scenario_place(cell.scenario()).unwrap_or_else(|| {
            self.scenarios.push(ScenarioRecord {
                id: cell.scenario().to_owned(),
                title: String::new(),
                file: String::new(),
                axes: Vec::new(),
                sets: Vec::new(),
            });
            self.scenarios.len() - 1
        });
        let axes = &mut self.scenarios[place].axes;
        for (name, value) in &cell.axes {
            let axis = match axes.iter().position(|axis| axis.name == *name) {
                Some(axis) => axis,
                None => {
                    axes.push(AxisRecord {
                        name: name.clone(),
                        values: Vec::new(),
                    });
                    axes.len() - 1
                }
            };
            let values = &mut axes[axis].values;
            if values.iter().all(|known| known.id != *value) {
                values.push(ValueRecord {
                    id: value.clone(),
                    short: value.clone(),
                    title: String::new(),
                });
            }
        }
        place
    }
}
