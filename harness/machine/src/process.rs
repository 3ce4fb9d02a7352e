//! Child processes in groups of their own: nothing that they spawn outlives them.

use std::io;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// A child that leads a process group. Dropping it kills the whole group at once.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    leader: Option<Pid>,
}

impl Group {
    /// Spawns with no stdin and both pipes open.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        Self::spawn_with(command, Stdio::null())
    }

    /// Spawns with all three pipes open; the first is returned.
    pub(crate) fn spawn_listening(command: &mut Command) -> io::Result<(Self, ChildStdin)> {
        let mut group = Self::spawn_with(command, Stdio::piped())?;
        let stdin = group.child.stdin.take();
        let stdin = stdin.ok_or_else(|| io::Error::other("the child has no stdin"))?;
        Ok((group, stdin))
    }

    fn spawn_with(command: &mut Command, stdin: Stdio) -> io::Result<Self> {
        let child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let leader = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self { child, leader })
    }

    /// The pipes, once.
    pub(crate) fn pipes(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the leader's end.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// The leader's end, if it has come.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks the whole group to stop.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Kills the whole group.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// A group that is gone already is what was wanted.
    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            let _ = kill_process_group(leader, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
