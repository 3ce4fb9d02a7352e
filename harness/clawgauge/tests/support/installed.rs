//! Published releases for tests that run them themselves.

use clawgauge::contract::data::Data;
use clawgauge::contract::release::GatewayRef;
use clawgauge::contract::scenario::Catalogue;
use clawgauge::machine::install::{InstallContext, Program, resolve};
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
