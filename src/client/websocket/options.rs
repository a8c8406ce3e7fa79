//! How a WebSocket is opened.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::client::connecting::{Names, ProxyRules};
use crate::client::{Canceller, Proxy, Resolver};
use crate::http::{FieldBuffer, InvalidField};
use crate::websocket::Limits;

/// How long the addresses of a name are kept, for options that are used again.
const KEEP: Duration = Duration::from_secs(30);

/// How a WebSocket is opened, and what it bears.
///
/// ```
/// use barewire::client::WebSocketOptions;
/// use barewire::websocket::Limits;
///
/// let options = WebSocketOptions::new()
///     .with_header("Authorization", "Bearer abc")?
///     .with_protocols(["chat.v2", "chat.v1"])
///     .with_limits(Limits::DEFAULT.with_message(64 << 10));
/// # Ok::<(), barewire::http::InvalidField>(())
/// ```
#[derive(Clone)]
pub struct WebSocketOptions {
    pub(super) fields: FieldBuffer,
    pub(super) protocols: Vec<String>,
    pub(super) limits: Limits,
    pub(super) connect_time: Duration,
    pub(super) send_time: Duration,
    pub(super) http2: bool,
    pub(super) canceller: Option<Canceller>,
    pub(super) names: Arc<Names>,
    /// As the environment has them, unless they are given.
    pub(super) proxies: Option<ProxyRules>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<crate::tls::Client>,
}

impl WebSocketOptions {
    /// [`Limits::DEFAULT`], 30 s to connect, 60 s to send a message, over HTTP/1.1.
    pub fn new() -> Self {
        Self {
            fields: FieldBuffer::new(),
            protocols: Vec::new(),
            limits: Limits::DEFAULT,
            connect_time: Duration::from_secs(30),
            send_time: Duration::from_secs(60),
            http2: false,
            canceller: None,
            names: Arc::new(Names::new(None, KEEP)),
            proxies: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Adds a field to the handshake: `Authorization`, `Cookie`, `Origin` and the like, but
    /// none that the handshake itself sends.
    ///
    /// # Errors
    /// [`InvalidField`] if it is none.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, InvalidField> {
        self.fields.push(name, value)?;
        Ok(self)
    }

    /// Offers subprotocols, the favourite first.
    #[must_use]
    pub fn with_protocols(
        mut self,
        protocols: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what the connection bears, and how it finds peers that are lost.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the time for connecting: from the name to the end of the handshake.
    #[must_use]
    pub const fn with_connect_time(mut self, time: Duration) -> Self {
        self.connect_time = time;
        self
    }

    /// Sets the time that a message has to be taken by the system, which takes no more
    /// than a server reads. Where a thread waits for what comes, or a
    /// [`Reconnecting`](crate::client::Reconnecting) does, the connection ends once the
    /// system has taken nothing of its output for so long.
    #[must_use]
    pub const fn with_send_time(mut self, time: Duration) -> Self {
        self.send_time = time;
        self
    }

    /// Offers HTTP/2 to a server over TLS, and opens the WebSocket in a stream where that
    /// knows how (RFC 8441).
    #[must_use]
    pub const fn with_http2(mut self, offered: bool) -> Self {
        self.http2 = offered;
        self
    }

    /// Has this canceller end the WebSocket, also while it connects.
    #[must_use]
    pub fn with_canceller(mut self, canceller: &Canceller) -> Self {
        self.canceller = Some(canceller.clone());
        self
    }

    /// Connects through a proxy, by a tunnel. Without this and
    /// [`without_proxy`](Self::without_proxy) the environment says which: `http_proxy`,
    /// `https_proxy` for `wss`, `all_proxy` and `no_proxy`, or the same in capitals.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.proxies = Some(ProxyRules::all(proxy));
        self
    }

    /// Uses no proxy, whatever the environment says.
    #[must_use]
    pub fn without_proxy(mut self) -> Self {
        self.proxies = Some(ProxyRules::default());
        self
    }

    /// Resolves names by this, rather than by the system.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.names = Arc::new(Names::new(Some(resolver), KEEP));
        self
    }

    /// Speaks TLS as this client does, where the URL asks for TLS. By default as the
    /// system's roots have it.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: crate::tls::Client) -> Self {
        self.tls = Some(tls);
        self
    }
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the values of fields, which may be secrets.
impl fmt::Debug for WebSocketOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketOptions")
            .field("protocols", &self.protocols)
            .field("limits", &self.limits)
            .field("connect_time", &self.connect_time)
            .field("send_time", &self.send_time)
            .field("http2", &self.http2)
            .finish_non_exhaustive()
    }
}
