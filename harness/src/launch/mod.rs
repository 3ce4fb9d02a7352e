//! The launcher: one gateway process for one profile, hermetic, and gone when it is no longer needed.
//!
//! Read [`LaunchSpec`] first, then [`Gateway`]. Nothing here judges, and nothing is retried silently but a taken port.

mod error;
mod gateway;
mod output;
mod port;
mod ready;
mod spec;
mod strays;

pub use error::{Exit, LaunchError};
pub use gateway::{Gateway, GatewayLog, StopReport, launch};
pub use spec::{LaunchSpec, random_secret};

#[cfg(test)]
mod tests;
