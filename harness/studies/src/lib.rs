//! What records say together: two compared ([`compare`]), many surveyed ([`survey`]), shards made one ([`merge`]), a change
//! searched for ([`bisect`]), a run judged again from its evidence ([`bundle`]). And what rules cite, against what a release says
//! ([`passages`]).
//!
//! Everything here is a view of [`record::Record`]s; nothing launches a gateway.

pub mod bisect;
pub mod bundle;
pub mod compare;
mod difference;
pub mod merge;
pub mod passages;
mod reread;
pub mod survey;
