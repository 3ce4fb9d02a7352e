//! The compatibility table as a static site and as Markdown: renderings of a [`Table`], with the whole report of each release
//! beside it.
//!
//! [`site`] renders every file into memory, [`write_site`] puts them in place one by one, each whole. As in the report of one
//! run, what a gateway said reaches a page through askama's escaping or as JSON in a data block, and each page's policy lets
//! nothing run and nothing load but its own script and style.

mod assets;
mod index;
mod markdown;
mod release;
mod words;

pub use markdown::markdown;

use base::files::replace_bytes;
use std::collections::BTreeMap;
use std::path::Path;

use crate::html;
use record::{Results, ResultsError};
use studies::survey::{Kept, SurveyDocument, Table};

/// The page that one begins with.
pub const INDEX: &str = "index.html";
/// The table for programs.
const DOCUMENT: &str = "survey.json";

/// The files of the site by name.
///
/// `records` is where the records are, relative to the site, if they can be reached from it.
///
/// # Errors
/// A page cannot be rendered, which would be a bug.
pub fn site(
    table: &Table,
    kept: &[Kept],
    records: Option<&str>,
) -> Result<BTreeMap<String, Vec<u8>>, ResultsError> {
    let mut files = BTreeMap::new();
    let document = SurveyDocument::from(table);
    let mut json = serde_json::to_vec(&document)?;
    json.push(b'\n');
    files.insert(DOCUMENT.to_owned(), json);
    files.insert(INDEX.to_owned(), index::page(table, &document)?);
    for kept in kept {
        if let Some(place) = table.place(&kept.version) {
            let name = words::release_file(&kept.version);
            files.insert(name, release::page(table, kept, place, records)?);
            if words::has_matrix(&table.releases[place]) {
                let mut matrix = Vec::new();
                html::write(&Results::from(&kept.record), &mut matrix)?;
                files.insert(words::matrix_file(&kept.version), matrix);
            }
        }
    }
    Ok(files)
}

/// Writes the files of the site; each is there whole or as it was. A page of a release that is no more in the table stays.
///
/// # Errors
/// A file cannot be written.
pub fn write_site(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    fs_err::create_dir_all(folder)?;
    for (name, bytes) in files {
        replace_bytes(&folder.join(name), bytes)?;
    }
    Ok(())
}
