//! What of a release's own code is looked at: `fixtures/coverage/regions.toml`, and the scripts beside it that change a copy.
//!
//! No gateway is judged by it, so it is no part of what a record is judged by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::parse::{parse_toml, schema_version};
use super::{Problems, SourceFile};
use crate::data::Data;

/// The folder of the file and its scripts.
const FOLDER: &str = "fixtures/coverage";
/// The file.
const REGIONS: &str = "fixtures/coverage/regions.toml";

/// What of a release's own code is looked at, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstrumentFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// What reads the code.
    parser: Parser,
    /// Which code.
    regions: RegionGlobs,
    /// What mutants are made of.
    mutants: MutantRules,
}

/// The package that reads the code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parser {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The Nodes that it runs on, as a range.
    pub engines: String,
}

/// Which regions of a release's code are looked at, by globs over their names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionGlobs {
    /// Where one begins.
    pub entry: Vec<String>,
    /// What counts of all that can be reached from there.
    pub within: Vec<String>,
    /// What never counts.
    #[serde(default)]
    pub never: Vec<String>,
    /// What is looked at first, in order.
    #[serde(default)]
    pub rank: Vec<String>,
}

/// What mutants are made of: regular expressions over the code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MutantRules {
    /// The name of a function that is called for what it refuses or notes, not for what it returns.
    pub checks: String,
    /// A text that callers send or are told.
    pub strings: String,
    /// The name of a function that only writes something down.
    pub never: String,
}

/// What of a release's own code is looked at, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// What reads the code.
    pub parser: Parser,
    /// Which code.
    pub regions: RegionGlobs,
    /// What mutants are made of.
    pub mutants: MutantRules,
    /// The scripts, by file name.
    pub scripts: Vec<(String, String)>,
}

impl Instrument {
    /// Reads the file and its scripts; a data root without them takes the binary's.
    ///
    /// # Errors
    /// They cannot be read, or the file is not valid.
    pub fn load(data: &Data) -> Result<Self, Problems> {
        let embedded = Data::Embedded;
        let data = match data.read(REGIONS) {
            Ok(_) => data,
            Err(_) => &embedded,
        };
        let file = SourceFile::read(data, REGIONS)?;
        let raw: InstrumentFile = parse_toml(&file)?;
        let mut problems = Problems::default();
        schema_version(&file, &raw.schema, &mut problems);
        let unread = |error: std::io::Error| {
            super::Problem::nowhere(format!("cannot read {FOLDER}: {error}"))
        };
        let mut scripts = Vec::new();
        for name in data.files(FOLDER).map_err(unread)? {
            let text = data.read(&name).map_err(unread)?;
            let file = name.rsplit('/').next().unwrap_or(&name).to_owned();
            if file.ends_with("js") {
                scripts.push((file, text));
            }
        }
        problems.into_result(Self {
            parser: raw.parser,
            regions: raw.regions,
            mutants: raw.mutants,
            scripts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_without_it_take_what_the_binary_carries() {
        let none = Data::Memory(std::sync::Arc::default());
        let read = Instrument::load(&none).unwrap();
        assert!(!read.regions.entry.is_empty());
        let names: Vec<&str> = read.scripts.iter().map(|(name, _)| name.as_str()).collect();
        let all = [
            "counters.mjs",
            "instrument.cjs",
            "mutations.cjs",
            "points.cjs",
            "regions.cjs",
        ];
        assert_eq!(names, all);
    }
}
