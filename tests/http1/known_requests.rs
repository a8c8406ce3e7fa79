//! Heads of requests that come again: what was read before is given as if it were read.

#![cfg(feature = "alloc")]

use barewire::http::{CallContext, OwnedScratch};
use barewire::http1::{Connection, Limits};
use barewire::wire::{Instant, Role};
use proptest::prelude::*;

/// What a new connection makes of an input.
fn received(text: &str, limits: &Limits, scratch: &mut OwnedScratch) -> String {
    let mut machine = Connection::new(Role::Server, Instant::START);
    let (mut input, mut out) = (text.as_bytes().to_vec(), Vec::new());
    let lent = CallContext {
        now: Instant::START,
        date: None,
        mask_key: [0; 4],
        limits,
        scratch: scratch.lend(),
    };
    let received = format!("{:?}", machine.receive(&mut input, lent, &mut out));
    format!("{received} {machine:?} {}", String::from_utf8_lossy(&out))
}

fn limits() -> impl Strategy<Value = Limits> {
    let one = |limits| Just(limits);
    prop_oneof![
        4 => one(Limits::DEFAULT),
        1 => one(Limits::DEFAULT.with_head(60)),
        1 => one(Limits::DEFAULT.with_target(8)),
        1 => one(Limits::DEFAULT.with_fields(1)),
        1 => one(Limits::DEFAULT.with_strict_target(true)),
    ]
}

fn request() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "GET / HTTP/1.1",
        "GET /a/long/path?with=query HTTP/1.1",
        "GET /a/long/path?with=other HTTP/1.1",
        "GET /a|b HTTP/1.1",
        "POST /a HTTP/1.1",
        "GET /a HTTP/1.0",
        "HEAD /a HTTP/1.1",
        "OPTIONS * HTTP/1.1",
    ]);
    let rest = prop::sample::select(vec![
        "Host: a\r\n\r\n",
        "Host: a\r\nAccept: */*\r\n\r\n",
        "Host: a\r\nConnection: keep-alive\r\n\r\n",
        "Host: a\r\nConnection: close\r\n\r\n",
        "Host: a\r\nContent-Length: 2\r\n\r\nhi",
        "Host: a\r\nCookie: b=c\r\n\r\n",
        "Host: a\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n",
        "Host: a\r\nAccept",
        "Accept: */*\r\n\r\n",
    ]);
    (line, rest).prop_map(|(line, rest)| format!("{line}\r\n{rest}"))
}

proptest! {
    /// Runs of equal requests, under limits that change.
    #[test]
    fn a_scratch_that_knows_heads_changes_nothing(
        runs in proptest::collection::vec((request(), limits(), 1..5_usize), 1..40)
    ) {
        let mut scratch = OwnedScratch::new(16);
        for (text, limits, times) in runs {
            let read = received(&text, &limits, &mut OwnedScratch::new(16));
            for _ in 0..times {
                prop_assert_eq!(received(&text, &limits, &mut scratch), read.clone());
            }
        }
    }
}
