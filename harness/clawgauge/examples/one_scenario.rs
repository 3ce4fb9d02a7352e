//! Runs a scenario against a gateway and says how it ended: `cargo run --example one_scenario openclaw@2026.3.28`.
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::ops::ControlFlow;

use clawgauge::contract::{data::Data, plan::Selection, scenario::Catalogue, snapshots::Snapshots};
use clawgauge::machine::install::{InstallContext, Program};
use clawgauge::record::{Gate, Recorder};
use clawgauge::runner::{RunOptions, drive, run};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gateway = std::env::args().nth(1).unwrap_or_default().parse()?;
    let catalogue = Catalogue::load(&Data::Embedded)?;
    let snapshots = Snapshots::load(&catalogue.data)?;
    let cells = Selection::parse(&catalogue, &["chat-completions/**".to_owned()], &[])?;
    let install = InstallContext::from_env(Program::default(), catalogue.needs.clone());
    let options = RunOptions::new(vec![gateway], cells, install);
    let mut recorder = Recorder::new(&catalogue.table_hash, Gate::default());
    let work = async |events, stop| run(catalogue.clone(), snapshots, options, events, stop).await;
    drive(work, &Default::default(), |event| {
        recorder.event(event);
        ControlFlow::Continue(())
    })
    .await;
    println!("{}", recorder.finish(&catalogue).0.ending().1);
    Ok(())
}
