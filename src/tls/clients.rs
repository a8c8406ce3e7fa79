//! The clients that a server lets in by their certificates.

use alloc::format;
use alloc::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::error::Error;
use super::revocation::Crls;
use super::roots::Roots;

/// Certificates that a server asks its clients for.
///
/// One that leads to none of the roots ends the handshake, and so does one that a list
/// revokes. What a client has shown stands in
/// [`Info::peer_certificates`](super::Info::peer_certificates): the server knows then who
/// it is, and what it may do is the application's to say.
///
/// ```no_run
/// use barewire::tls::{Certificates, ClientCertificates, Crls, Roots, ServerOptions};
///
/// # fn main() -> Result<(), barewire::tls::Error> {
/// let clients = ClientCertificates::demanded(Roots::read("client-ca.pem")?)
///     .crls(Crls::read("client-ca.crl.pem")?);
/// let options = ServerOptions::new(Certificates::read("chain.pem", "key.pem")?)
///     .client_certificates(clients);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ClientCertificates {
    roots: Roots,
    crls: Option<Crls>,
    is_demanded: bool,
}

impl ClientCertificates {
    /// Each client must show a certificate that leads to one of the roots.
    pub const fn demanded(roots: Roots) -> Self {
        Self {
            roots,
            crls: None,
            is_demanded: true,
        }
    }

    /// A client may show one, or none.
    pub const fn optional(roots: Roots) -> Self {
        Self {
            roots,
            crls: None,
            is_demanded: false,
        }
    }

    /// Refuses what these lists revoke, and what none of them speaks of. Without lists
    /// nothing is known of revocations.
    #[must_use]
    pub fn crls(mut self, crls: Crls) -> Self {
        self.crls = Some(crls);
        self
    }

    pub(super) fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, Error> {
        let roots = self.roots.get();
        let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
        if let Some(crls) = &self.crls {
            verifier = verifier
                .with_crls(crls.get())
                .enforce_revocation_expiration();
        }
        if !self.is_demanded {
            verifier = verifier.allow_unauthenticated();
        }
        let built = verifier.build();
        built.map_err(|error| Error::Config(format!("client certificates: {error}")))
    }
}
