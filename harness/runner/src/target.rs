//! A gateway that is ready to be launched, and who asks it.

use super::Context;
use contract::release::{GatewayRef, Version};
use machine::clients::{Senders, used};
use machine::install::Program;

/// A gateway that can be launched.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// As the caller named it.
    pub(super) gateway: String,
    /// What that names.
    pub(super) reference: GatewayRef,
    /// The release it is judged as.
    pub(super) version: Version,
    /// What to execute.
    pub(super) program: Program,
    /// Folder for the launches' own folders.
    pub(super) folder: std::path::PathBuf,
    /// The clients that send in clawgauge's place.
    pub(super) senders: Senders,
}

impl Target {
    /// Looks again which clients this machine has, of those that the selected cells take.
    pub(super) async fn with_senders(&self, context: &Context) -> Self {
        Self {
            senders: senders(context).await,
            ..self.clone()
        }
    }
}

/// The clients that this machine has, of those that the selected cells take.
pub(super) async fn senders(context: &Context) -> Senders {
    let (catalogue, options) = (&context.catalogue, &context.options);
    let used = used(catalogue, &options.selection);
    match options.clients {
        true => Senders::find(used, &options.install).await,
        false => Senders::none(used, "only clawgauge's own sender was asked for"),
    }
}
