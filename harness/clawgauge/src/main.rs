//! The `clawgauge` command: parse, call, turn the result into an exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    cli::main(cli::Cli::parse())
}
