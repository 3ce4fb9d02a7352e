//! The record as JSON: the head, then a line a cell.

use std::io::Write;

use crate::{Results, ResultsError};

impl Results<'_> {
    /// Writes the record as JSON. Cells are written as they are read.
    ///
    /// # Errors
    /// It cannot be read any more, or not be written.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), ResultsError> {
        let mut head = self.head().clone();
        head.cells = Vec::new();
        let text = serde_json::to_string_pretty(&head)?;
        // The cells are the last key, and empty here.
        let Some(head) = text.strip_suffix("\n  \"cells\": []\n}") else {
            let missing = std::io::Error::other("the record does not end with its cells");
            return Err(missing.into());
        };
        out.write_all(head.as_bytes())?;
        out.write_all(b"\n  \"cells\": [")?;
        let mut separator = "\n    ";
        self.each_cell(&mut |cell| {
            out.write_all(separator.as_bytes())?;
            separator = ",\n    ";
            serde_json::to_writer(&mut *out, cell)?;
            Ok(())
        })?;
        out.write_all(b"\n  ]\n}\n")?;
        Ok(())
    }
}
