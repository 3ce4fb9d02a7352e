//! A gateway in a container: what this process becomes to run one.
//!
//! The container has the machine's network, the folder of the launch at the same place, the launch's variables, and no name. It ends
//! with the client of Docker that started it, however that ends: the client holds the container's input open, and a small script inside
//! kills the gateway when that is closed.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};

/// The hidden command of clawgauge that becomes a container: client of Docker, image, user, and the words of the gateway follow.
pub const WORD: &str = "container";

/// Runs the gateway, hands signals on to it, and kills it when nobody holds the input any more.
const INSIDE: &str = r#"exec 9<&0
"$@" 9<&- </dev/null &
gateway=$!
trap 'kill -TERM $gateway' TERM INT HUP
{ cat >/dev/null; kill -KILL $gateway; } <&9 2>/dev/null &
while :; do
  wait $gateway
  code=$?
  kill -0 $gateway 2>/dev/null || exit $code
done"#;

/// Variables by which the client finds its engine. They are no business of the gateway's.
pub(crate) const OF_THE_CLIENT: [&str; 6] = [
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "XDG_RUNTIME_DIR",
];

/// Becomes the client of Docker that runs a container. Returns only where that fails, with the reason.
pub fn enter(args: &[OsString]) -> io::Error {
    let [client, image, user, words @ ..] = args else {
        return io::Error::other("it takes a client, an image, a user and the words of a gateway");
    };
    let (held, input) = match UnixStream::pair() {
        Ok(pair) => pair,
        Err(error) => return error,
    };
    if let Err(error) = fcntl_setfd(&held, FdFlags::empty()) {
        return error.into();
    }
    let mut command = Command::new(client);
    command
        .args(["run", "--rm", "--interactive", "--pull", "never"])
        .args(["--network", "host", "--label", "clawgauge", "--user"])
        .arg(user);
    if let Some(folder) = folder() {
        let mut volume = folder.clone().into_os_string();
        volume.push(":");
        volume.push(folder);
        command.arg("--volume").arg(volume);
    }
    for name in std::env::vars_os().map(|(name, _)| name) {
        let kept = |name: &str| OF_THE_CLIENT.contains(&name) || ["PATH", "PWD"].contains(&name);
        if !name.to_str().is_some_and(kept) {
            command.arg("--env").arg(name);
        }
    }
    command
        .args(["--entrypoint", "sh"])
        .arg(image)
        .args(["-c", INSIDE, "sh"])
        .args(words)
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(input)));
    let error = command.exec();
    drop(held);
    error
}

/// The folder of the launch: the one with its configuration; without one, its home.
fn folder() -> Option<PathBuf> {
    let of = |name| std::env::var_os(name).map(PathBuf::from);
    let config = of("OPENCLAW_CONFIG_PATH");
    let config = config.as_deref().and_then(Path::parent);
    config.map(Path::to_path_buf).or_else(|| of("HOME"))
}
