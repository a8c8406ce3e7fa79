//! The client's side: what it is made with.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::sign::CertifiedKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{ClientConfig, SignatureScheme, SupportedProtocolVersion, version};
use webpki::EndEntityCert;

use super::certificates::Certificates;
use super::dialled::{Dialled, Peer};
use super::error::Error;
use super::info::Version;
use super::provider::Provider;
use super::revocation::Crls;
use super::roots::Roots;
use super::verify::{Watching, distinguished_name};
use crate::net::{Transport, TransportMaker};
use crate::wire::builder;
use crate::wire::partly_shown;

/// How a client speaks TLS.
///
/// ```
/// use barewire::tls::{Client, ClientOptions, Roots};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let made = rcgen::generate_simple_self_signed(["a".to_string()])?;
/// # let pem = made.cert.pem();
/// let options = ClientOptions::new().root_certs(Roots::from_pem(pem.as_bytes())?);
/// let tls = Client::new(options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientOptions {
    roots: Option<Roots>,
    certificates: Option<Certificates>,
    crls: Crls,
    provider: Provider,
    least: Version,
    time: Arc<dyn TimeProvider>,
    sessions: usize,
    verifier: Option<Arc<dyn ServerCertVerifier>>,
}

impl ClientOptions {
    /// TLS 1.2 and 1.3, the roots of the system, no certificate of one's own, and 256
    /// sessions to resume.
    pub fn new() -> Self {
        Self {
            roots: None,
            certificates: None,
            crls: Crls::default(),
            provider: Provider::ring(),
            least: Version::Tls12,
            time: Arc::new(DefaultTimeProvider),
            sessions: 256,
            verifier: None,
        }
    }

    builder! {
        /// Trusts these and no others: [`Roots::system`] are not among them unless they
        /// were [put there](Roots::and).
        #[doc(alias = "add_root_certificate")]
        #[doc(alias = "ca")]
        fn root_certs(roots: Roots) => roots = Some(roots);

        /// Shows a certificate to servers that ask for one. Of several, the server gets
        /// one whose issuer it has named, if there is such a one, or else the first that it
        /// can verify.
        #[doc(alias = "identity")]
        fn client_cert(certificates: Certificates) => certificates = Some(certificates);

        /// Has certificates refused that these lists revoke, or that none of them covers.
        #[doc(alias = "add_crls")]
        fn crls(lists: Crls) => crls = lists;

        /// Uses other cryptography than ring's.
        fn provider(provider: Provider) => provider = provider;

        /// Speaks no older version than this. By default that is TLS 1.2.
        #[doc(alias = "min_tls_version")]
        const fn least_version(least: Version) => least = least;

        /// Takes the time for certificates and sessions from here, instead of the system's
        /// clock.
        fn time_provider(time: Arc<dyn TimeProvider>) => time = time;

        /// How many sessions are kept to be resumed, all servers together, eight of one
        /// server at most; with 0, every connection begins anew. Those of the server that
        /// has waited longest give way. All clones of a [`Client`] share them.
        ///
        /// A session is as large as its server makes it: some hundred bytes, and the
        /// server's certificates, 64 KiB at most.
        const fn sessions(most: usize) => sessions = most;

        /// Has certificates verified by this instead: the system's own verifier, for
        /// example (of the crate `rustls-platform-verifier`), or one that knows a
        /// certificate by its digest. [`root_certs`](Self::root_certs) and
        /// [`crls`](Self::crls) do nothing then. It must not block: it runs on the loop.
        fn verifier(verifier: Arc<dyn ServerCertVerifier>) => verifier = Some(verifier);
    }

    fn build(self) -> Result<ClientConfig, Error> {
        let provider = self.provider.get();
        let versions: &[&SupportedProtocolVersion] = match self.least {
            Version::Tls12 => rustls::DEFAULT_VERSIONS,
            Version::Tls13 => &[&version::TLS13],
        };
        let config = |error: &dyn fmt::Display| Error::Config(format!("{error}"));
        let verifier: Arc<dyn ServerCertVerifier> = match self.verifier {
            Some(verifier) => verifier,
            None => {
                let roots = match self.roots {
                    Some(roots) => roots,
                    None => Roots::system()?,
                };
                let of = WebPkiServerVerifier::builder_with_provider;
                of(roots.get(), provider.clone())
                    .with_crls(self.crls.get())
                    .enforce_revocation_expiration()
                    .build()
                    .map_err(|error| config(&error))?
            }
        };
        let keys = match &self.certificates {
            Some(certificates) => certificates.keys(&provider)?,
            None => Vec::new(),
        };
        let mut built = ClientConfig::builder_with_details(provider, self.time)
            .with_protocol_versions(versions)
            .map_err(|error| config(&error))?
            .dangerous() // as any other than rustls's own verifier is called
            .with_custom_certificate_verifier(Arc::new(Watching(verifier)))
            .with_client_cert_resolver(Arc::new(Own(keys)));
        built.resumption = match self.sessions {
            0 => Resumption::disabled(),
            most => Resumption::in_memory_sessions(most),
        };
        Ok(built)
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self::new()
    }
}

partly_shown!(it: ClientOptions { roots, client_cert: it.certificates, crls, least_version: it.least, sessions });

/// TLS for connections to servers. Clones are one and the same: they share what they
/// remember of servers, so that a further connection to one costs less.
///
/// Data is never sent before a handshake is over (no early data).
///
/// A [`Channel`](crate::client::Channel) takes it with
/// [`GrpcChannelOptions::tls`](crate::client::GrpcChannelOptions::tls). On a loop of
/// one's own:
///
/// ```no_run
/// use barewire::net::{Context, Profile, Speaks};
/// use barewire::tls::Client;
///
/// # fn main() {}
/// fn call(
///     tls: &Client,
///     profile: Profile,
///     context: &mut Context<'_>,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let over = tls.transport("example.org", &["h2"])?;
///     context.dial_over("example.org:443".parse()?, &over, Speaks::Http2, profile, 0);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Client(Arc<ClientConfig>);

impl Client {
    /// Makes the client's side.
    ///
    /// # Errors
    /// [`Error`] for roots, lists and certificates that cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        options.build().map(|it| Self(Arc::new(it)))
    }

    /// A maker of transports for
    /// [`Context::dial_over`](crate::net::Context::dial_over), to dial a server of this
    /// name, which may be an address: its certificate has to be for it. It is offered
    /// these protocols (ALPN), such as `h2` and `http/1.1`, the preferred one first. If
    /// it chooses none, that is HTTP/1.1 where that was offered, and ends the
    /// connection otherwise. Offering nothing leaves to the dial what is spoken.
    /// Requests over HTTP/2 say `https` in their target
    /// ([`Target::Absolute`](crate::http::Target::Absolute)): some servers insist on
    /// it.
    ///
    /// # Errors
    /// [`Error::Config`] for a name that is none.
    pub fn transport(&self, server: &str, protocols: &[&str]) -> Result<TransportMaker, Error> {
        let (this, peer) = (self.clone(), Peer::new(server, protocols)?);
        Ok(TransportMaker::new(move || this.begin(peer.clone())))
    }

    /// One such connection without I/O: what
    /// [`Connection::over`](crate::client::Connection::over) takes.
    ///
    /// ```no_run
    /// use barewire::client::Connection;
    /// use barewire::link::Limits;
    /// use barewire::tls::{Client, ClientOptions};
    /// use barewire::wire::Instant;
    ///
    /// # fn main() -> Result<(), barewire::tls::Error> {
    /// let tls = Client::new(ClientOptions::new())?;
    /// let session = tls.session("example.org", &["h2"])?;
    /// let mut connection = Connection::over(session, Limits::DEFAULT, Instant::START);
    /// let hello = connection.output(); // to be written to the socket
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`transport`](Self::transport).
    pub fn session(
        &self,
        server: &str,
        protocols: &[&str],
    ) -> Result<Box<dyn Transport + Send>, Error> {
        Ok(self.begin(Peer::new(server, protocols)?))
    }

    fn begin(&self, peer: Peer) -> Box<dyn Transport + Send> {
        Box::new(Dialled::new(self.0.clone(), peer))
    }
}

/// Clones are equal, and two that were made by themselves are not: they may trust others,
/// and show other certificates.
impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Client {}

impl Hash for Client {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl TryFrom<ClientOptions> for Client {
    type Error = Error;

    fn try_from(options: ClientOptions) -> Result<Self, Error> {
        Self::new(options)
    }
}

#[derive(Debug)]
struct Own(Vec<Arc<CertifiedKey>>);

impl ResolvesClientCert for Own {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let signs = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(schemes).is_some();
        let is_asked = |key: &&Arc<CertifiedKey>| {
            let chain = key.cert.iter().map(EndEntityCert::try_from);
            chain.flatten().any(|own| {
                let own = Some(own.issuer());
                issuers.iter().any(|it| distinguished_name(it) == own)
            })
        };
        let asked = self.0.iter().filter(signs).find(is_asked);
        asked.or_else(|| self.0.iter().find(signs)).cloned()
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}
