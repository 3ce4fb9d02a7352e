//! Names for groups of values, as people read them.

use crate::{ScenarioRecord, SetRecord};

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
