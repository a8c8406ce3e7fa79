use super::*;
use crate::http2::state::State;
use crate::wire::Role;

const LIMITS: Limits = Limits::DEFAULT;

fn at(seconds: u64) -> Instant {
    Instant::START + Duration::from_secs(seconds)
}

#[test]
fn what_comes_first_is_due() {
    let (settings, goaway) = (Settings::new(), GoAway::new());
    let mut streams = Streams::new(Role::Server);
    let mut clock = Clock::new(at(0));
    let due = |clock: &Clock, streams: &Streams| clock.due(&LIMITS, &settings, &goaway, streams);
    let preface = Action::Fail(ProtocolError::PrefaceTimeout);
    assert_eq!(due(&clock, &streams), (at(10), preface));
    clock.note_complete();
    assert_eq!(due(&clock, &streams), (at(60), Action::Idle));
    // With a stream a silent peer is asked, and then has to answer.
    streams.insert(Stream::new(1, State::Open, 10, 10));
    clock.hear(at(5));
    assert_eq!(due(&clock, &streams), (at(65), Action::Ping));
    clock.note_ping(at(65));
    let silent = Action::Fail(ProtocolError::PingTimeout);
    assert_eq!(due(&clock, &streams), (at(85), silent));
    clock.hear(at(70));
    assert_eq!(due(&clock, &streams), (at(130), Action::Ping));
    // A stream that waits for a window is given up in its own time.
    assert!(streams.sent(1, (10, 20), 100, at(6)));
    assert_eq!(due(&clock, &streams), (at(66), Action::Stall));
    clock.end_input();
    assert_eq!(due(&clock, &streams), (at(70), Action::Stall));
}

#[test]
fn use_at_the_pace_keeps_a_connection_from_being_idle() {
    let mut clock = Clock::new(at(0));
    clock.note_used(4096 * 30, at(40));
    assert_eq!(clock.active, at(30));
    clock.note_used(4096 * 1000, at(41));
    assert_eq!(clock.active, at(41));
}
