//! The report as one HTML file that needs nothing else: no network, no server, no second file.
//!
//! [`write`] reads the record twice. The first pass ([`Tallies`]) counts; from it come the parts that can be read without
//! JavaScript: verdict, causes, known issues, counts. The second pass ([`data`]) writes the cells as numbers that point
//! into tables of distinct texts; `page/*.js` draws the matrices from them.
//!
//! What a gateway said is untrusted. It reaches the page in two ways only: through askama's escaping, or as JSON inside a
//! data block ([`script_json`]) from which the scripts take it into text nodes. The policy in the head lets nothing run and
//! nothing load but this page's own script and style, which it names by their hashes.

pub(super) mod assets;
pub(super) mod causes;
mod data;
pub(super) mod issues;
mod layout;
mod page;
pub(super) mod script_json;

use std::io::Write;

use self::layout::Layout;
use self::page::Page;
use record::{Results, ResultsError};

/// Writes the page.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let layout = Layout::of(results)?;
    Page::new(results.head(), &layout).write(out)?;
    data::write(results, &layout, out)?;
    assets::write_end(out)?;
    Ok(())
}
