//! The addresses of an app.

use alloc::sync::Arc;

use super::builder::App;
use crate::net::{Error, ListenTarget, Listener};
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

    /// Listens on a socket that listens already: one of std's with options of its own, or
    /// one that was handed over ([`Listener`]). All loops accept from it.
    ///
    /// ```
    /// use barewire::app::App;
    /// use std::net::TcpListener;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let socket = TcpListener::bind("127.0.0.1:0")?;
    /// let address = socket.local_addr()?;
    /// let server = App::new().listen_on(socket).spawn()?;
    /// assert_eq!(server.local_addresses(), [address.into()]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn listen_on(mut self, socket: impl Into<Listener>) -> Self {
        self.add_place(ListenTarget::from(Arc::new(socket.into())));
        self
    }

    /// Listens on a socket that listens already, where everything is said over TLS.
    ///
    /// # Errors
    /// [`Error::Transport`], as [`listen_tls`](Self::listen_tls) has it.
    #[cfg(feature = "tls")]
    pub fn listen_on_tls<T>(mut self, socket: impl Into<Listener>, tls: T) -> Result<Self, Error>
    where
        T: TryInto<tls::Server, Error: Into<tls::Error>>,
    {
        let tls = tls.try_into().map_err(Into::into)?;
        let place = ListenTarget::from(Arc::new(socket.into()));
        self.add_place(place.over(Some(tls.maker())));
        Ok(self)
    }

    /// Has a new process of the program take over from an old one without a connection
    /// refused or reset in between. They meet at `path`, a file that no other user can
    /// reach: what starts asks there for the sockets on this app's addresses, and once it
    /// serves, the other process drains: it finishes what it has begun, and
    /// [`run`](Self::run) returns there.
    ///
    /// ```no_run
    /// use barewire::app::App;
    ///
    /// # fn main() -> Result<(), barewire::app::Error> {
    /// // To restart, start it again: ./app & ... ./app &
    /// App::new()
    ///     .get("/", |_request, reply| reply.text("hello"))
    ///     .listen("127.0.0.1:8080")?
    ///     .hand_over("/run/app/hand-over.sock")
    ///     .run()
    /// # }
    /// ```
    ///
    /// If the new process fails before it serves, the old one continues. Addresses are
    /// compared as they were given, so that with port 0 the port stays. All
    /// [`threads`](Self::threads) accept from one socket for each address. Sockets of
    /// [`listen_on`](Self::listen_on) are not handed over: under systemd they need
    /// not be. Proven on Linux.
    #[cfg(unix)]
    #[must_use]
    pub fn hand_over(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.hand_over = Some(path.into());
        self
    }
}
