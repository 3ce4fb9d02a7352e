//! The `clawgauge` command: parse, call, turn the result into an exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    #[cfg(feature = "launch")]
    if let Some(code) = clawgauge::machine::keeper::begin() {
        return code;
    }
    match cli::Cli::try_parse() {
        Ok(cli) => cli::main(cli),
        Err(error) => cli::no_command(&error),
    }
}
