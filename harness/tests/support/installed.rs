//! Published releases for tests that run them themselves.

use clawgauge::data::Data;
use clawgauge::release::{GatewayRef, InstallContext, Program, resolve};
use clawgauge::scenario::Catalogue;
use tokio_util::sync::CancellationToken;

use super::repository;

/// A release from the harness's own cache, installed if it is not there yet.
pub(crate) fn installed(release: &str) -> Program {
    let catalogue = Catalogue::load(&Data::Folder(repository())).unwrap();
    let reference: GatewayRef = format!("openclaw@{release}").parse().unwrap();
    let unused = Program::default();
    let context = InstallContext::from_env(unused, catalogue.needs.clone());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cancel = CancellationToken::new();
    let found = resolve(&reference, &context, &|_| {}, &cancel);
    runtime.block_on(found).unwrap()
}
