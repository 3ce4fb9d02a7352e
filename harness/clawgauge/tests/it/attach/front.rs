//! A gateway behind an access proxy that speaks https: it lets nobody pass who does not show a header of its own.

use std::path::Path;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// What the proxy wants of every request.
const WANTED: &str = "CF-Access-Client-Secret: 5f0dP-an-Access-Proxys-own-Secret";

/// The proxy: where it listens, and the root of its certificate.
struct Front {
    port: u16,
    root: String,
}

impl Front {
    /// For this name, before a gateway.
    fn before(gateway: &Operator, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::Pkcs8(key));
        let config = Arc::new(config.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self {
            port: listener.local_addr().unwrap().port(),
            root: made.cert.pem(),
        };
        let behind = gateway.port;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                std::thread::spawn(move || pass(stream, config, behind));
            }
        });
        front
    }
}

/// Passes one request on without the proxy's own header, or sends its caller to a login.
fn pass(stream: TcpStream, config: Arc<ServerConfig>, behind: u16) -> Option<()> {
    let mut tls = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    let text = loop {
        let count = tls.read(&mut piece).ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let line = line.to_ascii_lowercase();
            line.strip_prefix("content-length: ")?.parse().ok()
        });
        if body.len() >= length.unwrap_or(0) {
            break text;
        }
    };
    let mut answer = Vec::new();
    match text.contains(WANTED) {
        true => {
            let mut gateway = TcpStream::connect(("127.0.0.1", behind)).ok()?;
            let text = text.replacen(&format!("{WANTED}\r\n"), "", 1);
            gateway.write_all(text.as_bytes()).ok()?;
            gateway.read_to_end(&mut answer).ok()?;
        }
        false => answer.extend_from_slice(
            b"HTTP/1.1 302 Found\r\nLocation: https://login.invalid/\r\nContent-Length: 0\r\n\r\n",
        ),
    }
    tls.write_all(&answer).ok()?;
    // As many servers do, it says nothing of the end in TLS.
    Some(())
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_gateway_behind_an_access_proxy() {
    let gateway = closed(&[]);
    let front = Front::before(&gateway, "localhost");
    let url = format!("https://localhost:{}", front.port);
    let folder = tempfile::tempdir().unwrap();
    let root = file(folder.path(), "root.pem", &front.root);
    let headers = file(folder.path(), "headers", &format!("{WANTED}\n"));
    let flags = ["--ca-file", &root, "--headers-file", &headers];
    let got = attach(&url, Some(TOKEN), &flags);
    got.ends(0);
    got.says(&url);
    got.says("no known issue shows");
    assert!(got.counts("conforms") > 80, "{}", got.text);
    // Neither terminal nor report nor log tells it.
    for entry in std::fs::read_dir(got.sandbox.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if let Ok(text) = std::fs::read_to_string(&path) {
            assert!(!text.contains("Proxys-own"), "{}", path.display());
        }
    }
    assert!(!got.text.contains("Proxys-own"), "{}", got.text);
}

#[test]
fn without_its_header_it_is_no_gateway() {
    let gateway = closed(&[]);
    let front = Front::before(&gateway, "localhost");
    let folder = tempfile::tempdir().unwrap();
    let root = file(folder.path(), "root.pem", &front.root);
    let url = format!("https://localhost:{}", front.port);
    let got = attach(&url, Some(TOKEN), &["--ca-file", &root]);
    got.ends(3);
    got.says("is not an OpenClaw gateway");
    got.says("--headers-file");
}

/// What TLS does not vouch for is not asked.
#[rstest]
#[case::unknown_root("localhost", false, "--ca-file FILE")]
#[case::another_name("gateway.example", true, "not valid for name")]
fn a_certificate_that_does_not_do(#[case] name: &str, #[case] root: bool, #[case] words: &str) {
    let gateway = closed(&[]);
    let front = Front::before(&gateway, name);
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "root.pem", &front.root);
    let url = format!("https://localhost:{}", front.port);
    let flags: &[&str] = if root { &["--ca-file", &path] } else { &[] };
    let got = attach(&url, Some(TOKEN), flags);
    got.ends(if root { 3 } else { got.code.unwrap() });
    got.says(words);
    assert_eq!(got.counts("conforms"), 0);
}

/// Whose own header is that by which the gateway's credential is shown cannot be asked with one.
#[rstest]
#[case::two_of_authorization(
    "Authorization: Basic eDp5",
    true,
    "the headers file holds Authorization"
)]
#[case::no_header("nonsense", false, "does not hold header lines")]
fn headers_that_do_not_do(#[case] line: &str, #[case] secret: bool, #[case] words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let headers = file(folder.path(), "headers", line);
    let secret = secret.then_some(TOKEN);
    let got = attach("http://127.0.0.1:1", secret, &["--headers-file", &headers]);
    got.ends(2);
    got.says(words);
}

/// Without a credential of the gateway's, cells that send such a header are left out.
#[test]
fn cells_that_send_the_proxys_header_are_left_out() {
    let gateway = open(&[]);
    let folder = tempfile::tempdir().unwrap();
    let headers = file(folder.path(), "headers", "Authorization: Basic eDp5\n");
    let got = attach(&gateway.url(), None, &["--headers-file", &headers]);
    got.ends(0);
    got.says("it sends Authorization, which your --headers-file holds");
}

#[rstest]
#[case::missing("/nothing/root.pem", "/nothing/root.pem")]
#[case::none("", "no certificate in PEM form is in it")]
fn roots_that_do_not_do(#[case] text: &str, #[case] words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = match text {
        "" => file(folder.path(), "root.pem", ""),
        path => path.to_owned(),
    };
    let got = attach("https://127.0.0.1:1", None, &["--ca-file", &path]);
    got.ends(2);
    got.says(words);
}
