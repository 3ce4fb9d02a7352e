//! The switch of a copy that is up: which mutants are on.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// The socket of a copy in the folder of its launch.
const SOCKET: &str = "control";
/// How long the copy may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Switches some mutants on, and all others off.
///
/// # Errors
/// The copy does not answer.
pub(super) async fn switch(folder: &Path, mutants: &[u32]) -> std::io::Result<()> {
    let numbers = listed(mutants);
    let socket = folder.join(SOCKET);
    let done = tokio::time::timeout(PATIENCE, said(&socket, &numbers)).await;
    let answer = done.map_err(|_| std::io::ErrorKind::TimedOut)??;
    match answer.trim() == numbers {
        true => Ok(()),
        false => Err(std::io::Error::other(format!("it says {answer:?}"))),
    }
}

/// Mutants as a copy takes them: their numbers with commas between them.
pub(super) fn listed(mutants: &[u32]) -> String {
    let numbers: Vec<String> = mutants.iter().map(u32::to_string).collect();
    numbers.join(",")
}

async fn said(socket: &Path, numbers: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(format!("{numbers}\n").as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(answer)
}
