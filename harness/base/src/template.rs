//! Placeholders in data files: `${name}` and `${name|filter}`.
//!
//! Filters: `upper`, `basic` (the value as the password of HTTP Basic, base64), `url` (percent-encoded), `long` (the value
//! again and again, for 8,000 bytes). `$${` is a
//! literal `${`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::nearest::nearest;

/// Names of the filters.
const FILTERS: [&str; 4] = ["upper", "basic", "url", "long"];
/// How long `long` makes a value, in bytes.
const LONG: usize = 8_000;

/// A placeholder that cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The name stands for nothing.
    #[error("unknown placeholder `${{{name}}}`{}", advice(.nearest))]
    Name {
        /// The name as written.
        name: String,
        /// A known name that resembles it.
        nearest: Option<String>,
    },
    /// There is no such filter.
    #[error("unknown filter `{name}`{}; known: {}", advice(.nearest), FILTERS.join(", "))]
    Filter {
        /// The filter as written.
        name: String,
        /// A filter that resembles it.
        nearest: Option<String>,
    },
    /// `${` without `}`.
    #[error("a placeholder is not closed: `{0}`")]
    Open(String),
}

fn advice(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// A piece of a text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// Stands for itself.
    Literal(&'a str),
    /// `${name}` or `${name|filter}`.
    Placeholder {
        /// The name.
        name: &'a str,
        /// The filter; not checked.
        filter: Option<&'a str>,
    },
}

/// Takes a text apart.
///
/// # Errors
/// A placeholder that is not closed.
pub fn parts(text: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            parts.push(Part::Literal(&rest[..start - 1]));
            parts.push(Part::Literal("${"));
            rest = &rest[start + 2..];
            continue;
        }
        parts.push(Part::Literal(&rest[..start]));
        let inner = &rest[start + 2..];
        let end = inner
            .find('}')
            .ok_or_else(|| TemplateError::Open(rest[start..].to_owned()))?;
        let (name, filter) = match inner[..end].split_once('|') {
            Some((name, filter)) => (name, Some(filter)),
            None => (&inner[..end], None),
        };
        parts.push(Part::Placeholder { name, filter });
        rest = &inner[end + 1..];
    }
    parts.push(Part::Literal(rest));
    Ok(parts)
}

/// Fills the placeholders of a text.
///
/// # Errors
/// The first placeholder that cannot be filled.
pub fn expand(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(text.len());
    for part in parts(text)? {
        let (name, filter) = match part {
            Part::Literal(text) => {
                out.push_str(text);
                continue;
            }
            Part::Placeholder { name, filter } => (name, filter),
        };
        let value = lookup(name).ok_or_else(|| TemplateError::Name {
            name: name.to_owned(),
            nearest: None,
        })?;
        out.push_str(&match filter {
            None => value,
            Some("upper") => value.to_uppercase(),
            Some("long") => value.repeat(LONG.div_ceil(value.len().max(1))),
            Some("basic") => STANDARD.encode(format!("operator:{value}")),
            Some("url") => utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string(),
            Some(other) => {
                let nearest = nearest(other, FILTERS).map(str::to_owned);
                return Err(TemplateError::Filter {
                    name: other.to_owned(),
                    nearest,
                });
            }
        });
    }
    Ok(out)
}

/// Fills the placeholders in all strings of a JSON value; a string that is only `${port}` becomes a number.
///
/// # Errors
/// The first placeholder that cannot be filled.
pub fn expand_json(
    value: &Value,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::String(text) => {
            let filled = expand(text, lookup)?;
            match filled.parse::<u16>() {
                Ok(port) if text == "${port}" => port.into(),
                _ => filled.into(),
            }
        }
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| expand_json(item, lookup))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| Ok((key.clone(), expand_json(value, lookup)?)))
                .collect::<Result<_, TemplateError>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// Checks that a text uses known names and filters only.
///
/// # Errors
/// The first placeholder that is wrong, with the nearest valid name.
pub fn check(text: &str, names: &[&str]) -> Result<(), TemplateError> {
    let lookup = |name: &str| names.contains(&name).then(String::new);
    match expand(text, &lookup) {
        Err(TemplateError::Name { name, .. }) => {
            let nearest = nearest(&name, names.iter().copied()).map(str::to_owned);
            Err(TemplateError::Name { name, nearest })
        }
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "secret" => Some("s3 cret".to_owned()),
            "port" => Some("19001".to_owned()),
            _ => None,
        }
    }

    #[rstest]
    #[case("plain", "plain")]
    #[case("Bearer ${secret}  ", "Bearer s3 cret  ")]
    #[case("${secret|upper}", "S3 CRET")]
    #[case("${secret|url}", "s3%20cret")]
    #[case("${secret|basic}", "b3BlcmF0b3I6czMgY3JldA==")]
    #[case("$${secret}", "${secret}")]
    #[case("$5 ${port}$", "$5 19001$")]
    fn fills(#[case] text: &str, #[case] filled: &str) {
        assert_eq!(expand(text, &lookup).unwrap(), filled);
    }

    #[rstest]
    #[case("${sekret}", "unknown placeholder `${sekret}`; did you mean `secret`?")]
    #[case(
        "${secret|uper}",
        "unknown filter `uper`; did you mean `upper`?; known: upper, basic, url, long"
    )]
    #[case("${secret", "a placeholder is not closed: `${secret`")]
    fn refuses(#[case] text: &str, #[case] message: &str) {
        assert_eq!(
            check(text, &["secret", "canary"]).unwrap_err().to_string(),
            message
        );
    }

    #[test]
    fn a_port_is_a_number_and_nothing_else_is() {
        let value = serde_json::json!({ "port": "${port}", "url": "http://127.0.0.1:${port}/", "deep": [{ "x": "${port}" }] });
        let filled = expand_json(&value, &lookup).unwrap();
        assert_eq!(
            filled,
            serde_json::json!({ "port": 19001, "url": "http://127.0.0.1:19001/", "deep": [{ "x": 19001 }] })
        );
    }
}
