//! TLS to a gateway behind a proxy that speaks https: the certificate must be good for the name, by the system's roots or by given
//! ones.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How the server's certificate is checked, and for which name.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The name is none that a certificate can have.
    #[error("{0} is no name for a certificate")]
    Name(String),
    /// The file of roots cannot be read.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system has no roots.
    #[error("this machine has no root certificates{0}")]
    NoRoots(String),
    /// The cryptography refuses its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl Tls {
    /// For a host name or an address; `roots` is a PEM file of the only certificates that are trusted.
    ///
    /// # Errors
    /// There are no roots, or no certificate can have the name.
    pub fn new(host: &str, roots: Option<&Path>) -> Result<Self, TlsError> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| TlsError::Name(host.to_owned()))?;
        let roots = match roots {
            Some(path) => given(path)?,
            None => of_the_system()?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            connector: Arc::new(config).into(),
            name,
        })
    }

    /// Shakes hands.
    pub(super) async fn over(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.name).finish()
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.connector.config(), other.connector.config()) && self.name == other.name
    }
}

impl Eq for Tls {}

fn given(path: &Path) -> Result<RootCertStore, TlsError> {
    let failed = |why: String| TlsError::File {
        path: path.to_path_buf(),
        why,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path);
    for certificate in certificates.map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|error| failed(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(failed("no certificate in PEM form is in it".to_owned())),
        false => Ok(roots),
    }
}

fn of_the_system() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    match (roots.is_empty(), found.errors.first()) {
        (true, Some(error)) => Err(TlsError::NoRoots(format!(": {error}"))),
        (true, None) => Err(TlsError::NoRoots(String::new())),
        (false, _) => Ok(roots),
    }
}
