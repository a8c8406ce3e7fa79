//! Whatever the peer sends and our side calls, in whatever order, a connection
//! neither panics nor goes back on what it said.
#![cfg(feature = "alloc")]

use core::time::Duration;

use barewire::http::{
    CallContext, Field, Fields, Method, OwnedScratch, RequestHead, ResponseHead, Status, Target,
    Version,
};
use barewire::http1::{BodyLength, Closing, Connection, Limits, ProtocolError};
use barewire::wire::{Instant, Role, Step};
use proptest::prelude::*;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Act {
    Arrive(Vec<u8>),
    Receive,
    ReceiveEof,
    Accept,
    Refuse,
    Respond(u16, Option<u64>),
    Whole(u16, Vec<u8>),
    Inform(u16),
    Switch,
    Ask(Option<u64>, bool),
    Body(Vec<u8>),
    End,
    Wait(u64),
    Resume,
    Shutdown,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: &'static str| Just(text.as_bytes().to_vec());
    prop_oneof![
        4 => text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        2 => text("HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        2 => text("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        2 => text("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"),
        2 => text("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"),
        2 => text("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        2 => text("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        2 => text("5\r\nhello\r\n"),
        2 => text("0\r\nX: y\r\n\r\n"),
        2 => text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        1 => text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: a\r\n b\r\n\r\n"),
        1 => text("HTTP/1.1 103 X\r\n\r\nHTTP/1.0 200 OK\r\n\r\n"),
        1 => text("HTTP/1.1 101 X\r\n\r\n"),
        2 => text("\r\n"),
        2 => proptest::collection::vec(any::<u8>(), 0..12),
        2 => text("123456789"),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let length = || proptest::option::of(0..6_u64);
    let code = || prop_oneof![Just(200_u16), Just(204), Just(304), Just(426), 100..600_u16];
    prop_oneof![
        6 => bytes().prop_map(Act::Arrive),
        8 => Just(Act::Receive),
        1 => Just(Act::ReceiveEof),
        2 => Just(Act::Accept),
        1 => Just(Act::Refuse),
        2 => (code(), length()).prop_map(|(code, length)| Act::Respond(code, length)),
        3 => (code(), proptest::collection::vec(any::<u8>(), 0..6)).prop_map(|(c, b)| Act::Whole(c, b)),
        1 => code().prop_map(Act::Inform),
        1 => Just(Act::Switch),
        3 => (length(), any::<bool>()).prop_map(|(length, upgrade)| Act::Ask(length, upgrade)),
        3 => proptest::collection::vec(any::<u8>(), 0..6).prop_map(Act::Body),
        2 => Just(Act::End),
        1 => (0..70_u64).prop_map(Act::Wait),
        1 => Just(Act::Resume),
        1 => Just(Act::Shutdown),
    ]
}

/// The connection under test and what it has said so far.
struct World {
    connection: Connection,
    scratch: OwnedScratch,
    now: Instant,
    input: Vec<u8>,
    out: Vec<u8>,
    failed: Option<ProtocolError>,
    closing: Option<Closing>,
    switched: bool,
}

const FIELDS: &[Field<'_>] = &[Field::new("Host", "a"), Field::new("Upgrade", "x")];

impl World {
    fn new(role: Role) -> Self {
        Self {
            connection: Connection::new(role, Instant::START),
            scratch: OwnedScratch::new(8),
            now: Instant::START,
            input: Vec::new(),
            out: Vec::new(),
            failed: None,
            closing: None,
            switched: false,
        }
    }

    fn act(&mut self, act: Act) {
        let Self {
            connection: c,
            out,
            now,
            ..
        } = self;
        let head = |code| ResponseHead::new(Status::new(code).unwrap(), Fields::EMPTY);
        let length = |length: Option<u64>| length.map_or(BodyLength::Unknown, BodyLength::Known);
        let before = out.len();
        let result = match act {
            Act::Arrive(bytes) => {
                self.input.extend(bytes);
                return;
            }
            Act::Receive | Act::ReceiveEof | Act::Wait(_) => return self.advance(&act),
            Act::Accept => c.accept_body(*now, out),
            Act::Refuse => {
                c.refuse_body();
                Ok(())
            }
            Act::Respond(code, n) => c.send_response(&head(code), length(n), None, *now, out),
            Act::Whole(code, body) => c.send_whole(&head(code), &body, None, *now, out),
            Act::Inform(code) => c.send_informational(&head(code), out),
            Act::Switch => c.send_switching(Fields::new(&FIELDS[1..]), out),
            Act::Ask(n, upgrade) => {
                let head = RequestHead {
                    method: Method::POST,
                    target: Target::Origin {
                        path: "/",
                        query: None,
                    },
                    version: Version::Http11,
                    protocol: None,
                    fields: Fields::new(&FIELDS[..1 + usize::from(upgrade)]),
                };
                c.send_request(&head, n.map(BodyLength::Known), *now, out)
            }
            Act::Body(data) => c.send_body(&data, out),
            Act::End => c.send_end(Fields::EMPTY, *now, out),
            Act::Resume => {
                c.resume(*now);
                Ok(())
            }
            Act::Shutdown => {
                c.shutdown();
                Ok(())
            }
        };
        if result.is_err() {
            assert_eq!(out.len(), before, "a misuse writes nothing");
        }
    }

    fn advance(&mut self, act: &Act) {
        if let Act::Wait(seconds) = act {
            self.now += Duration::from_secs(*seconds);
        }
        let before = self.out.len();
        let lent = CallContext {
            now: self.now,
            date: None,
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch: self.scratch.lend(),
        };
        let c = &mut self.connection;
        let received = match act {
            Act::Wait(_) => c.elapsed(lent, &mut self.out).map(|event| {
                assert!(event.is_none());
                None
            }),
            Act::ReceiveEof => c
                .receive_eof(&mut self.input, lent, &mut self.out)
                .map(Some),
            _ => c.receive(&mut self.input, lent, &mut self.out).map(Some),
        };
        let (error, used, done) = match received {
            Err(violation) => (Some(violation), 0, false),
            Ok(None) => (None, 0, false),
            Ok(Some(received)) => (None, received.used, matches!(received.step, Step::Done)),
        };
        if let Some(failed) = self.failed {
            assert_eq!(error, Some(failed), "an error stays");
            assert_eq!(self.out.len(), before, "and is answered once");
        }
        self.failed = error;
        assert!(used <= self.input.len());
        self.input.drain(..used);
        if done {
            assert!(c.closing().is_some() || c.is_switched());
        }
    }

    fn check(&mut self) {
        let c = &self.connection;
        assert!(
            self.closing.is_none() || c.closing() == self.closing,
            "a closed connection stays closed"
        );
        assert!(!self.switched || c.is_switched() || c.closing().is_some());
        self.closing = c.closing();
        self.switched = c.is_switched();
        if self.closing.is_some() || self.switched {
            assert_eq!(c.deadline(&Limits::DEFAULT), None);
        }
        assert!(self.failed.is_none() || self.closing.is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_calls_and_bytes_breaks_a_connection(
        client: bool, acts in proptest::collection::vec(act(), 0..60),
    ) {
        let mut world = World::new(if client { Role::Client } else { Role::Server });
        for act in acts {
            world.act(act);
            world.check();
        }
    }
}
