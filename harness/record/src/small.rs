//! Records that are kept by the dozen: what the rest of a record tells again, and what differs with every run, is left out.

use crate::answer::direction;
use crate::older::Older;
use crate::{CellRecord, Record};
use contract::cell_id::CellId;

impl Record {
    /// Leaves out requests, times of answers, and axes, which the ids tell; the gateway is called `reference` throughout, even
    /// where a machine's user has the same name and was taken out.
    pub fn make_small(&mut self, reference: &str) {
        self.requests.clear();
        for gateway in &mut self.gateways {
            reference.clone_into(&mut gateway.reference);
        }
        let causes = self.causes.iter_mut().map(|cause| &mut cause.gateway);
        let relations = self
            .relations
            .iter_mut()
            .map(|relation| &mut relation.gateway);
        for gateway in causes.chain(relations) {
            reference.clone_into(gateway);
        }
        for cell in &mut self.cells {
            reference.clone_into(&mut cell.gateway);
            cell.request = None;
            cell.own_request = None;
            cell.axes.clear();
            if let Some(observed) = &mut cell.observed {
                observed.ms = 0.0;
            }
        }
    }
}

impl Record {
    /// Fills in what [`Record::make_small`] left out and the rest tells, the axes, and calls what an older record calls otherwise by
    /// its name.
    pub fn fill_in(&mut self) {
        let gateways = self.gateways.iter();
        let mut older = Older::new(gateways.flat_map(|gateway| gateway.missing.values().cloned()));
        for cell in &mut self.cells {
            cell.fill_in();
            older.cell(cell);
        }
        older.head(self);
    }
}

impl CellRecord {
    /// Fills in what a small or an old record leaves out: the axes, and whether the caller got in.
    pub(super) fn fill_in(&mut self) {
        if self.axes.is_empty() {
            self.axes = CellId::of(&self.id).values().collect();
        }
        let asked = self.expected.as_ref().map(|expected| expected.direction);
        let deviation = self.direction;
        if let Some(observed) = &mut self.observed
            && observed.direction.is_none()
        {
            observed.direction = Some(match (deviation, asked, &observed.outcome) {
                (Some(deviation), _, _) => deviation.observed(),
                (None, Some(asked), Some(_)) => asked,
                (None, _, _) => direction(
                    observed.status,
                    observed.start,
                    observed.model_calls,
                    observed.late_calls,
                ),
            });
        }
    }
}
