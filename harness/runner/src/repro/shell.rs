//! From texts with placeholders to texts that a shell fills: escaping, and which variable stands for what.

use std::collections::BTreeSet;

use base::template::{Part, parts};

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a here-document that the shell expands, or between double quotes without quotes inside.
    Document,
    /// Between the double quotes of curl's notation, in such a here-document.
    Curl,
    /// Between double quotes on a command line.
    Quotes,
}

/// A text for the shell. Placeholders become variables, everything else stands for itself.
///
/// A placeholder that is not closed cannot be here: the catalogue's checks rule that out.
pub(super) fn shell(text: &str, place: Place) -> String {
    let Ok(parts) = parts(text) else {
        return escape(text, place);
    };
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(text) => out.push_str(&escape(text, place)),
            Part::Placeholder { name, filter } => {
                let variable = variable(name, *filter);
                let next = parts[index + 1..].iter().find_map(|part| match part {
                    Part::Literal("") => None,
                    Part::Literal(text) => Some(text.starts_with(is_word)),
                    Part::Placeholder { .. } => Some(false),
                });
                match variable.split_once('/') {
                    None if next == Some(true) => out.push_str(&format!("${{{variable}}}")),
                    _ => out.push_str(&format!("${variable}")),
                }
            }
        }
    }
    out
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn escape(text: &str, place: Place) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        // First as curl reads it, then as the shell does.
        let curl = match (place, letter) {
            (Place::Curl, '"') => "\\\"".to_owned(),
            (Place::Curl, '\\') => "\\\\".to_owned(),
            (Place::Curl, '\t') => "\\t".to_owned(),
            _ => letter.to_string(),
        };
        for letter in curl.chars() {
            if matches!(letter, '$' | '`' | '\\') || place == Place::Quotes && letter == '"' {
                out.push('\\');
            }
            out.push(letter);
        }
    }
    out
}

/// The variable, without its `$`, that stands for a placeholder; some are followed by a path.
pub(super) fn variable(name: &str, filter: Option<&str>) -> String {
    let plain = match name {
        "port" => "PORT".to_owned(),
        "upstream" => "MODEL_URL".to_owned(),
        "canary" => "CANARY".to_owned(),
        "home" | "state" | "tmp" | "workspace" => format!("WORK/{name}"),
        "config" => "WORK/openclaw.json".to_owned(),
        "log" => "WORK/gateway-own.log".to_owned(),
        secret => secret.to_uppercase().replace('-', "_"),
    };
    match filter {
        None => plain,
        Some(filter) => format!("{plain}_{}", filter.to_uppercase()),
    }
}

/// The assignments that a set of texts needs, for those of its placeholders that are secrets: the secrets, then what is
/// derived from them.
pub(super) fn assignments<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    secrets: &[String],
) -> Vec<String> {
    let mut plain = BTreeSet::new();
    let mut derived = BTreeSet::new();
    for text in texts {
        for part in parts(text).unwrap_or_default() {
            if let Part::Placeholder { name, filter } = part
                && secrets.iter().any(|secret| secret == name)
            {
                plain.insert(variable(name, None));
                if let Some(filter) = filter {
                    derived.insert((variable(name, Some(filter)), variable(name, None), filter));
                }
            }
        }
    }
    let mut lines: Vec<String> = plain
        .into_iter()
        .map(|name| format!("{name}=$(random_secret)"))
        .collect();
    for (variable, secret, filter) in derived {
        lines.push(match filter {
            "upper" => format!("{variable}=$(printf %s \"${secret}\" | tr '[:lower:]' '[:upper:]')"),
            "url" => format!("{variable}=$(printf %s \"${secret}\" | sed 's/-/%2D/g')"),
            "basic" => format!(
                "{variable}=$(printf 'operator:%s' \"${secret}\" | node -p 'require(\"fs\").readFileSync(0).toString(\"base64\")')"
            ),
            _ => format!(
                "{variable}=\nwhile [ ${{#{variable}}} -lt 8000 ]; do {variable}=${variable}${secret}; done"
            ),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain", "plain")]
    #[case("Bearer ${secret}  ", "Bearer $SECRET  ")]
    #[case("${secret}x", "${SECRET}x")]
    #[case("${secret}${secret}", "$SECRET$SECRET")]
    #[case("${flag-secret|upper}!", "$FLAG_SECRET_UPPER!")]
    #[case("${tmp}/x ${port}", "$WORK/tmp/x $PORT")]
    #[case(r#"{"a":"b\n$5 `id`"}"#, r#"{"a":"b\\n\$5 \`id\`"}"#)]
    #[case("$${secret}", r"\${secret}")]
    fn in_a_document(#[case] text: &str, #[case] shell_text: &str) {
        assert_eq!(shell(text, Place::Document), shell_text);
    }

    #[rstest]
    #[case("a: \"${secret}\"", r#"a: \\"$SECRET\\""#)]
    #[case("a:\tb", r"a:\\tb")]
    #[case(r"a: \", r"a: \\\\")]
    fn as_curl_reads_it(#[case] text: &str, #[case] shell_text: &str) {
        assert_eq!(shell(text, Place::Curl), shell_text);
    }

    #[test]
    fn only_secrets_that_are_used_are_made() {
        let secrets = ["secret", "stranger", "env-secret"].map(str::to_owned);
        let lines = assignments(
            ["x ${secret|upper} ${port} ${canary}", "${secret}"],
            &secrets,
        );
        assert_eq!(
            lines,
            [
                "SECRET=$(random_secret)",
                "SECRET_UPPER=$(printf %s \"$SECRET\" | tr '[:lower:]' '[:upper:]')"
            ]
        );
    }
}
