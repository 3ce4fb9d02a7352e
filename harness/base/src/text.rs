//! Texts that others wrote, made fit to be shown: nothing hidden in them, no longer than they help.
//!
//! What a gateway answers may hold anything. Before it reaches a report, control characters and those that change the
//! order of what is read are written out; each format escapes its own syntax on top of that.

/// How long a text in one line may get.
pub const LINE: usize = 600;
/// How long a text of several lines may get.
pub const BLOCK: usize = 16 * 1024;

/// Whether a character cannot be seen, or changes how others are read: control characters, line separators, marks of
/// direction, of no width or for tags, and what is no character.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Writes out what is hidden, but for the characters that `keep` says to keep.
pub fn visible(text: &str, keep: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && !keep.contains(&character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// What a terminal may be sent: lines and tabs stay, and so do colours where `colors` says so; anything else that is
/// hidden is written out, since a terminal would obey it.
pub fn printable(text: &str, colors: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}').filter(|_| colors) {
        let (before, escape) = rest.split_at(start);
        out.push_str(&visible(before, &['\n', '\t']));
        let (sequence, after) = escape.split_at(color(escape).unwrap_or(1));
        match sequence.len() {
            1 => out.push_str(&visible(sequence, &[])),
            _ => out.push_str(sequence),
        }
        rest = after;
    }
    out + &visible(rest, &['\n', '\t'])
}

/// The length of the sequence that sets a colour or style, if a text begins with one.
fn color(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    numbers[end..].starts_with('m').then_some(2 + end + 1)
}

/// A text in one line: white space becomes one blank, what is hidden is written out, what is too long is cut.
pub fn one_line(text: &str) -> String {
    // Text that is far too long is cut before it is looked at.
    let words: Vec<&str> = head(text, 4 * LINE).split_whitespace().collect();
    let line = visible(&words.join(" "), &[]);
    if head(text, 4 * LINE).len() == text.len() && line.len() <= LINE {
        return line;
    }
    format!("{}… (of {} bytes)", head(&line, LINE), text.len())
}

/// A text of several lines: what is hidden is written out, what is too long is cut.
pub fn block(text: &str) -> String {
    let shown = head(text, BLOCK);
    let mut out = visible(&shown.replace("\r\n", "\n"), &['\n', '\t']);
    if shown.len() < text.len() {
        let rest = text.len() - shown.len();
        out.push_str(&format!(
            "\n… ({rest} bytes more, which the record holds)\n"
        ));
    }
    out
}

/// The beginning of a text: at most so many bytes.
fn head(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// A count and its noun.
pub fn count(number: usize, noun: &str) -> String {
    let end = match (number, noun.ends_with("ch")) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{number} {noun}{end}")
}

/// A time as people say it: `0.4 s`, `52 s`, `1 min 52 s`, `2 h 5 min`.
pub fn duration(time: std::time::Duration) -> String {
    if time < std::time::Duration::from_secs(10) && time.subsec_millis() > 0 {
        return format!("{:.1} s", time.as_secs_f64());
    }
    let seconds = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, seconds) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// An argument as a shell takes it.
pub fn quoted(argument: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=+,%".contains(&byte);
    match !argument.is_empty() && argument.bytes().all(plain) {
        true => argument.to_owned(),
        false => format!("'{}'", visible(argument, &[]).replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, LINE, block, duration, one_line, printable, quoted};

    #[test]
    fn times_are_said_as_people_say_them() {
        let said = |millis| duration(std::time::Duration::from_millis(millis));
        assert_eq!(said(0), "0 s");
        assert_eq!(said(440), "0.4 s");
        assert_eq!(said(52_000), "52 s");
        assert_eq!(said(112_400), "1 min 52 s");
        assert_eq!(said(119_600), "2 min");
        assert_eq!(said(7_500_000), "2 h 5 min");
    }

    #[test]
    fn what_is_hidden_is_written_out() {
        assert_eq!(
            one_line("a\0b\u{1b}[31m\u{202e}c\u{2028}\n\n ::error::\t%"),
            "a\\u{0}b\\u{1b}[31m\\u{202e}c ::error:: %"
        );
        assert_eq!(block("a\r\n\tb\u{7f}\rc"), "a\n\tb\\u{7f}\\u{d}c");
    }

    #[test]
    fn a_terminal_is_told_colours_at_most() {
        let text =
            "\u{1b}[1;31mred\u{1b}[0m\n\t\u{1b}[2Jgone\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\u{1b}";
        assert_eq!(
            printable(text, true),
            "\u{1b}[1;31mred\u{1b}[0m\n\t\\u{1b}[2Jgone\\u{1b}]0;title\\u{7}\\u{9b}31m\\u{202e}\\u{1b}"
        );
        assert!(printable(text, false).starts_with("\\u{1b}[1;31mred\\u{1b}[0m\n\t"));
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        let long = "ä".repeat(70_000);
        assert!(one_line(&long).len() < LINE + 40);
        assert!(one_line(&long).ends_with("… (of 140000 bytes)"));
        assert!(block(&long).len() < BLOCK + 80);
    }

    #[test]
    fn arguments_survive_a_shell() {
        assert_eq!(quoted("openclaw@2026.3.28"), "openclaw@2026.3.28");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
        assert_eq!(quoted(""), "''");
    }
}
