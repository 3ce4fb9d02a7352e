//! Coverage as a document: what `--json` writes, and what every report of it renders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::map::{Map, PointKind};
use super::rank::{Ranks, Unreached, unreached};
use super::reach::Reach;
use super::sets::{Runs, Sets, count};

/// The format of the document.
const SCHEMA: &str = "clawgauge.coverage/1";

/// What of a release's own code the cells reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// What was measured.
    #[serde(flatten)]
    pub head: CoverageHead,
    /// All functions and branches.
    pub total: Share,
    /// The cells that asked; sets name them by position.
    pub cells: Vec<String>,
    /// The launches; sets name them by position.
    pub launches: Vec<String>,
    /// Distinct sets of cells or launches, as runs: the first and the last position of each.
    pub sets: Vec<Runs>,
    /// The regions, by distance from an entry, then by name.
    pub regions: Vec<CoverageRegion>,
    /// Points that nobody reached, though somebody came to what is around them; what says most about access first.
    pub unreached: Vec<Unreached>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageHead {
    /// `clawgauge.coverage/1`.
    pub schema: String,
    /// The gateway as the caller named it.
    pub gateway: String,
    /// The release that it was asked as.
    pub version: String,
    /// Integrity of the package that the copy was made of, where it came from a registry.
    pub copy_of: Option<String>,
    /// Version of Node, where it is known.
    pub node: Option<String>,
    /// What read the code: package and version.
    pub parser: String,
    /// Patterns of cells that were asked for; none for all.
    #[serde(default)]
    pub globs: Vec<String>,
    /// Conditions on cells that were asked for, likewise.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// Cells that got an answer.
    pub asked: usize,
    /// Cells that got none, or were not applicable.
    pub not_asked: usize,
    /// Cells whose answer deviates from the contract on the copy.
    pub deviate: usize,
}

/// Functions and branches, how many of them were reached and how many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Functions reached, and all.
    pub functions: (usize, usize),
    /// Branches reached, and all.
    pub branches: (usize, usize),
}

/// A region of the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageRegion {
    /// The source file, as the package's mark names it.
    pub name: String,
    /// The file of the package.
    pub file: String,
    /// The line of that file on which the region begins.
    pub line: u32,
    /// Steps from an entry.
    pub depth: u32,
    /// What was reached of it.
    pub share: Share,
    /// Its points in the order of the text.
    pub points: Vec<CoveredPoint>,
}

/// A function, or a way that a decision goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoveredPoint {
    /// What it is.
    pub kind: PointKind,
    /// Its first line, from 1 at the beginning of the region.
    pub line: u32,
    /// How many lines it takes.
    pub lines: u32,
    /// The function that it is, or lies in.
    pub function: Option<String>,
    /// The beginning of its text.
    pub text: String,
    /// The cells that reach it, as a position in `sets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<usize>,
    /// The launches in which it is reached outside of all requests, at the start or by a timer, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launches: Option<usize>,
    /// The launches in which another request reaches it: a probe, the positive control, one through a proxy; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<usize>,
    /// A hash of a function's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl CoveredPoint {
    /// Whether anybody reached it.
    pub fn is_reached(&self) -> bool {
        self.cells.is_some() || self.launches.is_some() || self.others.is_some()
    }
}

impl CoverageHead {
    /// Of a gateway; the counts are those of no cell.
    pub fn new(gateway: &str, version: &str, parser: String) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            gateway: gateway.to_owned(),
            version: version.to_owned(),
            copy_of: None,
            node: None,
            parser,
            globs: Vec::new(),
            conditions: Vec::new(),
            asked: 0,
            not_asked: 0,
            deviate: 0,
        }
    }
}

impl Share {
    fn add(&mut self, kind: PointKind, reached: bool) {
        let of = match kind.is_branch() {
            true => &mut self.branches,
            false => &mut self.functions,
        };
        of.0 += usize::from(reached);
        of.1 += 1;
    }
}

impl Coverage {
    /// Puts together what there is and who reached it.
    pub fn new(head: CoverageHead, map: &Map, reach: &Reach, ranks: &Ranks) -> Self {
        let (mut sets, mut total) = (Sets::default(), Share::default());
        let mut regions: Vec<CoverageRegion> = map
            .regions
            .iter()
            .map(|region| CoverageRegion {
                name: region.name.clone(),
                file: region.file.clone(),
                line: region.line,
                depth: region.depth,
                share: Share::default(),
                points: Vec::new(),
            })
            .collect();
        for (point, reached) in map.points.iter().zip(reach.points()) {
            let Some(region) = regions.get_mut(point.region) else {
                continue;
            };
            region.share.add(point.kind, reached.is_reached());
            total.add(point.kind, reached.is_reached());
            region.points.push(CoveredPoint {
                kind: point.kind,
                line: point.line,
                lines: point.lines,
                function: point.function.clone(),
                text: point.text.clone(),
                cells: sets.put(&reached.cells),
                launches: sets.put(&reached.launches),
                others: sets.put(&reached.others),
                digest: point.digest.clone(),
            });
        }
        regions.sort_by(|a, b| (a.depth, &a.name).cmp(&(b.depth, &b.name)));
        Self {
            head,
            total,
            cells: reach.cells().iter().cloned().collect(),
            launches: reach.launches().iter().cloned().collect(),
            sets: sets.into_vec(),
            regions,
            unreached: unreached(map, reach, ranks),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// It is none of this format.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match read.head.schema.as_str() {
            SCHEMA => Ok(read),
            other => Err(format!("its schema is {other}, not {SCHEMA}")),
        }
    }

    /// How many cells or launches there are in a set.
    pub fn size(&self, set: Option<usize>) -> usize {
        set.and_then(|set| self.sets.get(set)).map_or(0, count)
    }

    /// The launches of a set.
    pub fn launches_of(&self, set: Option<usize>) -> Vec<&str> {
        names(&self.launches, set.and_then(|set| self.sets.get(set)))
            .map(String::as_str)
            .collect()
    }

    /// The cells of a set, at most so many.
    pub fn cells_of(&self, set: Option<usize>, most: usize) -> Vec<&str> {
        names(&self.cells, set.and_then(|set| self.sets.get(set)))
            .take(most)
            .map(String::as_str)
            .collect()
    }
}

/// What the numbers of runs name.
fn names<'a>(all: &'a [String], runs: Option<&'a Runs>) -> impl Iterator<Item = &'a String> {
    let runs = runs.into_iter().flatten();
    let numbers = runs.flat_map(|(first, last)| *first..=*last);
    numbers.filter_map(|number| all.get(number as usize))
}
