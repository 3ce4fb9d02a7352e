//! The command line: one file a command. Commands resolve what was typed, call the library and write what it returns.

mod accept;
mod check;
mod inspect;
mod mutants;
mod output;
mod repro;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Failure, Output, guarded};

use crate::scenario::{Catalogue, find_root};

/// A go/no-go gauge for OpenClaw gateways: launches one under each auth mode, sends it every mix of credential and
/// scope header, and holds the answers against the written contract.
#[derive(Debug, Parser)]
#[command(name = "clawgauge", version, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    /// Folder with scenarios/, snapshots/ and fixtures/ [default: the closest one above the current folder]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,

    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 the contract holds and at least one cell ran; 1 the contract is broken; 2 usage or \
invalid scenario files; 3 the gateway did not install, start or stay up; 4 incomplete, or nothing ran; 70 a bug in \
clawgauge; 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Launch gateways, send the matrix, judge the answers
    Run(run::RunArgs),
    /// List the cells
    List(inspect::ListArgs),
    /// Say what a run would launch and send, and what is left out
    Plan(inspect::PlanArgs),
    /// Explain one cell: rule, source, launch, exact request, expected answer
    Show(inspect::ShowArgs),
    /// Print the contract for people: who gets in where, by which rule, on whose authority (Markdown)
    Contract(inspect::ContractArgs),
    /// Print a script that shows what a release answers to one cell, for a machine without clawgauge
    Repro(repro::ReproArgs),
    /// Check the scenario files: names, decision tables, snapshots
    Check,
    /// Measure the scenarios: run them against the reference gateway's seeded faults
    Mutants(mutants::MutantsArgs),
    /// Accept pending snapshots
    Accept(accept::AcceptArgs),
    /// Print the JSON Schema of the scenario files
    Schema,
    /// The reference gateway: a server that keeps the documented contract
    #[command(hide = true, disable_help_flag = true)]
    ReferenceGateway {
        /// Its own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
}

/// Carries out a command and says how it ended; see the exit codes in `clawgauge --help`.
pub fn main(cli: Cli) -> ExitCode {
    guarded(|| dispatch(cli))
}

fn dispatch(cli: Cli) -> ExitCode {
    let output = Output::new(cli.color);
    let result = match cli.command {
        Command::Run(args) => {
            load(cli.root).and_then(|catalogue| run::run(args, catalogue, &output))
        }
        Command::List(args) => {
            load(cli.root).and_then(|catalogue| inspect::list(&args, &catalogue, &output))
        }
        Command::Plan(args) => {
            load(cli.root).and_then(|catalogue| inspect::plan(&args, &catalogue, &output))
        }
        Command::Show(args) => {
            load(cli.root).and_then(|catalogue| inspect::show(&args, &catalogue, &output))
        }
        Command::Contract(args) => {
            load(cli.root).and_then(|catalogue| inspect::contract(&args, &catalogue, &output))
        }
        Command::Repro(args) => {
            load(cli.root).and_then(|catalogue| repro::repro(&args, &catalogue, &output))
        }
        Command::Check => load(cli.root).and_then(|catalogue| check::check(&catalogue, &output)),
        Command::Mutants(args) => {
            load(cli.root).and_then(|catalogue| mutants::run(args, catalogue, &output))
        }
        Command::Accept(args) => {
            load(cli.root).and_then(|catalogue| accept::accept(&args, &catalogue, &output))
        }
        Command::Schema => output.json(&crate::scenario::json_schema()),
        Command::ReferenceGateway { args } => return reference(args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => output.failure(&failure),
    }
}

fn reference(args: Vec<std::ffi::OsString>) -> ExitCode {
    let name = std::ffi::OsString::from("clawgauge reference-gateway");
    reference_gateway::run(reference_gateway::Cli::parse_from(
        std::iter::once(name).chain(args),
    ))
}

/// Finds and reads the data folders.
fn load(root: Option<PathBuf>) -> Result<Catalogue, Failure> {
    let root = match root {
        Some(root) => root,
        None => {
            let here = std::env::current_dir()
                .map_err(|error| Failure::usage(format!("no current folder: {error}")))?;
            find_root(&here).ok_or_else(|| {
                Failure::usage("no scenarios/ folder here or above")
                    .help("run it inside a checkout, or name one: --root DIR")
            })?
        }
    };
    let catalogue = Catalogue::load(&root)?;
    catalogue.check_tables()?;
    Ok(catalogue)
}
