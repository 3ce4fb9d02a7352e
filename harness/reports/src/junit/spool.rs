//! Texts of many suites, gathered in any order and read back suite by suite, in bounded memory.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};

/// A suite with this much unwritten text is written out.
const CHUNK: usize = 64 * 1024;

/// A temporary file without a name that takes what is too long to be kept; a small report never makes one.
#[derive(Debug, Default)]
pub(super) struct Spool {
    file: Option<File>,
    end: u64,
}

/// The text of one suite: what was written out, and the rest.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    written: Vec<(u64, usize)>,
    rest: Vec<u8>,
}

impl Spool {
    /// Adds text to a suite.
    pub(super) fn add(&mut self, chunks: &mut Chunks, text: &[u8]) -> io::Result<()> {
        chunks.rest.extend_from_slice(text);
        if chunks.rest.len() < CHUNK {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all(&chunks.rest)?;
        chunks.written.push((self.end, chunks.rest.len()));
        self.end += chunks.rest.len() as u64;
        chunks.rest.clear();
        Ok(())
    }

    /// Copies the text of a suite.
    pub(super) fn copy(&mut self, chunks: &Chunks, out: &mut dyn Write) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let mut buffer = Vec::new();
            for (start, length) in &chunks.written {
                buffer.resize(*length, 0);
                file.seek(SeekFrom::Start(*start))?;
                file.read_exact(&mut buffer)?;
                out.write_all(&buffer)?;
            }
        }
        out.write_all(&chunks.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, Chunks, Spool};

    #[test]
    fn suites_come_back_in_order() {
        let mut spool = Spool::default();
        let mut suites = [Chunks::default(), Chunks::default()];
        for round in 0..(CHUNK / 2) {
            for (suite, chunks) in suites.iter_mut().enumerate() {
                let text = format!("{suite}:{round} ");
                spool.add(chunks, text.as_bytes()).unwrap();
            }
        }
        for (suite, chunks) in suites.iter().enumerate() {
            assert!(chunks.written.len() > 2, "more than fits");
            let mut out = Vec::new();
            spool.copy(chunks, &mut out).unwrap();
            let wanted: String = (0..CHUNK / 2)
                .map(|round| format!("{suite}:{round} "))
                .collect();
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
