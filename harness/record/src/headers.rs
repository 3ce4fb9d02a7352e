//! The header lines of an answer: how a normalised answer holds them, and how they are read back from it.
//!
//! A header that is as it must be has no line, so that snapshots say what is special. One of which nothing is said is named.

use contract::exchange::Response;
use contract::scenario::{HeaderRule, Headers};
use indexmap::IndexMap;

/// Values by the header's name in small letters, in the order in which they came.
pub(crate) type Lines = IndexMap<String, Vec<String>>;

/// So many hexadecimal digits in a cookie's name are no word.
const DRAWN: usize = 16;
/// The value of a header that must be there and is not.
const MISSING: &str = "(missing)";
/// How the line begins that names the headers of which nothing is said.
const OTHERS: &str = "other-headers";

/// The header lines that came, as far as the rules want them; `clean` takes secrets out, and whatever differs from request to request.
pub(crate) fn of(response: &Response, rules: &Headers, clean: &dyn Fn(&str) -> String) -> Lines {
    let mut lines = Lines::new();
    for (name, value) in &response.headers {
        let name = clean(&name.to_ascii_lowercase());
        let value = value_of(&name, clean(String::from_utf8_lossy(value).trim()));
        let value = match rules.rule(&name) {
            Some((_, rule)) => rule.part_of(value),
            None => value,
        };
        lines.entry(name).or_default().push(value);
    }
    lines
}

/// A value without what differs from answer to answer.
fn value_of(name: &str, value: String) -> String {
    match name {
        "retry-after" if value.parse::<u32>().is_ok_and(|seconds| seconds > 0) => {
            "[seconds]".to_owned()
        }
        "set-cookie" => {
            let (pair, attributes) = value.split_once(';').unwrap_or((&value, ""));
            let cookie = pair.split('=').next().unwrap_or_default();
            // A name may hold what the gateway has drawn at its start.
            let parts = cookie.split('_').map(|part| match part.len() >= DRAWN {
                true if part.bytes().all(|byte| byte.is_ascii_hexdigit()) => "[hex]",
                _ => part,
            });
            let cookie = parts.collect::<Vec<_>>().join("_");
            let end = if attributes.is_empty() { "" } else { ";" };
            format!("{cookie}=[varies]{end}{attributes}")
        }
        _ => value,
    }
}

/// The lines of a normalised answer; `whole` says that all that came are known.
pub(crate) fn text(lines: &Lines, rules: &Headers, whole: bool) -> String {
    let mut told = Vec::new();
    let mut others = Vec::new();
    for (name, values) in lines {
        match rules.rule(name) {
            Some((_, HeaderRule::Free)) => {}
            Some((_, HeaderRule::Is(value))) if values == std::slice::from_ref(value) => {}
            Some((place, _)) => told.extend(
                values
                    .iter()
                    .map(|value| (place, name.as_str(), value.as_str())),
            ),
            None => others.push(name.as_str()),
        }
    }
    let must = |rule: &HeaderRule| matches!(rule, HeaderRule::Is(_) | HeaderRule::Present);
    for (place, (name, rule)) in rules.iter().enumerate() {
        if whole && must(rule) && !lines.contains_key(name) {
            told.push((place, name, MISSING));
        }
    }
    told.sort_by_key(|(place, name, _)| (*place, *name));
    let mut text: String = told
        .iter()
        .map(|(_, name, value)| format!("{name}: {value}\n"))
        .collect();
    if !others.is_empty() {
        others.sort_unstable();
        text.push_str(&format!("{OTHERS}: {}\n", others.join(", ")));
    }
    text
}

/// The header lines that a normalised answer holds between its first line and `end`, and those that it does not hold since
/// they are as they must be.
pub(crate) fn read(text: &str, end: &str, rules: &Headers) -> Lines {
    let mut lines = Lines::new();
    let head = text
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with(end));
    for (name, value) in head.filter_map(|line| line.split_once(": ")) {
        if name != OTHERS {
            lines
                .entry(name.to_owned())
                .or_default()
                .push(value.to_owned());
        }
    }
    for (name, rule) in rules.iter() {
        if let HeaderRule::Is(value) = rule {
            lines
                .entry(name.to_owned())
                .or_insert_with(|| vec![value.clone()]);
        }
    }
    lines.retain(|_, values| values != &[MISSING]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> Headers {
        let text = r#"
            content-type = "shown"
            retry-after = "shown"
            date = "free"
            x-content-type-options = { is = "nosniff" }
            set-cookie = "absent"
            "access-control-*" = "absent"
        "#;
        toml::from_str(text).expect("they can be read")
    }

    fn answer(lines: &[(&str, &str)]) -> Lines {
        let headers = lines.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        let response = Response {
            headers: headers.collect(),
            ..Response::default()
        };
        of(&response, &rules(), &str::to_owned)
    }

    #[test]
    fn what_is_as_it_must_be_has_no_line() {
        let lines = answer(&[
            ("Date", "today"),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Type", "text/plain"),
        ]);
        assert_eq!(text(&lines, &rules(), true), "content-type: text/plain\n");
    }

    #[test]
    fn what_is_missing_unasked_for_or_unknown_is_told() {
        let lines = answer(&[
            ("X-Powered-By", "Express"),
            ("ETag", "1"),
            ("Access-Control-Allow-Origin", "*"),
            ("Retry-After", "17"),
            ("Set-Cookie", "session=abc; HttpOnly"),
            ("Set-Cookie", "tab_0123456789abcdef_feed=abc; Secure"),
        ]);
        insta::assert_snapshot!(text(&lines, &rules(), true), @r"
        retry-after: [seconds]
        x-content-type-options: (missing)
        set-cookie: session=[varies]; HttpOnly
        set-cookie: tab_[hex]_feed=[varies]; Secure
        access-control-allow-origin: *
        other-headers: etag, x-powered-by
        ");
        let known = text(&lines, &rules(), false);
        assert!(!known.contains(MISSING), "{known}");
    }

    proptest! {
        /// Whether the rules are kept can be told from the text alone.
        #[test]
        fn what_is_read_back_is_judged_alike(
            lines in proptest::collection::vec((
                proptest::sample::select(vec!["content-type", "x-content-type-options", "set-cookie", "access-control-max-age", "date", "etag"]),
                proptest::sample::select(vec!["nosniff", "a=b", ""]),
            ), 0..6)
        ) {
            let lines = answer(&lines);
            let text = format!("status: 200\n{}model-calls: 0\n", text(&lines, &rules(), true));
            let again = read(&text, "model-calls", &rules());
            prop_assert_eq!(rules().kept_by(&again), rules().kept_by(&lines));
        }
    }
}
