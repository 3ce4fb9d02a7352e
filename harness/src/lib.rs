//! clawgauge: a go/no-go gauge for OpenClaw gateways.
//!
//! The line through the house: [`scenario`] files become a [`plan`] of cells; [`launch`] starts a gateway, [`send`] asks
//! it (or other people's [`senders`] do), [`observe`] normalises what came back, [`judge`] compares it with rule and snapshot, [`run`] tells all of this in
//! events, [`record`] keeps them, [`report`] renders. Everything after `observe` is pure.

pub mod attach;
pub mod bisect;
pub mod bundle;
pub mod cli;
pub mod compare;
pub mod data;
pub mod fold;
pub mod judge;
pub mod launch;
pub mod log;
pub mod machine;
pub mod merge;
pub mod mutants;
mod network;
pub mod observe;
pub mod pending;
pub mod plan;
mod process;
pub mod project;
pub mod record;
pub mod redact;
pub mod release;
pub mod report;
pub mod repro;
pub mod request;
pub mod run;
pub mod scenario;
pub mod schema;
pub mod send;
pub mod senders;
pub mod snapshots;
pub mod survey;
pub mod template;
pub mod upstream;
