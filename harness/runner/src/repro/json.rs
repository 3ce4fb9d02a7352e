//! JSON for people: a table or a list stands on one line where it fits.

use serde_json::Value;

const WIDTH: usize = 100;

/// The text of a value, keys in order.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, 0, &mut out);
    out
}

/// Writes a value that begins at column `column` of a line that is indented by `indent`.
fn write(value: &Value, indent: usize, column: usize, out: &mut String) {
    let flat = flat(value);
    if column + flat.chars().count() <= WIDTH {
        out.push_str(&flat);
        return;
    }
    let (open, close, items): (char, char, Vec<(String, &Value)>) = match value {
        Value::Object(map) => (
            '{',
            '}',
            sorted(map)
                .map(|(key, value)| (format!("{}: ", Value::from(key)), value))
                .collect(),
        ),
        Value::Array(items) => (
            '[',
            ']',
            items.iter().map(|item| (String::new(), item)).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&flat);
            return;
        }
    };
    out.push(open);
    for (index, (key, item)) in items.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&" ".repeat(indent + 2));
        out.push_str(key);
        // One column more for the comma.
        write(item, indent + 2, indent + 3 + key.chars().count(), out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push(close);
}

fn sorted(map: &serde_json::Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    let mut entries: Vec<_> = map
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    entries.sort_by_key(|(key, _)| *key);
    entries.into_iter()
}

fn flat(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries: Vec<String> = sorted(map)
                .map(|(key, value)| format!("{}: {}", Value::from(key), flat(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flat).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_fits_stands_on_one_line() {
        let long = "x".repeat(40);
        let value = json!({ "b": { "c": [1, 2], "d": {} }, "a": { "e": long, "f": ["a \"word\"", null], "g": [] } });
        assert_eq!(
            pretty(&value),
            format!(
                "{{\n  \"a\": {{ \"e\": \"{long}\", \"f\": [\"a \\\"word\\\"\", null], \"g\": [] }},\n  \"b\": {{ \"c\": [1, 2], \"d\": {{}} }}\n}}"
            )
        );
        assert_eq!(
            serde_json::from_str::<Value>(&pretty(&value)).unwrap(),
            value
        );
    }
}
