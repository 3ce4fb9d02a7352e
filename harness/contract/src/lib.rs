//! The contract: what is asked of a gateway, and what is right.
//!
//! Owns the data files and their formats ([`data`], [`scenario`], [`snapshots`]), releases and their order ([`release`]), the
//! cells of the matrix and what of them a run asks ([`plan`]), their ids ([`cell_id`]), a cell's request ([`request`]), and whose
//! questions the cells answer ([`cases`]). Pure but for reading files:
//! nothing here knows ports, processes or time. Read [`scenario::Catalogue`] first.

pub mod cases;
pub mod cell_id;
pub mod data;
pub mod exchange;
pub mod plan;
pub mod region;
pub mod release;
pub mod request;
pub mod scenario;
pub mod snapshots;
