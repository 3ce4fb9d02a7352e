//! What a script sends: the request of a cell, and what a sequence does before it.

use std::collections::BTreeMap;

use serde_json::Value;

use contract::plan::Cell;
use contract::request::{Written, with_caller, written};
use contract::scenario::model::{Kept, PROFILE_AXIS, Protocol};

/// One thing that is sent.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is, in a few words.
    pub title: String,
    /// What is set in the gateway's configuration before it, by JSON pointer.
    pub change: BTreeMap<String, Value>,
    /// How long to wait before it.
    pub wait: std::time::Duration,
    /// How often it is sent.
    pub repeat: u32,
    /// How it is sent.
    pub protocol: Protocol,
    /// The request, with placeholders.
    pub request: Written,
    /// The status that it must have, where it only comes before the request in question.
    pub must: Option<u16>,
    /// Placeholders for what comes later, each with what it stands for.
    pub keep: BTreeMap<String, Kept>,
    /// The placeholder that holds the port which it goes to, where that is not the gateway's own.
    pub port: Option<String>,
    /// Whether its WebSocket connection stays open.
    pub stays: bool,
}

impl Step {
    /// What a cell sends; `caller` are the header lines of the profile's caller.
    pub(super) fn new(cell: &Cell, caller: &[String]) -> Self {
        let titles = cell.scenario.axes.iter().zip(cell.values());
        let titles = titles.filter(|(axis, _)| axis.name != PROFILE_AXIS);
        let titles: Vec<&str> = titles.map(|(_, value)| value.title.as_str()).collect();
        let mut change = BTreeMap::new();
        for value in cell.values() {
            leaves(&value.set_config, "", &mut change);
        }
        Self {
            title: titles.join("; "),
            change,
            wait: cell.values().map(|value| value.wait).sum(),
            repeat: cell
                .values()
                .map(|value| value.repeat)
                .max()
                .unwrap_or(1)
                .max(1),
            protocol: cell.scenario.request.protocol,
            request: with_caller(written(cell), caller),
            must: None,
            keep: BTreeMap::new(),
            port: cell.scenario.request.port.clone(),
            stays: false,
        }
    }

    /// What a cell sends before its request.
    pub(super) fn before(cell: &Cell, caller: &[String]) -> Vec<Self> {
        let steps = contract::request::before(cell);
        let steps = steps.map(|(step, request)| Self {
            title: step.title.clone(),
            repeat: step.repeat,
            protocol: step.protocol,
            must: Some(step.status),
            keep: step.keep.clone(),
            stays: step.stays,
            ..Self::of(with_caller(request, caller))
        });
        steps.collect()
    }

    /// A plain request.
    pub(super) fn of(request: Written) -> Self {
        Self {
            title: String::new(),
            change: BTreeMap::new(),
            wait: std::time::Duration::ZERO,
            repeat: 1,
            protocol: Protocol::Http,
            request,
            must: None,
            keep: BTreeMap::new(),
            port: None,
            stays: false,
        }
    }
}

/// What a change sets, by JSON pointer: everything in it that is not a table with something in it.
fn leaves(value: &Value, pointer: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() || pointer.is_empty() => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{pointer}/{key}"), found);
            }
        }
        Value::Null if pointer.is_empty() => {}
        _ => drop(found.insert(pointer.to_owned(), value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_told_by_its_leaves() {
        let change = json!({ "a": { "b": 1, "c": [1, 2] }, "d/e~": { "f": {} }, "g": null });
        let mut found = BTreeMap::new();
        leaves(&change, "", &mut found);
        let wanted = [
            ("/a/b", json!(1)),
            ("/a/c", json!([1, 2])),
            ("/d~1e~0/f", json!({})),
            ("/g", json!(null)),
        ];
        assert_eq!(
            found,
            wanted
                .map(|(pointer, value)| (pointer.to_owned(), value))
                .into()
        );
        let mut nothing = BTreeMap::new();
        leaves(&Value::Null, "", &mut nothing);
        assert!(nothing.is_empty());
    }
}
