//! TLS as every row has it: TLS 1.3 by ring, X25519 alone, AES-128-GCM, a P-256
//! key, two tickets. What is resumed is never measured.

use std::io::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};

/// Files of a certificate for `localhost` and of its key, both PEM.
#[derive(Debug, Clone)]
pub struct Files {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// What a server is to use, if it is to speak TLS: the fourth argument is the
/// directory.
pub fn files() -> Option<Files> {
    let directory = PathBuf::from(std::env::args_os().nth(4)?);
    Some(Files {
        chain: directory.join("chain.pem"),
        key: directory.join("key.pem"),
    })
}

/// ring with one key exchange.
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![ring::kx_group::X25519],
        ..ring::default_provider()
    }
}

/// The server's side, if the fourth argument asks for it, for a protocol by its name
/// of ALPN.
///
/// # Errors
/// Those of the files, and what rustls says of what is in them.
pub fn server(protocol: &str) -> Result<Option<Arc<ServerConfig>>> {
    let Some(files) = files() else {
        return Ok(None);
    };
    let chain = CertificateDer::pem_file_iter(&files.chain).map_err(Error::other)?;
    let chain = chain.collect::<core::result::Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(Error::other)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain.map_err(Error::other)?, key)
        .map_err(Error::other)?;
    config.alpn_protocols = vec![protocol.into()];
    config.ticketer = ring::Ticketer::new().map_err(Error::other)?;
    config.send_tls13_tickets = 2;
    Ok(Some(Arc::new(config)))
}

/// The load generator's side, for a server whose certificate is in the file, and that
/// shall speak a protocol by its name of ALPN.
///
/// # Errors
/// Those of the file, and what rustls says of what is in it.
pub fn client(chain: &str, protocol: &str) -> Result<Arc<ClientConfig>> {
    let mut provider = provider();
    provider.cipher_suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(chain).map_err(Error::other)?;
    roots.add(certificate).map_err(Error::other)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
