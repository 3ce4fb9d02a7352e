//! The report as one HTML file that needs nothing else: no network, no server, no second file.
//!
//! [`write`] reads the record twice. The first pass ([`Survey`]) counts; from it come the parts that can be read without
//! JavaScript: verdict, causes, known issues, counts. The second pass ([`data`]) writes the cells as numbers that point
//! into tables of distinct texts; `page/*.js` draws the matrices from them.
//!
//! What a gateway said is untrusted. It reaches the page in two ways only: through askama's escaping, or as JSON inside a
//! data block ([`script_json`]) from which the scripts take it into text nodes. The policy in the head lets nothing run and
//! nothing load but this page's own script and style, which it names by their hashes.

mod assets;
mod causes;
mod data;
mod issues;
mod page;
mod script_json;
mod survey;

use std::io::Write;

use self::page::Page;
use self::survey::Survey;
use crate::record::{Results, ResultsError};

/// Writes the page.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let survey = Survey::of(results)?;
    Page::new(results.head(), &survey).write(out)?;
    data::write(results, &survey, out)?;
    assets::write_end(out)?;
    Ok(())
}
