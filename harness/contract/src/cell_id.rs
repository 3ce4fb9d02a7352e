//! The id of a cell, `scenario/axis=value/axis=value`: the one place that takes ids apart and puts them together.
//!
//! Records, snapshots and commands hold ids as text; [`CellId::of`] reads one where it stands.

use std::fmt;

/// The axis whose values are launch profiles; every scenario has it.
pub const PROFILE_AXIS: &str = "profile";

/// An id, as it stands in a record or a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId<'a>(&'a str);

impl<'a> CellId<'a> {
    /// Reads an id. What is no id is a scenario without values.
    pub fn of(text: &'a str) -> Self {
        Self(text)
    }

    /// Puts an id together.
    pub fn text<'b>(
        scenario: &str,
        values: impl IntoIterator<Item = (&'b str, &'b str), IntoIter: Clone>,
    ) -> String {
        let values = values.into_iter();
        // A matrix has up to a million of them, so that none is longer than it must be.
        let parts = values
            .clone()
            .map(|(axis, value)| axis.len() + value.len() + 2);
        let mut id = String::with_capacity(scenario.len() + parts.sum::<usize>());
        id.push_str(scenario);
        for (axis, value) in values {
            push(&mut id, axis, value);
        }
        id
    }

    /// Id of the scenario.
    pub fn scenario(self) -> &'a str {
        self.0.split_once('/').map_or(self.0, |(name, _)| name)
    }

    /// The id without the scenario; empty where there is nothing else.
    pub fn without_scenario(self) -> &'a str {
        self.0.split_once('/').map_or("", |(_, rest)| rest)
    }

    /// Axes and values, in the order of the scenario.
    pub fn values(self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        let parts = self.without_scenario().split('/');
        parts.filter_map(|part| part.split_once('='))
    }

    /// The scenario, and then each `axis=value`.
    pub fn parts(self) -> impl Iterator<Item = &'a str> {
        self.0.split('/')
    }

    /// Id of the profile; empty where there is none.
    pub fn profile(self) -> &'a str {
        let mut values = self.values();
        values
            .find(|(axis, _)| *axis == PROFILE_AXIS)
            .map_or("", |(_, profile)| profile)
    }

    /// The values without the profile: what tells the cells of one snapshot file apart, and what a cell shares with the same
    /// cell under another profile.
    pub fn key(self) -> String {
        key(self.values())
    }
}

impl fmt::Display for CellId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The key of a cell with these values: [`CellId::key`].
pub fn key<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut key = String::new();
    for (axis, value) in values {
        if axis != PROFILE_AXIS {
            push(&mut key, axis, value);
        }
    }
    key
}

fn push(text: &mut String, axis: &str, value: &str) {
    if !text.is_empty() {
        text.push('/');
    }
    text.push_str(axis);
    text.push('=');
    text.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::CellId;

    #[test]
    fn an_id_is_taken_apart_and_put_together() {
        let text = "chat/profile=token/credential=valid/path=a=b";
        let id = CellId::of(text);
        assert_eq!(id.scenario(), "chat");
        assert_eq!(id.profile(), "token");
        assert_eq!(id.key(), "credential=valid/path=a=b");
        assert_eq!(
            id.without_scenario(),
            "profile=token/credential=valid/path=a=b"
        );
        assert_eq!(CellId::text(id.scenario(), id.values()), text);
        assert_eq!(id.to_string(), text);
    }

    #[test]
    fn a_scenario_alone_has_no_values() {
        let id = CellId::of("chat");
        assert_eq!(
            (id.scenario(), id.without_scenario(), id.profile()),
            ("chat", "", "")
        );
        assert_eq!(id.values().count(), 0);
        assert_eq!(id.key(), "");
    }
}
