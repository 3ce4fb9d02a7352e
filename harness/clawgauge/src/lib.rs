//! clawgauge: a go/no-go gauge for OpenClaw gateways.
//!
//! The straight line: scenario files become a plan of cells ([`contract`]); a gateway is launched and asked ([`machine`],
//! [`runner`]); what came back is observed, judged and recorded ([`record`]); records are compared and surveyed
//! ([`studies`]) and rendered ([`reports`]). This crate puts these together and is the command `clawgauge`.

pub use contract;
#[cfg(feature = "launch")]
pub use machine;
pub use record;
pub use reports;
#[cfg(feature = "launch")]
pub use runner;
pub use studies;

pub mod project;
pub mod schema;
