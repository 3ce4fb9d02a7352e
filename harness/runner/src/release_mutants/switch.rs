//! The switch of a copy that is up: which mutant is on.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// The socket of a copy in the folder of its launch.
const SOCKET: &str = "control";
/// How long the copy may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Switches a mutant on, and all others off; `None` switches all off.
///
/// # Errors
/// The copy does not answer.
pub(super) async fn switch(folder: &Path, mutant: Option<u32>) -> std::io::Result<()> {
    let number = mutant.map_or(-1, i64::from).to_string();
    let socket = folder.join(SOCKET);
    let done = tokio::time::timeout(PATIENCE, said(&socket, &number)).await;
    let answer = done.map_err(|_| std::io::ErrorKind::TimedOut)??;
    match answer.trim() == number {
        true => Ok(()),
        false => Err(std::io::Error::other(format!("it says {answer:?}"))),
    }
}

async fn said(socket: &Path, number: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(format!("{number}\n").as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(answer)
}
