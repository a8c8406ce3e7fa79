//! An app that runs: one loop on each of its threads.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, Builder, JoinHandle};
use std::time::Instant;

use super::handler::AppHandler;
use super::life::{Life, Readiness};
use crate::app::blocking::pool::Pool;
use crate::app::exchange::request::{Locals, MakeLocal};
use crate::app::futures::spawner::Home;
use crate::app::futures::tasks::ARRIVED;
use crate::app::routes::shared::Shared;
use crate::app::telemetry::metrics::Metrics;
use crate::link;
use crate::net::report::report;
use crate::net::{
    Address, Error, Limits, ListenOptions, ListenTarget, Listener, Loop, Poller, Remote, Speaks,
    TransportMaker,
};
use crate::wire::partly_shown;

/// The plan that every loop of a server is made from.
pub(super) struct Plan {
    pub(crate) shared: Arc<Shared>,
    pub(super) metrics: Metrics,
    pub(crate) limits: Limits,
    pub(super) protocols: link::Limits,
    pub(super) options: ListenOptions,
    pub(super) threads: usize,
    pub(super) locals: Vec<MakeLocal>,
    pub(super) readiness: Readiness,
}

/// Where a loop listens, what stands before the protocol there, and the socket if all loops
/// accept from one.
pub(super) struct Bound(Address, Option<TransportMaker>, Option<Arc<Listener>>);

impl Bound {
    pub(super) fn address(&self) -> Address {
        self.0.clone()
    }

    /// The place for a further loop.
    fn place(self) -> ListenTarget {
        let place = match self.2 {
            Some(socket) => ListenTarget::from(socket),
            None => ListenTarget::from(self.0),
        };
        place.over(self.1)
    }
}

/// An app that runs on threads of its own.
///
/// When it is dropped, the server keeps running.
///
/// ```
/// use barewire::app::App;
/// use std::time::Duration;
///
/// let app = App::new().get("/", |_request, reply| reply.text("hello"));
/// let server = app.threads(2).listen("127.0.0.1:0")?.spawn()?;
/// println!("http://{}", server.local_addresses()[0]);
///
/// let handle = server.handle(); // for any thread
/// handle.shutdown(Duration::from_secs(5));
/// assert_eq!(server.join()?, 0); // no connection was cut
/// # Ok::<(), barewire::app::Error>(())
/// ```
pub struct Server {
    handle: ServerHandle,
    threads: Vec<JoinHandle<Result<usize, Error>>>,
    pool: Pool,
}

/// Reaches a [`Server`] from any thread.
#[derive(Clone)]
pub struct ServerHandle {
    addresses: Arc<[Address]>,
    /// Those of them where everything is said over TLS.
    #[cfg(feature = "tls")]
    secure: Arc<[Address]>,
    remotes: Arc<Mutex<Vec<Remote>>>,
    /// Until when what runs may finish, once a shutdown has begun.
    end: Arc<Mutex<Option<Instant>>>,
    drain_time: Duration,
    life: Arc<Life>,
}

impl Server {
    /// Starts as many loops as the plan says, each with its own sockets on the
    /// same addresses.
    pub(super) fn start(plan: Plan, places: Vec<ListenTarget>) -> Result<Self, Error> {
        let plan = Arc::new(plan);
        let remotes = Arc::new(Mutex::new(Vec::new()));
        let mut server = Self {
            handle: ServerHandle {
                addresses: Arc::default(),
                #[cfg(feature = "tls")]
                secure: Arc::default(),
                remotes,
                end: Arc::default(),
                drain_time: plan.limits.drain_time,
                life: Arc::new(Life::of(plan.readiness.clone())),
            },
            threads: Vec::new(),
            pool: plan.metrics.pool().clone(),
        };
        let mut places: Arc<[ListenTarget]> = places.into();
        for index in 0..plan.threads {
            match server.add_loop(&plan, &places, index) {
                // The first loop finds out where: the others listen there, too.
                Ok(bound) if index == 0 => {
                    server.handle.addresses = bound.iter().map(Bound::address).collect();
                    #[cfg(feature = "tls")]
                    {
                        let secure = bound.iter().filter(|it| it.1.is_some());
                        server.handle.secure = secure.map(Bound::address).collect();
                    }
                    places = bound.into_iter().map(Bound::place).collect();
                }
                Ok(_) => {}
                Err(error) => {
                    server.handle.shutdown(Duration::ZERO);
                    return Err(error);
                }
            }
        }
        Ok(server)
    }

    /// Starts one loop and waits until it listens; where.
    fn add_loop(
        &mut self,
        plan: &Arc<Plan>,
        places: &Arc<[ListenTarget]>,
        index: usize,
    ) -> Result<Vec<Bound>, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let plan = plan.clone();
        let places = places.clone();
        let handle = self.handle.clone();
        let name = alloc::format!("barewire-{index}");
        let thread = Builder::new().name(name).spawn(move || {
            // Made on the thread that it runs on: what it owns is not `Send`.
            let (mut events, bound) = match plan.listen(&places, index) {
                Ok(ready) => ready,
                Err(error) => {
                    // Nobody waits only if the whole start has failed.
                    let _ = sender.send(Err(error));
                    return Ok(0);
                }
            };
            let _ = sender.send(Ok((events.remote(), bound)));
            drop(sender);
            let run = events.run();
            if run.is_err() {
                handle.shutdown(Duration::ZERO); // a server runs as a whole
            }
            run
        })?;
        self.threads.push(thread);
        let (remote, bound) = match receiver.recv() {
            Ok(started) => started?,
            Err(_) => return Err(Error::Config("a loop ended before it began")),
        };
        self.handle.remotes().push(remote);
        Ok(bound)
    }

    #[cfg(all(unix, feature = "systemd"))]
    pub(super) fn remotes(&self) -> Vec<Remote> {
        self.handle.remotes().clone()
    }

    /// A handle for other threads.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Where the server listens, with the ports that the system chose.
    pub fn local_addresses(&self) -> &[Address] {
        &self.handle.addresses
    }

    /// Those of [`local_addresses`](Self::local_addresses) that came from
    /// [`App::listen_tls`](crate::app::App::listen_tls).
    #[cfg(feature = "tls")]
    pub fn tls_addresses(&self) -> &[Address] {
        &self.handle.secure
    }

    /// Waits until the server has been shut down. Returns how many connections
    /// were cut because they had not finished in time.
    ///
    /// # Errors
    /// [`Error::Io`] if a loop's poller failed.
    ///
    /// # Panics
    /// If a loop did; panics of the app's own closures and objects end their
    /// exchange alone.
    pub fn join(self) -> Result<usize, Error> {
        let mut cut = 0;
        let mut failed = None;
        for thread in self.threads {
            match thread.join() {
                Ok(Ok(count)) => cut += count,
                Ok(Err(error)) => failed = failed.or(Some(error)),
                Err(panic) => resume_unwind(panic),
            }
        }
        let end = *self.handle.end();
        let running = self.pool.close(end.or_else(|| Some(Instant::now())));
        if running > 0 {
            report!(
                Warn,
                "jobs of blocking work that still run at the end of a shutdown: {running}"
            );
        }
        failed.map_or(Ok(cut), Err)
    }
}

impl Plan {
    fn listen(&self, places: &[ListenTarget], index: usize) -> Result<(Loop, Vec<Bound>), Error> {
        let mut events = Loop::one_of(self.threads, self.limits.clone())?;
        let bound = self.join(&mut events, places, index)?;
        Ok((events, bound))
    }

    /// Makes a loop serve the app as the one of this number: on all of the addresses, or
    /// on none.
    pub(super) fn join<P: Poller>(
        &self,
        events: &mut Loop<P>,
        places: &[ListenTarget],
        index: usize,
    ) -> Result<Vec<Bound>, Error> {
        let mut locals = Locals::new();
        for make in &self.locals {
            make(events, &mut locals)?;
        }
        let home = events.enter(events.next_owner(), |context| Home::open(context, ARRIVED));
        let owner = events.add(AppHandler::new(
            self.shared.clone(),
            self.metrics.join(),
            index,
            (locals, home),
        ));
        self.metrics.join_memory(events.memory());
        self.metrics.join_handshakes(events.handshakes());
        self.metrics.join_compression(events.compression());
        self.metrics.join_resources(events.resources());
        self.shared.directory.attach(index, events.remote(), owner);
        let profile = events.profile(self.protocols.clone());
        let (mut bound, before) = (Vec::new(), events.next_listener());
        for place in places {
            let is_tcp = !place.is_unix();
            if !is_tcp && index > 0 {
                continue; // the first loop alone serves Unix sockets
            }
            // The loops share their addresses with each other, and with other
            // programs only where the options say so.
            let options = self
                .options
                .clone()
                .with_reuse_port(is_tcp && (self.options.reuse_port || self.threads > 1))
                .with_claim(index == 0 && (self.options.claim || !self.options.reuse_port));
            let listening = place.listen(events, &options, Speaks::Http, owner, profile);
            let addresses = listening.inspect_err(|_| events.unlisten_from(before))?;
            let transport = || place.transport().cloned();
            let all = addresses.into_iter();
            bound.extend(all.map(|it| Bound(it, transport(), place.socket().cloned())));
        }
        Ok(bound)
    }
}

impl ServerHandle {
    /// Stops the server: it accepts nothing more, and what runs may finish `within` this
    /// time (`None`: within [`Limits::drain_time`]); what is left then is cut. Jobs of
    /// [blocking work](crate::app::Reply::blocking) are waited for as long, whether their
    /// clients are still there or not.
    pub fn shutdown(&self, within: impl Into<Option<Duration>>) {
        self.life.leave();
        let within = within.into();
        let end = Instant::now().checked_add(within.unwrap_or(self.drain_time));
        *self.end() = end;
        for remote in &*self.remotes() {
            remote.drain(within);
        }
    }

    /// Has the app be ready no more ([`App::health`](crate::app::App::health)), serves on for
    /// `grace`, and then does what [`shutdown`](Self::shutdown) does: a load balancer has
    /// time to notice, and finds no closed port. Returns immediately.
    pub fn drain_after(&self, grace: Duration, within: impl Into<Option<Duration>>) {
        let within = within.into();
        self.life.leave();
        let handle = self.clone();
        let drain = move || {
            thread::sleep(grace);
            if !handle.is_draining() {
                handle.shutdown(within);
            }
        };
        if Builder::new()
            .name("barewire-grace".into())
            .spawn(drain)
            .is_err()
        {
            self.shutdown(within); // the system has no thread left to wait
        }
    }

    fn is_draining(&self) -> bool {
        self.end().is_some()
    }

    /// Where the server listens, with the ports that the system chose.
    pub fn local_addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Those of [`local_addresses`](Self::local_addresses) that came from
    /// [`App::listen_tls`](crate::app::App::listen_tls).
    #[cfg(feature = "tls")]
    pub fn tls_addresses(&self) -> &[Address] {
        &self.secure
    }

    #[cfg(unix)]
    pub(super) fn life(&self) -> Arc<Life> {
        self.life.clone()
    }

    fn end(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remotes(&self) -> std::sync::MutexGuard<'_, Vec<Remote>> {
        self.remotes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

partly_shown!(it: ServerHandle { addresses });

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.handle.addresses)
            .field("threads", &self.threads.len())
            .finish()
    }
}
