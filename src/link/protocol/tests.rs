use super::*;
use crate::http::{Fields, Method, OwnedScratch, RequestHead, Target, Version};
use crate::link::Body;
use alloc::vec::Vec;

#[test]
fn only_where_a_clients_websocket_may_be_are_frames_masked() {
    let (now, mut out) = (Instant::START, Vec::new());
    assert!(!Link::server(now).may_mask());
    assert!(!Link::client(now).may_mask());
    let mut link = Link::client_http2(now);
    assert!(!link.may_mask());
    let (limits, mut scratch) = (Limits::DEFAULT, OwnedScratch::new(8));
    let lent = CallContext {
        now,
        date: None,
        mask_key: [0; 4],
        limits: &limits,
        scratch: scratch.lend(),
        shown: &mut None,
    };
    link.receive(&mut [], lent, &mut out).unwrap(); // sends the preface
    let host = [crate::http::Field::new("host", "a")];
    let head = RequestHead {
        method: Method::POST,
        target: Target::parse(b"/", Method::POST).unwrap(),
        version: Version::Http2,
        protocol: None,
        fields: Fields::new(&host),
    };
    let body = Body::Streamed {
        length: None,
        endless: false,
    };
    let stream = link.request(&head, Some(body), now, &mut out).unwrap();
    assert!(!link.may_mask());
    link.switched_to_websocket(stream, false, now).unwrap();
    assert!(link.may_mask());
}
