//! Where the gateway is: `http://HOST:PORT` or `https://HOST`, only loopback unless the operator says that it is theirs, and
//! connected to is exactly what was resolved.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Port of OpenClaw where the URL names none.
const PORT: u16 = 18789;
/// That of a proxy that speaks https.
const HTTPS_PORT: u16 = 443;
/// How long one of several addresses may take to accept a connection.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// A URL as the operator gave it, not resolved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    /// Whether TLS is spoken.
    https: bool,
}

/// An address that was resolved and may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The URL as reports name it.
    pub reference: String,
    /// What is connected to, and nothing else.
    pub socket: SocketAddr,
    /// The `Host` to send.
    pub host: String,
    /// The name that the certificate must be good for, if TLS is spoken.
    pub certified: Option<String>,
    /// Whether it is on this machine.
    pub loopback: bool,
}

/// An address that cannot or must not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL of this form.
    #[error("not a gateway's address: {0}; write http://HOST:PORT, or https://HOST")]
    Form(&'static str),
    /// The name does not resolve.
    #[error("{0} cannot be resolved: {1}")]
    Unresolved(String, String),
    /// Not on this machine.
    #[error("{0} is {1}, which is not loopback, so it may be somebody else's")]
    NotLoopback(String, IpAddr),
}

impl FromStr for Endpoint {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let form = |why| Err(AddressError::Form(why));
        // Never repeat what was typed: a secret may be in it.
        let (rest, https) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => return form("it begins with neither http:// nor https://"),
        };
        if rest.contains('@') {
            return form("no credentials in it, since others see a command line");
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return form("no path, query or fragment");
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => {
                let digits = port.bytes().all(|byte| byte.is_ascii_digit());
                match port.parse() {
                    Ok(port) if port > 0 && digits => (host, port),
                    Ok(_) | Err(_) => return form("the port is not a number from 1 to 65535"),
                }
            }
            Some(_) | None => (rest, if https { HTTPS_PORT } else { PORT }),
        };
        let name = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').unwrap_or_default(),
            None if host.contains(':') => return form("an IPv6 address needs brackets"),
            None => host,
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._:".contains(letter);
        if name.is_empty() || !name.chars().all(plain) {
            return form("the host name is not valid");
        }
        Ok(Self {
            host: name.to_owned(),
            port,
            https,
        })
    }
}

impl Endpoint {
    /// `host:port`, an IPv6 address in brackets; without the port that https has anyway.
    fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.https && self.port == HTTPS_PORT {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }

    /// The URL as reports name it.
    pub fn reference(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// Everything that the name stands for.
    ///
    /// # Errors
    /// The name does not resolve.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>, AddressError> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        match found.map(Iterator::collect::<Vec<_>>) {
            Ok(all) if !all.is_empty() => Ok(all),
            Ok(_) => Err(AddressError::Unresolved(
                self.reference(),
                "no address".to_owned(),
            )),
            Err(error) => Err(AddressError::Unresolved(
                self.reference(),
                error.to_string(),
            )),
        }
    }

    /// Which of the addresses may be asked, in order. A name that stands for this machine and for others stands for
    /// this machine, unless the operator says that the gateway is theirs.
    ///
    /// # Errors
    /// None of them is on this machine, and nobody said that it is theirs.
    pub fn admit(&self, all: &[SocketAddr], own: bool) -> Result<Vec<Address>, AddressError> {
        let local = |address: &&SocketAddr| address.ip().to_canonical().is_loopback();
        let mut admitted: Vec<&SocketAddr> = all.iter().filter(local).collect();
        if own && admitted.is_empty() {
            admitted = all.iter().collect();
        }
        match (admitted.is_empty(), all.first()) {
            (true, Some(first)) => Err(AddressError::NotLoopback(self.reference(), first.ip())),
            (true, None) => Err(AddressError::Form("unknown host")),
            (false, _) => Ok(admitted
                .into_iter()
                .map(|socket| Address {
                    reference: self.reference(),
                    socket: *socket,
                    host: self.authority(),
                    certified: self.https.then(|| self.host.clone()),
                    loopback: local(&socket),
                })
                .collect()),
        }
    }
}

impl Address {
    /// The first of several that takes connections, or the first.
    pub async fn first_open(candidates: Vec<Self>) -> Option<Self> {
        if candidates.len() > 1 {
            for candidate in &candidates {
                let connect = tokio::net::TcpStream::connect(candidate.socket);
                if let Ok(Ok(_)) = tokio::time::timeout(PATIENCE, connect).await {
                    return Some(candidate.clone());
                }
            }
        }
        candidates.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("http://127.0.0.1:19001", Some("http://127.0.0.1:19001"))]
    #[case("http://localhost/", Some("http://localhost:18789"))]
    #[case("http://[::1]:8080", Some("http://[::1]:8080"))]
    #[case("http://[::1]", Some("http://[::1]:18789"))]
    #[case("https://127.0.0.1:1", Some("https://127.0.0.1:1"))]
    #[case("https://localhost/", Some("https://localhost"))]
    #[case("https://[::1]:443", Some("https://[::1]"))]
    #[case("ftp://127.0.0.1:1", None)]
    #[case("127.0.0.1:1", None)]
    #[case("http://user:hunter2@127.0.0.1:1", None)]
    #[case("http://127.0.0.1:1/?token=hunter2", None)]
    #[case("http://127.0.0.1:1/v1", None)]
    #[case("http://127.0.0.1:+1", None)]
    #[case("http://127.0.0.1:0", None)]
    #[case("http://::1:80", None)]
    #[case("http://a\r\nb:80", None)]
    #[case("http://", None)]
    fn urls(#[case] text: &str, #[case] reference: Option<&str>) {
        let parsed: Result<Endpoint, AddressError> = text.parse();
        if let Err(error) = &parsed {
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let got = parsed.ok().map(|endpoint| endpoint.reference());
        assert_eq!(got.as_deref(), reference);
    }

    #[rstest]
    #[case::local(&["127.0.0.1:1"], false, &["127.0.0.1:1"])]
    #[case::mapped(&["[::ffff:127.0.0.1]:1"], false, &["[::ffff:127.0.0.1]:1"])]
    #[case::remote(&["192.0.2.1:1"], false, &[])]
    #[case::unspecified(&["0.0.0.0:1"], false, &[])]
    #[case::own(&["192.0.2.1:1"], true, &["192.0.2.1:1"])]
    #[case::both(&["192.0.2.1:1", "127.0.0.1:1"], false, &["127.0.0.1:1"])]
    #[case::both_own(&["192.0.2.1:1", "127.0.0.1:1"], true, &["127.0.0.1:1"])]
    fn who_may_be_asked(#[case] all: &[&str], #[case] own: bool, #[case] asked: &[&str]) {
        let endpoint: Endpoint = "http://name:1".parse().unwrap();
        let all: Vec<SocketAddr> = all.iter().map(|text| text.parse().unwrap()).collect();
        let admitted = endpoint.admit(&all, own).unwrap_or_default();
        let got: Vec<String> = admitted
            .iter()
            .map(|address| address.socket.to_string())
            .collect();
        assert_eq!(got, asked);
    }
}
