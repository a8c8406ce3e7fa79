//! Proxies in front of an app.

use super::builder::App;
use crate::app::routes::trusted_proxies::TrustedProxies;

impl App {
    /// Takes the word of proxies on who the client is. Before any middleware, the client's
    /// address, scheme and host take the place of the proxy's, everywhere:
    ///
    /// - [`Request::peer`](crate::app::Request::peer), which so means the same as behind
    ///   the PROXY protocol ([`ListenOptions::proxy_protocol`](crate::net::ListenOptions::proxy_protocol)),
    ///   with [`scheme`](crate::app::Request::scheme) and
    ///   [`authority`](crate::app::Request::authority);
    ///   [`proxy`](crate::app::Request::proxy) is the proxy;
    /// - logs, spans, [`Call::peer`](crate::app::Call::peer) and the like;
    /// - the check of origins, of [`OriginGuard`](crate::app::OriginGuard) and of
    ///   WebSockets, by the host that the client asked for;
    /// - the shares of one address in sessions, blocking work, channels and broadcasters.
    ///
    /// The proxies' own addresses have no share in what is counted by connection
    /// ([`Limits::per_address`](crate::net::Limits::per_address), memory, timers, rates of
    /// the protocols): many clients come by one connection there, and the proxy has to
    /// limit them. A head that cannot be read is the proxy's.
    ///
    /// Behind the PROXY protocol, the peer that it names is judged: where that is a trusted
    /// proxy, its fields are read; the fields of a client are not.
    ///
    /// Said again, it replaces what was said before.
    #[must_use]
    pub fn trust_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.fail(proxies.fault());
        self.proxies = Some(proxies);
        self
    }
}
