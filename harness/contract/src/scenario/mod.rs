//! The file formats: scenarios, axes, outcomes and launch profiles, read into one validated [`Catalogue`].
//!
//! Read [`Catalogue`] first, then [`model`]. `files` holds the formats as they are written, `parse`, `definitions`, `outcomes`, `conditions` and
//! `resolve` turn names into
//! references, `table` proves the decision tables, `problem` says what is wrong and where.

mod before;
mod catalogue;
mod condition;
mod conditions;
mod definitions;
mod explore;
mod figures;
mod files;
mod headers;
mod instrument;
mod known_issue;
pub mod model;
mod needs;
mod outcomes;
mod parse;
mod privilege;
mod problem;
mod profile;
mod proxy;
mod relation;
mod resolve;
mod routes;
mod schema;
pub mod sender;
mod survivors;
mod table;
mod timings;

pub use catalogue::Catalogue;
pub(crate) use catalogue::is_there;
pub use explore::{Ask, AskedRelation, ExploreOption, ExploreRules, Never, OptionValue};
pub use figures::{CoverageFigures, ExploredFigures, Measured, MutantFigures, RouteFigures};
pub use headers::{HeaderRule, Headers};
pub use instrument::{Instrument, MutantRules, Parser, RegionGlobs};
pub use known_issue::{Affects, IssueKind, KnownIssue};
pub use outcomes::Outcomes;
pub use parse::{parse_toml, schema_version};
pub use privilege::{Privilege, Tellable, Told, told};
pub use problem::{Problem, Problems, SourceFile};
pub use profile::{Base, CALLER, Control, Launch, NotApplicable, Profile, merge};
pub use proxy::Proxy;
pub use relation::{Holds, Relation};
pub use routes::{InventoryRules, Public, RouteRules, Spelling};
pub use schema::file_schemas;
pub use survivors::{KnownMutant, Survivor};
pub use table::{breakpoints, check_table};
pub use timings::{Timings, Typical};

#[cfg(test)]
mod tests;
