//! Connections that are ended because they are old.
#![cfg(feature = "alloc")]

use core::time::Duration;

use crate::http2_support::*;
use barewire::http::{Fields, ResponseHead, Status};
use barewire::http2::{Limits, ProtocolError};
use barewire::wire::Instant;

const fn second(n: u64) -> Instant {
    Instant::from_nanos(n * 1_000_000_000)
}

/// A server whose connections end at 90 seconds: a hundred less a tenth, as the
/// tests' chance has it.
fn aged() -> Side {
    let limits = Limits::DEFAULT
        .with_connection_age(Duration::from_secs(100))
        .with_connection_grace(Duration::from_secs(50))
        .with_ping_interval(Duration::from_secs(1000))
        .with_idle_timeout(Duration::from_secs(1000));
    let mut side = Side::server_with(limits);
    assert_eq!(side.elapsed(), Ok(None)); // whose time is looked at first
    side
}

/// Lets all deadlines take effect until `until`.
fn pass(side: &mut Side, until: u64) -> Result<Option<Seen>, ProtocolError> {
    while let Some(at) = side.machine.deadline().filter(|&at| at <= second(until)) {
        side.now = at.max(side.now);
        side.elapsed()?;
    }
    side.now = second(until);
    Ok(None)
}

fn goaways(side: &mut Side) -> Vec<(u32, u32)> {
    let sent = side.sent().into_iter().filter(|sent| sent.kind == GOAWAY);
    let code = |sent: &Sent| u32::from_be_bytes(sent.payload[4..8].try_into().unwrap());
    sent.map(|sent| (sent.number(), code(&sent))).collect()
}

#[test]
fn a_connection_that_is_old_finishes_what_runs() {
    let mut side = aged();
    side.feed(&get(1));
    assert_eq!(pass(&mut side, 89), Ok(None));
    assert_eq!(goaways(&mut side), []);
    assert_eq!(pass(&mut side, 90), Ok(None));
    // First a warning, so that nothing is lost that is on its way.
    assert_eq!(goaways(&mut side), [(0x7fff_ffff, 0)]);
    let seen = side.feed(&get(3));
    assert!(matches!(seen[..], [Seen::Request { .. }]), "{seen:?}");
    assert_eq!(pass(&mut side, 92), Ok(None));
    assert_eq!(goaways(&mut side), [(3, 0)]);
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    for stream in [1, 3] {
        let Side { machine, out, .. } = &mut side;
        assert!(!machine.is_done());
        machine
            .send_response(stream, &head, None, None, out)
            .unwrap();
    }
    assert!(side.machine.is_done());
}

#[test]
fn what_never_ends_is_cut_after_the_grace() {
    let mut side = aged();
    side.feed(&get(1));
    assert_eq!(pass(&mut side, 139), Ok(None));
    assert_eq!(goaways(&mut side), [(0x7fff_ffff, 0), (1, 0)]);
    assert_eq!(pass(&mut side, 140), Err(ProtocolError::TooOld));
    assert_eq!(goaways(&mut side), [(1, 0)]);
}

#[test]
fn no_connection_is_old_by_default() {
    let limits = Limits::DEFAULT
        .with_ping_interval(Duration::from_secs(1 << 30))
        .with_ping_timeout(Duration::from_secs(1 << 30));
    let mut side = Side::server_with(limits);
    side.feed(&get(1));
    assert_eq!(pass(&mut side, 1 << 29), Ok(None));
    assert_eq!(goaways(&mut side), []);
}
