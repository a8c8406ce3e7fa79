//! The server's side: what it is made with, and how that is replaced.

use alloc::sync::Arc;
use core::fmt;
use std::sync::{PoisonError, RwLock};

use rustls::server::NoServerSessionStorage;
use rustls::server::ProducesTickets;
use rustls::{ServerConfig, crypto::ring};

use super::certificates::Certificates;
use super::error::Error;
use super::names::{Chooser, UnknownName};
use super::plain::PlainHttp;
use super::provider::Provider;
use super::transport::{H2, HTTP_1_0, HTTP_1_1, Secure};
use crate::net::TransportMaker;

/// Tickets that a client is given behind a handshake of TLS 1.3: it uses each once.
const TICKETS: usize = 2;

/// How a server speaks TLS. [`Certificates`] alone become one with the defaults.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    certificates: Certificates,
    provider: Provider,
    unknown_name: UnknownName,
    checks_authority: bool,
    plain_http: PlainHttp,
}

impl ServerOptions {
    /// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, without client certificates.
    pub fn new(certificates: Certificates) -> Self {
        Self {
            certificates,
            provider: Provider::ring(),
            unknown_name: UnknownName::Default,
            checks_authority: true,
            plain_http: PlainHttp::Refuse,
        }
    }

    /// Uses other cryptography than ring's.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// What clients get that ask for a name that no certificate is for.
    #[must_use]
    pub const fn unknown_name(mut self, choice: UnknownName) -> Self {
        self.unknown_name = choice;
        self
    }

    /// Whether requests are refused with 421 whose authority is neither the name that
    /// the client has asked for with SNI, nor one that the connection's certificate is
    /// for (RFC 9110 §15.5.20). By default they are. A server behind a proxy that does not
    /// pass the name on, and says what clients have asked for in `Host`, turns it off.
    #[must_use]
    pub const fn check_authority(mut self, check: bool) -> Self {
        self.checks_authority = check;
        self
    }

    /// What requests get that come without TLS.
    #[must_use]
    pub const fn plain_http(mut self, choice: PlainHttp) -> Self {
        self.plain_http = choice;
        self
    }

    fn build(&self, tickets: Arc<dyn ProducesTickets>) -> Result<Arc<ServerConfig>, Error> {
        let provider = self.provider.get();
        let keys = self.certificates.keys(&provider)?;
        let config = |error| Error::Config(alloc::format!("{error}"));
        let mut built = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .map_err(config)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Chooser::new(
                keys,
                self.unknown_name,
                self.checks_authority,
            )));
        built.alpn_protocols = [H2, HTTP_1_1, HTTP_1_0].map(Into::into).into();
        built.session_storage = Arc::new(NoServerSessionStorage {});
        built.ticketer = tickets;
        built.send_tls13_tickets = TICKETS;
        Ok(Arc::new(built))
    }
}

/// TLS for the listeners of an [`App`](crate::app::App): what their connections begin
/// with. Clones are one and the same; all loops share it.
///
/// ```no_run
/// use barewire::app::App;
/// use barewire::tls::{Certificates, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tls = Server::try_from(Certificates::read("chain.pem", "key.pem")?)?;
/// let app = App::new().get("/", |_request, reply| reply.text("hello"));
/// let server = app.listen_tls("[::]:443", tls.clone())?.spawn()?;
/// // Later, when there are new ones:
/// tls.reload(Certificates::read("chain.pem", "key.pem")?)?;
/// # server.join()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Server(Arc<Shared>);

struct Shared {
    current: RwLock<Current>,
}

struct Current {
    options: ServerOptions,
    config: Arc<ServerConfig>,
}

impl Server {
    /// Makes the server's side.
    ///
    /// # Errors
    /// [`Error`] for keys that cannot be used, or that belong to other certificates.
    pub fn new(options: ServerOptions) -> Result<Self, Error> {
        let tickets = ring::Ticketer::new();
        let tickets = tickets.map_err(|error| Error::Config(alloc::format!("{error}")))?;
        let config = options.build(tickets)?;
        Ok(Self(Arc::new(Shared {
            current: RwLock::new(Current { options, config }),
        })))
    }

    /// Gives connections that begin from now on other certificates. Those that are open
    /// keep theirs, and what they have agreed on.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); nothing has changed then.
    pub fn reload(&self, certificates: Certificates) -> Result<(), Error> {
        let (mut options, tickets) = {
            let current = self.current();
            (current.options.clone(), current.config.ticketer.clone())
        };
        options.certificates = certificates;
        let config = options.build(tickets)?;
        let current = self.0.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Current { options, config };
        Ok(())
    }

    fn current(&self) -> std::sync::RwLockReadGuard<'_, Current> {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner)
    }

    /// What makes the transport of each connection.
    pub(crate) fn maker(&self) -> TransportMaker {
        let this = self.clone();
        TransportMaker::new(move || {
            let current = this.current();
            Secure::server(current.config.clone(), current.options.plain_http)
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("options", &self.current().options)
            .finish()
    }
}

impl TryFrom<Certificates> for Server {
    type Error = Error;

    fn try_from(certificates: Certificates) -> Result<Self, Error> {
        Self::new(ServerOptions::new(certificates))
    }
}

impl TryFrom<ServerOptions> for Server {
    type Error = Error;

    fn try_from(options: ServerOptions) -> Result<Self, Error> {
        Self::new(options)
    }
}
