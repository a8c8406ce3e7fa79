//! Names of a loop's dials.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs;

use super::lookups::LOOKUPS;
use crate::net::stores::mailbox::mailbox;
use crate::net::{Inbox, Key, Limits, Priority, Waker};

/// What a [`Resolver`] found.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Whose name it was.
    pub dial: Key,
    /// The addresses, with the port of the destination.
    pub found: io::Result<Vec<SocketAddr>>,
}

type Lookup = Box<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Resolves names on the threads of the process ([`LOOKUPS`]).
pub(crate) struct Resolver {
    lookup: Arc<Lookup>,
    inbox: Inbox<Resolved>,
    /// Names that no answer has come for.
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl Resolver {
    /// A resolver that asks the system, wakes its loop with `waker`, and lets
    /// at most [`resolving`](Limits::resolving) names wait.
    pub(crate) fn new(waker: Waker, limits: &Limits) -> Self {
        Self::with_lookup(waker, limits, |host, port| {
            Ok((host, port).to_socket_addrs()?.collect())
        })
    }

    fn with_lookup(
        waker: Waker,
        limits: &Limits,
        lookup: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        // As many answers wait as there are names at most, so that none is lost.
        let (_, inbox) = mailbox(usize::MAX, usize::MAX, waker);
        Self {
            lookup: Arc::new(Box::new(lookup)),
            inbox,
            waiting: Arc::default(),
            limit: limits.resolving,
        }
    }

    /// Begins to resolve a name. Fails immediately when too many wait, or no
    /// thread can be started.
    pub(crate) fn resolve(&self, dial: Key, host: &str, port: u16) -> io::Result<()> {
        if self.waiting.load(Relaxed) >= self.limit {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        self.waiting.fetch_add(1, Relaxed);
        let counted = Counted(self.waiting.clone());
        let (lookup, mailbox) = (self.lookup.clone(), self.inbox.mailbox());
        let host = String::from(host);
        LOOKUPS.run(move || {
            let found = lookup(&host, port);
            drop(counted);
            // Refused only where the loop is gone.
            let _ = mailbox.post(Resolved { dial, found }, Priority::Reply);
        })
    }
}

/// Counts a name for as long as it waits.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
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

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Mio, Poller as _, Slab};
    use alloc::vec;
    use core::time::Duration;
    use std::sync::Mutex;
    use std::thread;

    const LIMITS: Limits = Limits::DEFAULT;

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
        let limits = LIMITS.with_resolving(10);
        let mut resolver = Resolver::with_lookup(Waker::new(|| {}), &limits, move |host, _| {
            if host == "silent" {
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
        // Names wait within the bound.
        let mut refused = 0;
        for _ in 0..100 {
            refused += usize::from(resolver.resolve(silent, "silent", 1).is_err());
        }
        assert_eq!(refused, 90);
        drop(resolver);
        drop(release);
    }
}
