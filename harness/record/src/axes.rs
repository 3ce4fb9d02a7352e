//! The values of a cell by axis, in one piece: a record may hold a million of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// Between names and values; no name and no value has it.
const END: char = '\0';

/// Values by axis, sorted by name; in JSON an object.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AxisValues(Box<str>);

impl AxisValues {
    /// The value on an axis.
    pub fn get(&self, axis: &str) -> Option<&str> {
        self.iter()
            .find(|(name, _)| *name == axis)
            .map(|(_, value)| value)
    }

    /// Axes and values, sorted by the name of the axis.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut parts = self.0.split_terminator(END);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves all of them out.
    pub fn clear(&mut self) {
        self.0 = Box::default();
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for AxisValues {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(values: I) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by_key(|(axis, _)| *axis);
        let mut text = String::new();
        for part in values.into_iter().flat_map(<[&str; 2]>::from) {
            text.extend(part.chars().filter(|character| *character != END));
            text.push(END);
        }
        Self(text.into())
    }
}

impl fmt::Debug for AxisValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for AxisValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for AxisValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, String>::deserialize(deserializer)?;
        let values = values.iter();
        Ok(values
            .map(|(axis, value)| (axis.as_str(), value.as_str()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::AxisValues;

    #[test]
    fn values_are_sorted_and_found_and_are_an_object_in_json() {
        let values: AxisValues = [("scopes", "a=b/c"), ("profile", "token"), ("model", "")]
            .into_iter()
            .collect();
        let json = r#"{"model":"","profile":"token","scopes":"a=b/c"}"#;
        assert_eq!(serde_json::to_string(&values).unwrap(), json);
        assert_eq!(serde_json::from_str::<AxisValues>(json).unwrap(), values);
        assert_eq!(values.get("model"), Some(""));
        assert_eq!(values.get("scopes"), Some("a=b/c"));
        assert_eq!(values.get("token"), None);
    }

    #[test]
    fn what_would_end_a_value_is_left_out_of_it() {
        let values: AxisValues = serde_json::from_str(r#"{"a":"b\u0000c\u0000d"}"#).unwrap();
        assert_eq!(values.iter().collect::<Vec<_>>(), [("a", "bcd")]);
        let mut none = values;
        none.clear();
        assert!(none.is_empty() && none.iter().next().is_none());
    }
}
