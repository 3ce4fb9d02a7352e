//! `clawgauge mutants`: how many seeded faults of the reference gateway the scenarios catch; of a release's own code, see
//! [`super::release_mutants`].

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use reference_gateway::Fault;

use super::release_mutants::ReleaseArgs;
use super::session::Session;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use base::nearest::nearest;
use contract::plan::Selection;
use contract::release::GatewayRef;
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use machine::install::{InstallContext, Program};
use record::Ending;
use runner::RunOptions;
use runner::mutants::{MutantResult, Mutants, run_mutants, score};

/// Arguments of `mutants`.
#[derive(Debug, Args)]
pub(in crate::cli) struct MutantsArgs {
    /// Only these faults; with `--gateway`, ask only cells whose id matches
    #[arg(value_name = "FAULT|CELL-GLOB")]
    names: Vec<String>,

    /// Faults at a time
    #[arg(
        long,
        default_value = "8",
        value_name = "N",
        conflicts_with = "gateway"
    )]
    jobs: NonZeroUsize,

    /// The share in percent that must be caught
    #[arg(long, default_value = "95", value_name = "PERCENT")]
    min_score: f64,

    /// Only list the faults
    #[arg(long, conflicts_with = "gateway")]
    list: bool,

    #[command(flatten)]
    release: ReleaseArgs,
}

/// Runs the scenarios against every seeded fault and tells the score.
pub(super) fn run(
    args: MutantsArgs,
    catalogue: Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    if let Some(gateway) = &args.release.gateway {
        let asked = (args.names.as_slice(), args.min_score);
        return args
            .release
            .run(gateway, asked, &catalogue, session, output);
    }
    let chosen = choose(&args.names)?;
    if args.list {
        let mut out = String::new();
        for mutant in &chosen {
            let _ = writeln!(
                out,
                "{:<32} {} ({})",
                mutant.name(),
                mutant.title(),
                mutant.source()
            );
        }
        return output.result(&out);
    }
    let snapshots = Snapshots::load(&catalogue.data)?;
    let program = reference()?;
    let options = |flags: &[&str], selection| options(&catalogue, &program, flags, selection);
    let paint = output.paint_err();
    let tell = |index: usize, fate: &MutantResult| {
        let name = chosen[index].name();
        output.note(&match fate {
            MutantResult::Caught(cell, deviation) => format!(
                "{} {name}: {} at {cell}",
                paint.good("caught"),
                deviation.name()
            ),
            MutantResult::Survived => format!("{} {name}", paint.bad("survived")),
            MutantResult::Unknown(why) => format!("{} {name}: {why}", paint.warn("unknown")),
        });
    };
    let Mutants { fates, sound } = session.run(async |cancel| {
        let options = |fault: Option<Fault>, selection| match fault {
            Some(fault) => options(&["--fault", &fault.name()], selection),
            None => options(&[], selection),
        };
        let jobs = args.jobs.get();
        let mutants = run_mutants(
            &catalogue, &snapshots, &chosen, jobs, &options, &tell, cancel,
        )
        .await;
        match cancel.is_cancelled() {
            true => Err(Failure::new(Ending::Interrupted, "interrupted")),
            false => Ok(mutants),
        }
    })?;
    let unsound = match sound {
        MutantResult::Survived => None,
        MutantResult::Caught(cell, deviation) => Some(format!("{} at {cell}", deviation.name())),
        MutantResult::Unknown(why) => Some(why),
    };
    if let Some(why) = unsound {
        let message =
            format!("the gateway without a fault does not keep the scenarios either: {why}");
        return Err(Failure::new(Ending::Incomplete, message)
            .help("clawgauge run shows what is wrong; a score would mean nothing"));
    }
    judge(&args, &catalogue, &chosen, &fates, output)
}

fn choose(names: &[String]) -> Result<Vec<Fault>, Failure> {
    let all: Vec<_> = Fault::all().iter().map(|fault| fault.name()).collect();
    let unknown = names.iter().find(|name| !all.contains(name));
    if let Some(name) = unknown {
        let failure = Failure::usage(format!("there is no fault `{name}`"));
        return Err(match nearest(name, all.iter().map(String::as_str)) {
            Some(known) => failure.help(format!("did you mean `{known}`?")),
            None => failure.help("clawgauge mutants --list shows every fault"),
        });
    }
    let wanted = |fault: &Fault| names.is_empty() || names.contains(&fault.name());
    Ok(Fault::all().iter().copied().filter(wanted).collect())
}

fn options(
    catalogue: &Catalogue,
    sound: &Program,
    flags: &[&str],
    selection: Selection,
) -> RunOptions {
    let mut program = sound.clone();
    program.args.extend(flags.iter().map(Into::into));
    let install = InstallContext::from_env(program, catalogue.needs.clone());
    RunOptions {
        launches: 8,
        timeout: Duration::from_secs(20),
        ready_timeout: Duration::from_secs(20),
        stop_grace: Duration::from_secs(2),
        known_issues: None,
        clients: false,
        ..RunOptions::new(vec![GatewayRef::Reference], selection, install)
    }
}

fn judge(
    args: &MutantsArgs,
    catalogue: &Catalogue,
    chosen: &[Fault],
    fates: &[MutantResult],
    output: &Output,
) -> Result<(), Failure> {
    let paint = output.paint();
    let score = score(fates);
    let caught = fates
        .iter()
        .filter(|fate| matches!(fate, MutantResult::Caught(..)))
        .count();
    let mut out = format!(
        "{caught} of {} seeded faults are caught: {score:.1} %\n",
        fates.len()
    );
    let mut unexplained = 0;
    for (mutant, fate) in chosen.iter().zip(fates) {
        let reason = catalogue
            .survivors
            .iter()
            .find(|survivor| survivor.fault == mutant.name());
        match (fate, reason) {
            (MutantResult::Caught(..), None) => {}
            (MutantResult::Caught(..), Some(_)) => {
                unexplained += 1;
                let _ = writeln!(
                    out,
                    "  {} {}: survivors.toml says that it survives",
                    paint.bad("caught after all"),
                    mutant.name()
                );
            }
            (MutantResult::Survived | MutantResult::Unknown(_), reason) => {
                let _ = writeln!(
                    out,
                    "  {} {}: {} ({})",
                    paint.warn("survived"),
                    mutant.name(),
                    mutant.title(),
                    mutant.source()
                );
                match reason {
                    Some(survivor) => {
                        let _ = writeln!(out, "     {}", survivor.reason);
                    }
                    None => {
                        unexplained += 1;
                        let _ = writeln!(
                            out,
                            "     {}",
                            paint.bad("no reason is given in scenarios/survivors.toml")
                        );
                    }
                }
            }
        }
    }
    let written = output.result(&out);
    let enough = match score < args.min_score || unexplained > 0 {
        false => Ok(()),
        true => Err(Failure::new(
            Ending::Broken,
            format!(
                "{score:.1} % of the seeded faults are caught, {} % are asked for; {unexplained} need a reason or no longer do",
                args.min_score
            ),
        )),
    };
    output.first([enough, written])
}
