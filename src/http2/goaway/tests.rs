use super::*;
use alloc::vec::Vec;

#[test]
fn a_server_says_so_twice_and_names_the_last_stream_then() {
    let (mut goaway, mut out) = (GoAway::new(), Vec::new());
    assert!(!goaway.is_begun());
    goaway.warn(Instant::START, &mut out);
    assert!(goaway.is_begun() && !goaway.is_final());
    assert_eq!(
        (goaway.warned(), goaway.last()),
        (Some(Instant::START), None)
    );
    goaway.name_last(7, "", &mut out);
    assert!(goaway.is_final());
    assert_eq!((goaway.warned(), goaway.last()), (None, Some(7)));
    assert_eq!(out.len(), 2 * 17);
    assert_eq!(out[9..13], MAX_31.to_be_bytes());
    assert_eq!(out[26..30], 7_u32.to_be_bytes());
}

#[test]
fn the_peer_may_refuse_more_streams_later_and_no_fewer() {
    let mut goaway = GoAway::new();
    for (last, above) in [(MAX_31, MAX_31), (5, 5), (9, 5), (3, 3)] {
        goaway.receive(last);
        assert_eq!(goaway.refused_above(), Some(above));
    }
    assert!(goaway.is_final() && !goaway.is_ours());
    goaway.note_ended();
    assert_eq!(goaway.refused_above(), Some(u32::MAX));
    goaway.receive(1);
    assert_eq!(goaway.refused_above(), Some(1));
}
