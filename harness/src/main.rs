//! The `clawgauge` command: parse, call, turn the result into an exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    clawgauge::cli::main(clawgauge::cli::Cli::parse())
}
