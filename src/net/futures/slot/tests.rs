use alloc::vec::Vec;
use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Poll;

use super::*;
use crate::net::{Exchange, Owner, Waker as Bell};

fn futures() -> (Futures, Arc<AtomicUsize>) {
    let rung = Arc::new(AtomicUsize::new(0));
    let count = rung.clone();
    let bell = Bell::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (Futures::new(bell, None, Instant::START), rung)
}

fn target(token: u64) -> Target {
    Target {
        owner: Owner(0),
        exchange: Exchange::NONE,
        token,
    }
}

/// The tokens of those that a turn polls.
fn turn(futures: &Futures) -> Vec<u64> {
    futures.begin_turn(Instant::START);
    let mut left = futures.woken();
    core::iter::from_fn(|| futures.next(&mut left))
        .map(|it| it.token)
        .collect()
}

#[test]
fn many_wakes_from_many_threads_are_one_poll() {
    let (mut futures, rung) = futures();
    let slots: Vec<FutureSlot> = (0..100).map(|nth| futures.slot(target(nth))).collect();
    assert!(turn(&futures).is_empty());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let wakers: Vec<Waker> = slots.iter().map(FutureSlot::waker).collect();
            scope.spawn(move || {
                for waker in wakers {
                    waker.wake_by_ref();
                    waker.wake();
                }
            });
        }
    });
    // The loop was told once, as it has not looked since.
    assert_eq!((futures.woken(), rung.load(Ordering::Relaxed)), (100, 1));
    let mut polled = turn(&futures);
    polled.sort_unstable();
    assert_eq!(polled, (0..100).collect::<Vec<u64>>());
    assert!(turn(&futures).is_empty());
}

#[test]
fn a_waker_outlives_its_future_and_its_loop() {
    let (mut futures, _) = futures();
    let slot = futures.slot(target(1));
    let old = slot.waker();
    futures.put_back(slot); // a waker of it is left
    let slot = futures.slot(target(2));
    old.wake_by_ref();
    assert!(turn(&futures).is_empty(), "it is of another generation");
    let other = slot.waker();
    drop(futures);
    let thread = std::thread::spawn(move || (old.wake(), other.wake()));
    thread.join().unwrap();
    drop(slot);
}

#[test]
fn a_future_that_is_ready_leaves_its_slot_to_the_next() {
    let (mut futures, _) = futures();
    for nth in 0..1_000 {
        let slot = futures.slot(target(nth));
        let mut ready = pin!(async { 7 });
        let polled = slot.poll(|context| ready.as_mut().poll(context));
        assert_eq!(polled, Poll::Ready(7));
        futures.put_back(slot);
        assert_eq!(futures.slots(), 1);
    }
}

#[test]
fn one_that_wakes_itself_waits_for_the_next_turn() {
    let (mut futures, _) = futures();
    let slot = futures.slot(target(1));
    let mut polls = 0;
    for _ in 0..10 {
        slot.waker().wake();
        futures.begin_turn(Instant::START);
        let mut left = 100;
        while futures.next(&mut left).is_some() {
            slot.poll(|context| context.waker().wake_by_ref());
            polls += 1;
        }
    }
    assert_eq!(polls, 10);
}

#[test]
fn sleepers_are_woken_in_time_and_forgotten_when_dropped() {
    let (mut futures, rung) = futures();
    let handle = futures.handle();
    let slots = [futures.slot(target(0)), futures.slot(target(1))];
    let second = Duration::from_secs(1);
    let mut sleeps = [handle.sleep(second * 2), handle.sleep(second)];
    for (slot, sleep) in slots.iter().zip(&mut sleeps) {
        let polled = slot.poll(|context| pin!(sleep).poll(context));
        assert_eq!(polled, Poll::Pending);
    }
    assert_eq!(
        rung.load(Ordering::Relaxed),
        1,
        "the loop may wait for less"
    );
    let at = |seconds| Instant::START + second * seconds;
    assert_eq!(futures.first_sleep(), Some(at(1)));
    futures.wake_sleeping(at(1), 10);
    assert_eq!(turn(&futures), [1]);
    futures.begin_turn(at(1));
    let [late, early] = &mut sleeps;
    assert_eq!(slots[1].poll(|it| pin!(early).poll(it)), Poll::Ready(()));
    assert_eq!(slots[0].poll(|it| pin!(late).poll(it)), Poll::Pending);
    drop(sleeps);
    assert_eq!(futures.first_sleep(), None);
    futures.wake_sleeping(at(9), 10);
    assert!(turn(&futures).is_empty());
}
