//! Data as literals of JavaScript, laid out for people.
//!
//! Every text is quoted and escaped here and nowhere else: whatever it holds, it is data where it stands, and no line of a literal can
//! be the end of the here-document around it.

use serde_json::Value;

/// A value with the order of its keys.
#[derive(Debug, Clone)]
pub(super) enum Literal {
    /// Anything but a list or a table, as it is written.
    Plain(String),
    /// A list.
    List(Vec<Literal>),
    /// A table.
    Table(Vec<(String, Literal)>),
}

/// Lines are at most this long, where what stands on them can be broken.
const WIDTH: usize = 120;

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Plain(quoted(text))
    }
}

impl From<&Value> for Literal {
    /// Keys in order, but the gateway's own part of a configuration first: it is what a reader looks for.
    fn from(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Plain(value.to_string()),
            Value::String(text) => text.as_str().into(),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| (*key != "gateway", *key));
                let own = |(key, value): (&String, &Value)| (key.clone(), value.into());
                Self::Table(entries.into_iter().map(own).collect())
            }
        }
    }
}

/// A list of texts.
pub(super) fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Literal {
    Literal::List(items.into_iter().map(|item| item.as_ref().into()).collect())
}

/// `const NAME = VALUE;`
pub(super) fn constant(name: &str, value: &Literal) -> String {
    let start = format!("const {name} = ");
    let mut out = start.clone();
    value.write(0, start.len(), 1, &mut out);
    out + ";\n"
}

impl Literal {
    fn flat(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::flat).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Table(entries) => {
                let entry =
                    |(name, value): &(String, Self)| format!("{}: {}", key(name), value.flat());
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }

    /// Writes a value that begins at `column` of a line indented by `indent`, and is followed by `after` letters.
    fn write(&self, indent: usize, column: usize, after: usize, out: &mut String) {
        let flat = self.flat();
        let fits = column + width(&flat) + after <= WIDTH;
        let (open, close, entries) = match self {
            Self::List(items) if !fits => {
                let items = items.iter().map(|item| (String::new(), item)).collect();
                ("[", "]", items)
            }
            Self::Table(entries) if !fits => {
                let entry = |(name, value)| (format!("{}: ", key(name)), value);
                let entries = entries.iter().map(|(name, value)| entry((name, value)));
                ("{", "}", entries.collect::<Vec<_>>())
            }
            Self::Plain(_) | Self::List(_) | Self::Table(_) => return out.push_str(&flat),
        };
        // What stands alone in its table or list is not worth a level of its own.
        if let [(name, value)] = entries.as_slice()
            && !matches!(value, Self::Plain(_))
        {
            let space = if open == "{" { " " } else { "" };
            out.push_str(&format!("{open}{space}{name}"));
            let column = column + open.len() + space.len() + width(name);
            value.write(indent, column, after + 1 + space.len(), out);
            return out.push_str(&format!("{space}{close}"));
        }
        // Entries that each fit on a line fill lines, and the first begins beside the bracket.
        let inner = indent + 2;
        let size = |(name, value): &(String, &Self)| width(name) + width(&value.flat()) + 1;
        let hangs = entries
            .iter()
            .all(|entry| inner + size(entry) + after + 2 <= WIDTH);
        let space = if open == "{" { " " } else { "" };
        let (mut line, mut gap) = match hangs {
            true => (column + 1, space),
            false => (WIDTH, ""),
        };
        out.push_str(open);
        let last = entries.len() - 1;
        for (index, (name, value)) in entries.iter().enumerate() {
            let closing = if hangs && index == last {
                after + space.len()
            } else {
                0
            };
            let size = size(&(name.clone(), value));
            if line + gap.len() + size + closing <= WIDTH {
                out.push_str(gap);
                line += gap.len() + size;
            } else {
                out.push_str(&format!("\n{}", " ".repeat(inner)));
                line = inner + size;
            }
            gap = " ";
            out.push_str(name);
            value.write(inner, inner + width(name), 1, out);
            if !hangs || index < last {
                out.push(',');
            }
        }
        match hangs {
            true => out.push_str(&format!("{space}{close}")),
            false => out.push_str(&format!("\n{}{close}", " ".repeat(indent))),
        }
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The key of a table.
fn key(name: &str) -> String {
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    match name {
        // Anywhere else it would be the table's prototype.
        "__proto__" => format!("[{}]", quoted(name)),
        _ if name.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && name.chars().all(word) =>
        {
            name.to_owned()
        }
        _ => quoted(name),
    }
}

/// A text between quotes: single ones where it has double ones in it. What does not print is escaped.
pub(super) fn quoted(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    let mut out = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote || letter == '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() || "\u{2028}\u{2029}".contains(letter) => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("plain ${port} $(id) `id`", r#""plain ${port} $(id) `id`""#)]
    #[case(r#"{"a":"b"}"#, r#"'{"a":"b"}'"#)]
    #[case("both \" and '", r#"'both " and \''"#)]
    #[case(r"a \ b", r#""a \\ b""#)]
    #[case("a\r\nb\t\0\u{7f}\u{2028}", r#""a\r\nb\t\u0000\u007f\u2028""#)]
    #[case("gehëim-ключ", "\"gehëim-ключ\"")]
    fn a_text_is_quoted(#[case] text: &str, #[case] literal: &str) {
        assert_eq!(quoted(text), literal);
    }

    #[test]
    fn what_fits_stands_on_one_line_and_what_stands_alone_has_no_level() {
        let long = "x".repeat(50);
        let value = json!({ "b": { "c": { "d": [long, 1, null, true], "e-f": long } }, "__proto__": {}, "gateway": [] });
        let text = constant("x", &Literal::from(&value));
        let wanted = format!(
            "const x = {{\n  gateway: [], [\"__proto__\"]: {{}},\n  b: {{ c: {{ d: [\"{long}\", 1, null, true],\n    \"e-f\": \"{long}\" }} }},\n}};\n"
        );
        assert_eq!(text, wanted);
    }
}
