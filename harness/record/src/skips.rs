//! Cells that may go without being asked where the machine lacks something that they take: what a project expects of its
//! machines, and what came of it.

use serde::{Deserialize, Serialize};

use base::nearest::nearest;
use contract::plan::{Selection, SelectionError, all_requirements, cells, requirements};
use contract::scenario::Catalogue;

/// The cells that may be skipped. An entry is the name of what a machine may lack (`nginx`, `openai-node`, `network namespaces`), or
/// a glob over cell ids.
#[derive(Debug, Clone, Default)]
pub struct MaySkip(Vec<(String, Selection)>);

/// What a run was told that it may skip, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SkipRecord {
    /// What the machine may lack, or a glob over cell ids.
    pub entry: String,
    /// Selected cells that it names and that this machine could not ask.
    pub skipped: usize,
    /// Selected cells that it names and that were asked all the same.
    pub asked: usize,
}

impl MaySkip {
    /// Reads entries; one that names no cell is a slip.
    ///
    /// # Errors
    /// A glob that does not parse or names no cell.
    pub fn parse(entries: &[String], catalogue: &Catalogue) -> Result<Self, SelectionError> {
        let entry = |text: &String| Ok((text.clone(), named(text, catalogue)?));
        entries
            .iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What an earlier run was told.
    ///
    /// # Errors
    /// As [`MaySkip::parse`].
    pub fn recorded(skips: &[SkipRecord], catalogue: &Catalogue) -> Result<Self, SelectionError> {
        let entries: Vec<String> = skips.iter().map(|skip| skip.entry.clone()).collect();
        Self::parse(&entries, catalogue)
    }

    /// Whether a cell may be skipped.
    pub fn accepts(&self, cell: &str) -> bool {
        self.naming(cell).next().is_some()
    }

    /// The places of the entries that name a cell.
    pub(crate) fn naming<'a>(&'a self, cell: &'a str) -> impl Iterator<Item = usize> + 'a {
        let entries = self.0.iter().enumerate();
        let mine = entries.filter(move |(_, (_, cells))| cells.accepts_named(cell, &|_| None));
        mine.map(|(place, _)| place)
    }

    /// As a record has it before anything was asked.
    pub(crate) fn record(&self) -> Vec<SkipRecord> {
        let entry = |(text, _): &(String, Selection)| SkipRecord {
            entry: text.clone(),
            ..SkipRecord::default()
        };
        self.0.iter().map(entry).collect()
    }
}

/// The cells that an entry names.
fn named(entry: &str, catalogue: &Catalogue) -> Result<Selection, SelectionError> {
    // A blank cannot be typed everywhere.
    let plain = |name: &str| name.replace(' ', "-");
    let names = all_requirements(catalogue);
    if let Some(name) = names.iter().find(|name| plain(name) == plain(entry)) {
        let taking = cells(catalogue)
            .filter(|cell| requirements(catalogue, cell).any(|other| other == *name));
        return Ok(Selection::only(taking.map(|cell| cell.id())));
    }
    let parsed = Selection::parse(catalogue, &[entry.to_owned()], &[]);
    parsed.map_err(|error| match error {
        SelectionError::Unmatched {
            glob,
            nearest: None,
        } => SelectionError::Unmatched {
            nearest: nearest(entry, names).map(str::to_owned),
            glob,
        },
        error => error,
    })
}
