//! `clawgauge senders`: the client libraries that can send in clawgauge's place, and their installation.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use super::releases::say_step;
use super::session::Session;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use base::nearest::nearest;
use contract::scenario::Catalogue;
use contract::scenario::sender::Sender;
use machine::clients::{Senders, install};
use machine::install::{InstallContext, InstallError};
use record::Ending;

/// Arguments of `senders`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SendersArgs {
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
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let context = InstallContext::from_env(reference()?, catalogue.needs.clone());
    match &args.what {
        What::List => {
            let found = session
                .run(async |_| Ok(Senders::find(catalogue.senders.values(), &context).await))?;
            output.result(&list(catalogue, &found))
        }
        What::Install { senders } => {
            let chosen = choose(senders, catalogue)?;
            session.run(async |cancel| install_all(&chosen, &context, cancel, output).await)
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
            let failure = Failure::usage(format!("there is no client `{name}`"));
            match nearest(name, all.keys().map(String::as_str)) {
                Some(known) => failure.help(format!("did you mean `{known}`?")),
                None => failure.help("clawgauge clients list shows every client"),
            }
        })
    };
    names.iter().map(find).collect()
}

async fn install_all(
    chosen: &[Arc<Sender>],
    context: &InstallContext,
    cancel: &CancellationToken,
    output: &Output,
) -> Result<(), Failure> {
    let tell = |step| say_step(output, &step);
    for sender in chosen {
        match install(sender, context, &tell, cancel).await {
            Ok(()) => {}
            Err(InstallError::Cancelled) => {
                let why = "interrupted; what was half installed is removed";
                return Err(Failure::new(Ending::Interrupted, why));
            }
            Err(error) => {
                let why = format!("{}: {error}", sender.id);
                return Err(Failure::new(Ending::Gateway, why).helped(error.help()));
            }
        }
    }
    let found = Senders::find(chosen, context).await;
    for ready in found.ready.values() {
        let title = ready.sender.full_title();
        output.result(&format!("{title}: ready, on {}\n", ready.runtime))?;
    }
    match found.missing.iter().next() {
        None => Ok(()),
        Some((id, reason)) => Err(Failure::new(Ending::Gateway, format!("{id}: {reason}"))),
    }
}
