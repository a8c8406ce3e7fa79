use super::*;
use crate::http::{self, Fields, OwnedScratch, ResponseHead, Status};
use crate::link::{Body, Limits, multiplex::ReceiveContext};
use crate::wire::Step;

#[test]
fn an_idle_connection_holds_at_most_a_kibibyte_and_a_half() {
    let (mut now, limits) = (Instant::START, Limits::DEFAULT);
    let (mut many, mut scratch) = (Multiplex::new(Role::Server, now), OwnedScratch::new(100));
    let mut input = http2::PREFACE.to_vec();
    input.extend(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0");
    input.extend(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a");
    let mut out = Vec::new();
    loop {
        let mut shown = None;
        let lent = http::CallContext {
            now,
            date: None,
            mask_key: [0; 4],
            limits: &limits.http2,
            scratch: scratch.lend(),
        };
        let mut id = 0;
        let around = ReceiveContext {
            shown: &mut shown,
            limits: &limits,
            stream: &mut id,
        };
        let received = many.receive(&mut input, lent, around, &mut out).unwrap();
        let (used, more) = (
            received.used,
            matches!(received.step, Step::Event(_) | Step::Need(0)),
        );
        drop(received);
        input.drain(..used);
        if id != 0 {
            let head = ResponseHead::new(Status::OK, Fields::EMPTY);
            many.respond(id, &head, Body::Whole(b"hello"), None, now, &mut out)
                .unwrap();
        }
        if !more {
            break;
        }
    }
    many.pump(0, now, &mut out);
    now = many.deadline().unwrap();
    let lent = http::CallContext {
        now,
        date: None,
        mask_key: [0; 4],
        limits: &limits.http2,
        scratch: scratch.lend(),
    };
    assert!(many.elapsed(lent, &limits, &mut out).unwrap().is_none());
    assert!(many.is_idle() && out.ends_with(b"hello"));
    let memory = many.own_memory();
    assert!(memory <= 1536, "{memory}");
    let (machine, charge, promise) = many.take_idle().unwrap();
    let many = Multiplex::of_idle(machine, charge, promise);
    let compact = many.own_memory();
    std::println!(
        "grown {memory}, compact {compact}, of it link {} and machine {}",
        size_of::<Multiplex>(),
        size_of::<http2::Connection>(),
    );
    assert!(compact <= 1200, "{compact}");
}
