//! What the environment says: the rules' paths and ports, where it says nothing.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use barewire::tls::Certificates;

/// Where things are, and where to listen.
pub(crate) struct Settings {
    pub(crate) dataset: PathBuf,
    pub(crate) files: PathBuf,
    /// HTTP/1.1, WebSockets, and HTTP/2 for gRPC, without TLS.
    pub(crate) plain: String,
    /// TLS: HTTP/2, and HTTP/1.1 for clients that do not choose it.
    pub(crate) http2: String,
    /// TLS: HTTP/1.1 alone.
    pub(crate) http1: String,
    /// HTTP/2 alone, without TLS.
    pub(crate) http2_cleartext: String,
    certificate: String,
    key: String,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// If a port is not a number.
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let data = variable("DATA_DIR", "/data");
        Ok(Self {
            dataset: Path::new(&data).join("dataset.json"),
            files: Path::new(&data).join("static"),
            plain: address("PORT", "8080")?,
            http2: address("H2PORT", "8443")?,
            http1: address("H1TLS_PORT", "8081")?,
            http2_cleartext: address("H2C_PORT", "8082")?,
            certificate: variable("TLS_CERT", "/certs/server.crt"),
            key: variable("TLS_KEY", "/certs/server.key"),
        })
    }

    /// The certificate that the arena mounts.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub(crate) fn certificates(&self) -> Result<Certificates, Box<dyn Error>> {
        let Self {
            certificate, key, ..
        } = self;
        Certificates::read(certificate, key)
            .map_err(|error| format!("{certificate} and {key}: {error}").into())
    }
}

fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.into())
}

fn address(name: &str, default: &str) -> Result<String, Box<dyn Error>> {
    let port = variable(name, default);
    let port: u16 = port
        .parse()
        .map_err(|_| format!("{name}={port}: not a port"))?;
    Ok(format!("{}:{port}", variable("HOST", "0.0.0.0")))
}
