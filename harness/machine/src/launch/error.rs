//! How a launch fails.

use std::fmt;
use std::process::ExitStatus;

/// So many characters of the last line that a gateway wrote say why it did not start.
const LAST_WORDS: usize = 200;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The exit code, if it had one.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        Self {
            code: status.code(),
            signal: status.signal(),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "ended by signal {signal}"),
            (None, None) => f.write_str("ended in an unknown way"),
        }
    }
}

/// A gateway did not start. Texts are redacted.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The launch could not even be tried.
    #[error("profile {profile}: {what}: {error}")]
    Prepare {
        /// The profile.
        profile: String,
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        error: String,
    },
    /// It ended, or said that it will, before it answered a probe.
    #[error(
        "profile {profile}: the gateway did not start: {reason}\ncommand: {command}\nconfig: {config}\nlast lines of its log:\n{log}"
    )]
    Refused {
        /// The profile.
        profile: String,
        /// How it ended, or the line by which it refused.
        reason: String,
        /// Its exit code, if it has one.
        code: Option<i32>,
        /// The command line.
        command: String,
        /// Path of the configuration file.
        config: String,
        /// The last lines that it wrote.
        log: String,
        /// Everything that is kept of what it wrote.
        said: String,
        /// From spawning it until it was over.
        took: std::time::Duration,
    },
    /// It runs and does not answer.
    #[error(
        "profile {profile}: the gateway was not ready after {seconds:.0} s (no 200 from {probes})\ncommand: {command}\nconfig: {config}\nlast lines of its log:\n{log}"
    )]
    NotReady {
        /// The profile.
        profile: String,
        /// How long it was waited for, in seconds.
        seconds: f64,
        /// What was probed.
        probes: String,
        /// The command line.
        command: String,
        /// Path of the configuration file.
        config: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// The start of a proxy could not even be tried.
    #[error("proxy {proxy}: {what}: {error}")]
    PrepareProxy {
        /// The proxy.
        proxy: String,
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        error: String,
    },
    /// A proxy before the gateway did not start.
    #[error(
        "proxy {proxy} did not start: {reason}\ncommand: {command}\nconfig: {config}\nlast lines of its log:\n{log}"
    )]
    Proxy {
        /// The proxy.
        proxy: String,
        /// How it ended, or that it accepts no connection.
        reason: String,
        /// The command line.
        command: String,
        /// Path of the configuration file.
        config: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// The run was told to stop.
    #[error("profile {0}: cancelled")]
    Cancelled(String),
}

impl LaunchError {
    /// The gateway's exit code, if it ended with one.
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Prepare { .. }
            | Self::PrepareProxy { .. }
            | Self::NotReady { .. }
            | Self::Proxy { .. }
            | Self::Cancelled(_) => None,
        }
    }

    /// What failed, in one line; of this machine it may name the launch's folder.
    pub fn brief(&self) -> String {
        match self {
            Self::Proxy { proxy, reason, .. } => format!("proxy {proxy} did not start: {reason}"),
            Self::PrepareProxy { proxy, what, .. } => {
                format!("proxy {proxy} could not be started: {what} failed")
            }
            Self::Prepare { what, error, .. } => format!("did not start: {what}: {error}"),
            Self::Refused { reason, said, .. } => {
                // A release that is broken says what it lacks in a line with an error, else in its last words.
                let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
                let last = lines.clone().rfind(|line| line.contains("Error"));
                let last = last.or_else(|| lines.next_back());
                let last = last.filter(|last| !reason.contains(last));
                let last = last.map(|last| last.chars().take(LAST_WORDS).collect::<String>());
                let last = last.map(|last| format!(": {last}")).unwrap_or_default();
                format!("did not start: {reason}{last}")
            }
            Self::NotReady { seconds, .. } => {
                format!("did not start: not ready after {seconds:.0} s")
            }
            Self::Cancelled(_) => "did not start: cancelled".to_owned(),
        }
    }

    /// What is kept of what the gateway wrote.
    pub fn said(&self) -> &str {
        match self {
            Self::Refused { said, .. } => said,
            Self::NotReady { log, .. } | Self::Proxy { log, .. } => log,
            Self::Prepare { .. } | Self::PrepareProxy { .. } | Self::Cancelled(_) => "",
        }
    }

    /// The next thing to do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Prepare { .. } | Self::PrepareProxy { .. } => {
                Some("set TMPDIR to a folder that can be written".to_owned())
            }
            Self::Refused { .. } => Some(
                "keep the launch's folder and look at its config and log: --keep-temp".to_owned(),
            ),
            Self::Proxy { .. } => Some(
                "keep the launch's folder and look at the proxy's configuration: --keep-temp"
                    .to_owned(),
            ),
            Self::NotReady { .. } => Some(
                "give it longer with --ready-timeout, or start fewer at a time with --launches 1"
                    .to_owned(),
            ),
            Self::Cancelled(_) => None,
        }
    }
}
