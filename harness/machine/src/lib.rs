//! The machine: what clawgauge does on the one it runs on.
//!
//! Owns where releases come from ([`install`]), processes ([`process`]) and launches ([`launch`]), network namespaces
//! ([`network`]), how much it can bear at a time ([`limits`]), the sending of requests ([`send`], [`clients`]) and the model stand-in ([`upstream`]). It knows nothing of
//! verdicts. Read [`launch::LaunchSpec`] first, then [`launch::Gateway`].

pub mod clients;
pub mod container;
pub mod folder;
pub mod install;
pub mod instrument;
pub mod keeper;
pub mod launch;
pub mod limits;
pub mod load;
pub mod log;
pub mod network;
pub mod process;
pub mod send;
pub mod sources;
pub mod tools;
pub mod upstream;
mod which;

#[cfg(test)]
mod testing;
