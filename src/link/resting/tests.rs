use super::*;
use crate::http::{Fields, OwnedScratch, ResponseHead, Status};
use crate::link::{Body, CallContext, Event, Limits};
use crate::wire::Step;
use alloc::vec::Vec;

const NOW: Instant = Instant::START;

/// Feeds a request, and sends the head of a response in chunks.
fn begin(link: &mut Link, endless: bool, out: &mut Vec<u8>) {
    let mut input = *b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (limits, mut scratch, mut shown) = (Limits::DEFAULT, OwnedScratch::new(8), None);
    let lent = CallContext {
        now: NOW,
        date: None,
        mask_key: [0; 4],
        limits: &limits,
        scratch: scratch.lend(),
        shown: &mut shown,
    };
    let received = link.receive(&mut input, lent, out).unwrap();
    assert!(matches!(received.step, Step::Event(Event::Request { .. })));
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let body = Body::Streamed {
        length: None,
        endless,
    };
    link.respond(link.stream(), &head, body, None, NOW, out)
        .unwrap();
}

#[test]
fn a_streamed_response_that_rests_goes_on_where_it_was() {
    for endless in [false, true] {
        let (mut kept, mut packed) = (Link::server(NOW), Link::server(NOW));
        let (mut told, mut out) = (Vec::new(), Vec::new());
        for number in 1..4 {
            begin(&mut kept, endless, &mut told);
            begin(&mut packed, endless, &mut out);
            for piece in [&b"one"[..], b"two"] {
                assert!(packed.is_at_rest() && packed.stream() == number);
                let resting = packed.resting().unwrap();
                assert!(resting.is_open(number, number) && !resting.is_open(number, number - 1));
                packed = Link::rested(resting, number, 0);
                assert_eq!(packed.exchange.endless, endless);
                kept.write(number, piece, &mut told).unwrap();
                packed.write(number, piece, &mut out).unwrap();
            }
            for (link, out) in [(&mut kept, &mut told), (&mut packed, &mut out)] {
                link.finish(number, Fields::EMPTY, NOW, out).unwrap();
                let limits = &Limits::DEFAULT;
                assert!(link.is_idle() && link.deadline(limits).is_some());
            }
            assert_eq!(out, told);
        }
    }
}
