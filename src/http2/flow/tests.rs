use super::*;
use crate::http2::Limits;
use crate::wire::Role;
use alloc::vec::Vec;

#[test]
fn an_update_tells_what_the_peer_has_used() {
    let mut flow = Flow::new();
    let grown = |used, was_shut| Ok(Grown { used, was_shut });
    flow.sent(100);
    assert_eq!(flow.grow(60), grown(60, false));
    // The rest of it makes the window larger than it was.
    assert_eq!(flow.grow(100), grown(40, false));
    flow.sent(flow.open());
    assert_eq!(flow.grow(65_595), grown(65_595, true));
    assert_eq!(flow.grow(0), Err(ProtocolError::WindowIncrement));
    assert_eq!(flow.grow(0x7fff_ffff), Err(ProtocolError::WindowOverflow));
}

#[test]
fn a_peer_that_had_to_stop_is_remembered_until_that_is_asked() {
    let (mut flow, mut out) = (Flow::new(), Vec::new());
    let (mut streams, own) = (Streams::new(Role::Server), Own::new(&Limits::DEFAULT));
    flow.take(DEFAULT_WINDOW).unwrap();
    flow.note_shut(Instant::from_nanos(7));
    assert_eq!(flow.take(1), None);
    assert!(flow.was_withheld() && flow.was_withheld());
    flow.free(DEFAULT_WINDOW);
    flow.enlarge(own.connection_window, &mut out);
    flow.put_updates(&mut streams, &own, &mut out);
    assert!(flow.was_withheld() && !flow.was_withheld());
    assert!(!flow.is_due() && flow.take(1).is_some());
}
