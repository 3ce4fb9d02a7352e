//! What a comparison is made from: both sides, the texts that they refer to, and the launch profiles.

use std::collections::{BTreeMap, HashMap};

use super::cells::{Cells, Texts};
use contract::scenario::Catalogue;

/// Both sides and what they refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct ComparisonInput<'a> {
    pub(super) a: &'a Cells<'a>,
    pub(super) b: &'a Cells<'a>,
    pub(super) texts: &'a Texts,
    pub(super) profiles: &'a Profiles,
    pub(super) universes: &'a Universes,
}

/// The combinations that were compared, by scenario: what a fold must tell its cells from. Only of scenarios in which something changed.
#[derive(Debug, Default)]
pub(super) struct Universes {
    known: HashMap<String, Universe>,
}

/// Combinations one after another.
#[derive(Debug)]
struct Universe {
    axes: usize,
    values: Vec<u16>,
}

impl Universes {
    pub(super) fn add(&mut self, scenario: &str, combination: &[u16]) {
        let universe = self.known.entry(scenario.to_owned());
        let universe = universe.or_insert_with(|| Universe {
            axes: combination.len(),
            values: Vec::new(),
        });
        universe.values.extend(combination);
    }

    pub(super) fn of(&self, scenario: &str) -> impl Iterator<Item = &[u16]> + Clone {
        let known = self.known.get(scenario);
        let (axes, values) = known.map_or((1, &[][..]), |known| (known.axes, &known.values[..]));
        values.chunks_exact(axes.max(1))
    }
}

/// What is known of the launch profiles beyond a record: which of them ask for the same of a caller, and how they differ.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    pub(super) known: BTreeMap<String, ProfileFacts>,
}

/// A launch profile.
#[derive(Debug, Clone)]
pub(super) struct ProfileFacts {
    pub(super) mode: String,
    pub(super) config: serde_json::Value,
}

impl Profiles {
    /// The profiles as a release is launched under them; those that it cannot be launched under are left out.
    pub fn of(catalogue: &Catalogue, release: Option<&str>) -> Self {
        let Some(release) = release.and_then(|release| release.parse().ok()) else {
            return Self::default();
        };
        let known = catalogue.profiles.values().filter_map(|profile| {
            let launch = profile.launch_for(&release).ok()?;
            let facts = ProfileFacts {
                mode: profile.mode.clone(),
                config: launch.config.clone(),
            };
            Some((profile.id.clone(), facts))
        });
        Self {
            known: known.collect(),
        }
    }
}
