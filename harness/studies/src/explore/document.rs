//! What an exploration found: schema `clawgauge.explore/1`.

use record::judge::{Deviation, Severity};
use serde::{Deserialize, Serialize};

use super::Tried;

/// Name and version of the format.
pub const SCHEMA: &str = "clawgauge.explore/1";

/// What an exploration found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Exploration {
    /// [`SCHEMA`].
    pub schema: String,
    /// The gateway, as the caller named it.
    pub gateway: String,
    /// The release that it is.
    pub version: String,
    /// What it was held against.
    pub against: String,
    /// The seed: the same one tries the same launches and requests.
    pub seed: u64,
    /// Whether somebody ended it early.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub interrupted: bool,
    /// Seconds that it took.
    pub seconds: u64,
    /// Launches that were tried, in order, those of earlier explorations of the same corpus first.
    pub launches: Vec<Tried>,
    /// Of these, how many were tried before.
    pub earlier: usize,
    /// Of the others, how many started.
    pub started: usize,
    /// Requests that got an answer.
    pub answered: usize,
    /// Cells that nobody was held against, since the oracle's own answer has no name.
    pub not_judged: Vec<String>,
    /// Why launches or requests have no answer; each reason once.
    pub not_asked: Vec<String>,
    /// What was found: first what nothing known resembles, the most severe first.
    pub findings: Vec<Finding>,
}

/// Answers that are wrong for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// Number, from 1.
    pub id: usize,
    /// How severe the worst of its cells is.
    pub severity: Severity,
    /// In which way the cells deviate; none where only a relation or a `never` is broken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deviation: Option<Deviation>,
    /// Who objects, each in one sentence: the gateway that it is held against, and what must hold whatever others answer.
    pub broken: Vec<String>,
    /// What its cells have in common and few right cells have, each `name=value`.
    pub by: Vec<String>,
    /// How many right cells have all that in common, too.
    #[serde(default)]
    pub exceptions: usize,
    /// How many cells.
    pub cells: usize,
    /// How many launches.
    pub launches: usize,
    /// The outcome that was expected of the example; empty where no oracle says one.
    pub expected: String,
    /// What the example got.
    pub observed: String,
    /// Status, type and message of it.
    pub answer: String,
    /// Id of a cell that shows it; of those tried again, the smallest.
    pub example: String,
    /// What the example's launch has on top of its profile, in words.
    pub configuration: Vec<String>,
    /// The example's request; placeholders of secrets are not filled. Empty where the start is the answer.
    pub request: String,
    /// Whether the example showed it again on a fresh launch; none where that was not tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub again: Option<bool>,
    /// What says of cells of the contract that on this release the same is observed instead of the same: known issues, and the
    /// contract of the release itself where it differs from the oracle's.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub like: Vec<String>,
    /// What else is wrong with cells that have the same in common, in a line each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<String>,
}

impl Exploration {
    /// Reads a document.
    ///
    /// # Errors
    /// It is none, or of another version.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match read.schema == SCHEMA {
            true => Ok(read),
            false => Err(format!(
                "its schema is {:?}, and this clawgauge reads {SCHEMA:?}",
                read.schema
            )),
        }
    }
}
