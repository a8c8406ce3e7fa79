use alloc::vec;

use super::super::message::payload_len;
use super::*;

#[test]
fn a_post_is_encoded_for_each_protocol_as_far_as_that_can_carry_it() {
    let text = Post::from("a\nb");
    assert_eq!(text.frame().unwrap(), &b"\x81\x03a\nb"[..]);
    for length in [0, 3, 125, 126, 65_535, 65_536] {
        let frame = Post::from(&*vec![0; length]).frame().unwrap();
        assert_eq!(payload_len(&frame), length);
    }
    assert_eq!(text.event().unwrap(), &b"data: a\ndata: b\n\n"[..]);

    let binary = Post::from(&b"\xff"[..]);
    assert_eq!(binary.frame().unwrap(), &b"\x82\x01\xff"[..]);
    assert_eq!(binary.event(), None);

    let event = Post::from(sse::Event::new("x").event("note"));
    assert_eq!(event.frame().unwrap(), &b"\x81\x01x"[..]);
    assert_eq!(event.event().unwrap(), &b"event: note\ndata: x\n\n"[..]);
    assert_eq!(Post::from(sse::Event::EMPTY).frame(), None);
}
