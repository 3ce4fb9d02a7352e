//! What became of mutants, as a document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chosen::{Change, Chosen};
use contract::scenario::KnownMutant;

/// The format of the document.
const SCHEMA: &str = "clawgauge.mutants/1";
/// So many cells are named as examples.
const EXAMPLES: usize = 3;

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// A cell told it from the release.
    Killed {
        /// The cell.
        cell: String,
        /// How it deviates, or that it got no answer.
        how: String,
    },
    /// The gateway does not start with it, or does not stay up.
    Broken {
        /// What it said.
        why: String,
    },
    /// All cells and launches that were asked conform.
    Survived {
        /// Cells that were asked with it.
        asked: usize,
    },
    /// Nobody reaches it.
    NotReached,
    /// Not everything that reaches it was asked.
    Undecided {
        /// Why.
        why: String,
    },
}

impl Fate {
    /// In a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Killed { .. } => "killed",
            Self::Broken { .. } => "does not start",
            Self::Survived { .. } => "survived",
            Self::NotReached => "not reached",
            Self::Undecided { .. } => "undecided",
        }
    }

    /// Whether nothing more can be found out.
    pub fn is_decided(&self) -> bool {
        !matches!(self, Self::Undecided { .. })
    }
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MutantHead {
    /// `clawgauge.mutants/1`.
    pub schema: String,
    /// The gateway as the caller named it.
    pub gateway: String,
    /// The release that it was asked as.
    pub version: String,
    /// Integrity of the package that the copies were made of, where it came from a registry.
    pub copy_of: Option<String>,
    /// Mutants that there are.
    pub all: usize,
    /// The seed of the sample.
    pub seed: u64,
}

impl MutantHead {
    /// Of a gateway.
    pub fn new(gateway: &str, version: &str, all: usize, seed: u64) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            gateway: gateway.to_owned(),
            version: version.to_owned(),
            copy_of: None,
            all,
            seed,
        }
    }
}

/// What became of the mutants of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MutantReport {
    /// What was tried.
    #[serde(flatten)]
    pub head: MutantHead,
    /// How many met which fate.
    pub score: Score,
    /// The mutants, by region and line.
    pub mutants: Vec<MutantResult>,
}

/// A mutant, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MutantResult {
    /// What was changed.
    #[serde(flatten)]
    pub change: Change,
    /// Cells that reach it.
    pub cells: usize,
    /// Launches that reach it at the start.
    pub starts: usize,
    /// Some of those cells.
    pub examples: Vec<String>,
    /// Why no caller could tell it from the release, where that is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why no cell tells it from the release, though a caller could, where that is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unasked: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
}

impl MutantResult {
    /// Of a mutant.
    pub fn new(chosen: &Chosen, fate: Fate) -> Self {
        Self {
            change: chosen.change.clone(),
            cells: chosen.cells.len(),
            starts: chosen.starts.len(),
            examples: chosen.cells.iter().take(EXAMPLES).cloned().collect(),
            reason: None,
            unasked: None,
            fate,
        }
    }
}

/// How many mutants met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Told from the release by a cell.
    pub killed: usize,
    /// With which the gateway does not start.
    pub broken: usize,
    /// That nothing told from the release, though somebody could.
    pub survived: usize,
    /// That nobody could tell, with the reason written down.
    pub explained: usize,
    /// That nobody reaches.
    pub not_reached: usize,
    /// Of which not everything was asked.
    pub undecided: usize,
}

impl Score {
    fn of(mutants: &[MutantResult]) -> Self {
        let mut score = Self::default();
        for mutant in mutants {
            *match &mutant.fate {
                Fate::Survived { .. } if mutant.reason.is_some() => &mut score.explained,
                Fate::Killed { .. } => &mut score.killed,
                Fate::Broken { .. } => &mut score.broken,
                Fate::Survived { .. } => &mut score.survived,
                Fate::NotReached => &mut score.not_reached,
                Fate::Undecided { .. } => &mut score.undecided,
            } += 1;
        }
        score
    }

    /// Noticed, and all that are decided and reached.
    pub fn reached(self) -> (usize, usize) {
        let noticed = self.killed + self.broken;
        (noticed, noticed + self.survived)
    }

    /// Noticed, and all that are reached: the share if nothing notices those that are undecided.
    pub fn at_least(self) -> (usize, usize) {
        let (noticed, reached) = self.reached();
        (noticed, reached + self.undecided)
    }

    /// Noticed, and all that are decided.
    pub fn all(self) -> (usize, usize) {
        let (noticed, reached) = self.reached();
        (noticed, reached + self.not_reached)
    }

    /// A share in percent; of nothing it is 0.
    pub fn percent((part, whole): (usize, usize)) -> f64 {
        match whole {
            0 => 0.0,
            whole => part as f64 * 100.0 / whole as f64,
        }
    }
}

impl MutantReport {
    /// Puts results together; `known` are those that were read, with what is written down of them.
    pub fn new(head: MutantHead, mut mutants: Vec<MutantResult>, known: &[KnownMutant]) -> Self {
        for mutant in &mut mutants {
            let known = known.iter().find(|known| known.id == mutant.change.id);
            let written = |observable: bool| {
                let known = known.filter(|known| known.observable == observable);
                known.map(|known| known.reason.clone())
            };
            (mutant.reason, mutant.unasked) = (written(false), written(true));
        }
        mutants.sort_by(|a, b| {
            (&a.change.region, a.change.line, &a.change.id).cmp(&(
                &b.change.region,
                b.change.line,
                &b.change.id,
            ))
        });
        Self {
            head,
            score: Score::of(&mutants),
            mutants,
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

    /// Mutants that were noticed, though it is written down that nobody could.
    pub fn told_after_all(&self) -> impl Iterator<Item = &MutantResult> {
        let noticed = |mutant: &&MutantResult| {
            matches!(mutant.fate, Fate::Killed { .. } | Fate::Broken { .. })
        };
        let mutants = self.mutants.iter().filter(noticed);
        mutants.filter(|mutant| mutant.reason.is_some())
    }

    /// What an earlier run of the same release found out, where it asked as much: all cells, or `most` of them.
    pub fn decided(&self, chosen: &Chosen, most: usize) -> Option<&Fate> {
        let mut mutants = self.mutants.iter();
        let known = mutants.find(|known| {
            (&known.change.id, known.cells, known.starts)
                == (&chosen.change.id, chosen.cells.len(), chosen.starts.len())
        });
        known.map(|known| &known.fate).filter(|fate| match fate {
            Fate::Survived { asked } => *asked >= most.min(chosen.cells.len()),
            fate => fate.is_decided(),
        })
    }
}
