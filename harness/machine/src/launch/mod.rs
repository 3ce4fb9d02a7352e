//! The launcher: one gateway process for one profile, hermetic, and gone when it is no longer needed.
//!
//! Read [`LaunchSpec`] first, then [`Gateway`]; `proxy` starts what stands before one. Nothing here judges, and nothing is retried silently but a taken port.

mod error;
mod gateway;
mod output;
mod port;
mod proxy;
mod ready;
mod running;
mod spec;
mod strays;

pub use error::{Exit, LaunchError};
pub use gateway::{Gateway, launch};
pub use proxy::{ProxySpec, RunningProxy, launch_proxy};
pub use running::{ProcessLog, StopReport};
pub use spec::LaunchSpec;

#[cfg(test)]
mod tests;
