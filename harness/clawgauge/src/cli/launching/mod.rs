//! The commands that launch, install or ask something: one file a command. All of it goes without the feature `launch`.

mod args;
mod attach;
mod bisect;
mod coverage;
mod docs;
mod doctor;
mod drive;
mod evidence;
mod explore;
mod failed_in;
mod gateway;
mod mutants;
mod plan;
mod plan_budget;
mod progress;
mod release_mutants;
mod releases;
mod routes;
mod run;
mod senders;
mod session;
mod side;
mod survey;
mod timings;
mod tuning;
mod watch;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser as _, Subcommand};

use super::guard::Stdout;
use super::output::{Failure, Output};
use super::place::Place;

pub(super) use session::Session;
pub(super) use side::Side;
pub(super) use tuning::TuningArgs;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Launch gateways, send the matrix, judge the answers
    Run(args::RunArgs),
    /// Ask a running gateway, somebody's real one: safely, within a budget, and never its model unless permitted
    Attach(attach::AttachArgs),
    /// Say what a run would launch and send, and what is left out
    Plan(plan::PlanArgs),
    /// Say what this machine lacks, for which cells, and the command that installs it: exit code 4 if a run would be incomplete
    Doctor(doctor::DoctorArgs),
    /// Run many releases and make the table of who gets in on which: one record a release, resumable
    Survey(survey::SurveyArgs),
    /// Find the release that broke or fixed a cell, a rule or what a known issue says
    Bisect(bisect::BisectArgs),
    /// Say which passages of the documentation that rules cite changed with a release, so which rules must be read again
    Docs(docs::DocsArgs),
    /// Install, list and remove the releases in the cache
    #[command(subcommand)]
    Gateway(gateway::GatewayCommand),
    /// List or install the client libraries that can send in clawgauge's place
    #[command(name = "clients", alias = "senders")]
    Senders(senders::SendersArgs),
    /// Measure which functions and branches of a release's own code the cells reach, and which none does
    Coverage(coverage::CoverageArgs),
    /// Measure the scenarios: run them against the reference gateway's seeded faults, or against mutants of a release
    Mutants(mutants::MutantsArgs),
    /// Find the routes of a release by its own code, and ask each without a credential: exit code 1 if one lets in whom it must not
    Routes(routes::RoutesArgs),
    /// Try configurations and requests that no scenario knows, and hold the answers against another gateway and against what must
    /// always hold: exit code 1 on a finding
    Explore(explore::ExploreArgs),
    /// The reference gateway: a server that keeps the documented contract
    #[command(hide = true, disable_help_flag = true)]
    ReferenceGateway {
        /// Its own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
    /// A gateway in a container: what launches of an image run
    #[command(hide = true, disable_help_flag = true)]
    Container {
        /// The client of Docker, the image, the user, and the words of the gateway.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
}

impl Command {
    /// What it writes to stdout.
    pub(super) fn stdout(&self) -> Stdout {
        match self {
            Self::Run(_)
            | Self::Attach(_)
            | Self::Plan(_)
            | Self::Mutants(_)
            | Self::Senders(_) => Stdout::Text,
            Self::ReferenceGateway { .. } | Self::Container { .. } => Stdout::Own,
            Self::Doctor(doctor::DoctorArgs { json, .. })
            | Self::Docs(docs::DocsArgs { json, .. }) => {
                if *json {
                    Stdout::Data
                } else {
                    Stdout::Text
                }
            }
            Self::Survey(args) => args.stdout(),
            Self::Gateway(command) => command.stdout(),
            Self::Bisect(args) => args.stdout(),
            Self::Coverage(args) => args.stdout(),
            Self::Explore(args) => args.stdout(),
            Self::Routes(args) => args.format.stdout(),
        }
    }

    /// Carries it out.
    pub(super) fn carry_out(
        self,
        place: &Place,
        session: &Session,
        output: &Output,
    ) -> Result<ExitCode, Failure> {
        machine::limits::raise_open_files();
        let done = match self {
            Self::Run(args) => {
                let project = place.project()?;
                run::run(args, &project, place.load(&project)?, session, output)
            }
            Self::Attach(args) => attach::attach(&args, &place.catalogue()?, session, output),
            Self::Plan(args) => plan::plan(&args, &place.catalogue()?, output),
            Self::Doctor(args) => {
                let project = place.project()?;
                doctor::doctor(args, &project, &place.load(&project)?, session, output)
            }
            Self::Survey(args) => {
                let project = place.project()?;
                survey::survey(args, &project, &|| place.load(&project), session, output)
            }
            Self::Bisect(args) => {
                let project = place.project()?;
                bisect::bisect(args, &project, &place.load(&project)?, session, output)
            }
            Self::Gateway(command) => {
                gateway::gateway(&command, &|| place.catalogue(), session, output)
            }
            Self::Docs(args) => docs::docs(&args, &place.catalogue()?, session, output),
            Self::Senders(args) => senders::senders(&args, &place.catalogue()?, session, output),
            Self::Coverage(args) => {
                let project = place.project()?;
                coverage::coverage(&args, &project, &|| place.load(&project), session, output)
            }
            Self::Mutants(args) => mutants::run(args, place.catalogue()?, session, output),
            Self::Routes(args) => {
                let project = place.project()?;
                routes::routes(&args, &project, &place.load(&project)?, session, output)
            }
            Self::Explore(args) => {
                let project = place.project()?;
                explore::explore(&args, &project, &place.load(&project)?, session, output)
            }
            Self::ReferenceGateway { args } => return Ok(reference(args)),
            Self::Container { args } => Err(machine::container::enter(&args).into()),
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

fn reference(args: Vec<std::ffi::OsString>) -> ExitCode {
    if let Err(error) = machine::limits::threads() {
        let _ = writeln!(std::io::stderr(), "reference gateway: {error}");
        return ExitCode::FAILURE;
    }
    let name = std::ffi::OsString::from("clawgauge reference-gateway");
    reference_gateway::run(reference_gateway::Cli::parse_from(
        std::iter::once(name).chain(args),
    ))
}
