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
