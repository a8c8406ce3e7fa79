//! Messages of gRPC that come late, on a scripted loop: who could send nothing is
//! not too slow.
#![cfg(feature = "net")]

use core::time::Duration;

use crate::http2_support::{
    DATA, END_HEADERS, END_STREAM, HEADERS, Sent, WINDOW_UPDATE, block, frame, frames, number,
    opening,
};
use barewire::app::{App, Call, Service};
use barewire::grpc;
use barewire::net::{KernelQueue, Limits, Loop, Scripted, ScriptedClient};

const SECOND: Duration = Duration::from_secs(1);

/// A service that gives a message 10 seconds, and a client of it.
struct Scene {
    world: Scripted,
    events: Loop<Scripted>,
    client: ScriptedClient,
    said: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
        let limits = grpc::Limits::DEFAULT.with_message_time(10 * SECOND);
        let service = Service::new("t.T")
            .limits(limits)
            .unary("Length", |request: Vec<u8>, _call: &mut Call<'_>| {
                Ok(request.len().to_string().into_bytes())
            });
        let app = App::new()
            .get("/large", |_request, reply| {
                reply.bytes("x/y", vec![b'x'; 400_000].into())
            })
            .grpc(service);
        app.listen("127.0.0.1:0")
            .unwrap()
            .join(&mut events)
            .unwrap();
        let client = world.connect_client(0);
        let mut scene = Self {
            world,
            events,
            client,
            said: Vec::new(),
        };
        let mut bytes = opening();
        bytes.extend(frame(4, 0, 0, &[0, 4, 0, 0x40, 0, 0])); // windows of 4 MiB
        bytes.extend(number(WINDOW_UPDATE, 0, 1 << 29));
        scene.say(&bytes);
        scene
    }

    fn turn(&mut self) {
        for _ in 0..30 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
        self.said.extend(self.world.take_output(self.client));
    }

    fn say(&mut self, bytes: &[u8]) {
        self.world.send(self.client, bytes);
        self.turn();
    }

    fn pass(&mut self, seconds: usize) {
        for _ in 0..seconds {
            self.world.advance(SECOND);
            self.turn();
        }
    }

    fn read(&mut self, rate: usize) {
        let queue = KernelQueue {
            size: 2_700_000,
            rate,
            step: 1460,
        };
        self.world.set_kernel_queue(self.client, queue);
    }

    fn ask(&mut self, stream: u32, path: &str) {
        let method = if path == "/large" { "GET" } else { "POST" };
        let list = [
            (":method", method),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", path),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ];
        let flags = match path {
            "/large" => END_HEADERS | END_STREAM,
            _ => END_HEADERS,
        };
        self.say(&frame(HEADERS, flags, stream, &block(&list)));
    }

    /// The frames that have come as a whole.
    fn heard(&self) -> Vec<Sent> {
        let mut rest = &self.said[..];
        let mut len = 0;
        while let [a, b, c, ..] = *rest {
            let n = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
            if rest.len() < n {
                break;
            }
            (rest, len) = (&rest[n..], len + n);
        }
        frames(&self.said[..len])
    }

    fn is_over(&self, stream: u32) -> bool {
        let heard = self.heard();
        let mut of = heard.iter().filter(|it| it.stream == stream);
        of.any(|it| it.kind == HEADERS && it.flags & END_STREAM != 0 || it.kind == 3)
    }

    /// The front of a message of 100,000 bytes, as far as the stream's window
    /// lets it go.
    fn begin_message(&mut self, stream: u32) {
        let mut message = vec![0];
        message.extend(100_000_u32.to_be_bytes());
        message.resize(65_535, 7);
        for piece in message.chunks(16_000) {
            self.say(&frame(DATA, 0, stream, piece));
        }
    }

    fn end_message(&mut self, stream: u32) {
        let rest = vec![7; 100_005 - 65_535];
        for piece in rest.chunks(16_000) {
            self.say(&frame(DATA, 0, stream, piece));
        }
        self.say(&frame(DATA, END_STREAM, stream, b""));
    }
}

#[test]
fn a_message_is_not_late_whose_window_is_still_under_way() {
    let mut scene = Scene::new();
    scene.read(10_000);
    scene.ask(1, "/large");
    scene.ask(3, "/t.T/Length");
    scene.begin_message(3);
    // The window comes behind the large answer, after 40 seconds.
    let is_open = |scene: &Scene| {
        let heard = scene.heard();
        heard
            .iter()
            .any(|it| it.kind == WINDOW_UPDATE && it.stream == 3)
    };
    let mut seconds = 0;
    while !is_open(&scene) {
        assert!(!scene.is_over(3) && seconds < 60, "{seconds}");
        scene.pass(1);
        seconds += 1;
    }
    assert!(seconds > 30, "{seconds}");
    scene.end_message(3);
    scene.pass(5);
    let heard = scene.heard();
    let answer = heard.iter().find(|it| it.kind == DATA && it.stream == 3);
    assert_eq!(answer.unwrap().payload, b"\0\0\0\0\x06100000");
}

#[test]
fn a_message_is_late_whose_sender_could_send() {
    let mut scene = Scene::new();
    scene.ask(1, "/t.T/Length");
    scene.say(&frame(DATA, 0, 1, b"\0\0\0\0\x05hel"));
    scene.pass(9);
    assert!(!scene.is_over(1));
    scene.pass(3);
    assert!(scene.is_over(1));
}

#[test]
fn who_reads_nothing_is_not_excused_by_it() {
    let mut scene = Scene::new();
    scene.read(0);
    scene.ask(1, "/large");
    scene.ask(3, "/t.T/Length");
    scene.begin_message(3);
    // Thirty seconds of taking nothing, and one more message's time.
    scene.pass(55);
    scene.read(9_000_000);
    scene.pass(2);
    assert!(scene.is_over(3));
}
