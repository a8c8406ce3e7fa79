//! Sessions of TLS 1.2 that a server keeps itself, for clients without tickets
//! (RFC 5246 §7.3): curl with OpenSSL is one.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls::time_provider::TimeProvider;

/// Bytes of the longest session that is kept. One has 150 bytes, and the certificates of
/// its client.
const LONGEST: usize = 8 * 1024;
/// Seconds for which a session is good, as tickets are.
const LIFETIME: u64 = 12 * 60 * 60;

/// So many sessions for all loops; the oldest makes room.
pub(super) struct Sessions {
    /// Each with the second in which it was made after it.
    kept: Arc<ServerSessionMemoryCache>,
    time: Arc<dyn TimeProvider>,
}

impl Sessions {
    pub(super) fn new(count: usize, time: Arc<dyn TimeProvider>) -> Self {
        Self {
            kept: ServerSessionMemoryCache::new(count),
            time,
        }
    }

    fn now(&self) -> Option<u64> {
        self.time.current_time().map(|it| it.as_secs())
    }

    /// A session that was kept, unless it is too old.
    fn fresh(&self, mut session: Vec<u8>) -> Option<Vec<u8>> {
        let (rest, made) = session.split_last_chunk()?;
        let age = self.now()?.checked_sub(u64::from_be_bytes(*made))?;
        let len = rest.len();
        session.truncate(len);
        (age <= LIFETIME).then_some(session)
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, id: Vec<u8>, mut session: Vec<u8>) -> bool {
        match self.now() {
            Some(now) if session.len() <= LONGEST => {
                session.extend_from_slice(&now.to_be_bytes());
                self.kept.put(id, session)
            }
            _ => false,
        }
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.fresh(self.kept.get(id)?)
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.fresh(self.kept.take(id)?)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions") // they are secret
    }
}

#[cfg(test)]
mod tests;
