//! What a machine has of what launches need beside the gateway: proxies, and network namespaces.
//!
//! It is found out before anything is launched, for what a plan needs and no more. [`contract::plan::Plan::without`] turns what
//! is missing into reasons.

use crate::network;
use crate::which::which;
use contract::plan::{Missing, NETWORK, Needs};

/// Looks for programs on `PATH`, and tries a network namespace if one is needed.
pub fn missing(needs: &Needs) -> Missing {
    let programs = needs.programs.iter();
    let mut missing: Missing = programs
        .filter(|(program, _)| which(program).is_none())
        .map(|(program, install)| {
            let reason = format!("no `{program}` on PATH; on Debian: {install}");
            (program.clone(), reason)
        })
        .collect();
    let network = needs.network.then(network::can_be_built);
    if let Some(Err(why)) = network {
        let reason = format!("it takes network namespaces, so root on Linux: {why}");
        missing.insert(NETWORK.to_owned(), reason);
    }
    missing
}
