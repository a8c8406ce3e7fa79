use crate::http::{ResponseHead, Status};
use crate::link::{self, Body, Event};
use crate::net::{
    Context, Handler, KernelQueue, Limits, ListenOptions, Loop, Scripted, ScriptedClient, Speaks,
};
use crate::websocket::handshake;
use core::time::Duration;

struct Hello;

impl Handler for Hello {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        if let Event::Request { head, .. } = event {
            if head.target.path() == "/ws" {
                let opening = handshake::check(&head).unwrap();
                let accepted = handshake::accept(&opening, None).ok().unwrap();
                let fields = accepted.fields();
                context
                    .upgrade_websocket(fields.as_fields(), false)
                    .unwrap();
                return;
            }
            let head = ResponseHead::new(Status::OK, crate::http::Fields::EMPTY);
            context.respond(&head, Body::Whole(b"hello")).unwrap();
        }
    }
}

/// A loop that packs each connection at rest, and its only client.
fn packing() -> (Scripted, Loop<Scripted>, ScriptedClient) {
    let world = Scripted::new();
    let limits = Limits::DEFAULT.with_warm(0);
    let mut events = Loop::with_poller(world.clone(), limits).unwrap();
    let owner = events.add(Hello);
    let profile = events.profile(link::Limits::DEFAULT);
    let (address, options) = ("127.0.0.1:0".parse().unwrap(), ListenOptions::DEFAULT);
    events
        .listen(&address, &options, Speaks::Http, owner, profile)
        .unwrap();
    let client = world.connect_client(0);
    (world, events, client)
}

#[test]
fn a_connection_rests_on_behind_the_deadline_of_an_earlier_rest() {
    let (world, mut events, client) = packing();
    // The first rest would be over 60 seconds after its beginning, the
    // second one is 30 seconds later.
    for seconds in [30, 40, 0] {
        if seconds > 0 {
            world.send(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        for _ in 0..4 {
            events.turn(Some(Duration::ZERO)).unwrap();
        }
        let connections = &events.dispatch.state.connections;
        let key = connections.keys()[0];
        assert!(connections.get(key).is_none(), "it is packed");
        world.advance(Duration::from_secs(seconds));
    }
    world.advance(Duration::from_secs(25));
    for _ in 0..4 {
        events.turn(Some(Duration::ZERO)).unwrap();
    }
    assert!(events.dispatch.state.connections.is_empty());
}

#[test]
fn a_first_deadline_keeps_nobody_from_resting_whose_answer_is_under_way() {
    let (world, mut events, client) = packing();
    let (size, rate, step) = (1 << 20, 0, 1);
    world.set_kernel_queue(client, KernelQueue { size, rate, step });
    world.send(
        client,
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    for _ in 0..4 {
        events.turn(Some(Duration::ZERO)).unwrap();
    }
    assert!(world.queued(client) > 0);
    let connections = &events.dispatch.state.connections;
    assert!(connections.get(connections.keys()[0]).is_none());
}
