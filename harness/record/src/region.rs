//! Regions in words, as people read them, and cells by the places of their values: what a record says about its axes.
//!
//! Regions are found by [`contract::region`].

use std::collections::HashMap;

use contract::cell_id::CellId;
use contract::region::{Axes, Combination};
use contract::scenario::model::PROFILE_AXIS;

use crate::{ScenarioRecord, SetRecord};

/// An axis with more values than this is named by its group.
const FEW_VALUES: usize = 3;

impl Axes for ScenarioRecord {
    fn axis(&self, axis: usize) -> &str {
        self.axes.get(axis).map_or("", |axis| &axis.name)
    }

    fn value(&self, axis: usize, value: u16) -> &str {
        let axis = self.axes.get(axis);
        let value = axis.and_then(|axis| axis.values.get(usize::from(value)));
        value.map_or("", |value| &value.id)
    }
}

/// An axis, and the place of each of its values.
type AxisPlaces<'a> = (&'a str, HashMap<&'a str, u16>);

/// The places of a scenario's values.
#[derive(Debug)]
pub struct Places<'a>(Vec<AxisPlaces<'a>>);

impl<'a> Places<'a> {
    /// Of a scenario.
    pub fn of(scenario: &'a ScenarioRecord) -> Self {
        let axes = scenario.axes.iter().map(|axis| {
            let values = (0..).zip(&axis.values);
            let values = values.map(|(place, value)| (value.id.as_str(), place));
            (axis.name.as_str(), values.collect())
        });
        Self(axes.collect())
    }

    /// The combination of a cell, by its id; a value that the scenario does not have is at no place of it.
    pub fn combination(&self, id: &str) -> Combination {
        let values: HashMap<&str, &str> = CellId::of(id).values().collect();
        let axes = self.0.iter().map(|(axis, places)| {
            let place = values.get(axis).and_then(|value| places.get(value));
            place.copied().unwrap_or(u16::MAX)
        });
        axes.collect()
    }
}

/// Conditions as pairs: an axis, and its values in few words.
pub fn pairs<'a>(
    scenario: Option<&'a ScenarioRecord>,
    conditions: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
) -> impl Iterator<Item = (&'a str, String)> {
    let conditions = conditions.into_iter();
    conditions.map(move |(axis, values)| (axis.as_str(), values_text(scenario, axis, values)))
}

/// Conditions as reports of runs write them: `profile=token  scopes=@writing`.
pub fn terse<'a>(
    scenario: Option<&'a ScenarioRecord>,
    conditions: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
) -> String {
    let parts = pairs(scenario, conditions).map(|(axis, values)| format!("{axis}={values}"));
    or_all(parts.collect(), "  ", "every cell")
}

/// Conditions as sentences have them: `profile: token, password; scopes: absent`; `all` where there is none.
pub fn prose<'a>(
    scenario: Option<&'a ScenarioRecord>,
    conditions: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
    all: &str,
) -> String {
    let parts = pairs(scenario, conditions);
    let parts = parts.map(|(axis, values)| format!("{axis}: {}", values.replace(',', ", ")));
    or_all(parts.collect(), "; ", all)
}

fn or_all(parts: Vec<String>, and: &str, all: &str) -> String {
    match parts.is_empty() {
        true => all.to_owned(),
        false => parts.join(and),
    }
}

/// Conditions in the words of the axes' values, the profile first; an axis with many values is named by its group, or left
/// out.
pub fn titles<'a>(
    scenario: &ScenarioRecord,
    conditions: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
) -> Vec<String> {
    let mut words = Vec::new();
    for (axis, values) in conditions {
        if values.len() > FEW_VALUES {
            let group = values_text(Some(scenario), axis, values);
            if let Some(name) = group.strip_prefix('@') {
                words.push(format!("{axis}: {}", name.replace('-', " ")));
            }
            continue;
        }
        let known = scenario.axes.iter().find(|known| known.name == *axis);
        let known = known.into_iter().flat_map(|axis| &axis.values);
        let titles = known.filter(|value| values.contains(&value.id));
        let titles: Vec<&str> = titles.map(|value| value.title.as_str()).collect();
        let titles = titles.join(" or ");
        match axis.as_str() {
            PROFILE_AXIS => words.insert(0, titles),
            _ => words.push(format!("{axis}: {titles}")),
        }
    }
    words
}

/// The values of a condition: the scenario's own name for the group where it has one, all but a few, or the list.
pub fn values_text(scenario: Option<&ScenarioRecord>, axis: &str, values: &[String]) -> String {
    let Some(scenario) = scenario.filter(|_| values.len() > 2) else {
        return values.join(",");
    };
    let same = |set: &&SetRecord| {
        set.axis == axis
            && set.values.len() == values.len()
            && set.values.iter().all(|value| values.contains(value))
    };
    if let Some(set) = scenario.sets.iter().find(same) {
        return format!("@{}", set.name);
    }
    let all = scenario.axes.iter().find(|known| known.name == axis);
    let rest: Vec<&str> = all
        .into_iter()
        .flat_map(|axis| &axis.values)
        .map(|value| value.id.as_str())
        .filter(|value| !values.iter().any(|other| other == value))
        .collect();
    if !rest.is_empty() && rest.len() <= 2 {
        return format!("any but {}", rest.join(","));
    }
    values.join(",")
}
