//! A keeper: a small process between clawgauge and each program that it launches, so that nothing the program started is
//! left, whatever becomes of either.
//!
//! It is clawgauge's own executable, which turns into a keeper in [`begin`]. The kernel gives it every orphan among the
//! program's descendants, those too that left the process group, began a session or cleared their environment. They are killed when the
//! program has ended, when clawgauge says so, and when clawgauge is gone: killed with -9, or by the kernel for want of memory.
//! Then the keeper removes the run's folder as well. Linux only; elsewhere, and in programs that do not call
//! [`begin`], a process group is all there is.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, kill_process,
    kill_process_group, setrlimit, wait,
};
use tokio::process::Command;

use crate::folder::remove_dead;

/// The executable of this very process, even if its file has been replaced.
const SELF: &str = "/proc/self/exe";
/// The argument by which it knows that it is to be a keeper.
const WORD: &str = "keep-together";
/// So long killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long a keeper may take to start its program.
const START: Duration = Duration::from_secs(10);

/// So long a keeper may take to answer beyond that.
const ANSWER: Duration = Duration::from_secs(2);

/// What clawgauge tells a keeper.
const TERMINATE: u8 = b'T';
const KILL: u8 = b'K';

/// Whether programs get keepers.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// To be called first thing in `main`: a process that was started as a keeper is one here, and ends with what is returned. In any
/// other process programs have keepers from here on.
pub fn begin() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == WORD) {
        return Some(keep(args));
    }
    ENABLED.store(cfg!(target_os = "linux"), Ordering::Relaxed);
    None
}

/// A command for a program, by a keeper if there are any; `folder` belongs to the program's run.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: Option<&Path>) -> Command {
    if !ENABLED.load(Ordering::Relaxed) {
        return Command::new(program);
    }
    let mut command = Command::new(SELF);
    let folder = folder.map_or(OsStr::new(""), Path::as_os_str);
    command.arg0("clawgauge").arg(WORD).arg(folder).arg(program);
    command
}

/// The words of a command as one would type it.
pub(crate) fn words(command: &Command) -> Vec<String> {
    let keeper = if is_kept(command) { 3 } else { 0 };
    let command = command.as_std();
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .skip(keeper)
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// Whether a command is one of a keeper.
pub(crate) fn is_kept(command: &Command) -> bool {
    command.as_std().get_program() == SELF
}

/// The end of clawgauge on the way to a keeper.
#[derive(Debug)]
pub(crate) struct Control(UnixStream);

impl Control {
    /// Both ends: one to hold, one that becomes the keeper's stdin.
    pub(crate) fn pair() -> io::Result<(Self, Stdio)> {
        let (ours, keepers) = UnixStream::pair()?;
        ours.set_read_timeout(Some(START))?;
        Ok((Self(ours), Stdio::from(std::os::fd::OwnedFd::from(keepers))))
    }

    /// Waits until the program has been started, and says which process it is.
    ///
    /// # Errors
    /// Why it could not be.
    pub(crate) fn started(&mut self) -> io::Result<Option<Pid>> {
        match self.number()? {
            id @ 1.. => Ok(Pid::from_raw(id)),
            code => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        }
    }

    /// Asks the program and its group to stop.
    pub(crate) fn terminate(&mut self) {
        // A keeper that is gone has nothing left to stop.
        let _ = self.0.write_all(&[TERMINATE]);
    }

    /// Kills the program and all that it started, and waits until they are gone. Says how many had left the group; `None`
    /// if the keeper does not: somebody killed or stopped it.
    pub(crate) fn kill(&mut self) -> Option<usize> {
        let _ = self.0.write_all(&[KILL]);
        let _ = self.0.set_read_timeout(Some(PATIENCE + ANSWER));
        usize::try_from(self.number().ok()?).ok()
    }

    fn number(&mut self) -> io::Result<i32> {
        let mut bytes = [0; 4];
        self.0.read_exact(&mut bytes)?;
        Ok(i32::from_le_bytes(bytes))
    }
}

/// Is a keeper until its program and all that this started are gone; ends as the program did.
fn keep(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(folder), Some(program)) = (args.next(), args.next()) else {
        return ExitCode::from(2);
    };
    let Ok(mut control) = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map(UnixStream::from)
    else {
        return ExitCode::from(2);
    };
    adopt_orphans();
    let started = std::process::Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn();
    let leader = match &started {
        Ok(child) => i32::try_from(child.id()).ok().and_then(Pid::from_raw),
        Err(_) => None,
    };
    let code = started
        .err()
        .map_or(0, |error| -error.raw_os_error().unwrap_or(2));
    let told = leader.map_or(code, |leader| leader.as_raw_nonzero().get());
    let told = control.write_all(&told.to_le_bytes());
    let Some(leader) = leader else {
        return ExitCode::from(2);
    };
    let folder = PathBuf::from(folder);
    let (Ok(()), Ok(orders)) = (told, control.try_clone()) else {
        // Whoever wanted the program is gone already.
        kill_all(leader);
        remove_dead(&folder);
        return ExitCode::from(2);
    };
    let abandoned = Arc::new(AtomicBool::new(false));
    thread::spawn({
        let abandoned = Arc::clone(&abandoned);
        move || obey(orders, leader, &abandoned)
    });
    let status = wait_for(leader);
    let strays = kill_all(leader);
    if abandoned.load(Ordering::SeqCst) {
        remove_dead(&folder);
    }
    let strays = i32::try_from(strays).unwrap_or(i32::MAX);
    let _ = control.write_all(&strays.to_le_bytes());
    end_as(status)
}

/// The orphans among the descendants are this process's children from here on.
fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(getpid()));
}

/// Does what clawgauge says; when that is gone, everything else goes, too.
fn obey(mut orders: UnixStream, leader: Pid, abandoned: &AtomicBool) {
    let mut order = [0];
    loop {
        match orders.read(&mut order) {
            Ok(1..) if order == [TERMINATE] => {
                let _ = kill_process_group(leader, Signal::TERM);
            }
            Ok(1..) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => {
                abandoned.store(true, Ordering::SeqCst);
                break;
            }
        }
    }
    // The main thread sees the leader's end, and to the rest.
    let _ = kill_process_group(leader, Signal::KILL);
    let _ = kill_process(leader, Signal::KILL);
}

/// Waits for the end of the program; other children, who were orphans, are seen off meanwhile.
fn wait_for(leader: Pid) -> Option<WaitStatus> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((id, status))) if id == leader => return Some(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// Kills all descendants until there are none, and says how many of them were outside the leader's group at first.
fn kill_all(leader: Pid) -> usize {
    let deadline = Instant::now() + PATIENCE;
    let mut strays = None;
    loop {
        let _ = kill_process_group(leader, Signal::KILL);
        let descendants = descendants(getpid());
        strays.get_or_insert_with(|| {
            let outside = descendants.iter().filter(|process| process.group != leader);
            outside.count()
        });
        for process in &descendants {
            let _ = kill_process(process.id, Signal::KILL);
        }
        // Those that have ended are seen off; each of their children is ours now.
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => break,
                Err(_) => return strays.unwrap_or(0),
            }
        }
        if Instant::now() > deadline {
            return strays.unwrap_or(0);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[derive(Debug, Clone, Copy)]
struct Process {
    id: Pid,
    parent: Pid,
    group: Pid,
}

/// All processes that came from one and have not ended.
fn descendants(of: Pid) -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut others: Vec<Process> = entries.filter_map(|entry| process(&entry.path())).collect();
    let mut found = Vec::new();
    let mut parents = vec![of];
    while let Some(parent) = parents.pop() {
        let (children, rest): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|process| process.parent == parent);
        others = rest;
        parents.extend(children.iter().map(|process| process.id));
        found.extend(children);
    }
    found
}

/// A process by its folder in `/proc`; none that has ended.
fn process(folder: &Path) -> Option<Process> {
    folder.file_name()?.to_str()?.parse::<u32>().ok()?;
    let text = std::fs::read(folder.join("stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let number = |text: &str| text.parse().ok().and_then(Pid::from_raw);
    // The name stands in brackets, and may hold anything.
    let id = number(text.split_once(' ')?.0)?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let (parent, group) = (number(fields.next()?)?, number(fields.next()?)?);
    (!["Z", "X"].contains(&state)).then_some(Process { id, parent, group })
}

/// Ends as the program did, by its code or by its signal.
fn end_as(status: Option<WaitStatus>) -> ExitCode {
    if let Some(code) = status.and_then(|status| status.exit_status()) {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    let number = status.and_then(|status| status.terminating_signal());
    if let Some(signal) = number.and_then(Signal::from_named_raw) {
        // The memory of the keeper is of no interest.
        let _ = setrlimit(
            Resource::Core,
            Rlimit {
                current: Some(0),
                maximum: Some(0),
            },
        );
        // The first may find a handler of Rust's, which takes itself away.
        for _ in 0..2 {
            let _ = kill_process(getpid(), signal);
            thread::sleep(Duration::from_millis(20));
        }
    }
    ExitCode::from(u8::try_from(128 + number.unwrap_or(0)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("123");
        std::fs::create_dir(&folder).unwrap();
        let written = |text: &str| std::fs::write(folder.join("stat"), text).unwrap();
        written("123 (a) S 7 8) (b) R 12 34 34 0 -1");
        let found = process(&folder).unwrap();
        let raw = |id: Pid| id.as_raw_nonzero().get();
        assert_eq!(
            (raw(found.id), raw(found.parent), raw(found.group)),
            (123, 12, 34)
        );
        written("123 (a) Z 12 34 34 0 -1");
        assert!(process(&folder).is_none());
        written("");
        assert!(process(&folder).is_none());
    }

    #[test]
    fn what_came_from_this_process_is_found() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 30 & wait"])
            .process_group(0)
            .spawn()
            .unwrap();
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let found = loop {
            let found = descendants(id);
            if !found.is_empty() || Instant::now() > deadline {
                break found;
            }
        };
        let _ = kill_process_group(id, Signal::KILL);
        let _ = child.wait();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].parent, found[0].group), (id, id));
    }
}
