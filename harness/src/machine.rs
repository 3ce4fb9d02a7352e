//! What a machine has of what launches need beside the gateway: proxies, and network namespaces.
//!
//! It is found out before anything is launched, for what a plan needs and no more. [`crate::plan::Plan::on`] turns what is
//! missing into reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::network;

/// What launches need beside the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Programs, and how each is installed.
    pub programs: BTreeMap<String, String>,
    /// Whether a launch needs network namespaces.
    pub network: bool,
}

/// What a machine lacks of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Programs that are not there.
    pub missing: BTreeSet<String>,
    /// Why there are no network namespaces; `None` where there are.
    pub no_network: Option<String>,
}

impl Machine {
    /// Looks for programs on `PATH`, and tries a network namespace if one is needed.
    pub fn look(needs: &Needs) -> Self {
        let programs = needs.programs.keys();
        let missing = programs.filter(|program| which(program).is_none());
        let network = needs.network.then(network::can_be_built);
        Self {
            missing: missing.cloned().collect(),
            no_network: network.and_then(Result::err).map(|error| error.to_string()),
        }
    }
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
