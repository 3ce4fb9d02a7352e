//! Texts with escapes of JSON, of URLs and of HTML, read as what they stand for, without losing where it stood. What is not seen
//! on a screen (control characters, colours of a terminal, characters without width) stands for nothing.

use std::ops::Range;

/// A text with its escapes read some times over.
#[derive(Debug)]
pub struct Layer {
    bytes: Vec<u8>,
    /// Where in the text each byte stood: its start and its end. No text here has four gigabytes.
    places: Vec<(u32, u32)>,
}

impl Layer {
    /// The text as it is.
    pub fn of(text: &[u8]) -> Self {
        Self {
            bytes: text.to_vec(),
            places: (0..text.len()).map(|at| place(at, at + 1)).collect(),
        }
    }

    /// What is there to be searched.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a range, which is not empty, stood in the text.
    pub fn source(&self, range: Range<usize>) -> Range<usize> {
        let places = &self.places[range];
        let start = places.first().map_or(0, |(start, _)| *start as usize);
        start..places.last().map_or(start, |(_, end)| *end as usize)
    }

    /// With one more level of escapes read; `None` where there is none.
    pub fn unescaped(&self) -> Option<Self> {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        let (mut position, mut any) = (0, false);
        while let Some(first) = self.bytes.get(position) {
            let read = match first {
                b'%' | b'\\' | b'&' => escape(&self.bytes[position..]),
                0..b' ' | 0x7f | 0xc2 | 0xcc | 0xe2 | 0xef => unseen(&self.bytes[position..]),
                _ => None,
            };
            let mut character = [0; 4];
            let (length, meant) = match read {
                Some((length, meant)) => (length, meant.encode(&mut character)),
                None => (1, std::slice::from_ref(first)),
            };
            any |= read.is_some();
            let source = self.source(position..position + length);
            places.resize(places.len() + meant.len(), place(source.start, source.end));
            bytes.extend_from_slice(meant);
            position += length;
        }
        any.then_some(Self { bytes, places })
    }
}

fn place(start: usize, end: usize) -> (u32, u32) {
    let short = |at| u32::try_from(at).unwrap_or(u32::MAX);
    (short(start), short(end))
}

/// What an escape stands for.
#[derive(Debug, Clone, Copy)]
enum Meant {
    Byte(u8),
    Character(char),
    Nothing,
}

impl Meant {
    fn encode(self, into: &mut [u8; 4]) -> &[u8] {
        match self {
            Self::Byte(byte) => {
                into[0] = byte;
                &into[..1]
            }
            Self::Character(character) => character.encode_utf8(into).as_bytes(),
            Self::Nothing => &[],
        }
    }
}

/// The escape at the beginning, if there is one: how long it is, and what it stands for.
fn escape(text: &[u8]) -> Option<(usize, Meant)> {
    let digits = |from: usize, count: usize, radix: u32| -> Option<u32> {
        let digits = std::str::from_utf8(text.get(from..from + count)?).ok()?;
        let proper = digits
            .bytes()
            .all(|digit| char::from(digit).is_digit(radix));
        u32::from_str_radix(digits, radix).ok().filter(|_| proper)
    };
    let byte = |code: u32| u8::try_from(code).ok().map(Meant::Byte);
    let character = |code: u32| char::from_u32(code).map(Meant::Character);
    // How many characters there are before the one that ends it; none of them is long.
    let until = |from: usize, end: u8| {
        let text = text.get(from..text.len().min(from + 8))?;
        text.iter().position(|byte| *byte == end)
    };
    match text {
        [b'%', ..] => Some((3, byte(digits(1, 2, 16)?)?)),
        [b'\\', b'x' | b'X', ..] => Some((4, byte(digits(2, 2, 16)?)?)),
        [b'\\', b'u' | b'U', b'{', ..] => {
            let length = until(3, b'}')?;
            Some((length + 4, character(digits(3, length, 16)?)?))
        }
        [b'\\', b'u' | b'U', ..] => Some((6, character(digits(2, 4, 16)?)?)),
        [b'\\', letter, ..] => {
            let meant = match letter.to_ascii_lowercase() {
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                mark @ (b'"' | b'\\' | b'/' | b'\'') => char::from(mark),
                _ => return None,
            };
            Some((2, Meant::Character(meant)))
        }
        [b'&', b'#', b'x' | b'X', ..] => {
            let length = until(3, b';')?;
            Some((length + 4, character(digits(3, length, 16)?)?))
        }
        [b'&', b'#', ..] => {
            let length = until(2, b';')?;
            Some((length + 3, character(digits(2, length, 10)?)?))
        }
        [b'&', ..] => {
            let length = until(1, b';')?;
            let meant = match &text[1..=length].to_ascii_lowercase()[..] {
                b"quot" => '"',
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"apos" => '\'',
                _ => return None,
            };
            Some((length + 2, Meant::Character(meant)))
        }
        _ => None,
    }
}

/// What is not seen at the beginning, if there is something: how long it is.
fn unseen(text: &[u8]) -> Option<(usize, Meant)> {
    if let [0x1b, b'[', parameters @ ..] = text {
        // A control sequence of ECMA-48 ends with a byte from `@` to `~`.
        let length = parameters.iter().take(32).position(|byte| *byte >= b'@');
        return Some((length.map_or(1, |length| length + 3), Meant::Nothing));
    }
    let head = &text[..text.len().min(4)];
    let valid = head.utf8_chunks().next()?.valid();
    let first = valid.chars().next()?;
    let unseen = first.is_control()
        || matches!(first, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(first, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
    unseen.then_some((first.len_utf8(), Meant::Nothing))
}
