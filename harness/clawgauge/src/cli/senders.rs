//! `clawgauge senders`: the client libraries that can send in clawgauge's place, and their installation.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use super::args::reference;
use super::output::{Failure, Output};
use super::session::cancel_on_signal;
use base::nearest::nearest;
use contract::scenario::Catalogue;
use contract::scenario::sender::Sender;
use machine::clients::{Senders, install};
use machine::install::{InstallContext, InstallError, Progress};

/// Arguments of `senders`.
#[derive(Debug, Args)]
pub(super) struct SendersArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say which client libraries there are, in which version, and whether they are installed
    List,
    /// Install client libraries into the cache, each with exactly the packages that its file pins
    Install {
        /// Ids of the senders [default: all]
        #[arg(value_name = "SENDER")]
        senders: Vec<String>,
    },
}

/// Lists or installs.
pub(super) fn senders(
    args: &SendersArgs,
    catalogue: &Catalogue,
    output: &Output,
) -> Result<u8, Failure> {
    let context = InstallContext::from_env(reference()?, catalogue.needs.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match &args.what {
        What::List => {
            let found = runtime.block_on(Senders::find(catalogue.senders.values(), &context));
            output.result(&list(catalogue, &found))
        }
        What::Install { senders } => {
            let chosen = choose(senders, catalogue)?;
            runtime.block_on(install_all(&chosen, &context, output))
        }
    }
}

fn list(catalogue: &Catalogue, found: &Senders) -> String {
    let mut out = String::new();
    for sender in catalogue.senders.values() {
        let _ = writeln!(out, "{}: {}", sender.id, sender.full_title());
        let _ = match (found.ready.get(&sender.id), found.missing.get(&sender.id)) {
            (Some(ready), _) => writeln!(out, "  ready, on {}", ready.runtime),
            (None, Some(reason)) => writeln!(out, "  missing: {reason}"),
            (None, None) => Ok(()),
        };
    }
    out
}

fn choose(names: &[String], catalogue: &Catalogue) -> Result<Vec<Arc<Sender>>, Failure> {
    let all = &catalogue.senders;
    if names.is_empty() {
        return Ok(all.values().cloned().collect());
    }
    let find = |name: &String| {
        all.get(name).cloned().ok_or_else(|| {
            let failure = Failure::usage(format!("there is no sender `{name}`"));
            match nearest(name, all.keys().map(String::as_str)) {
                Some(known) => failure.help(format!("did you mean `{known}`?")),
                None => failure.help("clawgauge senders list shows every sender"),
            }
        })
    };
    names.iter().map(find).collect()
}

async fn install_all(
    chosen: &[Arc<Sender>],
    context: &InstallContext,
    output: &Output,
) -> Result<u8, Failure> {
    let cancel = CancellationToken::new();
    let signals = tokio::spawn(cancel_on_signal(cancel.clone()));
    let tell = |step: Progress| {
        // An installation tells of every second.
        if !matches!(step, Progress::Installing(_, time) if time.as_secs() % 15 != 0) {
            output.note(&step.to_string());
        }
    };
    for sender in chosen {
        match install(sender, context, &tell, &cancel).await {
            Ok(()) => {}
            Err(InstallError::Cancelled) => {
                output.note("interrupted; what was half installed is removed");
                return Ok(130);
            }
            Err(error) => {
                let failure = Failure::usage(format!("{}: {error}", sender.id)).code(3);
                return Err(match error.help() {
                    Some(help) => failure.help(help),
                    None => failure,
                });
            }
        }
    }
    signals.abort();
    let found = Senders::find(chosen, context).await;
    for ready in found.ready.values() {
        let title = ready.sender.full_title();
        output.result(&format!("{title}: ready, on {}\n", ready.runtime))?;
    }
    match found.missing.iter().next() {
        None => Ok(0),
        Some((id, reason)) => Err(Failure::usage(format!("{id}: {reason}")).code(3)),
    }
}
