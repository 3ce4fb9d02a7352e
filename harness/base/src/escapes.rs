//! Texts with escapes of JSON, of URLs and of HTML, read as what they stand for, without losing where it stood.

/// A text with its escapes read some times over.
#[derive(Debug)]
pub struct Layer {
    bytes: Vec<u8>,
    /// Where each byte, and the end, stood in the text.
    starts: Vec<usize>,
}

impl Layer {
    /// The text as it is.
    pub fn of(text: &[u8]) -> Self {
        Self {
            bytes: text.to_vec(),
            starts: (0..=text.len()).collect(),
        }
    }

    /// What is there to be searched.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a range stood in the text.
    pub fn source(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.starts[range.start]..self.starts[range.end]
    }

    /// With one more level of escapes read; `None` where there is none.
    pub fn unescaped(&self) -> Option<Self> {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        let (mut position, mut any) = (0, false);
        while let Some(first) = self.bytes.get(position) {
            let read = match first {
                b'%' | b'\\' | b'&' => escape(&self.bytes[position..]),
                _ => None,
            };
            let mut character = [0; 4];
            let (length, meant) = match read {
                Some((length, meant)) => (length, meant.encode(&mut character)),
                None => (1, std::slice::from_ref(first)),
            };
            any |= read.is_some();
            starts.resize(starts.len() + meant.len(), self.starts[position]);
            bytes.extend_from_slice(meant);
            position += length;
        }
        starts.push(*self.starts.last()?);
        any.then_some(Self { bytes, starts })
    }
}

/// What an escape stands for.
#[derive(Debug, Clone, Copy)]
enum Meant {
    Byte(u8),
    Character(char),
}

impl Meant {
    fn encode(self, into: &mut [u8; 4]) -> &[u8] {
        match self {
            Self::Byte(byte) => {
                into[0] = byte;
                &into[..1]
            }
            Self::Character(character) => character.encode_utf8(into).as_bytes(),
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
