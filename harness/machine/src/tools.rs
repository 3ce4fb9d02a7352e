//! What a machine has of what launches need beside the gateway: proxies, and network namespaces.
//!
//! It is found out before anything is launched, for what a plan needs and no more. [`contract::plan::Plan::without`] turns what
//! is missing into reasons.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::network;
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

/// The first executable of that name on `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.into_iter().find(|place| {
        let about = std::fs::metadata(place);
        about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    })
}
