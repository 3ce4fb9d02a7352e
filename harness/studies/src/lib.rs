//! What records say together: two compared ([`compare`]), many surveyed ([`survey`]), shards made one ([`merge`]), a change
//! searched for ([`bisect`]), a run judged again from its evidence ([`bundle`]), what of a release's own code was reached
//! ([`coverage`]) and which mutants of it were noticed ([`mutation`]). And what rules cite, against what a release says
//! ([`passages`]), and what a release serves, and to whom ([`routes`]). And what it does with launches and requests that no scenario
//! knows ([`explore`]).
//!
//! Everything here is a view of what runs have told; nothing launches a gateway.

pub mod bisect;
pub mod bundle;
pub mod compare;
pub mod coverage;
mod difference;
pub mod explore;
pub mod merge;
pub mod mutation;
pub mod passages;
mod reread;
pub mod routes;
pub mod survey;
