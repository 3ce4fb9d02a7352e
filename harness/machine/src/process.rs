//! Child processes in groups of their own: nothing that they spawn outlives them.

use std::io;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::keeper::{self, Control};

/// A child that leads a process group, with a keeper if its command has one. Dropping it kills all that it started.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    held_by: HeldBy,
}

#[derive(Debug)]
enum HeldBy {
    Keeper {
        control: Control,
        /// The id of the program that is kept.
        leader: Option<Pid>,
        /// Whether everything was killed.
        killed: bool,
    },
    /// The id of the child, which is that of its group.
    Group(Option<Pid>),
}

impl Group {
    /// Spawns with no stdin and both pipes open.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        if !keeper::is_kept(command) {
            return Self::spawn_with(command, Stdio::null());
        }
        let (control, stdin) = Control::pair()?;
        let child = spawn(command, stdin);
        // The command would hold the keeper's end of the line.
        command.stdin(Stdio::null());
        let mut control = control;
        let child = child?;
        let leader = control.started()?;
        Ok(Self {
            child,
            held_by: HeldBy::Keeper {
                control,
                leader,
                killed: false,
            },
        })
    }

    /// Spawns without a keeper and with all three pipes open; the first is returned.
    pub(crate) fn spawn_listening(command: &mut Command) -> io::Result<(Self, ChildStdin)> {
        let mut group = Self::spawn_with(command, Stdio::piped())?;
        let stdin = group.child.stdin.take();
        let stdin = stdin.ok_or_else(|| io::Error::other("the child has no stdin"))?;
        Ok((group, stdin))
    }

    fn spawn_with(command: &mut Command, stdin: Stdio) -> io::Result<Self> {
        let child = spawn(command.kill_on_drop(true), stdin)?;
        let leader = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self {
            child,
            held_by: HeldBy::Group(leader),
        })
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
    pub(crate) fn terminate(&mut self) {
        match &mut self.held_by {
            HeldBy::Keeper { control, .. } => control.terminate(),
            HeldBy::Group(leader) => signal(*leader, Signal::TERM),
        }
    }

    /// Kills the whole group, and with a keeper everything else that came from it; says how many had left the group, if
    /// anybody can tell.
    pub(crate) fn kill(&mut self) -> Option<usize> {
        match &mut self.held_by {
            HeldBy::Keeper { killed: true, .. } => Some(0),
            HeldBy::Keeper {
                control,
                leader,
                killed,
            } => {
                *killed = true;
                let strays = control.kill();
                if strays.is_none() {
                    // The program has killed or stopped its keeper.
                    signal(*leader, Signal::KILL);
                    let _ = self.child.start_kill();
                }
                strays
            }
            HeldBy::Group(leader) => {
                signal(*leader, Signal::KILL);
                None
            }
        }
    }
}

/// A group that is gone already is what was wanted.
fn signal(leader: Option<Pid>, signal: Signal) {
    if let Some(leader) = leader {
        let _ = kill_process_group(leader, signal);
    }
}

fn spawn(command: &mut Command, stdin: Stdio) -> io::Result<Child> {
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
