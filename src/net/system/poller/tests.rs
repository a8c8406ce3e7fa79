use super::*;
use core::sync::atomic::AtomicUsize;

#[test]
fn a_thousand_wakes_ring_once() {
    let rings = Arc::new(AtomicUsize::new(0));
    let counter = rings.clone();
    let waker = Waker::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    for _ in 0..1000 {
        waker.clone().wake();
    }
    assert_eq!(rings.load(Ordering::Relaxed), 1);
    assert!(waker.lower());
    assert!(!waker.lower());
    waker.wake();
    assert_eq!(rings.load(Ordering::Relaxed), 2);
}
