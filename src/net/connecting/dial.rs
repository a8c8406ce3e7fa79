//! Dialling: names resolved on threads, and all their addresses tried.
//!
//! ```text
//!  Name ---> resolving ---> address, address, ... ---> connected
//!                |              |  each in its time
//!                `--------------+--> failed, at the latest when the dial's
//!                                    own time is over
//! ```
//!
//! A [`Dial`] is data: the loop moves it on when a name is resolved, an
//! attempt fails or its deadline passes.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::attempts::in_turns;
use crate::link::Unreachable;
use crate::net::stores::mailbox::mailbox;
use crate::net::{Address, Destination, Inbox, Key, Limits, Mailbox, Poller, Priority, Waker};
use crate::wire::Instant;

/// Addresses of one name that are tried. More come from a broken or hostile
/// name server only.
const MOST_ADDRESSES: usize = 16;
/// Names resolved at the same time. A name whose servers are silent holds its
/// thread for many seconds, and should hold up nobody else.
const THREADS: usize = 4;
/// How long a thread waits for a further name before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// One dial on its way.
#[derive(Debug)]
pub(crate) struct Dial {
    addresses: Vec<Address>,
    next: usize, // <= addresses.len()
    deadline: Instant,
    end: Instant, // >= deadline
    error: io::Error,
}

impl Dial {
    /// Begins a dial. A [`Name`](Destination::Name) is to be given to a
    /// [`Resolver`] and waits for [`resolved`](Self::resolved); an address can
    /// be [connected](Self::connect) to immediately.
    pub(crate) fn new(destination: &Destination, now: Instant, limits: &Limits) -> Self {
        let end = now + limits.dial_time;
        Self {
            addresses: match destination {
                Destination::Address(address) => Vec::from([address.clone()]),
                Destination::Name { .. } => Vec::new(),
            },
            next: 0,
            deadline: end,
            end,
            error: ErrorKind::TimedOut.into(),
        }
    }

    /// When the present step takes too long: resolving, or the attempt that
    /// [`connect`](Self::connect) began. Then [`timed_out`](Self::timed_out).
    #[inline]
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Takes what a resolver found. The families take turns, so that a broken
    /// one costs a single attempt (RFC 8305 §4).
    pub(crate) fn resolved(&mut self, found: io::Result<Vec<SocketAddr>>) {
        match found {
            Ok(addresses) => {
                self.addresses = in_turns(&addresses)
                    .take(MOST_ADDRESSES)
                    .map(Address::Tcp)
                    .collect();
                self.error = ErrorKind::NotFound.into(); // of a name without addresses
            }
            Err(error) => {
                self.addresses = Vec::new();
                self.error = error;
            }
        }
        self.next = 0;
    }

    /// Notes why the last attempt failed.
    pub(crate) fn failed(&mut self, error: io::Error) {
        self.error = error;
    }

    /// Notes that the last attempt took too long.
    pub(crate) fn timed_out(&mut self) {
        self.error = ErrorKind::TimedOut.into();
    }

    /// Begins to connect to the next address that the system does not refuse
    /// immediately, and starts its time. Fails with the last error when all have
    /// been tried or the dial's time is over.
    pub(crate) fn connect<P: Poller>(
        &mut self,
        poller: &mut P,
        limits: &Limits,
    ) -> io::Result<P::Stream> {
        let now = poller.now();
        while now < self.end
            && let Some(address) = self.addresses.get(self.next)
        {
            self.next += 1;
            match poller.connect(address) {
                Ok(stream) => {
                    self.deadline = (now + limits.connect_time).min(self.end);
                    return Ok(stream);
                }
                Err(error) => self.error = error,
            }
        }
        Err(core::mem::replace(
            &mut self.error,
            ErrorKind::TimedOut.into(),
        ))
    }

    /// The reason behind the error with which [`connect`](Self::connect) has given up.
    pub(crate) fn reason(&self, error: &io::Error) -> Unreachable {
        if self.addresses.is_empty() {
            return Unreachable::NotResolved;
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => Unreachable::Refused,
            ErrorKind::NotFound => Unreachable::NoSocket,
            ErrorKind::PermissionDenied => Unreachable::Denied,
            ErrorKind::TimedOut => Unreachable::TimedOut,
            ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable => Unreachable::NoRoute,
            _ => Unreachable::Failed,
        }
    }

    /// The address that was tried last: where a connected dial goes.
    pub(crate) fn address(&self) -> Option<&Address> {
        self.addresses.get(self.next.checked_sub(1)?)
    }
}

/// What a [`Resolver`] found.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Whose name it was.
    pub dial: Key,
    /// The addresses, with the port of the destination.
    pub found: io::Result<Vec<SocketAddr>>,
}

/// Resolves names on threads of its own, at most four, that are started when
/// there is a name and end when there has been none for ten seconds.
pub(crate) struct Resolver {
    lookups: Arc<LookupQueue>,
    inbox: Inbox<Resolved>,
    limit: usize,
}

struct LookupQueue {
    state: Mutex<State>,
    work: Condvar,
    lookup: Lookup,
}

type Lookup = alloc::boxed::Box<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize, // threads that wait for `work`
    closed: bool,
}

struct Job {
    dial: Key,
    host: String,
    port: u16,
}

impl Resolver {
    /// A resolver that asks the system, wakes its loop with `waker`, and lets
    /// at most [`resolving`](Limits::resolving) names wait.
    pub(crate) fn new(waker: Waker, limits: &Limits) -> Self {
        Self::with_lookup(waker, limits, |host, port| {
            Ok((host, port).to_socket_addrs()?.collect())
        })
    }

    /// A resolver that asks `lookup`, on its threads: for tests, and for who
    /// has a name service of his own.
    pub(crate) fn with_lookup(
        waker: Waker,
        limits: &Limits,
        lookup: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        // As many answers wait as there are names at most, so that none is lost.
        let (_, inbox) = mailbox(usize::MAX, usize::MAX, waker);
        Self {
            lookups: Arc::new(LookupQueue {
                state: Mutex::new(State {
                    jobs: VecDeque::new(),
                    threads: 0,
                    idle: 0,
                    closed: false,
                }),
                work: Condvar::new(),
                lookup: alloc::boxed::Box::new(lookup),
            }),
            inbox,
            limit: limits.resolving,
        }
    }

    /// Begins to resolve a name. Fails immediately when too many wait, or no
    /// thread can be started.
    pub(crate) fn resolve(&self, dial: Key, host: &str, port: u16) -> io::Result<()> {
        let mut state = self.lookups.lock();
        if state.jobs.len() >= self.limit {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        if state.idle <= state.jobs.len() && state.threads < THREADS {
            let (lookups, mailbox) = (self.lookups.clone(), self.inbox.mailbox());
            let started = thread::Builder::new()
                .name(String::from("barewire-names"))
                .spawn(move || lookups.work(&mailbox));
            match started {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err(error),
                Err(_) => {} // those that run will come to it
            }
        }
        state.jobs.push_back(Job {
            dial,
            host: String::from(host),
            port,
        });
        drop(state);
        self.lookups.work.notify_one();
        Ok(())
    }
}

/// The answers, in no particular order; none for now ends the iteration. The
/// waker says when there is another.
impl Iterator for Resolver {
    type Item = Resolved;

    #[inline]
    fn next(&mut self) -> Option<Resolved> {
        self.inbox.next()
    }
}

impl Drop for Resolver {
    /// Threads that wait for a name server end when it has answered.
    fn drop(&mut self) {
        let mut state = self.lookups.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.lookups.work.notify_all();
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lookups.lock();
        f.debug_struct("Resolver")
            .field("waiting", &state.jobs.len())
            .field("threads", &state.threads)
            .finish_non_exhaustive()
    }
}

/// Counts a thread for as long as it runs, also if the lookup panics.
struct Seat<'a>(&'a LookupQueue);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.lock().threads -= 1;
    }
}

impl LookupQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn work(&self, mailbox: &Mailbox<Resolved>) {
        let _seat = Seat(self);
        while let Some(Job { dial, host, port }) = self.take() {
            let found = (self.lookup)(&host, port);
            let answer = Resolved { dial, found };
            if mailbox.post(answer, Priority::Reply).is_err() {
                return; // the loop is gone
            }
        }
    }

    /// Waits for a name; `None` if there is none for long.
    fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            let (guard, timeout) = self
                .work
                .wait_timeout(state, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Mio, Scripted, Slab};
    use alloc::string::ToString;
    use alloc::vec;
    use core::sync::atomic::{AtomicUsize, Ordering};

    const LIMITS: Limits = Limits::DEFAULT;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn name() -> Destination {
        "example.com:80".parse().unwrap()
    }

    #[test]
    fn all_addresses_are_tried_in_turn() {
        let world = Scripted::new();
        let mut system = world.clone();
        let mut dial = Dial::new(&name(), system.now(), &LIMITS);
        assert_eq!(dial.deadline(), system.now() + LIMITS.dial_time);
        dial.resolved(Ok(addresses(&[
            "[2001:db8::1]:80",
            "[2001:db8::2]:80",
            "192.0.2.1:80",
        ])));
        for expected in ["[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80"] {
            let stream = dial.connect(&mut system, &LIMITS).unwrap();
            assert_eq!(dial.address().unwrap().to_string(), expected);
            assert_eq!(dial.deadline(), system.now() + LIMITS.connect_time);
            world.advance(LIMITS.connect_time);
            dial.timed_out();
            system.close(stream);
        }
        let error = dial.connect(&mut system, &LIMITS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn a_dial_ends_with_its_own_time() {
        let world = Scripted::new();
        let mut system = world.clone();
        let limits = LIMITS.with_dial_time(Duration::from_secs(7));
        let mut dial = Dial::new(&name(), system.now(), &limits);
        let end = dial.deadline();
        world.advance(Duration::from_secs(3));
        dial.resolved(Ok(addresses(&["192.0.2.1:80", "192.0.2.2:80"])));
        dial.connect(&mut system, &limits).unwrap();
        assert_eq!(dial.deadline(), end);
        world.advance(Duration::from_secs(4));
        dial.timed_out();
        assert!(dial.connect(&mut system, &limits).is_err());
    }

    #[test]
    fn the_last_error_is_told() {
        let world = Scripted::new();
        let mut system = world.clone();
        let mut dial = Dial::new(&"192.0.2.1:80".parse().unwrap(), system.now(), &LIMITS);
        world.refuse_connects(Some(ErrorKind::NetworkUnreachable));
        let error = dial.connect(&mut system, &LIMITS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
        let mut dial = Dial::new(&name(), system.now(), &LIMITS);
        dial.resolved(Ok(vec![]));
        let error = dial.connect(&mut system, &LIMITS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let mut dial = Dial::new(&name(), system.now(), &LIMITS);
        dial.resolved(Err(io::Error::other("no such name")));
        let error = dial.connect(&mut system, &LIMITS).unwrap_err();
        assert_eq!(error.to_string(), "no such name");
    }

    #[test]
    fn a_name_with_a_thousand_addresses_is_cut_short() {
        let many: Vec<SocketAddr> = (0..1000).map(|n| ([192, 0, 2, 1], n).into()).collect();
        let mut dial = Dial::new(&name(), Instant::START, &LIMITS);
        dial.resolved(Ok(many));
        assert_eq!(dial.addresses.len(), MOST_ADDRESSES);
    }

    #[test]
    fn a_name_is_resolved_by_the_system_and_the_loop_woken() {
        let mut mio = Mio::new().unwrap();
        let mut resolver = Resolver::new(mio.waker(), &LIMITS);
        let dial = Slab::new().insert(());
        resolver.resolve(dial, "localhost", 80).unwrap();
        let answer = loop {
            if let Some(answer) = resolver.next() {
                break answer;
            }
            mio.poll(&mut vec![], Some(Duration::from_secs(10)))
                .unwrap();
        };
        assert_eq!(answer.dial, dial);
        let found = answer.found.unwrap();
        assert!(
            found
                .iter()
                .all(|address| address.ip().is_loopback() && address.port() == 80)
        );
    }

    #[test]
    fn a_silent_name_server_holds_up_nobody_else() {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let threads = Arc::new(AtomicUsize::new(0));
        let count = threads.clone();
        let limits = LIMITS.with_resolving(10);
        let mut resolver = Resolver::with_lookup(Waker::new(|| {}), &limits, move |host, _| {
            if host == "silent" {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = gate.lock().unwrap().recv();
                return Err(ErrorKind::TimedOut.into());
            }
            Ok(vec![])
        });
        let mut slab = Slab::new();
        let silent = slab.insert(());
        resolver.resolve(silent, "silent", 1).unwrap();
        let good = slab.insert(());
        resolver.resolve(good, "good", 1).unwrap();
        let wait = |resolver: &mut Resolver| loop {
            match resolver.next() {
                Some(answer) => break answer,
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        assert_eq!(wait(&mut resolver).dial, good);
        release.send(()).unwrap();
        assert_eq!(wait(&mut resolver).dial, silent);
        assert_eq!(threads.load(Ordering::SeqCst), 1);
        // All threads busy: names wait, within the bound.
        let mut refused = 0;
        for _ in 0..100 {
            refused += usize::from(resolver.resolve(silent, "silent", 1).is_err());
        }
        assert!((100 - 10 - THREADS..=90).contains(&refused), "{refused}");
        drop(resolver);
        drop(release);
    }
}
