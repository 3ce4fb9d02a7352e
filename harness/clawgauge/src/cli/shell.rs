//! `clawgauge completions` and `man`: what a shell and a reader of manuals want.

use std::path::Path;

use clap::CommandFactory as _;

use super::Cli;
use super::output::{Failure, Output};

/// Prints completions.
pub(super) fn completions(shell: clap_complete::Shell, output: &Output) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "clawgauge", &mut text);
    output.data(&String::from_utf8_lossy(&text))
}

/// Prints the man page, or writes those of all commands into a folder.
pub(super) fn man(folder: Option<&Path>, output: &Output) -> Result<(), Failure> {
    match folder {
        Some(folder) => {
            fs_err::create_dir_all(folder)?;
            clap_mangen::generate_to(Cli::command(), folder)?;
            Ok(())
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            output.data(&String::from_utf8_lossy(&page))
        }
    }
}
