use super::*;
use std::thread;

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let handle = EventSourceHandle::new();
    assert_eq!(handle.wait(Duration::from_millis(1)), Woken::TimeOver);
}

#[test]
fn closing_ends_a_wait_that_is_under_way_and_all_to_come() {
    let handle = EventSourceHandle::new();
    let other = handle.clone();
    let waits = thread::spawn(move || other.wait(LONG));
    handle.close();
    assert_eq!(waits.join().unwrap(), Woken::Closed);
    assert_eq!(handle.wait(LONG), Woken::Closed);
    assert!(handle.is_closed());
}

#[test]
fn word_to_try_now_ends_one_wait() {
    let handle = EventSourceHandle::new();
    handle.try_now(); // nobody waits: it is no word for later
    assert_eq!(handle.wait(Duration::from_millis(1)), Woken::TimeOver);
    let other = handle.clone();
    let waits = thread::spawn(move || other.wait(LONG));
    while !waits.is_finished() {
        handle.try_now();
        thread::yield_now();
    }
    assert_eq!(waits.join().unwrap(), Woken::TryNow);
    assert!(!handle.is_closed());
}
