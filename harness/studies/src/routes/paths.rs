//! Paths in texts: which literals of a script may be paths of a gateway, and which the documentation names as such.
//!
//! A path begins with one slash; its segments are of letters, digits and `_ . ~ -`. What stands in for something else (`${id}`,
//! `:id`, `<id>`, `{id}`, `*`, a group of a regular expression) is [`ANY`]. A query is cut off. So URLs, which have a scheme, module
//! names, which have no slash in front or an `@`, and texts with blanks are none; paths of a file system are told by their first segment.

/// A segment that may be anything.
pub(super) const ANY: &str = ":x";

/// The methods by which the documentation names a route.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// A literal as the path of a route: whether it is one, and whether everything below it is meant, too.
pub(super) fn route(text: &str, files: &[String]) -> Option<(String, bool)> {
    let text = text.split(['?', '#']).next()?;
    if text == "/" {
        return Some((text.to_owned(), false));
    }
    let (text, below) = match text.strip_suffix('/').or_else(|| text.strip_suffix("/*")) {
        Some(prefix) => (prefix, true),
        None => (text, false),
    };
    let segments: Vec<String> = text
        .strip_prefix('/')?
        .split('/')
        .map(segment)
        .collect::<Option<_>>()?;
    let first = segments.first()?;
    // What begins with anything says nothing.
    if first == ANY || files.contains(first) {
        return None;
    }
    Some((format!("/{}", segments.join("/")), below))
}

fn segment(text: &str) -> Option<String> {
    let stands_in = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    if text.len() > 1 && (text.starts_with(':') || stands_in('<', '>') || stands_in('{', '}'))
        || text == "*"
    {
        return Some(ANY.to_owned());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.~-".contains(c);
    let rest = text.replace(ANY, "x");
    let is_dots = rest == "." || rest == "..";
    (!rest.is_empty() && !is_dots && rest.chars().all(is_plain)).then(|| match text == rest {
        true => text.to_owned(),
        // Partly anything is anything.
        false => ANY.to_owned(),
    })
}

/// The literals of a line of a script that begin with a slash, as they are written but for what templates put in.
///
/// This is no parser: what stands between two quotes, or in a comment, is taken for a literal, too. It is only asked for.
pub(super) fn literals(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, quote) in line.char_indices() {
        let rest = &line[at + quote.len_utf8()..];
        let text = match quote {
            '"' | '\'' if rest.starts_with('/') => quoted(rest, quote),
            // Also what follows a base: `${base}/api`.
            '`' if rest.starts_with("${") => {
                let after = rest.find('}').map(|end| &rest[end + 1..]);
                after
                    .filter(|after| after.starts_with('/'))
                    .and_then(|after| quoted(after, quote))
            }
            '`' if rest.starts_with('/') => quoted(rest, quote),
            '/' if rest.starts_with("^\\/") => expression(&rest[1..]),
            _ => None,
        };
        found.extend(text);
    }
    found
}

fn quoted(rest: &str, quote: char) -> Option<String> {
    let mut text = String::new();
    let mut rest = rest;
    loop {
        let at = rest.find([quote, '$', ' '])?;
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with(quote) {
            return Some(text);
        }
        // What a template puts in, up to its brace: braces within it are rare in paths.
        let inside = rest.strip_prefix("${").filter(|_| quote == '`')?;
        rest = &inside[inside.find('}')? + 1..];
        text.push_str(ANY);
    }
}

/// A regular expression, from after `^`, as a path: groups and classes are anything.
fn expression(rest: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().filter(|c| !c.is_ascii_alphanumeric())?),
            '/' => return Some(text),
            '$' => {}
            '(' | '[' => {
                let (open, close) = (c, if c == '(' { ')' } else { ']' });
                let mut depth = 1;
                let mut inside = String::new();
                while depth > 0 {
                    let c = chars.next()?;
                    depth += usize::from(c == open && open == '(');
                    depth -= usize::from(c == close);
                    inside.push(c);
                }
                while chars.next_if(|c| "+*?".contains(*c)).is_some() {}
                // The end of a path or of a segment stands in no group of its own.
                if inside.contains("$)") {
                    return Some(text);
                }
                text.push_str(ANY);
            }
            '|' | '+' | '*' | '?' | '.' => return None,
            c => text.push(c),
        }
    }
    None
}

/// The paths of a line of the documentation: after a method, or after a host that stands for the gateway.
pub(super) fn named(line: &str, hosts: &[String]) -> Vec<String> {
    let is_end = |c: char| c.is_whitespace() || "`\"'|,;)]\\".contains(c);
    let path = |rest: &str| {
        let text = rest.split(is_end).next().unwrap_or_default();
        let text = text.trim_end_matches(['.', ':']);
        text.starts_with('/').then(|| text.to_owned())
    };
    let mut found = Vec::new();
    for method in METHODS {
        for (at, _) in line.match_indices(method) {
            let before = line[..at].chars().next_back();
            let after = line[at + method.len()..].trim_start_matches(['`', '*']);
            let after = after
                .strip_prefix(' ')
                .map(|after| after.trim_start_matches('`'));
            if !before.is_some_and(char::is_alphanumeric) {
                found.extend(after.and_then(path));
            }
        }
    }
    for (at, scheme) in line.match_indices("://") {
        let rest = &line[at + scheme.len()..];
        let Some(below) = rest.find('/').filter(|end| !rest[..*end].contains(is_end)) else {
            continue;
        };
        let host = rest[..below].split(':').next().unwrap_or_default();
        if hosts.iter().any(|known| known == host) {
            found.extend(path(&rest[below..]));
        }
    }
    found
}
