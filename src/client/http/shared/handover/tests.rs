use core::time::Duration;
use std::thread;

use super::*;

fn waiting(seats: usize) -> Handover {
    let mut handover = Handover::new();
    for seat in 0..seats {
        handover.seat(seat);
        let duty = match seat {
            0 => Duty::Lead,
            _ => Duty::Follow,
        };
        assert_eq!(handover.wait(seat), duty);
    }
    handover
}

#[test]
fn a_leader_that_leaves_appoints_one_that_sleeps() {
    let mut handover = waiting(3);
    assert!(handover.call(1) && !handover.call(1));
    assert_eq!(handover.leave(0), Some(2));
    assert_eq!(handover.leader(), Some(2));
    assert_eq!(handover.wait(2), Duty::Lead);
    // What it was woken for was not enough.
    assert_eq!(handover.wait(1), Duty::Follow);
}

#[test]
fn where_nobody_sleeps_the_next_one_that_waits_leads() {
    let mut handover = waiting(2);
    assert!(handover.call(1) && handover.expects());
    assert_eq!(handover.leave(0), None);
    assert_eq!(handover.leader(), None);
    assert_eq!(handover.wait(1), Duty::Lead);
    assert!(!handover.expects());
}

#[test]
fn one_that_was_appointed_and_leaves_appoints_another() {
    let mut handover = waiting(3);
    assert_eq!(handover.leave(0), Some(1));
    assert_eq!(handover.leave(1), Some(2));
    assert_eq!(handover.leave(2), None);
    assert_eq!(handover.leader(), None);
}

#[test]
fn who_leads_or_is_away_needs_no_call() {
    let mut handover = waiting(2);
    assert!(!handover.call(0));
    assert_eq!(handover.leave(1), None);
    assert!(!handover.call(1) && !handover.call(7));
}

#[test]
fn a_ring_before_the_sleep_ends_it() {
    let bell = Bell::mine();
    bell.ring();
    bell.ring();
    assert!(bell.sleep(Instant::NEVER));
    let until = clock::now() + Duration::from_millis(5);
    assert!(!bell.sleep(until)); // it was rung once
    assert!(clock::now() >= until);
}

#[test]
fn a_ring_of_another_thread_ends_a_sleep() {
    let bell = Bell::mine();
    let ringing = bell.clone();
    let other = thread::spawn(move || {
        assert!(!Arc::ptr_eq(&ringing, &Bell::mine()));
        ringing.ring();
    });
    assert!(bell.sleep(Instant::NEVER));
    other.join().unwrap();
}
