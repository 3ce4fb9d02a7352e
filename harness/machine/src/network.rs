//! Networks of their own for a launch: three Linux network namespaces, in which caller, proxy and gateway have addresses that
//! are not the loopback.
//!
//! Nothing of it lies in the machine's own network: the links begin and end in the namespaces, none of them leads out, and
//! a socket that is made within a namespace stays in it, whoever uses it. So addresses are the same in every launch, and
//! only the names of the namespaces must differ. A name holds the id of the process that made it: namespaces of a process
//! that is no more are removed by the next launch.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::net::{TcpSocket, TcpStream};

use crate::which::which;

/// How the name of every namespace begins.
const PREFIX: &str = "clawgauge-";
/// Where `ip` keeps the names of namespaces.
const NAMES: &str = "/run/netns";
/// The caller's address as the proxy sees it.
const CALLER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
/// The proxy's address as the caller sees it.
const PROXY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The proxy's address as the gateway sees it.
const PROXY_INSIDE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The gateway's address as the proxy sees it.
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// The caller's address as the gateway sees it when it comes past the proxy.
const CALLER_PAST: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 9);
/// The gateway's address as such a caller sees it.
const GATEWAY_PAST: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 2);

/// Namespaces that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// There is no `ip`.
    #[error("no `ip` on PATH, which makes network namespaces; on Debian: apt-get install iproute2")]
    NoProgram,
    /// `ip` refused.
    #[error("`ip {0}` failed: {1}")]
    Refused(String, String),
}

/// A network namespace, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    name: String,
}

/// Where a request goes, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The address.
    pub address: SocketAddr,
    /// The namespace in which the connection is made; `None` for the machine's own network.
    pub(crate) from: Option<Namespace>,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            from: None,
        }
    }
}

impl Peer {
    /// The same machine, another port.
    #[must_use]
    pub fn at(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Connects.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        let Some(namespace) = &self.from else {
            return TcpStream::connect(self.address).await;
        };
        let socket = namespace.inside(TcpSocket::new_v4)?;
        socket.connect(self.address).await
    }
}

impl Namespace {
    /// Does something, such as making a socket, within the namespace.
    ///
    /// # Errors
    /// The namespace is gone, or what is done fails.
    pub(crate) fn inside<T: Send>(
        &self,
        act: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        let place = Path::new(NAMES).join(&self.name);
        // The whole thread moves, so it must be one that ends.
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                enter(&place)?;
                act()
            });
            let panicked = |_| io::Error::other("a thread within a namespace failed");
            thread.join().map_err(panicked)?
        })
    }

    /// A command that runs a program of a run within the namespace: `ip` becomes that program.
    pub(crate) fn command(&self, program: &Path, folder: &Path) -> tokio::process::Command {
        let mut command = crate::keeper::command("ip", Some(folder));
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }
}

#[cfg(target_os = "linux")]
fn enter(place: &Path) -> io::Result<()> {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    use std::os::fd::AsFd as _;
    let file = fs_err::File::open(place)?;
    let network = Some(LinkNameSpaceType::Network);
    Ok(move_into_link_name_space(file.file().as_fd(), network)?)
}

#[cfg(not(target_os = "linux"))]
fn enter(_: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// The network of one launch. Dropping it removes its namespaces.
#[derive(Debug)]
pub struct Network {
    ip: PathBuf,
    /// Where callers are.
    pub caller: Namespace,
    /// Where proxies are.
    pub proxy: Namespace,
    /// Where the gateway is.
    pub gateway: Namespace,
}

impl Network {
    /// Makes the namespaces and the links between them.
    ///
    /// # Errors
    /// There is no `ip`, or it refuses, for want of rights as a rule; nothing is left then.
    pub fn build() -> Result<Self, NetworkError> {
        let ip = which("ip").ok_or(NetworkError::NoProgram)?;
        sweep(&ip);
        let run = format!("{PREFIX}{}-{:08x}", std::process::id(), fastrand::u32(..));
        let namespace = |host: &str| Namespace {
            name: format!("{run}-{host}"),
        };
        // From here on dropping removes what has been made.
        let network = Self {
            ip,
            caller: namespace("caller"),
            proxy: namespace("proxy"),
            gateway: namespace("gateway"),
        };
        for host in network.hosts() {
            call(&network.ip, &["netns", "add", &host.name], "")?;
        }
        let (proxy, gateway) = (&network.proxy.name, &network.gateway.name);
        network.configure(
            &network.caller,
            &format!(
                "link add to-proxy type veth peer name to-caller netns {proxy}\n\
             link add to-gateway type veth peer name to-caller netns {gateway}\n\
             addr add {CALLER}/24 dev to-proxy\naddr add {CALLER_PAST}/24 dev to-gateway\n\
             link set to-proxy up\nlink set to-gateway up\n"
            ),
        )?;
        network.configure(
            &network.proxy,
            &format!(
                "link add to-gateway type veth peer name to-proxy netns {gateway}\n\
             addr add {PROXY}/24 dev to-caller\naddr add {PROXY_INSIDE}/24 dev to-gateway\n\
             link set to-caller up\nlink set to-gateway up\n"
            ),
        )?;
        network.configure(
            &network.gateway,
            &format!(
                "addr add {GATEWAY}/24 dev to-proxy\naddr add {GATEWAY_PAST}/24 dev to-caller\n\
             link set to-proxy up\nlink set to-caller up\n"
            ),
        )?;
        Ok(network)
    }

    fn hosts(&self) -> [&Namespace; 3] {
        [&self.caller, &self.proxy, &self.gateway]
    }

    fn configure(&self, host: &Namespace, commands: &str) -> Result<(), NetworkError> {
        let commands = format!("link set lo up\n{commands}");
        call(&self.ip, &["-n", &host.name, "-batch", "-"], &commands)
    }

    /// The gateway for somebody who stands where the proxy does.
    pub fn gateway_for_proxies(&self, port: u16) -> Peer {
        Peer {
            address: (GATEWAY, port).into(),
            from: Some(self.proxy.clone()),
        }
    }

    /// The gateway for a caller who comes past the proxy.
    pub fn gateway_past_proxies(&self, port: u16) -> Peer {
        Peer {
            address: (GATEWAY_PAST, port).into(),
            from: Some(self.caller.clone()),
        }
    }

    /// The gateway for somebody on its own machine who does not use the loopback.
    pub fn gateway_for_itself(&self, port: u16) -> Peer {
        Peer {
            address: (GATEWAY, port).into(),
            from: Some(self.gateway.clone()),
        }
    }

    /// A proxy for a caller.
    pub fn proxy_for_callers(&self, port: u16) -> Peer {
        Peer {
            address: (PROXY, port).into(),
            from: Some(self.caller.clone()),
        }
    }
}

impl Drop for Network {
    /// What runs in a namespace must have ended before; a name that is not there is what was wanted.
    fn drop(&mut self) {
        for host in self.hosts() {
            let _ = call(&self.ip, &["netns", "del", &host.name], "");
        }
    }
}

/// The proxy's address as the gateway sees it.
pub(crate) fn proxy_address(network: Option<&Network>) -> IpAddr {
    match network {
        Some(_) => PROXY_INSIDE.into(),
        None => Ipv4Addr::LOCALHOST.into(),
    }
}

/// Whether namespaces can be made here: makes one, and removes it.
///
/// # Errors
/// Why not.
pub(crate) fn can_be_built() -> Result<(), NetworkError> {
    let ip = which("ip").ok_or(NetworkError::NoProgram)?;
    let name = format!(
        "{PREFIX}{}-{:08x}-trial",
        std::process::id(),
        fastrand::u32(..)
    );
    let made = call(&ip, &["netns", "add", &name], "");
    let removed = call(&ip, &["netns", "del", &name], "");
    made.and(removed)
}

/// Removes the namespaces of processes that are no more.
fn sweep(ip: &Path) {
    let Ok(names) = std::fs::read_dir(NAMES) else {
        return;
    };
    for name in names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        if maker(&name).is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            tracing::debug!(name, "a namespace that a dead process left behind");
            let _ = call(ip, &["netns", "del", &name], "");
        }
    }
}

/// The id of the process that made a namespace, by its name.
fn maker(name: &str) -> Option<&str> {
    let id = name.strip_prefix(PREFIX)?.split('-').next()?;
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(id)
}

/// Calls `ip`, with commands on its stdin.
fn call(ip: &Path, args: &[&str], commands: &str) -> Result<(), NetworkError> {
    use std::io::Write as _;
    let refused = |why: String| {
        // The name differs from run to run.
        let words: Vec<&str> = args
            .iter()
            .copied()
            .filter(|word| !word.starts_with(PREFIX))
            .collect();
        NetworkError::Refused(words.join(" "), why)
    };
    let failed = |error: io::Error| refused(error.to_string());
    let mut child = Command::new(ip)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended already has said why.
        let _ = stdin.write_all(commands.as_bytes());
    }
    let done = child.wait_with_output().map_err(failed)?;
    let said = String::from_utf8_lossy(&done.stderr);
    match done.status.success() {
        true => Ok(()),
        false => Err(refused(
            said.lines().next().unwrap_or("no reason given").to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_who_made_them() {
        assert_eq!(maker("clawgauge-4711-0badcafe-proxy"), Some("4711"));
        assert_eq!(maker("clawgauge-mine"), None);
        assert_eq!(maker("clawgauge--x"), None);
        assert_eq!(maker("other-4711"), None);
    }
}
