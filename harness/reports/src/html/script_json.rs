//! JSON that may stand inside a `<script>` element: no text in it can end the element or begin another.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Writes a value. `<`, `>`, `&` and the two line ends of JavaScript that JSON allows are written as escapes; all of them
/// occur in strings only.
pub(crate) fn write<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Escaping);
    value.serialize(&mut serializer)?;
    Ok(())
}

/// As [`write`], into a text.
pub(crate) fn text<T: Serialize + ?Sized>(value: &T) -> io::Result<String> {
    let mut bytes = Vec::new();
    write(&mut bytes, value)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (place, character) in fragment.char_indices() {
            let escape = match character {
                '<' => "\\u003c",
                '>' => "\\u003e",
                '&' => "\\u0026",
                '\u{2028}' => "\\u2028",
                '\u{2029}' => "\\u2029",
                _ => continue,
            };
            out.write_all(&fragment.as_bytes()[plain..place])?;
            out.write_all(escape.as_bytes())?;
            plain = place + character.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[plain..])
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_can_end_the_element_and_all_of_it_can_be_read_back() {
        let hostile = "</script><!--<script>&amp;\u{2028}\u{2029}\0\"\\\u{1f600}";
        let written = text(hostile).unwrap();
        for forbidden in ['<', '>', '&', '\u{2028}', '\u{2029}', '\0'] {
            assert!(!written.contains(forbidden), "{forbidden:?} in {written}");
        }
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), hostile);
    }
}
