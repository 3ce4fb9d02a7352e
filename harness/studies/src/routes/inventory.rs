//! Which paths the code and the documentation of a release name.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::document::RouteSource;
use super::paths::{ANY, literals, named, route};
use contract::scenario::InventoryRules;

/// A part of a release.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// The source file that it came from; none of documentation.
    pub region: Option<&'a str>,
    /// The file of the package.
    pub file: &'a str,
    /// The line of that file on which the text begins.
    pub line: u32,
    /// The text.
    pub text: &'a str,
}

/// A path that a release names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The path; a segment that may be anything is `:x`.
    pub path: String,
    /// Where it is named; code first.
    pub sources: Vec<RouteSource>,
}

/// Which parts of a release's code are looked at.
#[derive(Debug)]
pub struct Wanted<'a> {
    regions: GlobSet,
    never: GlobSet,
    registers: &'a [String],
}

fn globs(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(GlobBuilder::new(glob).literal_separator(true).build()?);
    }
    set.build()
}

impl<'a> Wanted<'a> {
    /// As the rules say.
    ///
    /// # Errors
    /// What is no glob.
    pub fn new(rules: &'a InventoryRules) -> Result<Self, globset::Error> {
        Ok(Self {
            regions: globs(&rules.regions)?,
            never: globs(&rules.never)?,
            registers: &rules.registers,
        })
    }

    /// Whether a region of a file with this text is looked at.
    pub fn has(&self, region: &str, file: &str) -> bool {
        self.each_path(region) || self.registers.iter().any(|call| file.contains(call))
    }

    /// Whether each path in a region counts.
    fn each_path(&self, region: &str) -> bool {
        self.regions.is_match(region) && !self.never.is_match(region)
    }
}

/// The paths that a release names, sorted.
pub fn inventory(pieces: &[Piece<'_>], rules: &InventoryRules, wanted: &Wanted<'_>) -> Vec<Found> {
    let mut found: BTreeMap<String, Vec<RouteSource>> = BTreeMap::new();
    for piece in pieces {
        let registered = registered(piece, pieces, rules);
        let written = piece.text.lines().zip(piece.line..).flat_map(|(line, at)| {
            let texts = match piece.region {
                None => named(line, &rules.hosts),
                Some(region) if wanted.each_path(region) => literals(line),
                Some(_) => Vec::new(),
            };
            texts.into_iter().map(move |text| (text, at))
        });
        for (text, line) in written.chain(registered) {
            let Some((path, below)) = route(&text, &rules.files) else {
                continue;
            };
            let source = RouteSource {
                region: piece.region.map(str::to_owned),
                file: piece.file.to_owned(),
                line,
            };
            let below = below.then(|| format!("{path}/{ANY}"));
            for path in std::iter::once(path).chain(below) {
                let sources = found.entry(path).or_default();
                if !sources.contains(&source) {
                    sources.push(source.clone());
                }
            }
        }
    }
    let found = found.into_iter();
    found
        .map(|(path, mut sources)| {
            sources.sort_by_key(|source| source.region.is_none());
            Found { path, sources }
        })
        .collect()
}

/// So many bytes after the name of the function its path is looked for.
const CALL: usize = 400;

/// The paths that a piece registers, and the lines: `path: "/api"`, or a constant of the same file.
fn registered(piece: &Piece<'_>, all: &[Piece<'_>], rules: &InventoryRules) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for call in rules.registers.iter().filter(|_| piece.region.is_some()) {
        for (at, _) in piece.text.match_indices(&format!("{call}(")) {
            let end = (at..=at + CALL)
                .rev()
                .find(|end| piece.text.is_char_boundary(*end))
                .unwrap_or(at);
            let Some((_, value)) = piece.text[at..end.min(piece.text.len())].split_once("path: ")
            else {
                continue;
            };
            let lines = piece.text[..at].matches('\n').count();
            let line = piece.line + u32::try_from(lines).unwrap_or(0);
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let name = value.split(|c| !is_name(c)).next().unwrap_or_default();
            let text = match name {
                "" => literals(value.lines().next().unwrap_or_default()),
                name => {
                    let defined = format!("{name} = ");
                    let same = all.iter().filter(|other| other.file == piece.file);
                    let lines = same.flat_map(|other| other.text.lines());
                    let values = lines.filter_map(|line| line.split_once(&defined));
                    values.flat_map(|(_, value)| literals(value)).collect()
                }
            };
            found.extend(text.into_iter().next().map(|text| (text, line)));
        }
    }
    found
}
