use super::*;
use crate::client::http::shared::handover::Duty;
use crate::link::EndReason;

/// A desk whose first seat has stream 1, the only one that is allowed; the second one
/// applies.
fn desk(leader: usize) -> Desk {
    let mut desk = Desk::new(0);
    let (first, second) = (desk.sit().0, desk.sit().0);
    assert!(desk.admit(first, 1));
    desk.spend(first);
    desk.begin(first, 1, 0);
    for seat in [first, second] {
        desk.answers(seat, &Arc::default());
    }
    assert!(!desk.admit(second, 0));
    assert_eq!(desk.handover.wait(leader), Duty::Lead);
    assert_eq!(desk.handover.wait(1 - leader), Duty::Follow);
    desk
}

#[test]
fn one_that_is_asked_twice_has_one_place() {
    let mut desk = Desk::new(0);
    let seat = desk.sit().0;
    assert!(desk.admit(seat, 1) && desk.admit(seat, 1) && desk.admit(seat, 0));
    let other = desk.sit().0;
    assert!(!desk.admit(other, 1));
    desk.spend(seat);
    assert!(desk.admit(other, 1));
    desk.spend(other);
    assert_eq!((desk.admitted, desk.applying), (0, 0));
}

#[test]
fn an_end_wakes_who_waits_for_a_place() {
    let mut desk = desk(0);
    let mut wire = Wire::new(Instant::START);
    desk.tell(&mut wire, 1, Event::Ended(EndReason::Aborted));
    assert_eq!(desk.rings.len(), 1);
    assert!(desk.admit(1, 1));
    assert_eq!(desk.applying, 0);
}

#[test]
fn one_that_rises_wakes_who_waits_for_a_place() {
    let mut follows = desk(0);
    follows.rise(0, News::default());
    assert_eq!(follows.rings.len(), 1);

    let mut leads = desk(1);
    leads.polling = Some(Polling {
        until: Instant::NEVER,
        for_room: false,
    });
    leads.rise(0, News::default());
    assert!(leads.sounds && leads.polling.is_none());
    leads.rise(1, News::default());
    assert_eq!(leads.applying, 0);
}
