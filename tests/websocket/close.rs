//! The closing handshake (RFC 6455 §7).
#![cfg(feature = "alloc")]

use crate::websocket_support::{Driver, ROLES, Seen, frame, frames};
use barewire::websocket::{CloseCode, Kind, ProtocolError, UsageError};
use barewire::wire::{Instant, Role};
use core::time::Duration;

fn close(driver: &mut Driver, code: CloseCode) {
    let (machine, out) = (&mut driver.machine, &mut driver.out);
    machine
        .send_close(code, "", [0; 4], driver.now, out)
        .unwrap();
}

#[test]
fn a_close_frame_is_answered_with_its_own_code() {
    for role in ROLES {
        for code in [1000u16, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999] {
            let mut driver = Driver::new(role, false);
            let payload = [&code.to_be_bytes()[..], "ciao é".as_bytes()].concat();
            driver.feed(&frame(role, 0x88, &payload));
            assert_eq!(driver.seen, [Seen::Close(Some(code), "ciao é".into())]);
            assert_eq!(driver.sent(), [(0x88, code.to_be_bytes().to_vec())]);
            assert!(driver.machine.is_done());
            assert_eq!(driver.machine.receive_eof(), Ok(()));
        }
    }
}

#[test]
fn a_close_frame_without_a_code_is_answered_without_one() {
    let mut driver = Driver::new(Role::Server, false);
    driver.feed(&frame(Role::Server, 0x88, b""));
    assert_eq!(driver.seen, [Seen::Close(None, String::new())]);
    assert_eq!(driver.sent(), [(0x88, vec![])]);
}

#[test]
fn what_follows_the_peers_close_frame_is_not_looked_at() {
    let mut driver = Driver::new(Role::Server, false);
    let list: &[(u8, &[u8])] = &[(0x88, b""), (0x89, b"?"), (0x81, b"late"), (0x83, b"")];
    driver.feed(&frames(Role::Server, list));
    assert_eq!(driver.seen, [Seen::Close(None, String::new())]);
    assert_eq!(driver.sent().len(), 1);
    assert!(driver.kept.is_empty());
}

#[test]
fn messages_under_way_arrive_after_our_close_frame_until_the_peers() {
    let mut driver = Driver::new(Role::Server, false);
    driver.feed(&frame(Role::Server, 0x01, b"under "));
    close(&mut driver, CloseCode::GOING_AWAY);
    assert!(driver.machine.is_closing() && !driver.machine.is_done());
    let list: &[(u8, &[u8])] = &[(0x89, b"?"), (0x80, b"way"), (0x88, b"\x03\xe9")];
    driver.feed(&frames(Role::Server, list));
    let expected = [
        Seen::Ping(b"?".to_vec()),
        Seen::Message(Kind::Text, b"under way".to_vec()),
        Seen::Close(Some(1001), String::new()),
    ];
    assert_eq!(driver.seen, expected);
    // The pong follows our own Close frame, and no second Close frame does.
    let sent = [(0x88, b"\x03\xe9".to_vec()), (0x8a, b"?".to_vec())];
    assert_eq!(driver.sent(), sent);
    assert!(driver.machine.is_done());
}

/// Only a Close frame that was received excuses the pong (RFC 6455 §5.5.2).
#[test]
fn a_ping_behind_our_own_close_frame_is_answered() {
    for role in ROLES {
        let mut driver = Driver::new(role, false);
        close(&mut driver, CloseCode::NORMAL);
        driver.sent();
        driver.feed(&frames(role, &[(0x89, b"q"), (0x88, b""), (0x89, b"r")]));
        assert_eq!(driver.sent(), [(0x8a, b"q".to_vec())]);
        assert!(driver.machine.is_done());
    }
}

#[test]
fn nothing_can_be_sent_after_either_close_frame() {
    let mut driver = Driver::new(Role::Server, false);
    driver.feed(&frame(Role::Server, 0x88, b""));
    driver.sent();
    let (machine, out) = (&mut driver.machine, &mut driver.out);
    let late = machine.send_message(Kind::Text, b"late", [0; 4], Instant::START, out);
    assert_eq!(late, Err(UsageError::Closed));
    let late = machine.send_close(CloseCode::NORMAL, "", [0; 4], Instant::START, out);
    assert_eq!(late, Err(UsageError::Closed));
    assert!(out.is_empty());
}

#[test]
fn an_end_without_close_frames_is_abnormal() {
    let mut driver = Driver::new(Role::Client, false);
    assert_eq!(
        driver.machine.receive_eof(),
        Err(ProtocolError::UnexpectedEof)
    );
    assert_eq!(
        ProtocolError::UnexpectedEof.close_code(),
        CloseCode::ABNORMAL
    );
    driver.feed(b"\x81\x00");
    assert_eq!(driver.seen, [Seen::Failed(ProtocolError::UnexpectedEof)]);
    assert!(driver.out.is_empty());

    let mut driver = Driver::new(Role::Server, false);
    close(&mut driver, CloseCode::NORMAL);
    assert_eq!(
        driver.machine.receive_eof(),
        Err(ProtocolError::UnexpectedEof)
    );
}

#[test]
fn a_peer_that_never_answers_our_close_frame_is_given_up() {
    for role in ROLES {
        let mut driver = Driver::new(role, false);
        driver.sleep(Duration::from_secs(1));
        close(&mut driver, CloseCode::NORMAL);
        driver.sleep(Duration::from_millis(4_999));
        // Messages do not put the end off.
        driver.feed(&frame(role, 0x81, b"still here"));
        assert_eq!(driver.seen.len(), 1);
        driver.sleep(Duration::from_millis(1));
        assert_eq!(
            driver.seen[1..],
            [Seen::Failed(ProtocolError::CloseTimeout)]
        );
        assert_eq!(driver.sent().len(), 1);
        assert_eq!(driver.machine.deadline(), None);
    }
}

#[test]
fn a_client_waits_for_the_server_to_end_the_transport_but_not_for_ever() {
    let mut client = Driver::new(Role::Client, false);
    client.feed(&frame(Role::Client, 0x88, b""));
    client.sleep(Duration::from_millis(4_999));
    assert!(client.machine.is_done());
    assert!(client.machine.deadline().is_some());
    client.sleep(Duration::from_millis(1));
    assert_eq!(
        client.seen[1..],
        [Seen::Failed(ProtocolError::CloseTimeout)]
    );

    let mut server = Driver::new(Role::Server, false);
    server.feed(&frame(Role::Server, 0x88, b""));
    assert_eq!(server.machine.deadline(), None);
}
