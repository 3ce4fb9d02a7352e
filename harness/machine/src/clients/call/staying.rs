//! Scripts that stay: they read one request after the other, and are asked until their launch is over.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use super::{CallError, MAX_COMPLAINT, Ready, answer, crash, read, start};
use crate::process::Group;
use contract::exchange::{MAX_BODY, Response};

/// How long a script that is told to end is waited for.
const END: Duration = Duration::from_secs(3);

/// The scripts of one launch that wait for their next request. Dropping it kills them.
#[derive(Debug, Default)]
pub struct Staying(Mutex<Vec<Script>>);

#[derive(Debug)]
struct Script {
    /// Id of the sender.
    sender: String,
    group: Group,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What it writes to stderr, once it has ended.
    complaint: JoinHandle<Vec<u8>>,
}

impl Staying {
    fn scripts(&self) -> std::sync::MutexGuard<'_, Vec<Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a script answer one request: one that waits, or else a new one. It waits again afterwards, unless it failed.
    pub(super) async fn ask(
        &self,
        ready: &Ready,
        request: Vec<u8>,
        home: &Path,
    ) -> Result<Response, CallError> {
        let request = String::from_utf8(request)
            .map_err(|_| CallError::Cannot("the request is no text".to_owned()))?;
        let waiting = {
            let mut scripts = self.scripts();
            let place = scripts
                .iter()
                .position(|script| script.sender == ready.sender.id);
            place.map(|place| scripts.swap_remove(place))
        };
        let mut script = match waiting {
            Some(script) => script,
            None => Script::start(ready, home)?,
        };
        let told = answer(&script.ask(ready, &request).await?);
        // Whatever printed junk may print the rest of it in answer to the next request.
        if !matches!(told, Err(CallError::Junk { .. })) {
            self.scripts().push(script);
        }
        told
    }

    /// Ends all scripts: first by the end of what they read, then by force.
    pub async fn end(&self) {
        let scripts = std::mem::take(&mut *self.scripts());
        let groups = scripts.into_iter().map(|Script { group, .. }| group);
        for mut group in groups.collect::<Vec<_>>() {
            let _ = tokio::time::timeout(END, group.wait()).await;
        }
    }
}

impl Script {
    fn start(ready: &Ready, home: &Path) -> Result<Self, CallError> {
        let (mut group, requests) = start(ready, home)?;
        let (stdout, stderr) = group.pipes();
        let stdout = stdout.ok_or_else(|| CallError::Start("it has no stdout".to_owned()))?;
        Ok(Self {
            sender: ready.sender.id.clone(),
            group,
            requests,
            answers: BufReader::new(stdout),
            complaint: tokio::spawn(read(stderr, MAX_COMPLAINT)),
        })
    }

    /// Sends one line and reads one, with whatever has come behind it.
    async fn ask(&mut self, ready: &Ready, request: &str) -> Result<Vec<u8>, CallError> {
        let line = format!("{}\n", serde_json::Value::from(request));
        // A script that does not listen has said why, or says nothing: both are seen below.
        let _ = self.requests.write_all(line.as_bytes()).await;
        let limit = u64::try_from(MAX_BODY).unwrap_or(u64::MAX);
        let mut printed = Vec::new();
        let mut limited = (&mut self.answers).take(limit);
        let _ = limited.read_until(b'\n', &mut printed).await;
        if printed.ends_with(b"\n") {
            printed.extend_from_slice(self.answers.buffer());
            return Ok(printed);
        }
        if printed.len() >= MAX_BODY {
            return Err(CallError::NoAnswer("its answer is too long".to_owned()));
        }
        let status = self.group.wait().await;
        let ending = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let complaint = (&mut self.complaint).await.unwrap_or_default();
        Err(crash(ready, &ending, &complaint))
    }
}
