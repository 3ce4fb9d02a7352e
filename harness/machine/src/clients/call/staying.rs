//! Scripts that stay: they read one request after the other, and are asked until their launch is over.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use super::{CallError, MAX_COMPLAINT, Ready, crash, read, start};
use crate::process::Group;
use contract::exchange::MAX_BODY;

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
    complaints: Option<ChildStderr>,
}

impl Staying {
    fn scripts(&self) -> std::sync::MutexGuard<'_, Vec<Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a script answer one request, one that waits if there is one. It waits again afterwards, unless it failed.
    pub(super) async fn ask(
        &self,
        ready: &Ready,
        request: Vec<u8>,
        home: &Path,
    ) -> Result<Vec<u8>, CallError> {
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
        let answer = script.ask(ready, &request).await?;
        self.scripts().push(script);
        Ok(answer)
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
        let (stdout, complaints) = group.pipes();
        let stdout = stdout.ok_or_else(|| CallError::Start("it has no stdout".to_owned()))?;
        Ok(Self {
            sender: ready.sender.id.clone(),
            group,
            requests,
            answers: BufReader::new(stdout),
            complaints,
        })
    }

    /// Sends one line, and reads one; what is written to stderr meanwhile is read, too, so that the script never waits for it.
    async fn ask(&mut self, ready: &Ready, request: &str) -> Result<Vec<u8>, CallError> {
        let line = format!("{}\n", serde_json::Value::from(request));
        // A script that does not listen has said why, or says nothing: both are seen below.
        let _ = self.requests.write_all(line.as_bytes()).await;
        let limit = u64::try_from(MAX_BODY).unwrap_or(u64::MAX);
        let mut answer = Vec::new();
        let mut limited = (&mut self.answers).take(limit);
        let mut complaint = Vec::new();
        {
            let answered = limited.read_until(b'\n', &mut answer);
            tokio::pin!(answered);
            let complained = note(self.complaints.as_mut(), &mut complaint);
            tokio::select! {
                done = &mut answered => drop(done),
                () = complained => drop(answered.await),
            }
        }
        if !answer.is_empty() {
            return Ok(answer);
        }
        complaint.extend(read(self.complaints.take(), MAX_COMPLAINT).await);
        let status = self.group.wait().await;
        let ending = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        Err(crash(ready, &ending, &complaint))
    }
}

/// Reads what comes until there is no more, and keeps the last of it.
async fn note(pipe: Option<&mut ChildStderr>, kept: &mut Vec<u8>) {
    let Some(pipe) = pipe else { return };
    let mut part = [0; 4_096];
    while let Ok(count @ 1..) = pipe.read(&mut part).await {
        if kept.len() as u64 > MAX_COMPLAINT {
            kept.clear();
        }
        kept.extend_from_slice(&part[..count]);
    }
}
