use super::*;
use core::sync::atomic::AtomicU32;

fn counter() -> (Arc<AtomicU32>, Target) {
    let count = Arc::new(AtomicU32::new(0));
    let counts = count.clone();
    let wake = move || {
        counts.fetch_add(1, Ordering::SeqCst);
    };
    (count, Target::Wake(Arc::new(wake)))
}

#[test]
fn it_ends_all_that_is_watched_now_or_later_and_nothing_else() {
    let canceller = Canceller::new();
    let (over, target) = counter();
    drop(canceller.watch(target));
    let (first, target) = counter();
    let watched = canceller.watch(target);
    assert!(!watched.is_cancelled());
    canceller.clone().cancel();
    canceller.cancel();
    let (later, target) = counter();
    let _later = canceller.watch(target);
    let counts = [&over, &first, &later].map(|it| it.load(Ordering::SeqCst));
    assert_eq!(counts, [0, 1, 1]);
    assert!(watched.is_cancelled());
}
