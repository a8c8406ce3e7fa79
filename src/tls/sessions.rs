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

/// So many sessions, the oldest of which makes room for a further one. All loops share
/// them.
pub(super) struct Sessions {
    /// Each with the second in which it was made behind it.
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
mod tests {
    use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use core::time::Duration;
    use std::vec;

    use rustls::pki_types::UnixTime;

    use super::*;

    #[derive(Debug)]
    struct Clock(AtomicU64);

    impl TimeProvider for Clock {
        fn current_time(&self) -> Option<UnixTime> {
            let seconds = self.0.load(Relaxed);
            Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
        }
    }

    #[test]
    fn sessions_are_few_short_and_young() {
        let clock = Arc::new(Clock(AtomicU64::new(1_000_000)));
        let sessions = Sessions::new(4, clock.clone());
        assert!(sessions.put(vec![1], b"one".to_vec()));
        assert_eq!(sessions.get(&[1]).unwrap(), b"one");
        // As old as may be, too old, and from the future.
        for (now, is_good) in [
            (1_000_000 + LIFETIME, true),
            (1_000_001 + LIFETIME, false),
            (999_999, false),
        ] {
            clock.0.store(now, Relaxed);
            assert_eq!(sessions.get(&[1]).is_some(), is_good, "{now}");
        }
        assert!(sessions.put(vec![2], vec![7; LONGEST]));
        assert!(!sessions.put(vec![3], vec![7; LONGEST + 1]));
        assert_eq!(sessions.get(&[3]), None);
        assert_eq!(sessions.take(&[2]).unwrap(), [7; LONGEST]);
        assert_eq!(sessions.get(&[2]), None);
        // The oldest makes room.
        for id in 0..100 {
            assert!(sessions.put(vec![9, id], b"more".to_vec()));
        }
        let is_kept = |id: &u8| sessions.get(&[9, *id]).is_some();
        assert!(is_kept(&99));
        assert!((0..100).filter(is_kept).count() <= 8);
    }
}
