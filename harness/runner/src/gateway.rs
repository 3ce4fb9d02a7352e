//! One gateway: from its reference to the end of its last launch.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::budget::{self, Clock};
use super::launch::run_launch;
use super::slots::Slots;
use super::target::{Target, senders};
use super::{Context, RunEvent, RunOptions};
use contract::plan::Plan;
use contract::release::{GatewayRef, Version};
use machine::clients::Ready;
use machine::folder::RunFolder;
use machine::install::{Program, resolve};
use machine::tools;
use record::SenderRecord;
use record::events::GatewayInfo;

/// Prepares a gateway and runs all its launches.
pub(super) async fn run_gateway(context: &Arc<Context>, reference: &GatewayRef) {
    let Some((target, _folder)) = prepare(context, reference).await else {
        return;
    };
    let plan = plan(context, &target);
    let slots = Arc::new(Slots::new(
        context.options.launches,
        context.options.more_launches,
    ));
    let mut tasks = JoinSet::new();
    let clock = Clock::start(context);
    for launch in plan.launches {
        let turn = match launch.needs_gateway() {
            true => clock.turn().await,
            false => None,
        };
        let (context, target, slots) =
            (Arc::clone(context), Arc::clone(&target), Arc::clone(&slots));
        tasks.spawn(async move {
            let _turn = turn;
            run_launch(&context, &target, &slots, launch).await;
        });
    }
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    };
    let mut all = std::pin::pin!(all);
    tokio::select! {
        () = &mut all => return,
        () = slots.follow_the_processor() => {}
    }
    all.await;
}

/// Finds or installs a gateway; `None`, and an event that says why, where that fails. The folder goes when it is dropped.
pub(super) async fn prepare(
    context: &Context,
    reference: &GatewayRef,
) -> Option<(Arc<Target>, RunFolder)> {
    let gateway = reference.to_string();
    let progress = |step: machine::install::Progress| {
        context.emit(RunEvent::Preparing {
            gateway: gateway.clone(),
            what: step.to_string(),
        });
    };
    let install = &context.options.install;
    let mut left = context.options.retries;
    let program = loop {
        if let Some(copy) = &context.options.program {
            break copy.clone();
        }
        let error = match resolve(reference, install, &progress, &context.cancel).await {
            Ok(program) => {
                tracing::debug!(?program, "{gateway} is this program");
                break program;
            }
            Err(_) if context.cancel.is_cancelled() => return None,
            Err(error) => error,
        };
        tracing::warn!(%error, "{gateway} could not be used");
        if left > 0 {
            left -= 1;
            let what = format!("{error}; trying again");
            let gateway = gateway.clone();
            context.emit(RunEvent::Preparing { gateway, what });
            continue;
        }
        context.emit(RunEvent::GatewayFailed {
            gateway,
            help: error.help(),
            error: error.to_string(),
        });
        return None;
    };
    let Some(version) = context
        .options
        .release
        .clone()
        .or_else(|| program.version.clone())
    else {
        context.emit(RunEvent::GatewayFailed {
            error: format!("{gateway} does not say which release it is"),
            help: Some("say which release's contract it must keep: --release 2026.9.6".to_owned()),
            gateway,
        });
        return None;
    };
    let folder = match RunFolder::make(context.options.keep_temp) {
        Ok(folder) => folder,
        Err(error) => {
            context.emit(RunEvent::GatewayFailed {
                gateway,
                error: format!("no temporary folder can be made: {error}"),
                help: Some("set TMPDIR to a folder that can be written".to_owned()),
            });
            return None;
        }
    };

    if context.options.keep_temp {
        context.emit(RunEvent::Preparing {
            gateway: gateway.clone(),
            what: format!("launch folders stay in {}", folder.path().display()),
        });
    }
    let target = Arc::new(Target {
        gateway,
        reference: reference.clone(),
        version,
        program,
        folder: folder.path().to_path_buf(),
        senders: senders(context).await,
    });
    Some((target, folder))
}

/// What the gateway is asked, told as an event.
pub(super) fn plan(context: &Context, target: &Target) -> Plan {
    let (options, program) = (&context.options, &target.program);
    let catalogue = &context.catalogue;
    let mut plan = Plan::new(catalogue, &target.version, &options.selection);
    // The same in every shard, so that what is not asked does not depend on who asks.
    let mut missing = tools::missing(&plan.needs(catalogue), &target.reference);
    missing.extend(target.senders.missing.clone());
    if let Some(shares) = &options.shares {
        shares.cut(&target.gateway, &mut plan);
    }
    // Who does what must not depend on the machine that does it.
    let plan = budget::cut(context, target, plan.without(&missing, catalogue));
    context.emit(RunEvent::GatewayReady(GatewayInfo {
        gateway: target.gateway.clone(),
        version: target.version.clone(),
        integrity: program.integrity.clone(),
        node: program.node.clone(),
        notes: notes(options, program, &target.version),
        measured: catalogue.measured(&target.version).cloned(),
        senders: target
            .senders
            .ready
            .values()
            .map(|ready| sender_record(ready))
            .collect(),
        missing,
        selected: plan.len(),
        launches: plan
            .launches
            .iter()
            .map(|launch| (launch.profile.clone(), launch.cells.len()))
            .collect(),
        unselected: plan.unselected,
    }));
    plan
}

/// What was done so that it runs.
fn notes(options: &RunOptions, program: &Program, judged_as: &Version) -> Vec<String> {
    let other = program.version.as_ref().filter(|said| *said != judged_as);
    let other =
        other.map(|said| format!("it says that it is {said}, and is judged as {judged_as}"));
    let shared = program
        .compile_cache
        .as_ref()
        .filter(|_| options.compile_cache);
    let shared = shared.map(|_| "its launches share a compile cache".to_owned());
    let notes = program.notes.iter().cloned();
    notes.chain(other).chain(shared).collect()
}

/// A client that is ready, for a record.
fn sender_record(ready: &Ready) -> SenderRecord {
    SenderRecord {
        id: ready.sender.id.clone(),
        library: ready.sender.pin(),
        integrity: ready.integrity.clone(),
        runtime: ready.runtime.clone(),
    }
}
