//! What a machine has of what launches need beside the gateway: proxies, and network namespaces.
//!
//! It is found out before anything is launched, for what a plan needs and no more. [`contract::plan::Plan::without`] turns what
//! is missing into reasons.

use std::process::{Command, Stdio};

use crate::network;
use crate::which::which;
use contract::plan::{Missing, NETWORK, Needs};
use contract::release::GatewayRef;

/// Looks for programs on `PATH`, and tries a network namespace if one is needed. A gateway in a container cannot have one.
pub fn missing(needs: &Needs, gateway: &GatewayRef) -> Missing {
    let programs = needs.programs.iter();
    let mut missing: Missing = programs
        .filter(|(program, _)| which(program).is_none())
        .map(|(program, install)| {
            let reason = format!("no `{program}` on PATH; on Debian: {install}");
            (program.clone(), reason)
        })
        .collect();
    let lack = match gateway {
        _ if !needs.network => None,
        GatewayRef::Image(_) => Some("a container runs in the machine's own network".to_owned()),
        _ => network::can_be_built()
            .err()
            .map(|why| format!("it takes network namespaces, so root on Linux: {why}")),
    };
    missing.extend(lack.map(|reason| (NETWORK.to_owned(), reason)));
    missing
}

/// Whether a program is on `PATH`.
pub fn has(program: &str) -> bool {
    which(program).is_some()
}

/// Whether `python3` makes virtual environments with pip in them; Debian packs that apart from Python.
pub fn python_makes_environments() -> bool {
    let mut python = Command::new("python3");
    python.args(["-I", "-c", "import ensurepip, venv"]);
    let quiet = python.stdin(Stdio::null()).stdout(Stdio::null());
    let ended = quiet.stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success())
}
