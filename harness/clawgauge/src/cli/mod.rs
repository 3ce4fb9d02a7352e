//! The command line: one file a command. Commands resolve what was typed, call the library and write what it returns.

mod accept;
mod cases;
mod check;
mod compare;
mod exit;
mod guard;
mod inspect;
#[cfg(feature = "launch")]
mod launching;
#[cfg(not(feature = "launch"))]
#[path = "not_launching.rs"]
mod launching;
mod merge;
mod output;
mod place;
mod reference;
mod report;
mod reports;
mod repro;
mod select;
mod shell;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;
use guard::Stdout;
use launching::Session;
use output::{Failure, Output, guarded};
use place::Place;

/// A go/no-go gauge for OpenClaw gateways: launches one under each auth mode, sends it every mix of credential and
/// scope header, and holds the answers against the written contract.
#[derive(Debug, Parser)]
#[command(name = "clawgauge", version, max_term_width = 110, after_help = Exit::table())]
pub(crate) struct Cli {
    /// Folder with scenarios/, snapshots/ and fixtures/ [default: the closest one above the current folder, then what the
    /// binary carries]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,

    /// A project's defaults [default: clawgauge.toml in the current folder or above]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "launch")]
    #[command(flatten)]
    Launching(Box<launching::Command>),
    /// List the cells
    List(inspect::ListArgs),
    /// Explain one cell: rule, source, launch, exact request, expected answer
    Show(inspect::ShowArgs),
    /// Print the contract for people: who gets in where, by which rule, on whose authority (Markdown)
    Contract(inspect::ContractArgs),
    /// Print by which cells the questions of other test suites are asked, on which releases, or why not
    Cases(cases::CasesArgs),
    /// Print a script that shows what a release answers to one cell, for a machine without clawgauge
    Repro(Box<repro::ReproArgs>),
    /// Check the scenario files: names, decision tables, snapshots, questions
    Check,
    /// Accept pending snapshots
    Accept(accept::AcceptArgs),
    /// Render a record again, as the terminal report or in other formats
    Report(report::ReportArgs),
    /// Make one record out of the shards of a run, and judge it as a whole
    Merge(merge::MergeArgs),
    /// Say what changed for callers between two gateways or records, as causes: exit code 1 on a blocker
    Compare(Box<compare::CompareArgs>),
    /// Judge a run again from its evidence bundle, without a gateway and without a network
    Verify(verify::VerifyArgs),
    /// Print the JSON Schema of the scenario files and of clawgauge.toml
    Schema,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write one for each command
    Man {
        /// Folder for the man pages of all commands
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

impl Command {
    /// What it writes to stdout.
    fn stdout(&self) -> Stdout {
        match self {
            #[cfg(feature = "launch")]
            Self::Launching(command) => command.stdout(),
            Self::Show(_) | Self::Check | Self::Accept(_) | Self::Merge(_) | Self::Verify(_) => {
                Stdout::Text
            }
            Self::List(_) | Self::Contract(_) | Self::Repro(_) => Stdout::Data,
            Self::Schema | Self::Completions { .. } | Self::Man { .. } => Stdout::Own,
            Self::Report(args) => args.stdout(),
            Self::Compare(args) => args.stdout(),
            Self::Cases(args) => args.format.stdout(),
        }
    }
}

/// Carries out a command and says how it ended; see the exit codes in `clawgauge --help`.
pub(crate) fn main(cli: Cli) -> ExitCode {
    let output = Output::new(cli.color, cli.command.stdout());
    // Signals are heeded until the last line is written.
    let session = Session::new(&output);
    let done = guarded(|| carry_out(cli, &session, &output));
    #[cfg(feature = "launch")]
    if let Some(error) = machine::log::trouble() {
        output.note(&format!("the log is not whole: {error}"));
    }
    output.end(done)
}

/// Shows help, or why there is no command in the arguments; these may hold anything.
pub(crate) fn no_command(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    let output = Output::new(clap::ColorChoice::Auto, Stdout::Data);
    let text = match output.paint_err().color {
        true => error.render().ansi().to_string(),
        false => error.render().to_string(),
    };
    output.note(text.trim_end());
    output.end(Ok(Exit::Usage.code().into()))
}

fn carry_out(cli: Cli, session: &Session, output: &Output) -> Result<ExitCode, Failure> {
    let place = Place {
        root: cli.root,
        config: cli.config,
        output: output.clone(),
    };
    let done = match cli.command {
        #[cfg(feature = "launch")]
        Command::Launching(command) => return command.carry_out(&place, session, output),
        Command::List(args) => inspect::list(&args, &place.catalogue()?, output),
        Command::Show(args) => inspect::show(&args, &place.catalogue()?, output),
        Command::Contract(args) => inspect::contract(&args, &place.catalogue()?, output),
        Command::Cases(args) => cases::cases(&args, &place.catalogue()?, output),
        Command::Repro(args) => repro::repro(&args, &place.catalogue()?, output),
        Command::Check => check::check(&place.catalogue()?, output),
        Command::Accept(args) => accept::accept(&args, &place.catalogue()?, output),
        Command::Report(args) => report::report(&args, output),
        Command::Merge(args) => merge::run(&args, &place.catalogue()?, output),
        Command::Compare(args) => {
            let project = place.project()?;
            compare::compare(*args, &project, &place.load(&project)?, session, output)
        }
        Command::Verify(args) => verify::verify(&args, &|| place.catalogue(), output),
        Command::Schema => output.json(&clawgauge::schema::json_schema()),
        Command::Completions { shell } => shell::completions(shell, output),
        Command::Man { folder } => shell::man(folder.as_deref(), output),
    };
    done.map(|()| ExitCode::SUCCESS)
}
