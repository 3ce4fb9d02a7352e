//! What is not exactly one whole run, and what to do about it.

use record::ResultsError;

use crate::difference::Difference;

/// Records that are not the shards of one run, each once.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file is no record.
    #[error("{0}: {1}")]
    Read(String, #[source] ResultsError),
    /// A file is an evidence bundle.
    #[error("{0} is an evidence bundle, and only records are merged")]
    Bundle(String),
    /// There is nothing to merge.
    #[error("no record is given")]
    Nothing,
    /// A record is of a whole run.
    #[error("{0} is the record of a whole run, not of a shard")]
    NotAShard(String),
    /// A record is of a part, asked within a budget.
    #[error("{0} is no shard: {1}")]
    Part(String, String),
    /// Shards are missing.
    #[error("{}", gap(.missing, *.of))]
    Gap {
        /// Their numbers, with the launches of each.
        missing: Vec<(u32, Vec<String>)>,
        /// How many shards there are.
        of: u32,
    },
    /// A shard comes twice.
    #[error("shard {shard} comes twice: {first} and {second}")]
    ShardTwice {
        /// Its number.
        shard: u32,
        /// One record of it.
        first: String,
        /// Another one.
        second: String,
    },
    /// Two records are not of the same run.
    #[error("{what} differ: {0}, has {1}, and {2}, has {3}", .sides.first, .sides.said, .sides.second, .sides.other)]
    Mixed {
        /// What differs.
        what: &'static str,
        /// The records.
        sides: Box<Sides>,
        /// What to do about it.
        help: &'static str,
    },
    /// Two shards did not ask the same gateway.
    #[error("{gateway} is not the same gateway in all shards: its {what} is {0} in {1}, and {2} in {3}", .sides.said, .sides.first, .sides.other, .sides.second)]
    Gateway {
        /// The gateway as the caller named it.
        gateway: String,
        /// What differs.
        what: &'static str,
        /// The records.
        sides: Box<Sides>,
    },
    /// The shards were judged by other files than those at hand.
    #[error(
        "the shards were judged by other scenario files ({records:.12}) than those at hand ({here:.12})"
    )]
    OtherData {
        /// Hash of the shards' files.
        records: String,
        /// Hash of the files at hand.
        here: String,
    },
    /// The shards were judged by other accepted answers than those at hand.
    #[error(
        "the shards were judged by other snapshots ({records:.12}) than those at hand ({here:.12})"
    )]
    OtherSnapshots {
        /// Hash of the shards' snapshots.
        records: String,
        /// Hash of the snapshots at hand.
        here: String,
    },
    /// What a shard says of a cell does not follow from the answer that it recorded.
    #[error("{0} was changed, or another clawgauge wrote it: {1}")]
    Unsound(String, Difference),
    /// The baseline is not that of the shards.
    #[error("{}", baseline(.records.as_deref(), .given.as_deref()))]
    Baseline {
        /// The run whose answers the shards excuse.
        records: Option<String>,
        /// The run whose record was given.
        given: Option<String>,
    },
    /// A shard tells a cell that is not its own, or tells it twice.
    #[error(
        "{part} has a cell that another record has, or has it twice: {cell} belongs to shard {shard}, once"
    )]
    CellTwice {
        /// The record.
        part: String,
        /// The cell.
        cell: String,
        /// The shard that it belongs to.
        shard: u32,
    },
    /// A shard lacks a cell, and nothing says why.
    #[error("{0} is not whole: {1} is missing")]
    CellMissing(String, String),
    /// A shard tells a cell that nobody asked for.
    #[error("{0} has a cell that the run was not asked for: {1}")]
    Strange(String, String),
    /// A record contradicts itself or the scenario files.
    #[error("{0}: {1}")]
    Invalid(String, String),
}

/// Two records that say different things.
#[derive(Debug)]
pub struct Sides {
    /// One record.
    pub first: String,
    /// What it says.
    pub said: String,
    /// Another one.
    pub second: String,
    /// What that says.
    pub other: String,
}

impl MergeError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Read(..) | Self::Nothing => {
                "give what `clawgauge run --shard K/N --report json=PATH` wrote, for every K".to_owned()
            }
            Self::Bundle(_) => {
                "give what the same run writes with --report json=PATH; `clawgauge verify` judges a bundle".to_owned()
            }
            Self::NotAShard(name) | Self::Part(name, _) => {
                format!("there is nothing to merge; render it: clawgauge report {name}")
            }
            Self::Gap { missing, of } => {
                let missing = missing.first().map_or(0, |(number, _)| *number);
                format!("run it and give its record, too: clawgauge run --shard {missing}/{of} --report json=PATH")
            }
            Self::ShardTwice { .. } => "give the record of each shard once".to_owned(),
            Self::Mixed { help, .. } => (*help).to_owned(),
            Self::Gateway { .. } => {
                "name a release, openclaw@VERSION, instead of one that moves, and run all shards with the same Node"
                    .to_owned()
            }
            Self::OtherData { .. } | Self::OtherSnapshots { .. } => {
                "merge with the clawgauge that ran the shards, or name their files: --root DIR".to_owned()
            }
            Self::Baseline { records, .. } => match records {
                Some(_) => "give the record that the shards had: --baseline RECORD".to_owned(),
                None => "leave --baseline out, or give it to all shards, too".to_owned(),
            },
            Self::CellTwice { .. }
            | Self::CellMissing(..)
            | Self::Strange(..)
            | Self::Unsound(..)
            | Self::Invalid(..) => {
                "a record is merged as its run wrote it; run that shard again".to_owned()
            }
        }
    }
}

/// Which shards are missing, and what nobody knows without them.
fn gap(missing: &[(u32, Vec<String>)], of: u32) -> String {
    /// So many shards are named with their launches.
    const SHARDS: usize = 5;
    /// So many launches of a shard are named.
    const LAUNCHES: usize = 3;
    let named = missing.iter().take(SHARDS).map(|(number, launches)| {
        let what = match launches.len() {
            0 => "it has no launch".to_owned(),
            few if few <= LAUNCHES => launches.join(", "),
            many => {
                let first = launches[..LAUNCHES].join(", ");
                format!("{first} and {} more", many - LAUNCHES)
            }
        };
        format!("shard {number} of {of} is missing ({what})")
    });
    let mut text = named.collect::<Vec<_>>().join("; ");
    if missing.len() > SHARDS {
        text.push_str(&format!("; and {} more shards", missing.len() - SHARDS));
    }
    text
}

fn baseline(records: Option<&str>, given: Option<&str>) -> String {
    match (records, given) {
        (Some(records), Some(given)) => {
            format!(
                "the shards excuse what run {records} answered, and the baseline is run {given}"
            )
        }
        (Some(records), None) => {
            format!("the shards excuse what run {records} answered, and no baseline is given")
        }
        (None, _) => "a baseline is given, and the shards had none".to_owned(),
    }
}
