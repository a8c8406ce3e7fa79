//! An app in memory.

use alloc::rc::Rc;
use core::net::IpAddr;
use core::time::Duration;

use super::channel::TestChannel;
use super::engine::Engine;
use super::error::TestError;
use super::request::TestRequest;
use crate::app::{App, Hub, Metrics};
use crate::http::{Method, Version};
use crate::net::{Error, Loop, Peer, Scripted};
use crate::wire::partly_shown;

/// The port of clients whose address is chosen.
const PORT: u16 = 40_000;

impl App {
    /// Puts the app in memory, where a [`TestApp`] is its client: see [the
    /// module](crate::test). It listens nowhere, and runs on one loop with the limits of its
    /// own.
    ///
    /// # Errors
    /// Those of [`spawn`](Self::spawn).
    pub fn test(self) -> Result<TestApp, Error> {
        let of_app = (self.hub(), self.metrics());
        let world = Scripted::new();
        let (app, limits) = self.in_memory("127.0.0.1:80")?;
        let mut events = Loop::with_poller(world.clone(), limits)?;
        app.join(&mut events)?;
        Ok(TestApp {
            engine: Rc::new(Engine::new(world, events, of_app)),
            version: Version::Http11,
            peer: None,
        })
    }
}

/// An app in memory, and its clients. Clones are the same app.
#[derive(Clone)]
pub struct TestApp {
    engine: Rc<Engine>,
    version: Version,
    peer: Option<Peer>,
}

partly_shown!(it: TestApp { version, peer });

impl TestApp {
    /// The same app, to which these requests go over HTTP/2.
    #[must_use]
    pub fn http2(&self) -> Self {
        Self {
            version: Version::Http2,
            ..self.clone()
        }
    }

    /// The same app, to which these requests come from another address than 192.0.2.1.
    #[must_use]
    pub fn from_address(&self, address: impl Into<IpAddr>) -> Self {
        let address = core::net::SocketAddr::new(address.into(), PORT);
        Self {
            peer: Some(Peer::from(address)),
            ..self.clone()
        }
    }

    /// A GET of a path, with or without a query.
    pub fn get(&self, target: &str) -> TestRequest {
        self.request(Method::GET, target)
    }

    /// A HEAD.
    pub fn head(&self, target: &str) -> TestRequest {
        self.request(Method::HEAD, target)
    }

    /// A POST.
    pub fn post(&self, target: &str) -> TestRequest {
        self.request(Method::POST, target)
    }

    /// A PUT.
    pub fn put(&self, target: &str) -> TestRequest {
        self.request(Method::PUT, target)
    }

    /// A PATCH.
    pub fn patch(&self, target: &str) -> TestRequest {
        self.request(Method::PATCH, target)
    }

    /// A DELETE.
    pub fn delete(&self, target: &str) -> TestRequest {
        self.request(Method::DELETE, target)
    }

    /// A request with any method but CONNECT.
    pub fn request(&self, method: Method<'_>, target: &str) -> TestRequest {
        let place = (self.engine.clone(), self.version, self.peer);
        TestRequest::new(place, method, target)
    }

    /// A channel for calls of the app's services.
    pub fn grpc(&self) -> TestChannel {
        TestChannel::new(self.engine.clone(), self.peer)
    }

    /// Winds the clock, and has done what becomes due on the way, each at its time: timers,
    /// keep-alives, timeouts.
    ///
    /// # Errors
    /// [`TestError::Restless`] and [`TestError::App`].
    pub fn advance(&self, time: Duration) -> Result<(), TestError> {
        self.engine.advance(time)
    }

    /// Has the app do what it can do at this time: after a publication, say.
    ///
    /// # Errors
    /// [`TestError::Restless`] and [`TestError::App`].
    pub fn run(&self) -> Result<(), TestError> {
        self.engine.run()
    }

    /// Has the app shut down: what runs may finish within this time of the clock.
    ///
    /// # Errors
    /// [`TestError::Restless`] and [`TestError::App`].
    pub fn shutdown(&self, within: Duration) -> Result<(), TestError> {
        let remote = self.engine.events.borrow().remote();
        remote.drain(Some(within));
        self.engine.run()
    }

    /// Bounds, in real time, how long threads and futures elsewhere are waited for. Default
    /// 5 s.
    pub fn set_patience(&self, time: Duration) {
        self.engine.patience.set(time);
    }

    /// All sessions and channels of the app.
    pub fn hub(&self) -> Hub {
        self.engine.hub.clone()
    }

    /// The counters of the app.
    pub fn metrics(&self) -> Metrics {
        self.engine.metrics.clone()
    }

    /// The system that the app runs on, for bytes that no client sends and for systems that
    /// fail. [`run`](Self::run) has the app see to them.
    ///
    /// ```
    /// use barewire::app::App;
    ///
    /// let app = App::new().test()?;
    /// let client = app.world().connect_client(0);
    /// app.world().send(client, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    /// app.run()?;
    /// assert!(app.world().output(client).starts_with(b"HTTP/1.1 400 "));
    /// # Ok::<(), barewire::test::TestError>(())
    /// ```
    pub fn world(&self) -> &Scripted {
        &self.engine.world
    }
}
