use super::*;
use crate::http::{CallContext, OwnedScratch};
use crate::websocket::{CloseCode, Limits, ProtocolError};
use crate::wire::Role;
use alloc::vec::Vec;
use core::time::Duration;

fn at(seconds: u64) -> Instant {
    Instant::START + Duration::from_secs(seconds)
}

fn elapsed(machine: &mut Connection, now: Instant, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let mut scratch = OwnedScratch::new(0);
    let lent = CallContext {
        now,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    machine.elapsed(lent, out).map(drop)
}

#[test]
fn the_time_of_a_pong_counts_from_when_the_ping_is_there() {
    let (mut machine, mut out) = (Connection::new(Role::Server, at(1)), Vec::new());
    assert_eq!(machine.awaited(), None);
    machine.await_from(at(2)); // says nothing
    elapsed(&mut machine, at(31), &mut out).unwrap();
    assert_eq!(out, b"\x89\x00");
    assert_eq!(machine.awaited(), Some(31_000));
    machine.await_from(at(100)); // still to come
    assert_eq!(machine.awaited(), Some(100_000));
    for now in [51, 99, 119] {
        elapsed(&mut machine, at(now), &mut out).unwrap();
        assert!(machine.deadline().is_some());
    }
    let violation = elapsed(&mut machine, at(120), &mut out).unwrap_err();
    assert_eq!(violation, ProtocolError::PongTimeout);
    assert_eq!(machine.awaited(), None);
}

#[test]
fn the_time_of_a_close_counts_from_when_ours_is_there() {
    let (mut machine, mut out) = (Connection::new(Role::Server, at(1)), Vec::new());
    let code = CloseCode::NORMAL;
    machine
        .send_close(code, "", [0; 4], at(1), &mut out)
        .unwrap();
    elapsed(&mut machine, at(1), &mut out).unwrap();
    machine.await_from(at(60));
    elapsed(&mut machine, at(64), &mut out).unwrap();
    let violation = elapsed(&mut machine, at(65), &mut out).unwrap_err();
    assert_eq!(violation, ProtocolError::CloseTimeout);
}
