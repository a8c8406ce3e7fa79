//! The properties of a TLS connection, for the handlers of its requests.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::net::IpAddr;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, CommonState, HandshakeKind, ProtocolVersion};

use super::names::is_covered;

/// The name of HTTP/2 over TLS (RFC 9113 §3.2).
pub(super) const H2: &str = "h2";
/// The name of HTTP/1.1 (RFC 7301 §6).
pub(super) const HTTP_1_1: &str = "http/1.1";

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// The agreement of the two sides of a TLS connection, and the peer's identity.
///
/// ```no_run
/// use barewire::app::App;
///
/// App::new().get("/", |request, reply| match request.tls() {
///     Some(tls) => reply.text(format!("{} with {}", tls.version(), tls.cipher_suite())),
///     None => reply.text("in the clear"),
/// });
/// ```
pub struct Info {
    version: Version,
    suite: CipherSuite,
    alpn: Option<Cow<'static, str>>,
    server_name: Option<Arc<str>>,
    is_resumed: bool,
    chain: Box<[CertificateDer<'static>]>,
    /// The server's certificate, where requests for other names are refused.
    own: Option<Arc<CertifiedKey>>,
}

impl Info {
    /// Of a connection whose handshake is over.
    pub(super) fn new(
        state: &CommonState,
        server_name: Option<Arc<str>>,
        own: Option<Arc<CertifiedKey>>,
    ) -> Self {
        let alpn = state.alpn_protocol();
        let suite = state.negotiated_cipher_suite();
        Self {
            version: match state.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => Version::Tls13,
                _ => Version::Tls12, // nothing older is spoken
            },
            suite: suite.map_or(CipherSuite::Unknown(0), |it| it.suite()),
            alpn: alpn.map(protocol),
            server_name,
            is_resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
            chain: state.peer_certificates().unwrap_or_default().into(),
            own,
        }
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The cipher suite by its name in the IANA registry, such as
    /// `TLS_AES_128_GCM_SHA256`.
    pub fn cipher_suite(&self) -> &'static str {
        match self.suite {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
            CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
            other => other.as_str().unwrap_or("unknown"),
        }
    }

    /// The host name that the client has asked for (SNI, RFC 6066 §3).
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The protocol that both sides have chosen (ALPN, RFC 7301): `h2` or `http/1.1`.
    pub fn alpn(&self) -> Option<&str> {
        self.alpn.as_deref()
    }

    /// Whether this goes on from an earlier connection, without certificates of its own.
    pub const fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// The peer's certificates in DER, its own first, as it has sent them. They have
    /// been verified: a client's only where the server asks for one. Those of a
    /// connection that was resumed are those of the first.
    pub fn peer_certificates(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.chain.iter().map(|it| &**it)
    }

    /// Whether a request for this authority may come here: it was the name asked for, or the
    /// certificate covers it.
    pub(crate) fn is_for(&self, authority: &str) -> bool {
        let Some(own) = &self.own else {
            return true;
        };
        if self.is_named(authority.as_bytes()) {
            return true;
        }
        let host = host_of(authority);
        match &self.server_name {
            Some(name) if host.eq_ignore_ascii_case(name) => true,
            // No address can be asked for by SNI: there is no better connection.
            None if host.parse::<IpAddr>().is_ok() => true,
            _ => is_covered(host, own),
        }
    }

    /// Whether an authority is the name asked for, with or without a port: nearly all are.
    #[inline]
    pub(crate) fn is_named(&self, authority: &[u8]) -> bool {
        let name = self.server_name.as_ref();
        let rest = name.and_then(|it| authority.strip_prefix(it.as_bytes()));
        matches!(rest, Some([] | [b':', ..]))
    }

    pub(super) fn memory(&self) -> usize {
        let name = self.server_name.as_ref().map_or(0, |it| it.len());
        let alpn = match &self.alpn {
            Some(Cow::Owned(alpn)) => alpn.len(),
            _ => 0,
        };
        let of_one = |it: &CertificateDer<'_>| size_of_val(it) + it.len();
        name + alpn + self.chain.iter().map(of_one).sum::<usize>()
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Info")
            .field("version", &self.version)
            .field("cipher_suite", &self.cipher_suite())
            .field("server_name", &self.server_name)
            .field("alpn", &self.alpn)
            .field("is_resumed", &self.is_resumed)
            .field("peer_certificates", &self.chain.len())
            .finish()
    }
}

fn protocol(name: &[u8]) -> Cow<'static, str> {
    let known = [H2, HTTP_1_1];
    match known.into_iter().find(|it| it.as_bytes() == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(String::from_utf8_lossy(name).into_owned()),
    }
}

/// The host of an authority, without a port, a trailing dot or brackets.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    let host = authority
        .split_once(':')
        .map_or(authority, |(host, _)| host);
    host.strip_suffix('.').unwrap_or(host)
}
