//! Runs one scenario against one gateway and tells what deviates: `cargo run --example one_scenario openclaw@2026.3.28`.

use std::ops::ControlFlow;

use clawgauge::contract::{data::Data, plan::Selection, scenario::Catalogue, snapshots::Snapshots};
use clawgauge::machine::install::{InstallContext, Program};
use clawgauge::record::{Gate, Recorder};
use clawgauge::runner::{RunOptions, drive, run};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gateway = std::env::args()
        .nth(1)
        .ok_or("name a gateway: openclaw@VERSION, or a path")?;
    let catalogue = Catalogue::load(&Data::Embedded)?;
    let snapshots = Snapshots::load(&catalogue.data)?;
    let cells = Selection::parse(&catalogue, &["chat-completions/**".to_owned()], &[])?;
    let install = InstallContext::from_env(Program::default(), catalogue.needs.clone());
    let options = RunOptions::new(vec![gateway.parse()?], cells, install);

    let mut recorder = Recorder::new(&catalogue.table_hash, Gate::default());
    let data = catalogue.clone();
    let work = async |events, stop| run(data, snapshots, options, events, stop).await;
    drive(work, &Default::default(), |event| {
        recorder.event(event);
        ControlFlow::Continue(())
    })
    .await;
    let (record, _) = recorder.finish(&catalogue);
    println!("{}", record.ending().1);
    Ok(())
}
