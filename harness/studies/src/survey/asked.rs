//! Whether a release has to be asked: what is asked for, against the record that there is.

use std::fmt;

use super::{FolderError, Kept, State, StateKind};
use record::Record;

/// What a survey asks every release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyRequest {
    /// Hash over the files that are judged by.
    pub table_hash: String,
    /// Globs over cell ids; none means every cell.
    pub cells: Vec<String>,
    /// Conditions on cells.
    pub conditions: Vec<String>,
}

/// Which releases that have a record are run again, besides those that could not be had the last time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Again {
    /// None of them.
    #[default]
    Nothing,
    /// Those of which some cells could not be asked.
    Incomplete,
    /// All of them.
    All,
}

/// What is to be done about a release.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing: there is a record that says what is asked for.
    Keep(Box<Kept>),
    /// It is run.
    Run(RerunReason),
}

/// RerunReason a release is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RerunReason {
    /// There is no record of it.
    NoRecord,
    /// Every release is asked for again.
    Again,
    /// So many cells of its record could not be asked.
    Incomplete(usize),
    /// Its record was judged by other files.
    OtherFiles,
    /// Its record is about other cells.
    OtherCells,
    /// Its record was broken off.
    BrokenOff,
    /// The gateway could not be had then, which may have been a matter of the moment.
    NotHad(StateKind),
    /// What is there in its place cannot be used.
    Unusable(String),
}

impl fmt::Display for RerunReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => f.write_str("no record yet"),
            Self::Again => f.write_str("asked for again"),
            Self::Incomplete(cells) => write!(f, "{cells} cells of its record could not be asked"),
            Self::OtherFiles => f.write_str("its record was judged by other files"),
            Self::OtherCells => f.write_str("its record is about other cells"),
            Self::BrokenOff => f.write_str("its record was broken off"),
            Self::NotHad(kind) => write!(f, "the last time it {}", kind.words()),
            Self::Unusable(why) => write!(f, "its record cannot be used: {why}"),
        }
    }
}

impl SurveyRequest {
    /// What is to be done about a release; `kept` is what the folder holds in its place.
    pub fn decide(&self, kept: Result<Option<Kept>, FolderError>, again: Again) -> Decision {
        match kept {
            Err(error) => Decision::Run(RerunReason::Unusable(error.to_string())),
            Ok(None) => Decision::Run(RerunReason::NoRecord),
            Ok(Some(_)) if again == Again::All => Decision::Run(RerunReason::Again),
            Ok(Some(kept)) => match self.why(&kept.record, again) {
                Some(why) => Decision::Run(why),
                None => Decision::Keep(Box::new(kept)),
            },
        }
    }

    /// RerunReason a record is not enough, if it is not.
    fn why(&self, record: &Record, again: Again) -> Option<RerunReason> {
        let run = &record.run;
        if run.table_hash != self.table_hash {
            return Some(RerunReason::OtherFiles);
        }
        if set(&run.cells) != set(&self.cells) || set(&run.conditions) != set(&self.conditions) {
            return Some(RerunReason::OtherCells);
        }
        if run.interrupted {
            return Some(RerunReason::BrokenOff);
        }
        match State::of(record).kind {
            StateKind::Ran | StateKind::Broken => match record.summary.could_not_run {
                cells @ 1.. if again == Again::Incomplete => Some(RerunReason::Incomplete(cells)),
                _ => None,
            },
            kind @ (StateKind::CannotInstall | StateKind::CannotStart) => {
                Some(RerunReason::NotHad(kind))
            }
        }
    }
}

/// The order in which things were asked for does not matter, nor does asking twice.
fn set(texts: &[String]) -> Vec<&str> {
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}
