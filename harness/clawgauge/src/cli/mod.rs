//! The command line: one file a command. Commands resolve what was typed, call the library and write what it returns.

mod accept;
mod args;
mod attach;
mod bisect;
mod check;
mod compare;
mod drive;
mod effort;
mod evidence;
mod gateway;
mod inspect;
mod merge;
mod mutants;
mod output;
mod releases;
mod report;
mod reports;
mod repro;
mod run;
mod senders;
mod session;
mod shell;
mod survey;
mod verify;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Failure, Output, guarded};

use clawgauge::project::Project;
use contract::data::Data;
use contract::scenario::Catalogue;

/// A go/no-go gauge for OpenClaw gateways: launches one under each auth mode, sends it every mix of credential and
/// scope header, and holds the answers against the written contract.
#[derive(Debug, Parser)]
#[command(name = "clawgauge", version, max_term_width = 110, after_help = EXIT_CODES)]
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

const EXIT_CODES: &str = "Exit codes: 0 the contract holds and at least one cell ran; 1 the contract is broken; 2 usage or \
invalid scenario files; 3 the gateway did not install, start or stay up; 4 incomplete, or nothing ran; 70 a bug in \
clawgauge; 130 interrupted.";

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

/// Carries out a command and says how it ended; see the exit codes in `clawgauge --help`.
pub(crate) fn main(cli: Cli) -> ExitCode {
    guarded(|| dispatch(cli))
}

fn dispatch(cli: Cli) -> ExitCode {
    let output = Output::new(cli.color);
    match carry_out(cli, &output) {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    }
}

fn carry_out(cli: Cli, output: &Output) -> Result<ExitCode, Failure> {
    let place = Place {
        root: cli.root,
        config: cli.config,
    };
    machine::limits::raise_open_files();
    let code = match cli.command {
        Command::Run(args) => {
            let project = place.project()?;
            run::run(args, &project, place.load(&project)?, output)
        }
        Command::Attach(args) => attach::attach(&args, &place.catalogue()?, output),
        Command::List(args) => inspect::list(&args, &place.catalogue()?, output),
        Command::Plan(args) => inspect::plan(&args, &place.catalogue()?, output),
        Command::Show(args) => inspect::show(&args, &place.catalogue()?, output),
        Command::Contract(args) => inspect::contract(&args, &place.catalogue()?, output),
        Command::Survey(args) => {
            let project = place.project()?;
            survey::survey(args, &project, &|| place.load(&project), output)
        }
        Command::Repro(args) => repro::repro(&args, &place.catalogue()?, output),
        Command::Gateway(command) => gateway::gateway(&command, &|| place.catalogue(), output),
        Command::Bisect(args) => {
            let project = place.project()?;
            bisect::bisect(args, &project, &place.load(&project)?, output)
        }
        Command::Check => check::check(&place.catalogue()?, output),
        Command::Mutants(args) => mutants::run(args, place.catalogue()?, output),
        Command::Accept(args) => accept::accept(&args, &place.catalogue()?, output),
        Command::Report(args) => report::report(&args, output),
        Command::Merge(args) => merge::run(&args, &place.catalogue()?, output),
        Command::Compare(args) => {
            let project = place.project()?;
            compare::compare(args, &project, &place.load(&project)?, output)
        }
        Command::Verify(args) => verify::verify(&args, &|| place.catalogue(), output),
        Command::Senders(args) => senders::senders(&args, &place.catalogue()?, output),
        Command::Schema => output.json(&clawgauge::schema::json_schema()),
        Command::Completions { shell } => shell::completions(shell, output),
        Command::Man { folder } => shell::man(folder.as_deref(), output),
        Command::ReferenceGateway { args } => return Ok(reference(args)),
    };
    code.map(ExitCode::from)
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
