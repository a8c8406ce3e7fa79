//! Many connections that are busy cost no more allocations than few.
#![cfg(feature = "net")]

mod counting;

use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

use barewire::http::{Fields, ResponseHead, Status};
use barewire::link::{self, Body, Event};
use barewire::net::{
    Context, Handler, Limits, ListenOptions, Loop, Scripted, ScriptedClient, Speaks,
};
use barewire::websocket::handshake;
use counting::{ALLOCATIONS, COUNTS};

/// Answers each request, and returns each message.
struct Echo;

impl Handler for Echo {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Request { head, .. } if head.target.path() == "/ws" => {
                let opening = handshake::check(&head).unwrap();
                let accepted = handshake::accept(&opening, None).ok().unwrap();
                let fields = accepted.fields();
                context
                    .upgrade_websocket(fields.as_fields(), false)
                    .unwrap();
            }
            Event::Request { .. } => {
                let head = ResponseHead::new(Status::OK, Fields::EMPTY);
                context.respond(&head, Body::Whole(b"hello")).unwrap();
            }
            Event::Message { kind, payload } => drop(context.send(kind, payload)),
            _ => {}
        }
    }
}

/// Turns of the loop, counted.
fn turns(events: &mut Loop<Scripted>) {
    COUNTS.set(true);
    for _ in 0..8 {
        events.turn(Some(Duration::ZERO)).unwrap();
    }
    COUNTS.set(false);
}

/// Has so many clients each send `opening` once, and then `piece` again and
/// again, as many a turn as may be: what the loop allocates for a thousand
/// pieces. The script takes one for each answer.
fn allocations(clients: usize, opening: &[u8], piece: &[u8]) -> u64 {
    const EACH: usize = 200; // a turn
    let world = Scripted::new();
    let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
    let owner = events.add(Echo);
    let profile = events.profile(link::Limits::DEFAULT);
    let (address, options) = ("127.0.0.1:0".parse().unwrap(), ListenOptions::DEFAULT);
    events
        .listen(&address, &options, Speaks::Http, owner, profile)
        .unwrap();
    let all: Vec<ScriptedClient> = (0..clients).map(|_| world.connect_client(0)).collect();
    let mut exchange = |bytes: &[u8]| {
        for some in all.chunks(EACH) {
            for &client in some {
                world.send(client, bytes);
            }
            turns(&mut events);
            for &client in some {
                assert!(!world.take_output(client).is_empty(), "no answer");
            }
            world.advance(Duration::from_millis(50));
        }
    };
    exchange(opening);
    // Until it is known who is busy, connections are packed and made whole.
    (0..4).for_each(|_| exchange(piece));
    let before = ALLOCATIONS.load(Relaxed);
    const ROUNDS: u64 = 10;
    (0..ROUNDS).for_each(|_| exchange(piece));
    (ALLOCATIONS.load(Relaxed) - before) * 1000 / (ROUNDS * clients as u64)
}

#[test]
fn a_thousand_busy_connections_are_served_without_an_allocation() {
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let upgrade = b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let message = b"\x81\x85\0\0\0\0hello";
    for (opening, piece) in [(&get[..], &get[..]), (upgrade, message)] {
        // The script itself takes one piece of memory for each answer.
        assert_eq!(allocations(200, opening, piece), 1000);
        assert_eq!(allocations(1000, opening, piece), 1000);
    }
}
