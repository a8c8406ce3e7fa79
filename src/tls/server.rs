//! The server's side: what it is made with, and how that is replaced.

use alloc::sync::Arc;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::TLS13;

use super::certificates::Certificates;
use super::clients::ClientCertificates;
use super::error::Error;
use super::info::{H2, HTTP_1_1, Version};
use super::names::{Chooser, UnknownName};
use super::plain::PlainHttp;
use super::provider::Provider;
use super::sessions::Sessions;
use super::transport::{HTTP_1_0, Secure};
use crate::net::TransportMaker;
use crate::wire::builder;

/// Tickets that a client is given after a handshake of TLS 1.3: it uses each once.
const TICKETS: usize = 2;
/// Sessions that are kept for clients without tickets.
const SESSIONS: usize = 1024;

/// How a server speaks TLS. [`Certificates`] alone become one with the defaults.
///
/// Data that comes in front of the handshake's end ("early data", 0-RTT) is never
/// accepted: it can be replayed.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    certificates: Certificates,
    clients: Option<ClientCertificates>,
    provider: Provider,
    least: Version,
    speaks_http2: bool,
    resumes: bool,
    sessions: usize,
    unknown_name: UnknownName,
    checks_authority: bool,
    plain_http: PlainHttp,
    time: Arc<dyn TimeProvider>,
}

impl ServerOptions {
    /// TLS 1.2 and 1.3 with ring, HTTP/2 and HTTP/1.1, tickets, and no client
    /// certificates.
    pub fn new(certificates: Certificates) -> Self {
        Self {
            certificates,
            clients: None,
            provider: Provider::ring(),
            least: Version::Tls12,
            speaks_http2: true,
            resumes: true,
            sessions: SESSIONS,
            unknown_name: UnknownName::Default,
            checks_authority: true,
            plain_http: PlainHttp::Refuse,
            time: Arc::new(DefaultTimeProvider),
        }
    }

    builder! {
        /// Asks clients for certificates.
        fn client_certificates(clients: ClientCertificates) => clients = Some(clients);

        /// Speaks no older version than this. By default that is TLS 1.2.
        const fn least_version(least: Version) => least = least;

        /// Whether clients may choose HTTP/2. By default they may.
        const fn http2(speaks: bool) => speaks_http2 = speaks;

        /// Whether clients get tickets, with which they go on later without certificates and
        /// a signature: on any loop, for up to 12 hours, under keys that change every six.
        /// By default they do. If not, they go on with nothing: no
        /// [`sessions`](Self::sessions) are kept either.
        const fn tickets(resumes: bool) => resumes = resumes;

        /// How many sessions of TLS 1.2 are kept here for clients that take no tickets: for
        /// up to 12 hours, on all loops, and the oldest makes room for a further one. By
        /// default 1,024, of some 300 bytes each, and up to 8 KiB where clients show
        /// certificates.
        const fn sessions(count: usize) => sessions = count;

        /// Takes the time for certificates and tickets from here, instead of the system's
        /// clock.
        fn time_provider(time: Arc<dyn TimeProvider>) => time = time;

        /// Uses other cryptography than ring's.
        fn provider(provider: Provider) => provider = provider;

        /// Sets the answer to clients that ask for a name that no certificate is for.
        const fn unknown_name(choice: UnknownName) => unknown_name = choice;

        /// Whether requests are refused with 421 whose authority is neither the name that
        /// the client has asked for with SNI, nor one that the connection's certificate is
        /// for (RFC 9110 §15.5.20). By default they are. A server behind a proxy that does not
        /// pass the name on, and says what clients have asked for in `Host`, turns it off.
        const fn check_authority(check: bool) => checks_authority = check;

        /// Sets the answer to requests that come without TLS.
        const fn plain_http(choice: PlainHttp) => plain_http = choice;
    }

    /// The configuration in rustls' type. Tickets and sessions of `before` stay valid, unless
    /// fresh ones are wanted.
    fn build(&self, before: Option<&ServerConfig>) -> Result<Arc<ServerConfig>, Error> {
        let provider = self.provider.get();
        let keys = self.certificates.keys(&provider)?;
        let clients = match &self.clients {
            Some(clients) => clients.verifier(provider.clone())?,
            None => WebPkiClientVerifier::no_client_auth(),
        };
        let versions = match self.least {
            Version::Tls12 => rustls::ALL_VERSIONS,
            Version::Tls13 => &[&TLS13],
        };
        let choice = Chooser::new(keys, self.unknown_name, self.checks_authority);
        let mut built = ServerConfig::builder_with_details(provider, self.time.clone())
            .with_protocol_versions(versions)
            .map_err(refused)?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::new(choice));
        if self.speaks_http2 {
            built.alpn_protocols.push(H2.into());
        }
        built
            .alpn_protocols
            .extend([HTTP_1_1, HTTP_1_0].map(Into::into));
        built.send_tls13_tickets = if self.resumes { TICKETS } else { 0 };
        built.session_storage = Arc::new(NoServerSessionStorage {});
        match before.filter(|_| self.resumes) {
            Some(before) => {
                built.ticketer = before.ticketer.clone();
                built.session_storage = before.session_storage.clone();
            }
            None if self.resumes => {
                built.ticketer = self.provider.tickets().map_err(refused)?;
                if self.sessions > 0 {
                    let sessions = Sessions::new(self.sessions, self.time.clone());
                    built.session_storage = Arc::new(sessions);
                }
            }
            None => {}
        }
        Ok(Arc::new(built))
    }
}

fn refused(error: rustls::Error) -> Error {
    Error::Config(alloc::format!("{error}"))
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
    /// Held from making a change until it counts, so that none is lost.
    changing: Mutex<()>,
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
        let config = options.build(None)?;
        Ok(Self(Arc::new(Shared {
            current: RwLock::new(Current { options, config }),
            changing: Mutex::new(()),
        })))
    }

    /// Gives connections that begin from now on other certificates. Those that are open
    /// keep theirs, and tickets and sessions stay good.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); nothing has changed then.
    pub fn reload(&self, certificates: Certificates) -> Result<(), Error> {
        let _one = self.begin_change();
        let (options, before) = {
            let current = self.current();
            let options = ServerOptions {
                certificates,
                ..current.options.clone()
            };
            (options, current.config.clone())
        };
        let config = options.build(Some(&before))?;
        self.change(options, config);
        Ok(())
    }

    /// Has connections that begin from now on be subject to other options. Those that
    /// are open go on as they are. Tickets and sessions of before are refused: they would let
    /// clients in by the roots and the lists that were.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); nothing has changed then.
    pub fn replace(&self, options: ServerOptions) -> Result<(), Error> {
        let _one = self.begin_change();
        let config = options.build(None)?;
        self.change(options, config);
        Ok(())
    }

    fn begin_change(&self) -> MutexGuard<'_, ()> {
        let changing = self.0.changing.lock();
        changing.unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, options: ServerOptions, config: Arc<ServerConfig>) {
        let current = self.0.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Current { options, config };
    }

    fn current(&self) -> std::sync::RwLockReadGuard<'_, Current> {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn maker(&self) -> TransportMaker {
        let this = self.clone();
        TransportMaker::new(move || {
            let current = this.current();
            let options = &current.options;
            let asks = options.clients.is_some();
            Secure::server(current.config.clone(), options.plain_http, asks)
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
