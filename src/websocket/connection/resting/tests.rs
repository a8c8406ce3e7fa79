use super::*;
use crate::http::{CallContext, OwnedScratch};
use crate::websocket::Limits;
use crate::websocket::deflate::{Agreement, Session, WindowBits};
use alloc::vec::Vec;
use core::time::Duration;

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

/// Feeds a connection, or lets time pass where there is no input.
fn step(machine: &mut Connection, input: &mut [u8], now: Instant) -> Vec<u8> {
    let (mut out, mut scratch) = (Vec::new(), OwnedScratch::new(0));
    let lent = |scratch| CallContext {
        now,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch,
    };
    match input.is_empty() {
        true => {
            assert!(machine.elapsed(lent(scratch.lend()), &mut out).is_ok() || machine.is_closing())
        }
        false => assert!(
            machine
                .receive(input, lent(scratch.lend()), &mut out)
                .is_ok()
        ),
    }
    out
}

#[test]
fn a_connection_that_rested_goes_on_as_if_it_had_not() {
    let (mut one, mut other) = (
        Connection::new(Role::Server, at(500)),
        Connection::new(Role::Server, at(500)),
    );
    for n in 0..2000_u64 {
        let now = at(700 + n * 100);
        let mut ping = *b"\x89\x81\0\0\0\0a";
        let mut message = *b"\x82\x81\0\0\0\0a";
        let input: &mut [u8] = match n {
            n if n % 7 == 0 && n < 1000 => &mut ping,
            n if n % 11 == 0 && n < 1000 => &mut message,
            _ => &mut [],
        };
        let mut copy = input.to_vec();
        assert_eq!(
            step(&mut one, input, now),
            step(&mut other, &mut copy, now),
            "{n}"
        );
        assert_eq!(one.is_closing(), other.is_closing());
        let Some(resting) = other.resting() else {
            continue;
        };
        other = Connection::rested(resting);
        assert!(other.deadline() <= one.deadline());
        assert_eq!(other.resting(), Some(resting));
    }
    assert!(one.is_closing());
    assert_eq!(size_of::<Resting>(), 20);
}

#[test]
fn a_message_that_has_begun_is_no_rest() {
    let mut machine = Connection::new(Role::Server, at(0));
    assert!(machine.resting().is_some());
    step(&mut machine, &mut b"\x02\x81\0\0\0\0a".to_vec(), at(1));
    assert_eq!(machine.resting(), None);
}

#[test]
fn pings_that_wait_for_pongs_outlast_a_rest() {
    let mut machine = Connection::new(Role::Server, at(0));
    for sent in 1..=300 {
        machine.send_ping(b"", [0; 4], &mut Vec::new()).unwrap();
        match machine.resting() {
            Some(resting) => assert_eq!(Connection::rested(resting).pings, sent),
            None => assert!(sent >= u16::from(STREAMING)),
        }
    }
    assert_eq!(machine.resting(), None);
}

#[test]
fn a_client_does_not_rest() {
    assert_eq!(Connection::new(Role::Client, at(0)).resting(), None);
}

#[test]
fn compression_outlasts_a_rest_if_nothing_is_kept_for_it() {
    for bits in 8..=15 {
        for (server, client) in [(true, true), (false, true), (true, false)] {
            let agreement = Agreement {
                server_no_context_takeover: server,
                client_no_context_takeover: client,
                server_max_window_bits: WindowBits::new(bits),
                client_max_window_bits: None,
            };
            let session = Session::new(&agreement, Role::Server);
            for number in 0..=8 {
                let machine = Connection::new(Role::Server, at(3_000_000))
                    .streaming(true)
                    .compressed(session.compressing(number));
                let Some(resting) = machine.resting() else {
                    assert!(!client || number == 7 || number == 8);
                    continue;
                };
                assert!(client && number < 7);
                let rested = Connection::rested(resting);
                assert_eq!(rested.compression(), machine.compression());
                assert_eq!(rested.deadline(), machine.deadline());
                assert!(rested.assembly.is_streaming());
            }
        }
    }
}
