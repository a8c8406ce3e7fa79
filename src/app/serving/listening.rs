//! The addresses of an app.

use super::builder::App;
use crate::net::{Error, ListenTarget};
#[cfg(feature = "tls")]
use crate::tls;

impl App {
    /// Adds an address to listen on: `127.0.0.1:8080`, `[::]:80`,
    /// `unix:/run/app.sock`, or a name and a port such as `localhost:8080`. With
    /// port 0 the system chooses one.
    ///
    /// A name is all of its addresses, on one port: `localhost` is `[::1]` and
    /// `127.0.0.1`. Those that cannot be listened on are named on the log; if that
    /// is all of them, [`spawn`](Self::spawn) fails.
    ///
    /// # Errors
    /// [`Error::Address`] for other texts, [`Error::Resolve`] for unknown names.
    pub fn listen(mut self, address: &str) -> Result<Self, Error> {
        self.add_place(ListenTarget::resolve(address)?);
        Ok(self)
    }

    /// Adds an address to listen on, as [`listen`](Self::listen) does, where everything
    /// is said over TLS. [`Certificates`](tls::Certificates) are enough for that,
    /// [`ServerOptions`](tls::ServerOptions) say more, and a [`Server`](tls::Server)
    /// can be kept, to give it other certificates while it runs. An app may listen on
    /// several addresses of both kinds.
    ///
    /// Clients choose between HTTP/2 and HTTP/1.1 by ALPN (RFC 7301).
    ///
    /// # Errors
    /// Those of [`listen`](Self::listen), and [`Error::Transport`] with a
    /// [`tls::Error`] for certificates that cannot be used.
    #[cfg(feature = "tls")]
    pub fn listen_tls<T>(mut self, address: &str, tls: T) -> Result<Self, Error>
    where
        T: TryInto<tls::Server, Error: Into<tls::Error>>,
    {
        let place = ListenTarget::resolve(address)?;
        let tls = tls.try_into().map_err(Into::into)?;
        self.add_place(place.over(Some(tls.maker())));
        Ok(self)
    }
}
