//! What reports are rendered from: the head of a record, and its cells as often as they are needed.
//!
//! A record in memory lends its cells; a record in a file is read cell by cell, so that a report of a hundred thousand
//! cells needs no more memory than one of a thousand.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::older::Older;
use super::{CellRecord, FinishedRun, Record, SCHEMA};

/// A text in a record is no longer than this, in bytes; the longest answer that is kept has less than half, escaped.
const MAX_TEXT: usize = 64 * 1024 * 1024;
/// How a file begins that is packed with gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A record of which the cells can be read again and again.
#[derive(Debug)]
pub struct Results<'a> {
    head: Head<'a>,
}

#[derive(Debug)]
enum Head<'a> {
    Memory(&'a Record),
    /// A run whose cells are made when they are looked at.
    Run(&'a FinishedRun<'a>),
    /// A record without its cells, and the file that holds them.
    File(Box<Record>, PathBuf),
    /// The same, and its text.
    Text(Box<Record>, Cow<'a, [u8]>),
}

/// A record that cannot be read or rendered.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file is not JSON, or not of this shape.
    #[error("not a record of clawgauge: {0}")]
    Json(#[from] serde_json::Error),
    /// The file is of another version.
    #[error("its schema is {0:?}, and this clawgauge reads {SCHEMA:?}")]
    Schema(String),
}

impl<'a> From<&'a Record> for Results<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            head: Head::Memory(record),
        }
    }
}

impl<'a> From<&'a FinishedRun<'a>> for Results<'a> {
    fn from(run: &'a FinishedRun<'a>) -> Self {
        Self {
            head: Head::Run(run),
        }
    }
}

impl Results<'static> {
    /// Reads the head of a record in a file.
    ///
    /// # Errors
    /// The file cannot be read, is no record, or is of another version.
    pub fn open(path: &Path) -> Result<Self, ResultsError> {
        let head: Record = parse(reader(path)?, &mut |_| Ok(()))?;
        Ok(Self {
            head: Head::File(Box::new(head), path.to_path_buf()),
        })
    }
}

impl<'a> Results<'a> {
    /// Reads the head of a record.
    ///
    /// # Errors
    /// The text is no record, or of another version.
    pub fn of_text(text: Cow<'a, [u8]>) -> Result<Self, ResultsError> {
        let head: Record = parse(&*text, &mut |_| Ok(()))?;
        Ok(Self {
            head: Head::Text(Box::new(head), text),
        })
    }
}

impl Results<'_> {
    /// Everything but the cells; `cells` is empty unless it is a record in memory.
    pub fn head(&self) -> &Record {
        match &self.head {
            Head::Memory(record) => record,
            Head::Run(run) => &run.head,
            Head::File(record, _) | Head::Text(record, _) => record,
        }
    }

    /// Shows every cell, in order.
    ///
    /// # Errors
    /// The file cannot be read any more, or `visit` fails.
    pub fn each_cell(
        &self,
        visit: &mut dyn FnMut(&CellRecord) -> std::io::Result<()>,
    ) -> Result<(), ResultsError> {
        match &self.head {
            Head::Memory(record) => {
                for cell in &record.cells {
                    visit(cell)?;
                }
            }
            Head::Run(run) => run.each_cell(visit)?,
            Head::File(_, path) => {
                parse(reader(path)?, visit)?;
            }
            Head::Text(_, text) => {
                parse(&**text, visit)?;
            }
        }
        Ok(())
    }

    /// The record with its cells.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn load(&self) -> Result<Record, ResultsError> {
        let mut record = self.head().clone();
        if let Head::File(..) | Head::Text(..) | Head::Run(_) = self.head {
            let mut cells = Vec::new();
            self.each_cell(&mut |cell| {
                cells.push(cell.clone());
                Ok(())
            })?;
            record.cells = cells;
        }
        Ok(record)
    }
}

/// Reads a record; the cells go to `visit` one by one, the rest is returned.
fn parse(
    text: impl Read,
    visit: &mut dyn FnMut(&CellRecord) -> std::io::Result<()>,
) -> Result<Record, ResultsError> {
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let mut trouble = None;
    let mut older = Older::default();
    let parser = RecordVisitor {
        visit,
        older: &mut older,
        trouble: &mut trouble,
    };
    let head = deserializer
        .deserialize_map(parser)
        .and_then(|head| deserializer.end().map(|()| head));
    match (trouble, head) {
        (Some(trouble), _) => Err(trouble),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(head)) => {
            let mut head: Record = serde_json::from_value(head)?;
            older.head(&mut head);
            Ok(head)
        }
    }
}

/// Whether a file begins as a record does, packed with gzip or not. No program and no archive does.
pub fn is_record(path: &Path) -> bool {
    let begins = || {
        let mut start = Vec::new();
        reader(path).ok()?.take(64).read_to_end(&mut start).ok()?;
        Some(start.trim_ascii_start().first() == Some(&b'{'))
    };
    path.is_file() && begins().unwrap_or(false)
}

/// The text of a record file, packed with gzip or not.
fn reader(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(fs_err::File::open(path)?);
    Ok(match file.fill_buf()?.starts_with(&GZIP) {
        true => Box::new(BufReader::new(Bounded::new(GzDecoder::new(file)))),
        false => Box::new(BufReader::new(Bounded::new(file))),
    })
}

/// JSON that is read only as long as its texts are of bounded length: packed, a text of gigabytes takes a few megabytes.
struct Bounded<R> {
    inner: R,
    in_text: bool,
    escaped: bool,
    length: usize,
}

impl<R> Bounded<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            in_text: false,
            escaped: false,
            length: 0,
        }
    }

    /// Whether no text in what has been read is too long.
    fn holds(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if !self.in_text {
                self.in_text = *byte == b'"';
                self.length = 0;
                continue;
            }
            self.length += 1;
            match *byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
        }
        self.length <= MAX_TEXT
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.holds(&buffer[..count]) {
            true => Ok(count),
            false => Err(std::io::Error::other(format!(
                "a text in it is longer than {MAX_TEXT} bytes"
            ))),
        }
    }
}

struct RecordVisitor<'a> {
    visit: &'a mut dyn FnMut(&CellRecord) -> std::io::Result<()>,
    older: &'a mut Older,
    /// What is not a matter of syntax.
    trouble: &'a mut Option<ResultsError>,
}

impl<'de> Visitor<'de> for RecordVisitor<'_> {
    type Value = serde_json::Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the record of a run, schema {SCHEMA}")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut head = serde_json::Map::new();
        head.insert("cells".to_owned(), serde_json::Value::Array(Vec::new()));
        while let Some(key) = map.next_key::<String>()? {
            if key == "cells" {
                *self.older = Older::new(lacks(&head));
                map.next_value_seed(Cells(&mut self))?;
                continue;
            }
            let value: serde_json::Value = map.next_value()?;
            if key == "schema" && value != SCHEMA {
                let schema = value.as_str().unwrap_or_default().to_owned();
                *self.trouble = Some(ResultsError::Schema(schema));
                return Err(serde::de::Error::custom("another schema"));
            }
            head.insert(key, value);
        }
        Ok(serde_json::Value::Object(head))
    }
}

/// Why the machine of a record could not ask what it could not ask.
fn lacks(head: &serde_json::Map<String, serde_json::Value>) -> Vec<String> {
    let gateways = head.get("gateways").and_then(serde_json::Value::as_array);
    let gateways = gateways.into_iter().flatten();
    let missing = gateways.filter_map(|gateway| gateway.get("missing")?.as_object());
    let reasons = missing.flat_map(|missing| missing.values());
    let reasons = reasons.filter_map(serde_json::Value::as_str);
    reasons.map(str::to_owned).collect()
}

/// The array of cells.
struct Cells<'a, 'b>(&'a mut RecordVisitor<'b>);

impl<'de> DeserializeSeed<'de> for Cells<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Cells<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the cells of a record")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<(), A::Error> {
        while let Some(mut cell) = cells.next_element::<CellRecord>()? {
            cell.fill_in();
            self.0.older.cell(&mut cell);
            if let Err(error) = (self.0.visit)(&cell) {
                *self.0.trouble = Some(error.into());
                return Err(serde::de::Error::custom("the reader stopped"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Some kilobytes that would become a text of gigabytes are refused on the way.
    #[test]
    fn a_text_without_end_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let packed =
            flate2::write::GzEncoder::new(file.reopen().unwrap(), flate2::Compression::fast());
        let mut packed = std::io::BufWriter::new(packed);
        packed
            .write_all(b"{\"schema\":\"clawgauge.results/1\",\"x\":\"")
            .unwrap();
        let part = [b"\\\"".repeat(500), b"x".repeat(24)].concat();
        for _ in 0..MAX_TEXT / 1024 + 64 {
            packed.write_all(&part).unwrap();
        }
        packed.write_all(b"\"}").unwrap();
        drop(packed);
        let error = Results::open(file.path()).unwrap_err().to_string();
        assert!(
            error.contains("a text in it is longer than 67108864 bytes"),
            "{error}"
        );
    }

    #[test]
    fn texts_are_counted_one_by_one() {
        let mut bounded = Bounded::new(&b""[..]);
        assert!(bounded.holds(b"{\"a\\\"b\": \"\\\\\", \"12345678"));
        assert_eq!((bounded.in_text, bounded.length), (true, 8));
        assert!(bounded.holds(b"9\"}"));
        assert!(!bounded.in_text);
    }
}
