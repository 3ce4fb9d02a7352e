//! The question for a program's version.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use super::Program;
use crate::folder::RunFolder;
use crate::keeper;
use crate::process::Group;
use contract::release::Version;

/// Asks a program for its version, as in a launch: with nothing of the machine's environment but where its commands are,
/// and a home of its own.
pub(super) async fn say_version(program: &Program, patience: Duration) -> Option<Version> {
    let home = RunFolder::make(false).ok()?;
    let mut command = keeper::command(&program.command, Some(home.path()));
    command
        .args(&program.args)
        .arg("--version")
        .current_dir(home.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .envs(&program.env);
    let mut group = Group::spawn(&mut command).ok()?;
    let (stdout, _stderr) = group.pipes();
    let mut text = Vec::new();
    let mut start = stdout?.take(4096);
    tokio::time::timeout(patience, start.read_to_end(&mut text))
        .await
        .ok()?
        .ok()?;
    String::from_utf8_lossy(&text)
        .split_whitespace()
        .find_map(|word| word.parse().ok())
}
