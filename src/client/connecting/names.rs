//! Names and their addresses: asked for, waited for, and kept for a short time.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::cancel::Target;
use super::resolver::System;
use super::{Canceller, DialError, Phase, Resolver, clock};
use crate::net::LOOKUPS;
use crate::wire::Instant;

/// Names whose addresses are kept.
const KEPT: usize = 256;

type Found = Result<Arc<[SocketAddr]>, Arc<io::Error>>;

/// The names of a client. Whoever asks for one that is asked for already waits for the
/// same answer.
pub(in crate::client) struct Names {
    resolver: Arc<dyn Resolver>,
    /// How long addresses are kept.
    keep: Duration,
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table(BTreeMap<(String, u16), Entry>);

enum Entry {
    Asked(Arc<Lookup>),
    Known(Arc<[SocketAddr]>, Instant),
}

/// A lookup under way.
#[derive(Default)]
struct Lookup {
    found: Mutex<Option<Found>>,
    news: Condvar,
}

impl Names {
    /// Those that this resolver knows, by default the system's.
    pub(in crate::client) fn new(resolver: Option<Arc<dyn Resolver>>, keep: Duration) -> Self {
        Self {
            resolver: resolver.unwrap_or_else(|| Arc::new(System)),
            keep,
            table: Arc::default(),
        }
    }

    /// The addresses of a host, of which there is at least one.
    pub(super) fn resolve(
        &self,
        host: &str,
        port: u16,
        until: Instant,
        cancel: &Canceller,
    ) -> Result<Arc<[SocketAddr]>, DialError> {
        let name = (String::from(host), port);
        let failed = |error| DialError::failed(Phase::Resolve, error);
        let mut table = lock(&self.table);
        let lookup = match table.0.get(&name) {
            Some(Entry::Known(found, good)) if clock::now() < *good => return Ok(found.clone()),
            Some(Entry::Asked(lookup)) => lookup.clone(),
            Some(Entry::Known(..)) | None => {
                let lookup = Arc::new(Lookup::default());
                table.0.insert(name.clone(), Entry::Asked(lookup.clone()));
                drop(table);
                self.ask(name, &lookup).map_err(failed)?;
                return lookup.wait(until, cancel);
            }
        };
        drop(table);
        lookup.wait(until, cancel)
    }

    /// Has a thread look a name up. If none can, all are told that wait for it.
    fn ask(&self, name: (String, u16), lookup: &Arc<Lookup>) -> io::Result<()> {
        let resolver = self.resolver.clone();
        let asked = Asked {
            table: self.table.clone(),
            name,
            lookup: lookup.clone(),
            keep: self.keep,
            found: Err(io::Error::other("the resolver gave no answer")),
        };
        LOOKUPS.run(move || {
            let mut asked = asked; // all of it: it tells what it has found
            let (host, port) = (asked.name.0.as_str(), asked.name.1);
            asked.found = resolver.resolve(host, port);
        })
    }

    /// Forgets the addresses of a host: none of them has answered.
    pub(super) fn forget(&self, host: &str, port: u16) {
        let mut table = lock(&self.table);
        let name = (String::from(host), port);
        if let Some(Entry::Known(..)) = table.0.get(&name) {
            table.0.remove(&name);
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

impl Table {
    /// Notes what was found, at this time.
    fn note(&mut self, name: (String, u16), found: &Found, keep: Duration, now: Instant) {
        self.0.remove(&name);
        let Ok(found) = found else {
            return;
        };
        if keep.is_zero() {
            return;
        }
        if self.0.len() >= KEPT {
            let is_good = |entry: &Entry| match entry {
                Entry::Known(_, good) => now < *good,
                Entry::Asked(_) => true,
            };
            self.0.retain(|_, entry| is_good(entry));
        }
        if self.0.len() < KEPT {
            self.0.insert(name, Entry::Known(found.clone(), now + keep));
        }
    }
}

/// What a thread does, and tells however it ends.
struct Asked {
    table: Arc<Mutex<Table>>,
    name: (String, u16),
    lookup: Arc<Lookup>,
    keep: Duration,
    found: io::Result<Vec<SocketAddr>>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let nothing = Err(ErrorKind::NotFound.into());
        let found = match core::mem::replace(&mut self.found, nothing) {
            Ok(found) if found.is_empty() => Err(no_address()),
            Ok(found) => Ok(found.into()),
            Err(error) => Err(Arc::new(error)),
        };
        let name = core::mem::take(&mut self.name);
        lock(&self.table).note(name, &found, self.keep, clock::now());
        *lock(&self.lookup.found) = Some(found);
        self.lookup.news.notify_all();
    }
}

fn no_address() -> Arc<io::Error> {
    Arc::new(io::Error::new(ErrorKind::NotFound, "it has no address"))
}

impl Lookup {
    /// Waits for the answer.
    fn wait(
        self: &Arc<Self>,
        until: Instant,
        cancel: &Canceller,
    ) -> Result<Arc<[SocketAddr]>, DialError> {
        let this = self.clone();
        let _watch = cancel.watch(Target::Wake(Arc::new(move || {
            drop(lock(&this.found)); // who is about to wait does
            this.news.notify_all();
        })));
        let mut found = lock(&self.found);
        loop {
            match &*found {
                Some(Ok(found)) => return Ok(found.clone()),
                Some(Err(error)) => return Err(DialError::failed(Phase::Resolve, error.clone())),
                None if cancel.is_cancelled() => return Err(DialError::cancelled(Phase::Resolve)),
                None => {}
            }
            let left = until.saturating_since(clock::now());
            if left.is_zero() {
                return Err(DialError::timed_out(Phase::Resolve));
            }
            let waited = self.news.wait_timeout(found, left);
            found = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    const FAR: Instant = Instant::NEVER;
    const KEEP: Duration = Duration::from_secs(30);

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 80))
    }

    /// Names whose resolver answers each time with one more, when it is let.
    fn slow() -> (Arc<Names>, Sender<()>, Receiver<()>) {
        let (go, wait) = channel();
        let (tell, asked) = channel();
        let (wait, count) = (Mutex::new(wait), AtomicUsize::new(0));
        let resolver = move |_: &str, _: u16| {
            tell.send(()).unwrap();
            let _ = lock(&wait).recv();
            let nth = count.fetch_add(1, Ordering::SeqCst);
            Ok(alloc::vec![address(u8::try_from(nth).unwrap())])
        };
        let names = Names::new(Some(Arc::new(resolver)), KEEP);
        (Arc::new(names), go, asked)
    }

    #[test]
    fn many_wait_for_one_lookup_and_its_answer_is_kept() {
        let (names, go, asked) = slow();
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let names = names.clone();
                thread::spawn(move || names.resolve("a", 80, FAR, &Canceller::new()))
            })
            .collect();
        asked.recv().unwrap();
        go.send(()).unwrap();
        for waiter in waiting {
            assert_eq!(*waiter.join().unwrap().unwrap(), [address(0)]);
        }
        let kept = names.resolve("a", 80, FAR, &Canceller::new());
        assert_eq!(*kept.unwrap(), [address(0)]);
        assert!(asked.try_recv().is_err());
        names.forget("a", 80);
        go.send(()).unwrap();
        let anew = names.resolve("a", 80, FAR, &Canceller::new());
        assert_eq!(*anew.unwrap(), [address(1)]);
    }

    #[test]
    fn a_thread_may_stop_waiting_and_the_lookup_is_completed() {
        let (names, go, asked) = slow();
        let soon = clock::now() + Duration::from_millis(5);
        let late = names.resolve("a", 80, soon, &Canceller::new());
        assert!(late.unwrap_err().is_timeout());
        let cancel = Canceller::new();
        let waiting = {
            let (names, cancel) = (names.clone(), cancel.clone());
            thread::spawn(move || names.resolve("a", 80, FAR, &cancel))
        };
        asked.recv().unwrap();
        cancel.cancel();
        let error = waiting.join().unwrap().unwrap_err();
        assert!(error.is_cancelled() && error.phase() == Phase::Resolve);
        go.send(()).unwrap();
        let found = names.resolve("a", 80, FAR, &Canceller::new());
        assert_eq!(*found.unwrap(), [address(0)]);
    }

    #[test]
    fn what_fails_is_told_and_not_kept() {
        let count = Arc::new(AtomicUsize::new(0));
        let counts = count.clone();
        let resolver = move |_: &str, _: u16| match counts.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::Error::other("no such service")),
            1 => Ok(Vec::new()),
            2 => panic!("a resolver that fails"),
            _ => Ok(alloc::vec![address(7)]),
        };
        let names = Names::new(Some(Arc::new(resolver)), KEEP);
        for text in ["no such service", "no address", "gave no answer"] {
            let error = names.resolve("a", 80, FAR, &Canceller::new()).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(names.resolve("a", 80, FAR, &Canceller::new()).is_ok());
    }

    #[test]
    fn addresses_are_kept_for_their_time_and_within_a_bound() {
        let mut table = Table::default();
        let found: Found = Ok(Arc::from([address(1)]));
        let at = |seconds| Instant::START + Duration::from_secs(seconds);
        for nth in 0..u16::try_from(KEPT).unwrap() {
            table.note((String::from("a"), nth), &found, KEEP, at(0));
        }
        table.note((String::from("b"), 0), &found, KEEP, at(29));
        assert!(table.0.len() == KEPT && !table.0.contains_key(&(String::from("b"), 0)));
        table.note((String::from("b"), 0), &found, KEEP, at(31));
        assert_eq!(table.0.len(), 1);
        table.note((String::from("c"), 0), &found, Duration::ZERO, at(31));
        assert_eq!(table.0.len(), 1);
    }
}
