//! The folder by which an exploration goes on, with scenario files whose cells show what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::output::Failure;
use contract::cell_id::CellId;
use contract::scenario::ExploreRules;
use contract::scenario::model::Kind;
use studies::explore::{Candidate, Expected, Exploration, Maker, STARTS};

/// A corpus is a project of its own: what the one around it says of cells means others.
const PROJECT: &str = "# Scenarios that `clawgauge explore` has made; no defaults hold for them.\n";
/// The document in a corpus.
const DOCUMENT: &str = "exploration.json";

/// What an earlier exploration left, if one did.
pub(super) fn read(folder: &Path) -> Result<Option<Exploration>, Failure> {
    let path = folder.join(DOCUMENT);
    let wrong = |why: String| {
        Failure::usage(format!("{}: {why}", path.display()))
            .help("name the folder of an earlier exploration, or one that is not there yet")
    };
    match fs_err::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error.to_string())),
        Ok(bytes) => Exploration::read(&bytes).map(Some).map_err(wrong),
    }
}

/// Writes the document, and scenario files whose cells show each finding in place of those that an earlier exploration left.
pub(super) fn keep(
    folder: &Path,
    found: &Exploration,
    rules: &ExploreRules,
    maker: &Maker<'_>,
    said: &Expected,
) -> Result<(), Failure> {
    let wrong = |error: std::io::Error| {
        Failure::usage(format!("{}: {error}", folder.display()))
            .help("name a folder that can be written: --corpus DIR")
    };
    let shown = found.findings.iter();
    let shown = shown.filter(|finding| finding.deviation.is_some());
    let examples: BTreeSet<&str> = shown.map(|finding| finding.example.as_str()).collect();
    let cells = examples.iter().filter_map(|id| Candidate::of(id, rules));
    let asked = Candidate::together(cells);
    let is_step = |id: &str| {
        let mut asks = rules.asks.iter();
        asks.any(|ask| ask.kind == Kind::Sequence && ask.id == CellId::of(id).scenario())
    };
    // Of a sequence all steps are kept, of others what shows a finding.
    let known = said
        .iter()
        .filter(|(id, _)| examples.contains(id.as_str()) || is_step(id));
    let known = known
        .map(|(id, outcome)| (id.clone(), outcome.clone()))
        .collect();
    let mut files = match asked.is_empty() {
        true => BTreeMap::new(),
        false => maker.kept(&asked, &known)?.files,
    };
    let ids = rules.asks.iter().map(|ask| ask.id.as_str()).chain([STARTS]);
    for id in ids.filter(|_| !files.is_empty()) {
        let name = format!("scenarios/{id}.toml");
        if !files.contains_key(&name) {
            match fs_err::remove_file(folder.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(wrong(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    let document = serde_json::to_string_pretty(found).map_err(|error| wrong(error.into()))?;
    files.insert(DOCUMENT.to_owned(), document);
    files.insert("clawgauge.toml".to_owned(), PROJECT.to_owned());
    for (name, text) in &files {
        let path = folder.join(name);
        fs_err::create_dir_all(path.parent().unwrap_or(folder)).map_err(wrong)?;
        base::files::replace_bytes(&path, text.as_bytes()).map_err(wrong)?;
    }
    Ok(())
}
