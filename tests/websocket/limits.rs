//! Limits, each by the attack it stops, and the timers on a virtual clock.
#![cfg(feature = "alloc")]

use crate::websocket_support::{Driver, ROLES, Seen, frame, frames};
use barewire::websocket::{Kind, Limits, ProtocolError};
use barewire::wire::{Rate, Role};
use core::time::Duration;

const NEVER: Duration = Duration::MAX;

fn failed(violation: ProtocolError) -> Option<Seen> {
    Some(Seen::Failed(violation))
}

#[test]
fn a_head_that_announces_exabytes_is_refused_before_its_payload() {
    for streaming in [false, true] {
        let mut driver = Driver::new(Role::Client, streaming);
        driver.feed(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff");
        assert_eq!(driver.seen, [Seen::Failed(ProtocolError::FrameTooBig)]);
        assert_eq!(driver.goodbye(), Some(1009));
    }
}

#[test]
fn a_frame_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let limits = Limits::DEFAULT.with_frame(100);
    for (len, passes) in [(100, true), (101, false)] {
        let mut driver = Driver::with_limits(Role::Server, false, limits);
        driver.feed(&frame(Role::Server, 0x82, &vec![0; len]));
        let seen = driver.seen.pop();
        match passes {
            true => assert_eq!(seen, Some(Seen::Message(Kind::Binary, vec![0; len]))),
            false => assert_eq!(seen, failed(ProtocolError::FrameTooBig)),
        }
    }
}

#[test]
fn fragments_cannot_add_up_beyond_the_message_limit() {
    let limits = Limits::DEFAULT.with_message(100);
    for streaming in [false, true] {
        let mut driver = Driver::with_limits(Role::Server, streaming, limits);
        driver.feed(&frames(Role::Server, &[(0x02, &[0; 60]), (0x00, &[0; 40])]));
        assert!(
            !driver
                .seen
                .iter()
                .any(|seen| matches!(seen, Seen::Failed(_)))
        );
        // The head alone is enough: the byte it announces never comes.
        driver.feed(&frame(Role::Server, 0x80, &[0])[..6]);
        assert_eq!(driver.seen.pop(), failed(ProtocolError::MessageTooBig));
        assert_eq!(driver.goodbye(), Some(1009));
    }
}

#[test]
fn empty_fragments_without_end_are_refused() {
    let limits = Limits::DEFAULT.with_fragments(10);
    for streaming in [false, true] {
        let mut driver = Driver::with_limits(Role::Server, streaming, limits);
        driver.feed(&frame(Role::Server, 0x01, b""));
        for _ in 0..9 {
            driver.feed(&frame(Role::Server, 0x00, b""));
        }
        assert!(driver.seen.is_empty());
        driver.feed(&frame(Role::Server, 0x00, b""));
        assert_eq!(driver.seen, [Seen::Failed(ProtocolError::TooManyFragments)]);
        assert_eq!(driver.goodbye(), Some(1008));
    }
}

#[test]
fn a_flood_of_pings_ends_after_the_pongs_it_is_owed() {
    let rate = Rate {
        burst: 5,
        per_second: 1,
    };
    let limits = Limits::DEFAULT.with_control_rate(rate);
    for first in [0x89, 0x8a] {
        let mut driver = Driver::with_limits(Role::Server, false, limits);
        for _ in 0..6 {
            driver.feed(&frame(Role::Server, first, b"x"));
        }
        assert_eq!(driver.seen.len(), 6);
        assert_eq!(driver.seen.pop(), failed(ProtocolError::ControlFlood));
        let sent = driver.sent();
        assert_eq!(sent.len(), if first == 0x89 { 6 } else { 1 });
        assert_eq!(sent.last().unwrap().1[..2], 1008u16.to_be_bytes());
    }
}

#[test]
fn pongs_that_were_asked_for_are_no_flood() {
    let rate = Rate {
        burst: 5,
        per_second: 0,
    };
    let limits = Limits::DEFAULT.with_control_rate(rate);
    for role in ROLES {
        let mut driver = Driver::with_limits(role, false, limits);
        for n in 0..300u32 {
            let (machine, out) = (&mut driver.machine, &mut driver.out);
            machine.send_ping(&n.to_be_bytes(), [0; 4], out).unwrap();
        }
        // The connection's own ping is owed a pong as well.
        driver.sleep(Duration::from_secs(30));
        assert_eq!(driver.sent().len(), 301);
        for n in 0..301u32 {
            driver.feed(&frame(role, 0x8a, &n.to_be_bytes()));
        }
        assert_eq!(driver.seen.len(), 301);
        assert!(!driver.machine.is_closing());
        // Pings do not use up what pongs are owed, and further pongs count.
        for _ in 0..3 {
            driver.feed(&frame(role, 0x89, b""));
        }
        for _ in 0..2 {
            driver.feed(&frame(role, 0x8a, b""));
        }
        assert!(!driver.machine.is_closing());
        driver.feed(&frame(role, 0x8a, b""));
        assert_eq!(driver.seen.pop(), failed(ProtocolError::ControlFlood));
    }
}

#[test]
fn an_honest_pinger_is_never_taken_for_a_flood() {
    let mut driver = Driver::new(Role::Server, false);
    for _ in 0..10_000 {
        driver.sleep(Duration::from_millis(100));
        driver.feed(&frame(Role::Server, 0x89, b""));
    }
    assert_eq!(driver.sent().len(), 10_000);
}

#[test]
fn a_message_that_trickles_in_is_given_up() {
    let limits = Limits::DEFAULT.with_message_timeout(Duration::from_secs(10));
    for streaming in [false, true] {
        for first in [0x02, 0x82] {
            let mut driver = Driver::with_limits(Role::Server, streaming, limits);
            driver.sleep(Duration::from_secs(20));
            driver.feed(&frame(Role::Server, 0x8a, b""));
            driver.sent();
            let bytes = frame(Role::Server, first, &[1; 100]);
            let (start, mut rest) = bytes.split_at(7);
            driver.feed(start);
            for _ in 0..9 {
                driver.sleep(Duration::from_secs(1));
                driver.feed(&rest[..1]);
                rest = &rest[1..];
            }
            driver.sleep(Duration::from_millis(999));
            assert!(!driver.machine.is_closing());
            driver.sleep(Duration::from_millis(1));
            assert_eq!(driver.seen.pop(), failed(ProtocolError::MessageTimeout));
            assert_eq!(driver.goodbye(), Some(1008));
        }
    }
}

#[test]
fn a_message_that_ends_in_time_is_not_given_up_afterwards() {
    let limits = Limits::DEFAULT
        .with_message_timeout(Duration::from_secs(10))
        .with_ping_interval(NEVER);
    let mut driver = Driver::with_limits(Role::Server, false, limits);
    driver.feed(&frame(Role::Server, 0x01, b"a"));
    driver.sleep(Duration::from_secs(9));
    driver.feed(&frame(Role::Server, 0x80, b"b"));
    driver.sleep(Duration::from_secs(1000));
    assert_eq!(driver.seen, [Seen::Message(Kind::Text, b"ab".to_vec())]);
    assert_eq!(driver.machine.deadline(), None);
}

#[test]
fn silence_brings_a_ping_and_further_silence_the_end() {
    for role in ROLES {
        let mut driver = Driver::new(role, false);
        driver.sleep(Duration::from_millis(29_999));
        assert!(driver.out.is_empty());
        driver.sleep(Duration::from_millis(1));
        assert_eq!(driver.sent(), [(0x89, vec![])]);
        driver.sleep(Duration::from_millis(19_999));
        assert!(driver.out.is_empty() && driver.seen.is_empty());
        driver.sleep(Duration::from_millis(1));
        assert_eq!(driver.seen, [Seen::Failed(ProtocolError::PongTimeout)]);
        assert_eq!(driver.goodbye(), Some(1011));
        assert_eq!(driver.machine.deadline(), None);
    }
}

#[test]
fn a_peer_that_answers_pings_stays_for_a_year() {
    let mut driver = Driver::new(Role::Server, false);
    for _ in 0..365 * 24 {
        // An hour at a time, so that the clock of milliseconds wraps on the way.
        driver.sleep(Duration::from_secs(30));
        assert_eq!(driver.sent(), [(0x89, vec![])]);
        driver.sleep(Duration::from_secs(1));
        driver.feed(&frame(Role::Server, 0x8a, b""));
        for _ in 0..118 {
            driver.sleep(Duration::from_secs(29));
            driver.feed(&frame(Role::Server, 0x81, b"still here"));
        }
        assert!(driver.out.is_empty());
        driver.seen.clear();
    }
}

#[test]
fn pings_keep_their_interval_though_pongs_may_take_longer() {
    let limits = Limits::DEFAULT
        .with_ping_interval(Duration::from_secs(10))
        .with_pong_timeout(Duration::from_secs(60));
    let mut driver = Driver::with_limits(Role::Server, false, limits);
    for _ in 0..5 {
        driver.sleep(Duration::from_secs(10));
        assert_eq!(driver.sent(), [(0x89, vec![])]);
        driver.feed(&frame(Role::Server, 0x8a, b""));
    }
}

#[test]
fn every_byte_of_a_frame_is_a_sign_of_life() {
    let mut driver = Driver::new(Role::Server, false);
    driver.sleep(Duration::from_secs(30));
    driver.sent();
    driver.sleep(Duration::from_secs(19));
    let bytes = frame(Role::Server, 0x82, &[1; 9]);
    driver.feed(&bytes[..8]);
    driver.sleep(Duration::from_secs(29));
    assert!(driver.out.is_empty());
    driver.feed(&bytes[8..]);
    driver.sleep(Duration::from_secs(29));
    assert_eq!(driver.seen.len(), 1);
    assert!(driver.out.is_empty());
}

#[test]
fn half_a_frame_head_is_no_sign_of_life() {
    let mut driver = Driver::new(Role::Server, false);
    for byte in b"\x82\xff\0\0\0" {
        driver.sleep(Duration::from_secs(14));
        driver.feed(&[*byte]);
    }
    assert_eq!(driver.seen, [Seen::Failed(ProtocolError::PongTimeout)]);
}

#[test]
fn a_late_wake_up_still_gives_the_peer_its_time_to_answer() {
    let mut driver = Driver::new(Role::Server, false);
    driver.sleep(Duration::ZERO);
    driver.now += Duration::from_secs(3600); // the machine was suspended
    driver.sleep(Duration::ZERO);
    assert_eq!(driver.sent(), [(0x89, vec![])]);
    driver.sleep(Duration::from_secs(19));
    assert!(driver.seen.is_empty());
}

#[test]
fn an_idle_connection_is_closed_politely_where_that_is_wanted() {
    let limits = Limits::DEFAULT.with_idle_timeout(Duration::from_secs(100));
    let mut driver = Driver::with_limits(Role::Server, false, limits);
    driver.sleep(Duration::from_secs(20));
    driver.feed(&frame(Role::Server, 0x81, b"last"));
    for _ in 0..4 {
        driver.sleep(Duration::from_secs(20));
        driver.feed(&frame(Role::Server, 0x89, b"pings do not count"));
    }
    driver.sleep(Duration::from_millis(19_999));
    driver.sent();
    driver.sleep(Duration::from_millis(1));
    assert_eq!(driver.goodbye(), Some(1001));
    assert!(driver.machine.is_closing());
    driver.feed(&frame(Role::Server, 0x88, b"\x03\xe9"));
    assert!(driver.machine.is_done());
    assert_eq!(driver.machine.deadline(), None);
}

#[test]
fn with_every_timer_off_nothing_ever_wakes() {
    let limits = Limits::DEFAULT
        .with_ping_interval(NEVER)
        .with_pong_timeout(NEVER)
        .with_message_timeout(NEVER)
        .with_close_timeout(NEVER);
    let mut driver = Driver::with_limits(Role::Server, false, limits);
    driver.feed(&frame(Role::Server, 0x01, b"open"));
    driver.sleep(Duration::from_secs(1 << 30));
    assert_eq!(driver.machine.deadline(), None);
    assert!(driver.out.is_empty() && driver.seen.is_empty());
}

#[test]
fn timers_of_zero_do_not_spin() {
    let limits = Limits::DEFAULT.with_ping_interval(Duration::ZERO);
    let mut driver = Driver::with_limits(Role::Server, false, limits);
    for _ in 0..100 {
        driver.sleep(Duration::from_millis(1));
        driver.feed(&frame(Role::Server, 0x81, b""));
    }
    assert!(driver.sent().len() <= 101);
}

#[test]
fn a_message_held_whole_has_at_most_two_gibibytes_whatever_the_limits() {
    let limits = Limits::DEFAULT.with_frame(u64::MAX).with_message(u64::MAX);
    let head = b"\x82\x7f\0\0\0\0\x80\0\0\0";
    let mut whole = Driver::with_limits(Role::Client, false, limits);
    whole.feed(head);
    assert_eq!(whole.seen, [Seen::Failed(ProtocolError::MessageTooBig)]);
    let mut streaming = Driver::with_limits(Role::Client, true, limits);
    streaming.feed(head);
    streaming.feed(b"first bytes");
    let chunk = Seen::Chunk(Kind::Binary, b"first bytes".to_vec(), false);
    assert_eq!(streaming.seen, [chunk]);
}

#[test]
fn the_hint_is_what_the_frame_lacks_and_one_where_every_byte_counts() {
    for (first, streaming, hint) in [(0x82, false, 90), (0x81, false, 1), (0x82, true, 1)] {
        let mut driver = Driver::new(Role::Server, streaming);
        let bytes = frame(Role::Server, first, &[b'a'; 100]);
        driver.feed(&bytes[..1]);
        assert_eq!(driver.hint, 1);
        driver.feed(&bytes[1..2]);
        assert_eq!(driver.hint, 4, "the mask");
        driver.feed(&bytes[2..16]);
        assert_eq!(driver.hint, hint);
    }
}
