//! Names and their addresses: asked for, waited for, and kept for a short time.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::cancel::Target;
use super::resolver::System;
use super::{Canceller, DialError, Phase, Resolver, clock};
use crate::net::LOOKUPS;
use crate::wire::Instant;
use crate::wire::partly_shown;

/// Names whose addresses are kept.
const KEPT: usize = 256;

pub(super) type Found = Result<Arc<[SocketAddr]>, Arc<io::Error>>;
pub(super) type Told = Box<dyn FnOnce(Found) + Send>;

/// Addresses by name. Callers that ask for the same name share one lookup.
pub(crate) struct Names {
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
    state: Mutex<Looked>,
    news: Condvar,
}

#[derive(Default)]
struct Looked {
    found: Option<Found>,
    /// Those that do not wait.
    told: Vec<Told>,
}

impl Names {
    /// Those that this resolver knows, by default the system's.
    pub(crate) fn new(resolver: Option<Arc<dyn Resolver>>, keep: Duration) -> Self {
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
        let failed = |error| DialError::failed(Phase::Resolve, error);
        match self.look(host, port).map_err(failed)? {
            Ok(found) => Ok(found),
            Err(lookup) => lookup.wait(until, cancel),
        }
    }

    fn look(&self, host: &str, port: u16) -> io::Result<Result<Arc<[SocketAddr]>, Arc<Lookup>>> {
        let name = (String::from(host), port);
        let mut table = lock(&self.table);
        match table.0.get(&name) {
            Some(Entry::Known(found, good)) if clock::now() < *good => Ok(Ok(found.clone())),
            Some(Entry::Asked(lookup)) => Ok(Err(lookup.clone())),
            Some(Entry::Known(..)) | None => {
                let lookup = Arc::new(Lookup::default());
                table.0.insert(name.clone(), Entry::Asked(lookup.clone()));
                drop(table);
                self.ask(name, &lookup)?;
                Ok(Err(lookup))
            }
        }
    }

    /// Calls `told` with the addresses of a host, now or on another thread.
    pub(super) fn tell(&self, host: &str, port: u16, told: Told) -> io::Result<()> {
        match self.look(host, port)? {
            Ok(found) => told(Ok(found)),
            Err(lookup) => lookup.tell(told),
        }
        Ok(())
    }

    /// Lets a thread look a name up. If no thread can, all callers that wait for it are
    /// told.
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

    pub(super) fn forget(&self, host: &str, port: u16) {
        let mut table = lock(&self.table);
        let name = (String::from(host), port);
        if let Some(Entry::Known(..)) = table.0.get(&name) {
            table.0.remove(&name);
        }
    }
}

partly_shown!(it: Names { keep });

impl Table {
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

/// A question for a thread, which is answered however the thread ends.
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
        let mut state = lock(&self.lookup.state);
        state.found = Some(found.clone());
        let told = core::mem::take(&mut state.told);
        drop(state);
        self.lookup.news.notify_all();
        for told in told {
            told(found.clone());
        }
    }
}

fn no_address() -> Arc<io::Error> {
    Arc::new(io::Error::new(ErrorKind::NotFound, "it has no address"))
}

impl Lookup {
    fn wait(
        self: &Arc<Self>,
        until: Instant,
        cancel: &Canceller,
    ) -> Result<Arc<[SocketAddr]>, DialError> {
        let this = self.clone();
        let _watch = cancel.watch(Target::Wake(Arc::new(move || {
            drop(lock(&this.state)); // who is about to wait does
            this.news.notify_all();
        })));
        let mut state = lock(&self.state);
        loop {
            match &state.found {
                Some(Ok(found)) => return Ok(found.clone()),
                Some(Err(error)) => return Err(DialError::failed(Phase::Resolve, error.clone())),
                None if cancel.is_cancelled() => return Err(DialError::cancelled(Phase::Resolve)),
                None => {}
            }
            let left = until.saturating_since(clock::now());
            if left.is_zero() {
                return Err(DialError::timed_out(Phase::Resolve));
            }
            let waited = self.news.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Adds a caller that is told of the answer, and does not wait.
    fn tell(&self, told: Told) {
        let mut state = lock(&self.state);
        match state.found.clone() {
            Some(found) => {
                drop(state);
                told(found);
            }
            None => state.told.push(told),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
