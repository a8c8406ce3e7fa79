//! An app as it is put together.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

#[cfg(unix)]
use super::hand_over;
use super::life::Readiness;
use super::server::{Bound, Plan, Server};
use crate::app::exchange::refusal::Answer;
use crate::app::exchange::rendering::Render;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::MakeLocal;
use crate::app::exchange::request::Request;
use crate::app::publishing::directory::{Directory, Rules};
use crate::app::publishing::hub::Hub;
use crate::app::routes::endpoint::Endpoint;
use crate::app::routes::middleware::Middleware;
use crate::app::routes::route::Route;
use crate::app::routes::router::{Router, Verb};
use crate::app::routes::shared::Shared;
use crate::app::routes::table::{About, RouteKind, Routes};
use crate::app::routes::trusted_proxies::{TrustedProxies, Trusting};
use crate::app::services::interceptor::{Interceptor, Interceptors, OfApp};
use crate::app::telemetry::channel_totals::ChannelTotals;
use crate::app::telemetry::metrics::Metrics;
use crate::http::Method;
use crate::net::{Address, Error, Limits, ListenOptions, ListenTarget, Loop, Poller};
use crate::wire::builder;
use crate::wire::partly_shown;
use crate::{link, websocket};

/// An app: routes, middleware and options, ready to listen.
///
/// A pattern is a path whose segments may be `{name}`, any one segment, or at
/// its end `{*name}`, all that follows. Patterns are written decoded: `/café`.
pub struct App {
    router: Router,
    middleware: Vec<Box<dyn Middleware>>,
    metrics: Metrics,
    collect: usize,
    limits: Limits,
    protocols: link::Limits,
    sockets: Vec<websocket::Limits>,
    options: ListenOptions,
    places: Vec<ListenTarget>,
    pub(super) proxies: Option<TrustedProxies>,
    threads: usize,
    pub(super) locals: Vec<MakeLocal>,
    directory: Arc<Directory>,
    pub(super) channels: Rules,
    fault: Option<Error>, // the first that a route had
    interceptors: Vec<Box<dyn Interceptor>>,
    of_app: OfApp, // the same, once the app starts
    pub(super) render: Option<Box<Render>>,
    pub(super) readiness: Readiness,
    #[cfg(unix)]
    pub(super) hand_over: Option<std::path::PathBuf>,
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

partly_shown!(it: App { places, threads });

impl App {
    /// Bytes up to which bodies are collected where neither the route nor
    /// [`collect_limit`](Self::collect_limit) says otherwise.
    pub const COLLECT_LIMIT: usize = 1 << 20;

    /// An app without routes: it answers 404.
    pub fn new() -> Self {
        Self {
            router: Router::default(),
            middleware: Vec::new(),
            metrics: Metrics::default(),
            collect: Self::COLLECT_LIMIT,
            limits: Limits::DEFAULT,
            protocols: link::Limits::DEFAULT,
            sockets: Vec::new(),
            options: ListenOptions::DEFAULT,
            places: Vec::new(),
            proxies: None,
            threads: 1,
            locals: Vec::new(),
            directory: Arc::default(),
            channels: Rules::default(),
            interceptors: Vec::new(),
            of_app: OfApp::default(),
            readiness: Readiness::default(),
            #[cfg(unix)]
            hand_over: None,
            fault: None,
            render: None,
        }
    }

    // Routes.

    /// Serves GET, and HEAD where that has no route of its own.
    #[must_use]
    pub fn get<A: Answer>(
        self,
        pattern: &str,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.on(Method::GET, pattern, call)
    }

    /// Serves POST.
    #[must_use]
    pub fn post<A: Answer>(
        self,
        pattern: &str,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.on(Method::POST, pattern, call)
    }

    /// Serves PUT.
    #[must_use]
    pub fn put<A: Answer>(
        self,
        pattern: &str,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.on(Method::PUT, pattern, call)
    }

    /// Serves PATCH.
    #[must_use]
    pub fn patch<A: Answer>(
        self,
        pattern: &str,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.on(Method::PATCH, pattern, call)
    }

    /// Serves DELETE.
    #[must_use]
    pub fn delete<A: Answer>(
        self,
        pattern: &str,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.on(Method::DELETE, pattern, call)
    }

    /// Serves this method.
    #[must_use]
    pub fn on<A: Answer>(
        self,
        method: Method<'_>,
        pattern: &str,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.serve(
            RouteKind::Handler,
            Verb::One(method.as_str().into()),
            pattern,
            Endpoint::new(call),
        )
    }

    /// Serves every method that has no route of its own on the same pattern.
    #[must_use]
    pub fn any<A: Answer>(
        self,
        pattern: &str,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.serve(RouteKind::Handler, Verb::Any, pattern, Endpoint::new(call))
    }

    /// Serves a route with options of its own.
    #[must_use]
    pub fn route(self, route: Route) -> Self {
        let Route {
            verb,
            pattern,
            endpoint,
            about,
        } = route;
        self.serve_as(Some(about), verb, &pattern, endpoint.bounded())
    }

    pub(crate) fn serve(
        self,
        kind: RouteKind,
        verb: Verb,
        pattern: &str,
        endpoint: Endpoint,
    ) -> Self {
        self.serve_as(Some(About::new(kind)), verb, pattern, endpoint)
    }

    /// Serves what stands in the table of routes like this, or not at all.
    pub(crate) fn serve_as(
        mut self,
        about: Option<About>,
        verb: Verb,
        pattern: &str,
        endpoint: Endpoint,
    ) -> Self {
        match self.router.add(verb, pattern, endpoint) {
            Ok(()) => self.router.describe_last(about),
            Err(fault) => drop(self.fault.get_or_insert(fault)),
        }
        self
    }

    /// The table of the routes so far: to print it, or to describe what is served.
    pub fn routes(&self) -> Routes {
        self.router.table()
    }

    /// Notes what keeps the app from starting, the first that there is.
    pub(crate) fn fail(&mut self, fault: Option<Error>) {
        self.fault = self.fault.take().or(fault);
    }

    /// Takes the limits of a WebSocket route; their number, from 1.
    pub(crate) fn add_websocket_limits(&mut self, limits: websocket::Limits) -> u16 {
        let known = self.sockets.iter().position(|other| *other == limits);
        let at = known.unwrap_or_else(|| {
            self.sockets.push(limits);
            self.sockets.len() - 1
        });
        u16::try_from(at + 1).unwrap_or_else(|_| {
            let fault = Error::Config("too many routes with limits of their own");
            self.fault.get_or_insert(fault);
            0
        })
    }

    // Options.

    /// Adds middleware, after what was added before.
    #[must_use]
    pub fn with(mut self, middleware: impl Middleware + 'static) -> Self {
        if let Err(fault) = middleware.ready() {
            self.fault.get_or_insert(fault);
        }
        self.middleware.push(Box::new(middleware));
        self
    }

    /// Adds an interceptor to all gRPC services, before their own and after what was
    /// added before.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor + 'static) -> Self {
        self.interceptors.push(Box::new(interceptor));
        self
    }

    pub(crate) const fn interceptors(&self) -> &OfApp {
        &self.of_app
    }

    builder! {
        /// Bytes up to which bodies are collected for routes without a limit of
        /// their own. Stops uploads that fill the memory; a longer body is refused
        /// with 413. Default 1 MiB.
        const fn collect_limit(bytes: usize) => collect = bytes;

        /// Sets the limits of each loop: connections, memory, backlogs.
        fn limits(limits: Limits) => limits = limits;

        /// The limits of each connection: sizes and deadlines of the protocols.
        fn protocol_limits(limits: link::Limits) => protocols = limits;

        /// How sockets listen. With several [`threads`](Self::threads), these share
        /// their addresses with each other, and with other programs only where
        /// [`reuse_port`](ListenOptions::reuse_port) says so.
        fn listen_options(options: ListenOptions) => options = options;
    }

    /// The counters of the app; for a route, or for other threads.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// All sessions and channels; for a route, or for other threads.
    pub fn hub(&self) -> Hub {
        Hub::new(self.directory.clone())
    }

    pub(super) fn add_place(&mut self, place: ListenTarget) {
        self.places.push(place);
    }

    /// The app as one loop in memory serves it, in place of where it would have listened, and
    /// the limits of that loop.
    #[cfg(feature = "test")]
    pub(crate) fn in_memory(mut self, place: &str) -> Result<(Self, Limits), Error> {
        self.places = alloc::vec![ListenTarget::resolve(place)?];
        let limits = self.limits.clone();
        Ok((self.threads(1), limits))
    }

    /// How many loops run, each on a thread of its own. Default 1.
    #[must_use]
    pub const fn threads(mut self, count: usize) -> Self {
        self.threads = count;
        self
    }

    // The end.

    /// Runs until a [`ServerHandle`](crate::app::ServerHandle) has it stop. One
    /// comes from [`spawn`](Self::spawn).
    ///
    /// # Errors
    /// Those of [`spawn`](Self::spawn), and [`Error::Io`] if a poller fails later.
    pub fn run(self) -> Result<(), Error> {
        self.spawn()?.join().map(drop)
    }

    /// Starts to listen and to serve on threads of its own.
    ///
    /// # Errors
    /// [`Error::Listen`] if an address cannot be listened on, [`Error::Route`] for
    /// a malformed or repeated route, [`Error::Files`] for a directory that cannot
    /// be opened, [`Error::Config`] without an address, or for limits that clash.
    pub fn spawn(mut self) -> Result<Server, Error> {
        let places = core::mem::take(&mut self.places);
        #[cfg(unix)]
        if let Some(path) = self.hand_over.take() {
            return hand_over::start(self.plan(&places)?, places, &path);
        }
        Server::start(self.plan(&places)?, places)
    }

    /// Puts the app on a loop that the caller runs, instead of threads of its
    /// own, and listens there; returns the addresses with the ports that the
    /// system chose. The loop's own [`Limits`] hold, those of the app are for
    /// [`spawn`](Self::spawn). An app on a loop over a scripted system
    /// ([`Scripted`](crate::net::Scripted)) is tested without sockets or clocks.
    ///
    /// ```
    /// use barewire::app::App;
    /// use barewire::net::{Limits, Loop, Scripted};
    ///
    /// # fn main() -> Result<(), barewire::net::Error> {
    /// let world = Scripted::new();
    /// let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT)?;
    /// let app = App::new().get("/", |_request, reply| reply.text("hello"));
    /// app.listen("127.0.0.1:0")?.join(&mut events)?;
    ///
    /// let client = world.connect_client(0);
    /// world.send(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// while world.output(client).is_empty() {
    ///     events.turn(None)?;
    /// }
    /// assert!(world.take_output(client).ends_with(b"hello"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`spawn`](Self::spawn), and [`Error::Config`] for more than one of
    /// [`threads`](Self::threads). The app listens nowhere then.
    pub fn join<P: Poller>(mut self, events: &mut Loop<P>) -> Result<Vec<Address>, Error> {
        if self.threads > 1 {
            return Err(Error::Config("an app that joins a loop has no threads"));
        }
        let places = core::mem::take(&mut self.places);
        let bound = self.plan(&places)?.join(events, &places, 0)?;
        Ok(bound.iter().map(Bound::address).collect())
    }

    pub(super) fn plan(self, places: &[ListenTarget]) -> Result<Plan, Error> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if places.is_empty() {
            return Err(Error::Config("an app listens on at least one address"));
        }
        if self.threads == 0 {
            return Err(Error::Config("an app runs on at least one thread"));
        }
        let Self {
            router,
            mut middleware,
            metrics,
            collect,
            limits,
            protocols,
            sockets,
            mut options,
            proxies,
            threads,
            locals,
            interceptors,
            of_app,
            render,
            readiness,
            ..
        } = self;
        if let Some(proxies) = proxies {
            options.forwarders.extend_from_slice(proxies.networks());
            middleware.insert(0, Box::new(Trusting(proxies))); // all others see the client
        }
        // An app starts once.
        let _ = of_app.set(interceptors);
        self.directory.start(threads, self.channels);
        let directory = self.directory;
        let counted = Arc::downgrade(&directory);
        metrics.read_channels(move || {
            let directory = counted.upgrade();
            directory.map_or_else(ChannelTotals::default, |it| it.totals())
        });
        let interceptors = Arc::new(Interceptors {
            of_app,
            own: Vec::new(),
        });
        let shared = Arc::new(Shared {
            pool: metrics.pool().clone(),
            router,
            interceptors,
            middleware,
            directory,
            collect,
            render,
        });
        Ok(Plan {
            shared,
            metrics,
            limits,
            protocols: protocols.with_further_websocket(sockets),
            options,
            threads,
            locals,
            readiness,
        })
    }
}
