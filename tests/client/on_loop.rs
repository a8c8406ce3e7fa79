//! A channel on a loop, over a scripted system: how much is sent, when, and what
//! becomes of calls whose connection ends.
#![cfg(feature = "net")]

use core::time::Duration;
use std::sync::mpsc::{Receiver, channel};

use crate::client_support::{Server, framed};
use barewire::client::{
    CallOptions, CallResponse, Channel, ChannelLimits, Ending, GrpcChannelOptions,
};
use barewire::grpc::Code;
use barewire::http2;
use barewire::net::{self, Loop, Scripted, ScriptedClient};
use barewire::wire::Instant;

type Bytes = Vec<u8>;

struct Scene {
    world: Scripted,
    events: Loop<Scripted>,
    channel: Channel,
}

impl Scene {
    fn new(limits: ChannelLimits) -> Self {
        Self::with(limits, net::Limits::DEFAULT)
    }

    fn with(limits: ChannelLimits, of_loop: net::Limits) -> Self {
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), of_loop).unwrap();
        let options = GrpcChannelOptions::new().limits(limits);
        let channel = Channel::on(&mut events, "192.0.2.1:50051", options).unwrap();
        Self {
            world,
            events,
            channel,
        }
    }

    /// Makes calls with one message each; what comes of them.
    fn calls(&mut self, count: usize, message: &Bytes) -> Receiver<Result<Bytes, String>> {
        let (send, over) = channel();
        for _ in 0..count {
            let send = send.clone();
            let done = move |result: Result<CallResponse<Bytes>, Ending>| {
                let told = result.map(|it| it.message).map_err(|it| it.to_string());
                send.send(told).unwrap();
            };
            let options = CallOptions::new();
            self.channel
                .unary_then("/t.T/Echo", message, options, done)
                .unwrap();
        }
        over
    }

    fn turn(&mut self) {
        for _ in 0..5 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
    }

    /// Completes the last dial.
    fn accept(&mut self) -> ScriptedClient {
        self.turn();
        let server = self.world.dials().pop().unwrap().0;
        self.world.complete(server);
        self.turn();
        server
    }

    /// Carries bytes between the channel and its server, until nothing moves.
    fn carry(&mut self, client: ScriptedClient, server: &mut Server) {
        loop {
            let out = std::mem::take(&mut server.out);
            self.world.send(client, &out);
            self.turn();
            let sent = self.world.take_output(client);
            if sent.is_empty() && server.out.is_empty() {
                return;
            }
            server.take(&sent);
        }
    }
}

fn server(limits: http2::Limits) -> Server {
    Server::new(limits, Instant::START)
}

#[test]
fn a_deadline_needs_no_timer_of_the_loop() {
    let none = net::Share {
        all: 0,
        address: 0,
        connection: 0,
    };
    let of_loop = net::Limits::DEFAULT.with_timers(none);
    let mut scene = Scene::with(ChannelLimits::DEFAULT, of_loop);
    let (send, over) = channel();
    let call = |scene: &Scene, seconds| {
        let send = send.clone();
        let done = move |result: Result<CallResponse<Bytes>, Ending>| {
            send.send(result.unwrap_err().code()).unwrap();
        };
        let options = CallOptions::new().timeout(Duration::from_secs(seconds));
        let channel = &scene.channel;
        channel
            .unary_then("/t.T/Echo", &vec![1], options, done)
            .unwrap();
    };
    call(&scene, 5);
    let client = scene.accept();
    let mut server = server(http2::Limits::DEFAULT);
    scene.carry(client, &mut server);
    // An earlier one moves the alarm, and so does its end.
    call(&scene, 2);
    scene.carry(client, &mut server);
    for (seconds, ended) in [(1, 0), (2, 1), (1, 0), (2, 1)] {
        scene.world.advance(Duration::from_secs(seconds));
        scene.turn();
        let codes: Vec<_> = over.try_iter().collect();
        assert_eq!(codes, vec![Code::DeadlineExceeded; ended]);
    }
}

#[test]
fn calls_wait_while_the_server_takes_nothing_and_none_is_lost() {
    let mut scene = Scene::new(ChannelLimits::DEFAULT);
    let over = scene.calls(5_000, &vec![7; 500]);
    let client = scene.accept();
    scene.world.allow_write(client, 500);
    let mut server = server(http2::Limits::DEFAULT.with_streams(10_000));
    scene.carry(client, &mut server);
    let few = server.seen.len();
    assert!(
        few < 1_000,
        "{few} calls, which is more than the loop holds"
    );
    scene.world.allow_all(client);
    scene.carry(client, &mut server);
    assert_eq!(server.seen.len(), 5_000);
    for stream in server.seen.keys().copied().collect::<Vec<_>>() {
        assert_eq!(server.seen[&stream].body, framed(&[7; 500]));
        server.answer(stream, b"ok");
    }
    scene.carry(client, &mut server);
    let answers: Vec<_> = over.try_iter().collect();
    assert_eq!(answers.len(), 5_000);
    assert!(answers.iter().all(|it| it.as_deref() == Ok(b"ok")));
}

#[test]
fn a_long_message_leaves_in_pieces_as_the_windows_open() {
    let mut scene = Scene::new(ChannelLimits::DEFAULT);
    let message = vec![9; 3 << 20];
    let over = scene.calls(1, &message);
    let client = scene.accept();
    let mut server = server(http2::Limits::DEFAULT.with_stream_window(20_000));
    scene.carry(client, &mut server);
    assert_eq!(server.seen[&1].body, framed(&message));
    assert!(server.seen[&1].ended);
    server.answer(1, b"ok");
    scene.carry(client, &mut server);
    assert_eq!(over.try_recv().unwrap(), Ok(b"ok".to_vec()));
}

#[test]
fn a_call_that_was_refused_is_sent_again_though_its_message_is_longer_than_is_kept() {
    let mut scene = Scene::new(ChannelLimits::DEFAULT);
    let message = vec![9; 1 << 20];
    let over = scene.calls(1, &message);
    let client = scene.accept();
    let mut server = server(http2::Limits::DEFAULT);
    server.reads = false; // of the first, no more leaves than its window
    scene.carry(client, &mut server);
    assert!(server.seen[&1].body.len() < message.len() / 4);
    server.reset(1, http2::ErrorCode::REFUSED_STREAM);
    server.reads = true;
    scene.carry(client, &mut server);
    assert_eq!(server.seen[&3].body, framed(&message));
    server.answer(3, b"ok");
    scene.carry(client, &mut server);
    assert_eq!(over.try_recv().unwrap(), Ok(b"ok".to_vec()));
}

#[test]
fn the_end_of_a_connection_is_told_by_its_cause() {
    let goaway = b"\0\0\x0c\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0late";
    let tls = b"\x15\x03\x01\0\x02\x02\x46";
    let broken = b"\0\0\0\0\0\0\0\0\0";
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    let cases: [(&[&[u8]], &str); 5] = [
        (&[settings], "connection was lost"),
        (
            &[settings, goaway],
            "connection was lost; server is going away: NO_ERROR late",
        ),
        (
            &[settings, broken],
            "server broke the protocol: frame on the wrong kind of stream (RFC 9113 §5.1.1)",
        ),
        (
            &[tls],
            "cannot connect to 192.0.2.1:50051: server speaks TLS, and the channel does not: expected https://",
        ),
        (
            &[],
            "cannot connect to 192.0.2.1:50051: \
             connection was lost before the server's first frame",
        ),
    ];
    for (says, why) in cases {
        for resets in [false, true] {
            let mut scene = Scene::new(ChannelLimits::DEFAULT);
            let over = scene.calls(1, &b"hi".to_vec());
            let client = scene.accept();
            for bytes in says {
                scene.world.send(client, bytes);
                scene.turn();
            }
            match resets {
                true => scene.world.reset(client),
                false => scene.world.eof(client),
            }
            scene.turn();
            let told = over.try_recv().unwrap();
            assert_eq!(told, Err(format!("UNAVAILABLE: {why}")));
        }
    }
}

#[test]
fn a_server_that_asks_for_fewer_pings_gets_fewer_on_the_next_connection() {
    let keep_alive = Duration::from_secs(10);
    let mut scene = Scene::new(ChannelLimits::DEFAULT.with_keep_alive(keep_alive));
    let settings = b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0";
    for (seconds, complains) in [(10, true), (20, true), (40, false)] {
        let _over = scene.calls(1, &b"hi".to_vec());
        let client = scene.accept();
        scene.world.send(client, settings);
        scene.turn();
        scene.world.take_output(client);
        let pings = |scene: &mut Scene| {
            let sent = scene.world.take_output(client);
            sent.windows(9).any(|it| it == b"\0\0\x08\x06\0\0\0\0\0")
        };
        for _ in 0..seconds - 1 {
            scene.world.advance(Duration::from_secs(1));
            scene.turn();
            assert!(!pings(&mut scene), "before {seconds} seconds");
        }
        for _ in 0..2 {
            scene.world.advance(Duration::from_secs(1));
            scene.turn();
        }
        assert!(pings(&mut scene), "after {seconds} seconds");
        if complains {
            let goaway = b"\0\0\x16\x07\0\0\0\0\0\0\0\0\x01\0\0\0\x0btoo_many_pings";
            scene.world.send(client, goaway);
        }
        scene.world.eof(client);
        scene.turn();
        scene.world.advance(Duration::from_secs(10)); // the pause between two attempts
        scene.turn();
    }
}
