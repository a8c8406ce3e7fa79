//! Every breach of the protocol, with the close code that answers it.
#![cfg(feature = "alloc")]

use crate::websocket_support::{Driver, ROLES, Seen, frame, frames};
use barewire::websocket::{CloseCode, ProtocolError, UsageError};
use barewire::wire::Role;

/// Frames, what they break, and the code of the answer.
type Case = (&'static [(u8, &'static [u8])], ProtocolError, u16);

const CASES: &[Case] = &[
    (&[(0xc1, b"a")], ProtocolError::ReservedBits, 1002),
    (&[(0xa2, b"a")], ProtocolError::ReservedBits, 1002),
    (&[(0x91, b"")], ProtocolError::ReservedBits, 1002),
    (&[(0xc9, b"")], ProtocolError::ReservedBits, 1002),
    (&[(0x83, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x84, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x05, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x06, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x87, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x8b, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x8c, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x8d, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x8e, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x8f, b"")], ProtocolError::UnknownOpcode, 1002),
    (&[(0x09, b"")], ProtocolError::FragmentedControl, 1002),
    (&[(0x0a, b"")], ProtocolError::FragmentedControl, 1002),
    (&[(0x08, b"")], ProtocolError::FragmentedControl, 1002),
    (&[(0x89, &[0; 126])], ProtocolError::ControlTooLong, 1002),
    (&[(0x8a, &[0; 126])], ProtocolError::ControlTooLong, 1002),
    (&[(0x88, &[0; 126])], ProtocolError::ControlTooLong, 1002),
    (&[(0x80, b"a")], ProtocolError::UnexpectedContinuation, 1002),
    (&[(0x00, b"a")], ProtocolError::UnexpectedContinuation, 1002),
    (
        &[(0x01, b"a"), (0x80, b"b"), (0x80, b"")],
        ProtocolError::UnexpectedContinuation,
        1002,
    ),
    (
        &[(0x01, b"a"), (0x81, b"b")],
        ProtocolError::InterleavedMessage,
        1002,
    ),
    (
        &[(0x02, b""), (0x01, b"")],
        ProtocolError::InterleavedMessage,
        1002,
    ),
    (&[(0x88, b"\x03")], ProtocolError::CloseLength, 1002),
    (&[(0x88, b"\0\0")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x03\xe7")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x03\xec")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x03\xed")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x03\xee")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x03\xf7")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x0b\xb7")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x13\x88")], ProtocolError::CloseCode, 1002),
    (&[(0x88, b"\x03\xe8\xff")], ProtocolError::CloseReason, 1007),
    (&[(0x88, b"\x03\xe8\xc3")], ProtocolError::CloseReason, 1007),
    (&[(0x81, b"\xff")], ProtocolError::InvalidText, 1007),
    (&[(0x81, b"\xc3")], ProtocolError::InvalidText, 1007),
    (
        &[(0x01, b"\xc3"), (0x80, b"")],
        ProtocolError::InvalidText,
        1007,
    ),
    (
        &[(0x01, b"ok"), (0x80, b"\xc0\xaf")],
        ProtocolError::InvalidText,
        1007,
    ),
    (&[(0x81, b"\xed\xa0\x80")], ProtocolError::InvalidText, 1007),
];

#[test]
fn every_breach_is_answered_by_its_code() {
    for role in ROLES {
        for streaming in [false, true] {
            for (list, violation, code) in CASES {
                let mut driver = Driver::new(role, streaming);
                driver.feed(&frames(role, list));
                let last = driver.seen.last();
                assert_eq!(last, Some(&Seen::Failed(*violation)), "{role:?} {list:x?}");
                assert_eq!(violation.close_code().get(), *code);
                assert_eq!(driver.goodbye(), Some(*code), "{role:?} {list:x?}");
            }
        }
    }
}

#[test]
fn a_server_demands_masks_and_a_client_refuses_them() {
    let mut server = Driver::new(Role::Server, false);
    server.feed(&frame(Role::Client, 0x81, b"plain"));
    assert_eq!(server.seen, [Seen::Failed(ProtocolError::Unmasked)]);
    assert_eq!(server.goodbye(), Some(1002));

    let mut client = Driver::new(Role::Client, false);
    client.feed(&frame(Role::Server, 0x81, b"masked"));
    assert_eq!(client.seen, [Seen::Failed(ProtocolError::Masked)]);
    assert_eq!(client.goodbye(), Some(1002));
}

#[test]
fn lengths_must_be_in_their_shortest_form() {
    for (head, violation) in [
        (&b"\x82\x7e\x00\x00"[..], ProtocolError::NonMinimalLength),
        (b"\x82\x7e\x00\x7d", ProtocolError::NonMinimalLength),
        (
            b"\x82\x7f\0\0\0\0\0\0\0\x01",
            ProtocolError::NonMinimalLength,
        ),
        (
            b"\x82\x7f\0\0\0\0\0\0\xff\xff",
            ProtocolError::NonMinimalLength,
        ),
        (b"\x82\x7f\x80\0\0\0\0\0\0\0", ProtocolError::LengthHighBit),
        (
            b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
            ProtocolError::LengthHighBit,
        ),
    ] {
        let mut client = Driver::new(Role::Client, false);
        client.feed(head);
        assert_eq!(client.seen, [Seen::Failed(violation)]);
        assert_eq!(client.goodbye(), Some(1002));
    }
}

#[test]
fn answers_already_owed_are_sent_before_the_goodbye() {
    let mut driver = Driver::new(Role::Server, false);
    let list: &[(u8, &[u8])] = &[(0x89, b"one"), (0x89, b"two"), (0x83, b"")];
    driver.feed(&frames(Role::Server, list));
    let sent = driver.sent();
    assert_eq!(
        sent[..2],
        [(0x8a, b"one".to_vec()), (0x8a, b"two".to_vec())]
    );
    assert_eq!(sent[2].0, 0x88);
    assert_eq!(sent[2].1[..2], 1002u16.to_be_bytes());
    assert_eq!(
        sent[2].1[2..],
        *ProtocolError::UnknownOpcode.reason().as_bytes()
    );
}

#[test]
fn after_a_failure_every_call_gives_the_same_error_and_sends_nothing() {
    let mut driver = Driver::new(Role::Server, false);
    driver.feed(b"\x83\x80\0\0\0\0");
    driver.sent();
    driver.feed(&frame(Role::Server, 0x81, b"more"));
    assert_eq!(driver.seen, [Seen::Failed(ProtocolError::UnknownOpcode)]);
    assert_eq!(
        driver.machine.receive_eof(),
        Err(ProtocolError::UnknownOpcode)
    );
    assert_eq!(driver.machine.deadline(), None);
    assert!(driver.machine.is_closing() && !driver.machine.is_done());
    let again = driver.machine.send_ping(b"", [0; 4], &mut driver.out);
    assert_eq!(again, Err(UsageError::Closed));
    assert!(driver.out.is_empty());
}

#[test]
fn a_breach_after_our_close_frame_sends_no_second_one() {
    let mut driver = Driver::new(Role::Server, false);
    let (machine, out) = (&mut driver.machine, &mut driver.out);
    machine
        .send_close(CloseCode::NORMAL, "", [0; 4], driver.now, out)
        .unwrap();
    driver.feed(&frame(Role::Server, 0x83, b""));
    assert_eq!(driver.seen, [Seen::Failed(ProtocolError::UnknownOpcode)]);
    assert_eq!(driver.sent().len(), 1);
}
