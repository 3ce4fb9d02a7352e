//! What nobody reached, in the order in which it is worth to be looked at.

use std::collections::HashMap;

use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::map::{Map, MapPoint, PointKind};
use super::reach::Reach;

/// A point that nobody reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unreached {
    /// The region.
    pub region: String,
    /// What it is.
    pub kind: PointKind,
    /// Its first line, from 1 at the beginning of the region.
    pub line: u32,
    /// The function that it is, or lies in.
    pub function: Option<String>,
    /// The beginning of its text.
    pub text: String,
    /// Cells that come to what is around it, and do not go this way; none where nothing is around it.
    pub passed_by: usize,
    /// Points behind it, which cannot be reached any other way.
    pub behind: usize,
}

/// Which regions are looked at first.
#[derive(Debug, Clone, Default)]
pub struct Ranks(Vec<GlobMatcher>);

impl Ranks {
    /// In the order of these globs.
    ///
    /// # Errors
    /// What is no glob.
    pub fn new(globs: &[String]) -> Result<Self, globset::Error> {
        let parsed = globs.iter().map(|glob| {
            let glob = GlobBuilder::new(glob).literal_separator(true).build()?;
            Ok(glob.compile_matcher())
        });
        Ok(Self(parsed.collect::<Result<_, _>>()?))
    }

    /// The place of a region; what no glob matches comes last.
    pub fn of(&self, region: &str) -> usize {
        let mut globs = self.0.iter();
        globs
            .position(|glob| glob.is_match(region))
            .unwrap_or(self.0.len())
    }
}

/// The outermost points that nobody reached: first the regions that decide most, within each what most cells pass by.
pub(super) fn unreached(map: &Map, reach: &Reach, ranks: &Ranks) -> Vec<Unreached> {
    let is_reached = |number: u32| {
        let reached = reach.points().get(number as usize);
        reached.is_some_and(super::Reached::is_reached)
    };
    let mut behind: HashMap<u32, usize> = HashMap::new();
    let numbered = || (0..).zip(&map.points);
    // A point comes after those around it.
    let mut outermost: Vec<u32> = Vec::with_capacity(map.points.len());
    for (number, point) in numbered() {
        let hidden = point.within.filter(|around| !is_reached(*around));
        let outer = hidden.map_or(number, |around| outermost[around as usize]);
        outermost.push(outer);
        if outer != number {
            *behind.entry(outer).or_default() += 1;
        }
    }
    let passed_by = |point: &MapPoint| {
        let around = point
            .within
            .and_then(|around| reach.points().get(around as usize));
        around.map_or(0, |reached| reached.cells.len())
    };
    let is_told = |number: &u32| !is_reached(*number) && outermost[*number as usize] == *number;
    let found = numbered().filter(|(number, _)| is_told(number));
    let mut found: Vec<Unreached> = found
        .filter_map(|(number, point)| {
            Some(Unreached {
                region: map.regions.get(point.region)?.name.clone(),
                kind: point.kind,
                line: point.line,
                function: point.function.clone(),
                text: point.text.clone(),
                passed_by: passed_by(point),
                behind: behind.get(&number).copied().unwrap_or(0),
            })
        })
        .collect();
    found.sort_by_cached_key(|one| {
        let rank = ranks.of(&one.region);
        (rank, weight(one.kind), std::cmp::Reverse(one.passed_by))
    });
    found
}

/// What is looked at first: a decision says more about who gets in than which value is taken.
fn weight(kind: PointKind) -> u8 {
    match kind {
        PointKind::Then | PointKind::Else | PointKind::Case | PointKind::Catch => 0,
        PointKind::And | PointKind::Or => 1,
        PointKind::Function => 2,
        PointKind::Yes | PointKind::No => 3,
        PointKind::Default => 4,
    }
}
