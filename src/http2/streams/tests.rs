use super::*;

fn open(streams: &mut Streams, id: u32) {
    streams.note_opened(id);
    streams.insert(Stream::new(id, State::Open, 10, 10));
}

#[test]
fn a_frame_for_a_closed_stream_is_right_only_behind_our_reset() {
    let (mut streams, goaway) = (Streams::new(Role::Server), GoAway::new());
    (1..=7).step_by(2).for_each(|id| open(&mut streams, id));
    assert_eq!(streams.remove(3, true), Some(0));
    assert_eq!(streams.remove(5, false), Some(0));
    assert_eq!(streams.remove(5, false), None);
    assert_eq!(streams.late(3, &goaway), Ok(Late::Crossed));
    assert_eq!(streams.late(5, &goaway), Err(ProtocolError::ClosedStream));
    for idle in [2, 9] {
        assert_eq!(streams.late(idle, &goaway), Err(ProtocolError::IdleStream));
    }
    assert!(streams.is_next_of_peer(9) && !streams.is_next_of_peer(7));
}

#[test]
fn behind_the_last_stream_that_is_served_none_is_a_fault() {
    let (mut streams, mut goaway) = (Streams::new(Role::Server), GoAway::new());
    open(&mut streams, 1);
    goaway.end_at(1);
    assert_eq!(streams.late(9, &goaway), Ok(Late::Crossed));
    assert_eq!(streams.state(9, &goaway), State::Closed);
}

#[test]
fn streams_take_turns_once_they_have_a_window() {
    let (mut streams, now) = (Streams::new(Role::Server), Instant::START);
    [1, 3].into_iter().for_each(|id| open(&mut streams, id));
    // The window of the first is used up; the second waits for its turn alone.
    assert!(streams.sent(1, (10, 20), 100, now));
    assert!(!streams.sent(3, (5, 20), 95, now));
    assert_eq!((streams.next_turn(), streams.next_turn()), (Some(3), None));
    assert_eq!(streams.grow(1, 5, true), Ok(()));
    assert_eq!(streams.get(1).unwrap().stalled, Instant::NEVER);
    assert_eq!((streams.next_turn(), streams.next_turn()), (Some(1), None));
    assert_eq!(streams.grow(1, 0, true), Err(StreamError::WindowIncrement));
    assert_eq!(streams.grow(99, 0, true), Ok(()));
}
