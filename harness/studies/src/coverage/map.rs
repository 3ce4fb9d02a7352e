//! What the instrumenter found in a release's code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the instrumenter found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Map {
    /// Files that were read.
    pub parsed: usize,
    /// The regions, in the order of the files.
    pub regions: Vec<MapRegion>,
    /// The points, by their numbers.
    pub points: Vec<MapPoint>,
    /// The mutants, by their numbers.
    pub mutants: Vec<MapMutant>,
    /// The mutants that the copy holds.
    pub held: Vec<u32>,
}

/// A region: what came from one source file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MapRegion {
    /// The source file, as the mark names it.
    pub name: String,
    /// The file of the package that it is in.
    pub file: String,
    /// The line of that file on which it begins.
    pub line: u32,
    /// How many steps from an entry.
    pub depth: u32,
    /// Its text.
    pub text: String,
}

/// Where a request may come by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MapPoint {
    /// Its region, by position.
    pub region: usize,
    /// What it is.
    pub kind: PointKind,
    /// Its first line, from 1 at the beginning of the region.
    pub line: u32,
    /// How many lines it takes.
    pub lines: u32,
    /// The function that it is, or lies in.
    pub function: Option<String>,
    /// The point of that function, where it lies in one.
    pub owner: Option<u32>,
    /// The nearest point around it.
    pub within: Option<u32>,
    /// The beginning of its text.
    pub text: String,
    /// A hash of its text, without the numbers that a bundler gives to names; functions have one.
    pub digest: Option<String>,
}

/// What a point is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PointKind {
    /// A function that is called.
    Function,
    /// The condition of an `if` holds.
    Then,
    /// It does not.
    Else,
    /// The condition of `? :` holds.
    Yes,
    /// It does not.
    No,
    /// What stands after `&&` is asked.
    And,
    /// What stands after `||` is asked.
    Or,
    /// A default is taken.
    Default,
    /// A case of a `switch`.
    Case,
    /// An error is caught.
    Catch,
}

impl PointKind {
    /// Whether it is a way that a decision goes.
    pub fn is_branch(self) -> bool {
        self != Self::Function
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Then => "then",
            Self::Else => "else",
            Self::Yes => "yes",
            Self::No => "no",
            Self::And => "and",
            Self::Or => "or",
            Self::Default => "default",
            Self::Case => "case",
            Self::Catch => "catch",
        }
    }
}

/// A mutant: a place, and what may stand there instead.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MapMutant {
    /// Its region, by position.
    pub region: usize,
    /// What is changed.
    pub operator: String,
    /// Its line, from 1 at the beginning of the region.
    pub line: u32,
    /// Its column in the file.
    pub column: u32,
    /// The nearest point around it; `None` where the region's own statements are meant, which run at the start.
    pub point: Option<u32>,
    /// The beginning of what stands there.
    pub was: String,
    /// The beginning of what stands there instead.
    pub is: String,
    /// Which one it is of those in the region that look the same, from 1.
    pub nth: u32,
}

impl Map {
    /// Reads what the instrumenter wrote.
    ///
    /// # Errors
    /// It is not what an instrumenter writes.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
