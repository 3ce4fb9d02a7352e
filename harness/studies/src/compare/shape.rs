//! The shape of a normalised answer: what is left of it when texts and numbers do not count.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// The line after which the body stands.
const JSON_BODY: &str = "body: json";

/// The lines above the body, and of a JSON body the keys with the kinds of their values.
pub(super) fn shape(answer: &str) -> String {
    let Some((head, body)) = answer.split_once(JSON_BODY) else {
        // Of a body that is text, only that it is text.
        let lines = answer.lines().take_while(|line| !line.starts_with(' '));
        return lines.collect::<Vec<_>>().join("\n");
    };
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            flatten(&mut value);
            format!("{head}{JSON_BODY}\n{value:#}\n")
        }
        Err(_) => answer.to_owned(),
    }
}

fn flatten(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) => *value = "bool".into(),
        Value::Number(_) => *value = "number".into(),
        Value::String(_) => *value = "text".into(),
        Value::Array(list) => {
            list.iter_mut().for_each(flatten);
            list.dedup();
        }
        Value::Object(map) => map.values_mut().for_each(flatten),
    }
}

/// The lines that differ: what makes one change of a text the same as another.
pub(super) fn changed_lines(a: &str, b: &str) -> String {
    let diff = TextDiff::from_lines(a, b);
    let lines = diff.iter_all_changes().filter_map(|change| {
        let mark = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        Some(format!("{mark}{}\n", change.value().trim_end()))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::{changed_lines, shape};

    #[test]
    fn texts_do_not_count_and_keys_do() {
        let a = "status: 403\nbody: json\n  {\"error\": {\"message\": \"x\", \"code\": 1}}\n";
        assert_eq!(
            shape(a),
            shape(&a.replace("\"x\"", "\"y\"").replace(": 1", ": 2"))
        );
        assert_ne!(shape(a), shape(&a.replace("message", "reason")));
        assert_ne!(shape(a), shape(&a.replace(": 1", ": null")));
        assert_ne!(shape(a), shape(&a.replace("403", "401")));
    }

    #[test]
    fn a_text_is_a_text() {
        let a = "status: 404\nbody: text\n  Not Found\n";
        assert_eq!(shape(a), shape("status: 404\nbody: text\n  Gone\n"));
        assert_ne!(shape(a), shape("status: 404\nbody: empty\n"));
    }

    #[test]
    fn only_what_differs_is_told() {
        assert_eq!(changed_lines("a\nb\nc\n", "a\nB\nc\n"), "-b\n+B\n");
    }
}
