//! One launch: start the gateway, ask every cell, judge, stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio_util::sync::CancellationToken;

use super::ask::{Asker, EXIT_NOTICE};
use super::gateway::{Target, partition};
use super::verdicts::Bench;
use super::{Context, LaunchInfo, RunEvent};
use crate::judge::{Proof, Verdict};
use crate::launch::{LaunchError, LaunchSpec, launch};
use crate::observe::observe_start;
use crate::plan::PlannedCell;
use crate::redact::Redactor;
use crate::scenario::Launch;
use crate::scenario::model::{Kind, Start};
use crate::upstream::Upstream;

/// Launches one profile of a gateway and asks its cells; everything is told in events.
pub(super) async fn run_launch(
    context: &Arc<Context>,
    target: &Arc<Target>,
    profile: String,
    cells: &[PlannedCell],
) {
    let bench = Bench {
        context,
        target,
        profile: &profile,
    };
    let (asked, skipped) = partition(cells);
    for planned in skipped {
        let reason = planned.not_applicable.clone().unwrap_or_default();
        bench.unseen(&planned.cell, Verdict::NotApplicable(reason));
    }
    let Some(config) = context
        .catalogue
        .profiles
        .get(&profile)
        .and_then(|profile| profile.launch_for(&target.version).ok())
    else {
        return;
    };
    let (starts, asked): (Vec<_>, Vec<_>) = asked
        .into_iter()
        .partition(|planned| planned.cell.scenario.kind == Kind::Start);
    if asked.is_empty() && starts.is_empty() {
        return;
    }
    let unseen = |cells: &[&PlannedCell], reason: &str| {
        for planned in cells {
            bench.unseen(&planned.cell, Verdict::CouldNotRun(reason.to_owned()));
        }
    };
    let outcomes = || context.catalogue.outcomes.values().map(Arc::as_ref);
    if context.cancel.is_cancelled() {
        unseen(&starts, "interrupted before it was asked");
        unseen(&asked, "interrupted before it was asked");
        return;
    }

    context.emit(RunEvent::LaunchStarted {
        gateway: target.gateway.clone(),
        profile: profile.clone(),
    });
    let upstream = Upstream::start().await;
    let secrets: BTreeMap<String, String> = context
        .catalogue
        .base
        .secrets
        .iter()
        .map(|name| (name.clone(), crate::launch::random_secret()))
        .collect();
    // Nothing of this machine goes into a record.
    let folder = target.folder.join(&profile).to_string_lossy().into_owned();
    let spec = launch_spec(context, target, &profile, config, &secrets, &upstream);

    let mut gateway = match launch(&spec, &target.folder, &context.cancel).await {
        Ok(gateway) => gateway,
        Err(_) if context.cancel.is_cancelled() => {
            unseen(&starts, "interrupted before it was asked");
            unseen(&asked, "interrupted before it was asked");
            return;
        }
        Err(error) => {
            let refused = match &error {
                LaunchError::Refused {
                    reason, said, took, ..
                } if !starts.is_empty() => {
                    let clean = |text: &str| text.replace(&folder, "[launch]");
                    let (reason, said) = (clean(reason), clean(said));
                    let start = Start::Refused;
                    Some(observe_start(start, &reason, &said, *took, outcomes()))
                }
                _ => None,
            };
            if refused.is_none() {
                context.emit(RunEvent::LaunchFailed {
                    gateway: target.gateway.clone(),
                    profile: profile.clone(),
                    error: error.to_string(),
                    help: error.help(),
                });
            }
            let failure = refused.is_none().then(|| "did not start".to_owned());
            for planned in &starts {
                match &refused {
                    Some(seen) => bench.judge(&planned.cell, Ok(seen.clone()), Proof::Shown),
                    None => unseen(&[*planned], "the gateway did not get ready"),
                }
            }
            unseen(&asked, "the gateway did not start");
            context.emit(RunEvent::LaunchEnded(LaunchInfo {
                gateway: target.gateway.clone(),
                profile: profile.clone(),
                ready: None,
                stop: None,
                exit: error.exit_code(),
                killed: false,
                failure,
            }));
            return;
        }
    };
    let ready = gateway.ready_after();
    context.emit(RunEvent::LaunchReady {
        gateway: target.gateway.clone(),
        profile: profile.clone(),
        after: ready,
    });
    for planned in &starts {
        let seen = observe_start(Start::Up, "", "", ready, outcomes());
        bench.judge(&planned.cell, Ok(seen), Proof::Shown);
    }

    let asker = Asker {
        context,
        target,
        profile: &profile,
        address: gateway.address(),
        redactor: Redactor::with_folder(&secrets, &folder),
        upstream: &upstream,
        secrets: &secrets,
        ended: CancellationToken::new(),
        why: std::sync::OnceLock::new(),
        silences: AtomicUsize::new(0),
    };
    let answers = asker.ask_all(&asked, &mut gateway).await;
    let died = match asker.why.get() {
        None => None,
        Some(reason) => match tokio::time::timeout(EXIT_NOTICE, gateway.exited()).await {
            Ok(exit) => Some(format!("the gateway ended while it was asked: {exit}")),
            Err(_) => Some(reason.clone()),
        },
    };
    if let Some(reason) = &died
        && !context.cancel.is_cancelled()
    {
        let log = gateway.log_tail(12).join("\n");
        context.emit(RunEvent::LaunchFailed {
            gateway: target.gateway.clone(),
            profile: profile.clone(),
            error: format!("profile {profile}: {reason}\nlast lines of its log:\n{log}"),
            help: Some(format!("look at it alone: clawgauge run --where profile={profile} --gateway {} --keep-temp", target.gateway)),
        });
    }
    let stopped = gateway.stop().await;
    bench.judge_all(&asked, answers, &upstream);
    context.emit(RunEvent::LaunchEnded(LaunchInfo {
        gateway: target.gateway.clone(),
        profile: profile.clone(),
        ready: Some(ready),
        stop: Some(stopped.duration),
        exit: stopped.exit_code,
        killed: stopped.killed,
        failure: died,
    }));
}

fn launch_spec(
    context: &Context,
    target: &Target,
    profile: &str,
    config: &Launch,
    secrets: &BTreeMap<String, String>,
    upstream: &Upstream,
) -> LaunchSpec {
    LaunchSpec {
        profile: profile.to_owned(),
        command: target.program.command.clone(),
        args: target.program.args.clone(),
        path_dirs: target.program.path_dirs.clone(),
        profile_args: config.args.clone(),
        env: config.env.clone(),
        config: config.config.clone(),
        secrets: secrets.clone(),
        upstream_url: upstream.base_url(),
        ready: context.catalogue.base.ready.clone(),
        refusals: context.catalogue.base.refusals.clone(),
        ready_timeout: context.options.ready_timeout,
        stop_grace: context.options.stop_grace,
    }
}
