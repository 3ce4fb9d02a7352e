//! The tests of the command line, in one binary: it is linked once, and no test waits for those of another file.
//!
//! Those that are ignored need more than cargo: programs, the network, or published releases. One file's are run by
//! `cargo test --workspace --test it -- --ignored browser::`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod after_red;
mod attach;
mod attach_releases;
mod bisect;
mod browser;
mod budget;
mod bundle;
mod cases;
mod cli;
mod client_releases;
mod clients;
mod compare;
mod compare_releases;
mod consumers;
mod contract;
mod coverage;
mod docs;
mod endings;
mod explore;
mod flags;
mod gate;
mod gateway;
mod guide;
mod html;
mod images;
mod known_starts;
mod leftovers;
mod own_data;
mod own_survey;
mod pipelines;
mod proxies;
mod published;
mod real_releases;
mod records;
mod release_mutants;
mod report_speed;
mod reports;
mod repro;
mod repro_releases;
mod routes;
mod run;
mod severity;
mod shards;
mod skips;
mod survey;
