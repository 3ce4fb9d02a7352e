//! Which mutants are tried, and who reaches them.

use std::collections::HashMap;

use base::files::sha256;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::coverage::{Coverage, CoveredPoint, Map, MapMutant};

/// What was measured is of other code than what is mutated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the coverage is of other code: {0}")]
pub struct MismatchError(String);

/// A change of a release's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What it is known by: the region, the operator, and a hash of what stands there.
    pub id: String,
    /// The region.
    pub region: String,
    /// Its line in the region, from 1.
    pub line: u32,
    /// The function that it is in.
    pub function: Option<String>,
    /// What is changed.
    pub operator: String,
    /// The beginning of what stands there.
    pub was: String,
    /// The beginning of what stands there instead.
    pub is: String,
}

/// A mutant that is to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// What is changed.
    pub change: Change,
    /// Its number in the map.
    pub number: u32,
    /// The cells that reach it.
    pub cells: Vec<String>,
    /// The launches that reach it at the start.
    pub starts: Vec<String>,
}

impl Chosen {
    /// Whether anybody reaches it.
    pub fn is_reached(&self) -> bool {
        !self.cells.is_empty() || !self.starts.is_empty()
    }
}

/// So many mutants, or all: the same ones for the same seed, whatever the order of the code.
///
/// # Errors
/// The coverage is of other code than the map.
pub fn choose(
    map: &Map,
    coverage: &Coverage,
    sample: Option<usize>,
    seed: u64,
) -> Result<Vec<Chosen>, MismatchError> {
    let points = points(map, coverage)?;
    let mut order: Vec<(String, String, u32)> = (0..)
        .zip(&map.mutants)
        .map(|(number, mutant)| {
            let id = id(map, mutant);
            (sha256(format!("{seed} {id}").as_bytes()), id, number)
        })
        .collect();
    order.sort();
    order.truncate(sample.unwrap_or(usize::MAX));
    let chosen = order.into_iter().map(|(_, id, number)| {
        let mutant = &map.mutants[number as usize];
        let point = mutant.point.and_then(|point| points.get(point as usize));
        let names = |set: Option<usize>| -> Vec<String> {
            let names = coverage.launches_of(set);
            names.into_iter().map(str::to_owned).collect()
        };
        Chosen {
            change: Change {
                id,
                region: region(map, mutant).to_owned(),
                line: mutant.line,
                function: point.and_then(|point| point.function.clone()),
                operator: mutant.operator.clone(),
                was: mutant.was.clone(),
                is: mutant.is.clone(),
            },
            number,
            cells: point.map_or(Vec::new(), |point| {
                let cells = coverage.cells_of(point.cells, usize::MAX);
                cells.into_iter().map(str::to_owned).collect()
            }),
            // A region's own statements run when it is loaded.
            starts: match point {
                Some(point) => names(point.launches),
                None => coverage.launches.clone(),
            },
        }
    });
    Ok(chosen.collect())
}

fn region<'a>(map: &'a Map, mutant: &MapMutant) -> &'a str {
    map.regions
        .get(mutant.region)
        .map_or("", |region| &region.name)
}

/// The same for every run of a release, and of the next one where nothing changed there.
fn id(map: &Map, mutant: &MapMutant) -> String {
    let text = format!("{} {} {}", mutant.was, mutant.is, mutant.nth);
    let hash = sha256(text.as_bytes());
    format!("{}/{}/{}", region(map, mutant), mutant.operator, &hash[..8])
}

/// The measured points by their numbers in the map.
fn points<'a>(map: &Map, coverage: &'a Coverage) -> Result<Vec<&'a CoveredPoint>, MismatchError> {
    let mut regions: HashMap<(&str, &str), std::slice::Iter<'a, CoveredPoint>> = HashMap::new();
    for region in &coverage.regions {
        let key = (region.name.as_str(), region.file.as_str());
        regions.insert(key, region.points.iter());
    }
    let found = map.points.iter().map(|point| {
        let region = map.regions.get(point.region);
        let name = region.map_or("", |region| &region.name);
        let of = region
            .and_then(|region| regions.get_mut(&(region.name.as_str(), region.file.as_str())));
        let measured = of.and_then(Iterator::next);
        measured
            .filter(|measured| measured.text == point.text && measured.kind == point.kind)
            .ok_or_else(|| MismatchError(format!("{name} is not the same there")))
    });
    found.collect()
}
