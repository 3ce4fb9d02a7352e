//! The reference gateway, which this binary holds: it runs itself as one.

/// The release whose contract the reference gateway keeps.
pub(super) const REFERENCE_RELEASE: &str = "2026.9.6";

/// This binary as the reference gateway.
#[cfg(feature = "launch")]
pub(super) fn reference() -> std::io::Result<machine::install::Program> {
    Ok(machine::install::Program {
        command: std::env::current_exe()?,
        args: vec!["reference-gateway".into()],
        version: REFERENCE_RELEASE.parse().ok(),
        ..machine::install::Program::default()
    })
}
