//! Texts that others wrote, in Markdown: they can neither leave their place nor become markup, a link or a mention.

use base::text::{block, one_line};

/// A text among others. What could begin markup is escaped; what would notify somebody or become a link is broken up.
pub(crate) fn text(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len());
    let mut before = ' ';
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        match character {
            // Between letters it is no emphasis, and names are full of it.
            '_' if before.is_alphanumeric() && next.is_alphanumeric() => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(character);
            }
            // A backslash stops links that are made of bare addresses.
            ':' if next == '/' => out.push_str("\\:"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("\\."),
            // Nothing but a character between them keeps a name behind an at sign from being notified.
            '@' => out.push_str("@\u{200b}"),
            _ => out.push(character),
        }
        before = character;
    }
    out
}

/// A text as code in a line.
pub(crate) fn code(text: &str) -> String {
    let line = one_line(text);
    let fence = "`".repeat(longest_run(&line) + 1);
    match line.as_str() {
        "" => "(empty)".to_owned(),
        _ if line.starts_with('`') || line.ends_with('`') => format!("{fence} {line} {fence}"),
        _ => format!("{fence}{line}{fence}"),
    }
}

/// A text as code in a cell of a table, where a bar would end the cell even in code.
pub(crate) fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Lines of text as a block of code, indented so that it stays within its list.
pub(crate) fn fenced(text: &str, language: &str, indent: &str) -> String {
    let text = block(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let lines = text
        .trim_end()
        .lines()
        .map(|line| format!("{indent}{line}\n"));
    let lines: String = lines.collect();
    format!("{indent}{fence}{language}\n{lines}{indent}{fence}\n")
}

/// A link to a page, where the address is one; code otherwise.
pub(crate) fn link(url: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'*+,;=%".contains(&byte);
    match url.starts_with("https://") && url.bytes().all(plain) {
        true => format!("<{url}>"),
        false => code(url),
    }
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{code, code_cell, fenced, link, text};

    #[test]
    fn nothing_leaves_its_place() {
        assert_eq!(
            text("<b>|x|</b> [a](b)"),
            "\\<b\\>\\|x\\|\\</b\\> \\[a\\](b)"
        );
        assert_eq!(text("ask @maintainer"), "ask @\u{200b}maintainer");
        assert_eq!(text("https://a.b WWW.c.d"), "https\\://a.b WWW\\.c.d");
        assert_eq!(text("snake_case _emphasis_"), "snake_case \\_emphasis\\_");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code(""), "(empty)");
        assert_eq!(code_cell("a|b\nc"), "`a\\|b c`");
        assert_eq!(fenced("```\nx", "", "  "), "  ````\n  ```\n  x\n  ````\n");
        assert_eq!(link("https://a.b/c#1"), "<https://a.b/c#1>");
        assert_eq!(link("javascript:alert(1)"), "`javascript:alert(1)`");
        assert_eq!(link("https://a.b/>x"), "`https://a.b/>x`");
    }
}
