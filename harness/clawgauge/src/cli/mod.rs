//! The command line: one file a command. Commands resolve what was typed, call the library and write what it returns.

mod accept;
mod args;
mod attach;
mod bisect;
mod check;
mod compare;
mod drive;
mod evidence;
mod exit;
mod gateway;
mod guard;
mod inspect;
mod merge;
mod mutants;
mod output;
mod reference;
mod releases;
mod report;
mod reports;
mod repro;
mod run;
mod senders;
mod session;
mod shell;
mod survey;
mod tuning;
mod verify;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;
use guard::Stdout;
use output::{Failure, Output, guarded};
use session::Session;

use clawgauge::project::Project;
use contract::data::Data;
use contract::scenario::Catalogue;

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
    /// Launch gateways, send the matrix, judge the answers
    Run(args::RunArgs),
    /// Ask a running gateway, somebody's real one: safely, within a budget, and never its model unless permitted
    Attach(attach::AttachArgs),
    /// List the cells
    List(inspect::ListArgs),
    /// Say what a run would launch and send, and what is left out
    Plan(inspect::PlanArgs),
    /// Explain one cell: rule, source, launch, exact request, expected answer
    Show(inspect::ShowArgs),
    /// Print the contract for people: who gets in where, by which rule, on whose authority (Markdown)
    Contract(inspect::ContractArgs),
    /// Run many releases and make the table of who gets in on which: one record a release, resumable
    Survey(survey::SurveyArgs),
    /// Print a script that shows what a release answers to one cell, for a machine without clawgauge
    Repro(repro::ReproArgs),
    /// Install, list and remove the releases in the cache
    #[command(subcommand)]
    Gateway(gateway::GatewayCommand),
    /// Find the release that broke or mended a cell, a rule or what a known issue says
    Bisect(bisect::BisectArgs),
    /// Check the scenario files: names, decision tables, snapshots
    Check,
    /// Measure the scenarios: run them against the reference gateway's seeded faults
    Mutants(mutants::MutantsArgs),
    /// Accept pending snapshots
    Accept(accept::AcceptArgs),
    /// Render a record again, as the terminal report or in other formats
    Report(report::ReportArgs),
    /// Make one record out of the shards of a run, and judge it as a whole
    Merge(merge::MergeArgs),
    /// Say what changed for callers between two gateways or records, as causes: exit code 1 on a blocker
    Compare(compare::CompareArgs),
    /// Judge a run again from its evidence bundle, without a gateway and without a network
    Verify(verify::VerifyArgs),
    /// List or install the client libraries that can send in clawgauge's place
    #[command(name = "clients", alias = "senders")]
    Senders(senders::SendersArgs),
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
    /// The reference gateway: a server that keeps the documented contract
    #[command(hide = true, disable_help_flag = true)]
    ReferenceGateway {
        /// Its own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
}

impl Command {
    /// What it writes to stdout.
    fn stdout(&self) -> Stdout {
        match self {
            Self::Run(_)
            | Self::Attach(_)
            | Self::Plan(_)
            | Self::Show(_)
            | Self::Check
            | Self::Mutants(_)
            | Self::Accept(_)
            | Self::Merge(_)
            | Self::Verify(_)
            | Self::Senders(_) => Stdout::Text,
            Self::List(_) | Self::Contract(_) | Self::Repro(_) => Stdout::Data,
            Self::Schema
            | Self::Completions { .. }
            | Self::Man { .. }
            | Self::ReferenceGateway { .. } => Stdout::Own,
            Self::Survey(args) => args.stdout(),
            Self::Gateway(command) => command.stdout(),
            Self::Bisect(args) => args.stdout(),
            Self::Report(args) => args.stdout(),
            Self::Compare(args) => args.stdout(),
        }
    }
}

/// Carries out a command and says how it ended; see the exit codes in `clawgauge --help`.
pub(crate) fn main(cli: Cli) -> ExitCode {
    let output = Output::new(cli.color, cli.command.stdout());
    // Signals are heeded until the last line is written.
    let session = Session::new(&output);
    let done = guarded(|| carry_out(cli, &session, &output));
    output.end(done)
}

fn carry_out(cli: Cli, session: &Session, output: &Output) -> Result<ExitCode, Failure> {
    let place = Place {
        root: cli.root,
        config: cli.config,
    };
    machine::limits::raise_open_files();
    let done = match cli.command {
        Command::Run(args) => {
            let project = place.project()?;
            run::run(args, &project, place.load(&project)?, session, output)
        }
        Command::Attach(args) => attach::attach(&args, &place.catalogue()?, session, output),
        Command::List(args) => inspect::list(&args, &place.catalogue()?, output),
        Command::Plan(args) => inspect::plan(&args, &place.catalogue()?, session, output),
        Command::Show(args) => inspect::show(&args, &place.catalogue()?, output),
        Command::Contract(args) => inspect::contract(&args, &place.catalogue()?, output),
        Command::Survey(args) => {
            let project = place.project()?;
            survey::survey(args, &project, &|| place.load(&project), session, output)
        }
        Command::Repro(args) => repro::repro(&args, &place.catalogue()?, output),
        Command::Gateway(command) => {
            gateway::gateway(&command, &|| place.catalogue(), session, output)
        }
        Command::Bisect(args) => {
            let project = place.project()?;
            bisect::bisect(args, &project, &place.load(&project)?, session, output)
        }
        Command::Check => check::check(&place.catalogue()?, output),
        Command::Mutants(args) => mutants::run(args, place.catalogue()?, session, output),
        Command::Accept(args) => accept::accept(&args, &place.catalogue()?, output),
        Command::Report(args) => report::report(&args, output),
        Command::Merge(args) => merge::run(&args, &place.catalogue()?, output),
        Command::Compare(args) => {
            let project = place.project()?;
            compare::compare(args, &project, &place.load(&project)?, session, output)
        }
        Command::Verify(args) => verify::verify(&args, &|| place.catalogue(), output),
        Command::Senders(args) => senders::senders(&args, &place.catalogue()?, session, output),
        Command::Schema => output.json(&clawgauge::schema::json_schema()),
        Command::Completions { shell } => shell::completions(shell, output),
        Command::Man { folder } => shell::man(folder.as_deref(), output),
        Command::ReferenceGateway { args } => return Ok(reference(args)),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn reference(args: Vec<std::ffi::OsString>) -> ExitCode {
    let name = std::ffi::OsString::from("clawgauge reference-gateway");
    reference_gateway::run(reference_gateway::Cli::parse_from(
        std::iter::once(name).chain(args),
    ))
}

/// Where a command finds its data and its project's defaults.
struct Place {
    root: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Place {
    fn project(&self) -> Result<Project, Failure> {
        match &self.config {
            Some(path) => Ok(Project::read(path)?),
            None => Ok(Project::find(&here()?)?),
        }
    }

    fn catalogue(&self) -> Result<Catalogue, Failure> {
        self.load(&self.project()?)
    }

    /// Reads and proves the data.
    fn load(&self, project: &Project) -> Result<Catalogue, Failure> {
        let named = match (&self.root, &project.file.root) {
            (Some(root), _) => Some(root.clone()),
            (None, Some(root)) => Some(project.path(root)),
            (None, None) => None,
        };
        let data = match named {
            Some(root) => Data::Folder(root),
            None => Data::find(&here()?),
        };
        let catalogue = Catalogue::load(&data)?;
        catalogue.check_tables()?;
        Ok(catalogue)
    }
}

fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::usage(format!("no current folder: {error}")))
}
