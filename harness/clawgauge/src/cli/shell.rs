//! `clawgauge completions` and `man`: what a shell and a reader of manuals want.

use std::path::Path;

use base::files::replace_bytes;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

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
            let mut command = Cli::command().disable_help_subcommand(true);
            command.build();
            pages(&command, folder)
        }
        None => output.data(&String::from_utf8_lossy(&page(&Man::new(Cli::command()))?)),
    }
}

/// Writes the pages of a command and of those below it.
fn pages(command: &Command, folder: &Path) -> Result<(), Failure> {
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        pages(below, folder)?;
    }
    let man = Man::new(command.clone());
    Ok(replace_bytes(
        &folder.join(man.get_filename()),
        &page(&man)?,
    )?)
}

fn page(man: &Man) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok(page)
}
