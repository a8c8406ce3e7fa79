//! The options of a WebSocket.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::client::connecting::{Names, ProxyChoice, proxy_setters};
use crate::client::{Canceller, Resolver, Url};
use crate::http::{FieldBuffer, Fields, InvalidField};
use crate::websocket::Limits;
#[cfg(feature = "deflate")]
use crate::websocket::deflate::Offer;
use crate::websocket::deflate::Offers;
use crate::wire::builder;
use crate::wire::codec::Compression;
use crate::wire::partly_shown;

/// How long the addresses of a name are kept, for options that are used again.
const KEEP: Duration = Duration::from_secs(30);

/// Bytes that wait to be sent on a loop.
const QUEUE: usize = 1024 * 1024;

/// How a WebSocket is opened, and what it bears.
///
/// ```
/// use barewire::client::WebSocketOptions;
/// use barewire::websocket::Limits;
///
/// let options = WebSocketOptions::new()
///     .header("Authorization", "Bearer abc")?
///     .protocols(["chat.v2", "chat.v1"])
///     .limits(Limits::DEFAULT.with_message(64 << 10));
/// # Ok::<(), barewire::http::InvalidField>(())
/// ```
#[derive(Clone)]
pub struct WebSocketOptions {
    pub(super) fields: FieldBuffer,
    pub(super) protocols: Vec<String>,
    pub(super) limits: Limits,
    pub(super) connect_time: Duration,
    pub(super) send_time: Duration,
    pub(super) queue: usize,
    pub(super) http2: bool,
    pub(super) http2_prior_knowledge: bool,
    pub(super) canceller: Option<Canceller>,
    pub(super) names: Arc<Names>,
    pub(super) proxies: ProxyChoice,
    pub(super) deflate: Offers,
    pub(super) compression: Compression,
    #[cfg(feature = "cookies")]
    pub(super) cookies: Option<Arc<crate::client::CookieJar>>,
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
            queue: QUEUE,
            http2: false,
            http2_prior_knowledge: false,
            canceller: None,
            names: Arc::new(Names::new(None, KEEP)),
            proxies: ProxyChoice::new(),
            deflate: Offers::NONE,
            compression: Compression::DEFAULT,
            #[cfg(feature = "cookies")]
            cookies: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Adds a field to the handshake: `Authorization`, `Cookie`, `Origin` and the like, but
    /// none that the handshake itself sends.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, InvalidField> {
        self.fields.push(name, value)?;
        Ok(self)
    }

    builder! {
        /// Offers subprotocols, the favourite first.
        fn protocols(protocols: impl IntoIterator<Item = impl Into<String>>) =>
            protocols = protocols.into_iter().map(Into::into).collect();

        /// Sets what the connection bears, and how it finds peers that are lost.
        const fn limits(limits: Limits) => limits = limits;

        /// Sets the time for connecting: from the name to the end of the handshake.
        const fn connect_time(time: Duration) => connect_time = time;

        /// Sets the time that a message has to be taken by the system, which takes no more
        /// than a server reads. Where a thread waits for what comes, or a
        /// [`Reconnecting`](crate::client::Reconnecting) does, the connection ends once the
        /// system has taken nothing of its output for so long.
        const fn send_time(time: Duration) => send_time = time;

        /// Sets how many bytes may wait to be sent by a
        /// [`LoopWebSocket`](crate::client::LoopWebSocket), 1 MiB by default, in addition to
        /// what its loop holds ([`backlog_high`](crate::net::Limits::backlog_high)). What is
        /// more is refused ([`WebSocketError::Full`](crate::client::WebSocketError::Full)). A
        /// message is never too large where nothing waits.
        const fn queue(bytes: usize) => queue = bytes;

        /// Offers HTTP/2 to a server over TLS, and opens the WebSocket in a stream where that
        /// knows how (RFC 8441).
        const fn http2(offered: bool) => http2 = offered;

        /// Speaks HTTP/2 to a server without TLS that is known to speak it (RFC 9113 §3.3). Over
        /// TLS that is agreed upon ([`http2`](Self::http2)).
        const fn http2_prior_knowledge(known: bool) => http2_prior_knowledge = known;
    }

    /// Offers to compress messages (RFC 7692), the favourite first, at most
    /// [three](Offers::MOST); and says how they are compressed if the server agrees.
    ///
    /// With takeover, which [`Offer::DEFAULT`] allows, what the server sends is kept up to
    /// the window that it names, 32 KiB if none.
    ///
    /// ```
    /// use barewire::client::WebSocketOptions;
    /// use barewire::websocket::deflate::Offer;
    /// use barewire::wire::codec::Compression;
    ///
    /// let options = WebSocketOptions::new().deflate(&[Offer::DEFAULT], Compression::DEFAULT);
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, offers: &[Offer], compression: Compression) -> Self {
        (self.deflate, self.compression) = (Offers::new(offers), compression);
        self
    }

    builder! {
        /// Lets this canceller end the WebSocket, even while it connects.
        fn canceller(canceller: &Canceller) => canceller = Some(canceller.clone());
    }

    proxy_setters! {
        /// Connects through a proxy, by a tunnel. Without this and
        /// [`no_proxy`](Self::no_proxy) the environment says which: `http_proxy`,
        /// `https_proxy` for `wss`, `all_proxy` and `no_proxy`, or the same in capitals.
    }

    builder! {
        /// Resolves names by this, rather than by the system.
        fn resolver(resolver: Arc<dyn Resolver>) =>
            names = Arc::new(Names::new(Some(resolver), KEEP));

        /// Sends the cookies of this jar, unless a `Cookie` is [given](Self::header), and keeps
        /// those that the answer to the handshake sets.
        #[cfg(feature = "cookies")]
        fn cookies(jar: Arc<crate::client::CookieJar>) => cookies = Some(jar);

        /// Speaks TLS as this client does, where the URL asks for TLS. By default as the
        /// system's roots have it.
        #[cfg(feature = "tls")]
        fn tls(tls: crate::tls::Client) => tls = Some(tls);
    }
}

#[cfg(feature = "cookies")]
impl WebSocketOptions {
    /// Adds the cookies that this URL gets.
    pub(super) fn put_cookies(&self, url: &Url, fields: &mut FieldBuffer) {
        if let Some(jar) = &self.cookies
            && !fields.as_fields().contains("cookie")
            && let Some(cookies) = jar.get(url)
        {
            // What a server has set is valid.
            let _ = fields.push("Cookie", cookies);
        }
    }

    /// Keeps the cookies that an answer from this URL sets.
    pub(super) fn keep_cookies(&self, url: &Url, fields: Fields<'_>) {
        if let Some(jar) = &self.cookies {
            let set = fields.get_all("set-cookie");
            for text in set.filter_map(|it| core::str::from_utf8(it).ok()) {
                jar.set(url, text);
            }
        }
    }
}

#[cfg(not(feature = "cookies"))]
impl WebSocketOptions {
    pub(super) const fn put_cookies(&self, _: &Url, _: &mut FieldBuffer) {}

    pub(super) const fn keep_cookies(&self, _: &Url, _: Fields<'_>) {}
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self::new()
    }
}

// Without the values of fields, which may be secrets.
partly_shown!(it: WebSocketOptions { protocols, limits, connect_time, send_time, http2, http2_prior_knowledge });
