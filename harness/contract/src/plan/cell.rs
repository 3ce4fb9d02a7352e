//! A cell: one combination of axis values, and what it is asked as.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use crate::cell_id::{self, CellId};
use crate::region::Combination;
use crate::release::Version;
use crate::scenario::model::{
    AxisValue, DIRECT, Direction, Kind, Outcome, PROXY_AXIS, Rule, Scenario, Standpoint,
};
use crate::scenario::{Catalogue, KnownIssue};

/// So long a request is under way before the next step, where its answer is listened to, and so long it is heard after the last one.
pub const UNDER_WAY: Duration = Duration::from_secs(2);

/// One combination of axis values of one scenario.
///
/// It is a number and no more, so that a matrix of a million takes little room: everything else is told when it is asked for.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The scenario it belongs to.
    pub scenario: Arc<Scenario>,
    /// Its place in the full product of the scenario's axes: cells of a scenario are in this order.
    pub number: u32,
}

impl Cell {
    /// `scenario/axis=value/axis=value`.
    pub fn id(&self) -> String {
        CellId::text(&self.scenario.id, self.axes())
    }

    /// Value index by axis.
    pub fn combination(&self) -> Combination {
        self.scenario.combination(self.number)
    }

    /// The profile that it is launched under.
    pub fn profile(&self) -> &str {
        self.value(self.scenario.profile_axis())
            .map_or("", |value| &value.id)
    }

    /// This cell's value on each axis, in the order of the axes.
    pub fn values(&self) -> impl Iterator<Item = &Arc<AxisValue>> + Clone {
        (0..self.scenario.axes.len()).filter_map(|axis| self.value(axis))
    }

    fn value(&self, axis: usize) -> Option<&Arc<AxisValue>> {
        let place = self.scenario.place(self.number, axis);
        self.scenario.axes.get(axis)?.values.get(place)
    }

    /// Axis names with this cell's values.
    pub fn axes(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.scenario
            .axes
            .iter()
            .zip(self.values())
            .map(|(axis, value)| (axis.name.as_str(), value.id.as_str()))
    }

    /// The client that sends it, where clawgauge itself does not.
    pub fn sender(&self) -> Option<&str> {
        self.values().find_map(|value| value.sender.as_deref())
    }

    /// Whether it is a step whose answer is read while later ones are sent: [`UNDER_WAY`] before the next one and after the last.
    pub fn listens(&self) -> bool {
        self.scenario.kind == Kind::Sequence && self.values().any(|value| value.listens)
    }

    /// The id without scenario and profile: what tells cells of one snapshot file apart.
    pub fn key(&self) -> String {
        cell_id::key(self.axes())
    }

    /// How its request gets to the gateway.
    pub fn way(&self) -> Way<'_> {
        let proxy = self.axes().find(|(axis, _)| *axis == PROXY_AXIS);
        match (self.values().find_map(|value| value.from), proxy) {
            (Some(Standpoint::Gateway), _) => Way::AtGateway,
            (Some(Standpoint::Caller), _) | (None, Some((_, DIRECT))) => Way::PastProxies,
            (None, Some((_, proxy))) => Way::Through(proxy),
            (None, None) => Way::AsProxy,
        }
    }

    /// The outcome that is asked of it on a release.
    pub fn expected(&self, release: &Version) -> Option<&Arc<Outcome>> {
        self.scenario.expected(release, &self.combination())
    }

    /// Whether its caller must be denied on a release.
    pub fn must_be_denied(&self, release: &Version) -> bool {
        let expected = self.expected(release);
        expected.is_some_and(|outcome| outcome.direction == Direction::Deny)
    }

    /// The known issue that speaks about it on a release and has not expired on `today`, and what it says is observed.
    pub fn known<'a>(
        &self,
        catalogue: &'a Catalogue,
        release: &Version,
        today: Date,
    ) -> Option<(&'a Arc<KnownIssue>, &'a Arc<Outcome>)> {
        let combination = self.combination();
        catalogue.known_issues.iter().find_map(|issue| {
            let outcome = issue.says(&self.scenario.id, release, &combination, today)?;
            Some((issue, outcome))
        })
    }

    /// The rule that decides it on a release.
    pub fn rule(&self, release: &Version) -> Option<&Rule> {
        self.scenario.rule_for(release, &self.combination())
    }
}

/// How a request gets to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'a> {
    /// From where a proxy would be: the scenario asks about no proxies, its header lines are what one would say.
    AsProxy,
    /// From where callers are, past all proxies.
    PastProxies,
    /// From the gateway's own machine, at an address that is not the loopback.
    AtGateway,
    /// Through a proxy, by id.
    Through(&'a str),
}

/// Every cell of the catalogue, in order.
pub fn cells(catalogue: &Catalogue) -> impl Iterator<Item = Cell> + '_ {
    catalogue.scenarios.iter().flat_map(cells_of)
}

/// Every cell of a scenario, in order.
pub fn cells_of(scenario: &Arc<Scenario>) -> impl Iterator<Item = Cell> + '_ {
    scenario.numbers().map(|number| Cell {
        scenario: Arc::clone(scenario),
        number,
    })
}

/// The cells of a scenario under one profile.
pub fn cells_under<'a>(
    scenario: &'a Arc<Scenario>,
    profile: &str,
) -> impl Iterator<Item = Cell> + 'a {
    let axis = scenario.profile_axis();
    let mut values = scenario.axes[axis].values.iter();
    let place = values.position(|value| value.id == profile);
    let numbers = place
        .into_iter()
        .flat_map(move |place| scenario.having(axis, place));
    numbers.map(|number| Cell {
        scenario: Arc::clone(scenario),
        number,
    })
}
