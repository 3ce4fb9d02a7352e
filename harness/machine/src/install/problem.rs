//! What happens on the way to a gateway's program: the steps, and what can go wrong.

use base::text::quoted;
use contract::release::closest;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A step of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another process installs the same thing.
    Waiting(String),
    /// The registry is asked.
    Resolving(String),
    /// npm installs a package, for so long.
    Installing(String, Duration),
    /// Something a reader of the results should know.
    Note(String),
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(what) => write!(f, "waiting for another clawgauge that installs {what}"),
            Self::Resolving(what) => write!(f, "asking the registry for {what}"),
            Self::Installing(what, time) => write!(
                f,
                "installing {what}, {} s (once; up to two minutes)",
                time.as_secs()
            ),
            Self::Note(note) => f.write_str(note),
        }
    }
}

/// A gateway that cannot be installed or found.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// npm cannot be started.
    #[error("npm cannot be started: {0}")]
    NoNpm(String),
    /// The registry has no such version.
    #[error("the registry has no {package}@{version}{}", closest(.nearest))]
    NoSuchVersion {
        /// Name of the package.
        package: String,
        /// The version that was asked for.
        version: String,
        /// The releases before and after it, or the version that resembles it most.
        nearest: Vec<String>,
    },
    /// npm failed.
    #[error("npm could not install {what} (exit code {}); its last lines:\n{}", .code.map_or("none".to_owned(), |code| code.to_string()), .tail.join("\n"))]
    Npm {
        /// What was installed.
        what: String,
        /// npm's exit code.
        code: Option<i32>,
        /// The last lines that it wrote.
        tail: Vec<String>,
    },
    /// npm installed it, and there is nothing to run.
    #[error("{what} was installed, and cannot be run: {why}")]
    NoProgram {
        /// What was installed.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Python cannot be started.
    #[error("python3 cannot be started: {0}")]
    NoPython(String),
    /// A virtual environment, or pip in it, failed.
    #[error("pip could not install {what} (exit code {}); its last lines:\n{}", .code.map_or("none".to_owned(), |code| code.to_string()), .tail.join("\n"))]
    Python {
        /// What was installed.
        what: String,
        /// The exit code.
        code: Option<i32>,
        /// The last lines that were written.
        tail: Vec<String>,
    },
    /// The registry's answer makes no sense.
    #[error("the registry's answer about {0} cannot be read")]
    Registry(String),
    /// The registry took too long.
    #[error("the registry did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// There is no room for it.
    #[error("{0} cannot be installed: the disk is full")]
    Full(String),
    /// It is to be installed again while somebody uses it.
    #[error("{0} is in use, so it cannot be installed again")]
    InUse(String),
    /// What is in the cache is not what was installed.
    #[error("{what} is not as it was installed: {how}")]
    Changed {
        /// What it is.
        what: String,
        /// Which file differs, and how.
        how: String,
        /// Its folder in the cache.
        folder: PathBuf,
    },
    /// No release has the name.
    #[error("{0}")]
    Name(#[from] contract::release::RangeError),
    /// The cache cannot be read or written.
    #[error("the cache of releases: {0}")]
    Cache(#[from] std::io::Error),
    /// No home folder.
    #[error("there is no folder for the cache of releases")]
    NoCache,
    /// No Node in the range that the release asks for.
    #[error("no Node satisfies {0}")]
    NoNode(String),
    /// The path is no gateway.
    #[error("{path}: {why}")]
    Path {
        /// The path as given.
        path: String,
        /// What is wrong with it.
        why: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// The image is no gateway that can be launched here.
    #[error("{image}: {why}")]
    Image {
        /// The image as given.
        image: String,
        /// What is wrong with it.
        why: String,
        /// What to do about it.
        help: String,
    },
    /// Somebody pressed Ctrl-C.
    #[error("cancelled")]
    Cancelled,
}

impl InstallError {
    /// The next thing to do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoNpm(_) => Some("install Node.js with npm (any version; the right Node for a release is fetched with it)".to_owned()),
            Self::NoSuchVersion { package, .. } => Some(format!("list what there is: npm view {package} versions")),
            Self::Npm { tail, .. } => {
                let text = tail.join("\n");
                let cause = [
                    ("ENOSPC", "the disk is full; a release takes 350 to 1360 MB: clawgauge gateway prune --keep 3 makes room"),
                    ("ENOTFOUND", "the registry cannot be reached; check the network and `npm config get registry`"),
                    ("ECONNREFUSED", "the registry cannot be reached; check the network and `npm config get registry`"),
                    ("ETIMEDOUT", "the registry does not answer; check the network and try again"),
                ];
                cause.iter().find(|(word, _)| text.contains(word)).map(|(_, help)| (*help).to_owned())
            }
            Self::NoPython(_) => Some("install Python with its module venv: apt-get install python3 python3-venv".to_owned()),
            Self::Python { tail, .. } => {
                let text = tail.join("\n");
                let cause = [
                    ("ensurepip", "the module venv is not whole: apt-get install python3-venv"),
                    ("No space left", "the disk is full; a library takes some 100 MB"),
                    ("No matching distribution", "the registry cannot be reached, or has no build for this Python; check the network and `python3 --version`"),
                    ("Connection", "the registry cannot be reached; check the network and `pip config list`"),
                ];
                cause.iter().find(|(word, _)| text.contains(word)).map(|(_, help)| (*help).to_owned())
            }
            Self::Registry(what) => Some(format!("try it by hand: npm view {what}")),
            Self::Full(_) => Some("a release takes 350 to 1360 MB: clawgauge gateway list shows what there is, clawgauge gateway prune --keep 3 makes room".to_owned()),
            Self::InUse(_) => Some("wait for the other clawgauge, or end it".to_owned()),
            Self::Changed { what, .. } if what.starts_with("openclaw@") => Some(format!("install it again: clawgauge gateway install {what}")),
            Self::Changed { folder, .. } => Some(format!("remove it, and it is installed again: rm -r {}", quoted(&folder.display().to_string()))),
            Self::Name(_) => Some("list what there is: npm view openclaw versions".to_owned()),
            Self::Silent(_) => Some("check the network and `npm config get registry`, and try again".to_owned()),
            Self::NoCache => Some("set XDG_CACHE_HOME or HOME to an absolute path".to_owned()),
            Self::Path { help, .. } => help.clone(),
            Self::Image { help, .. } => Some(help.clone()),
            Self::Cache(_) => Some("set XDG_CACHE_HOME to a folder that can be written".to_owned()),
            Self::NoProgram { .. } => Some("name the file that starts the gateway: --gateway PATH".to_owned()),
            Self::NoNode(_) | Self::Cancelled => None,
        }
    }
}
