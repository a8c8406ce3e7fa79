//! Members of channels over HTTP/2 that do not take what is published, beside others on the
//! same connection, on a scripted loop.

#![cfg(feature = "net")]

use core::time::Duration;

use barewire::app::{App, ChannelOptions, EventStream, Events, Metrics, SlowMembers};
use barewire::net::{Limits, Loop, Scripted, ScriptedClient};

use crate::http2_support::{
    DATA, END_HEADERS, END_STREAM, HEADERS, Sent, WINDOW_UPDATE, block, frame, frames, number,
    opening,
};

struct Member(String);

impl Events for Member {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join(&self.0).unwrap();
    }
}

struct Scene {
    world: Scripted,
    events: Loop<Scripted>,
    metrics: Metrics,
    hub: barewire::app::Hub,
    client: ScriptedClient,
    output: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let dropping = ChannelOptions::new().slow_members(SlowMembers::Newest);
        let app = App::new()
            .channel("newest", dropping)
            .get("/", |_request, reply| reply.text("here"))
            .events("/events", |request| {
                Ok(Member(request.query().unwrap().into()))
            });
        let (hub, metrics) = (app.hub(), app.metrics());
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
        let listening = app.listen("127.0.0.1:0").unwrap();
        listening.join(&mut events).unwrap();
        let client = world.connect_client(0);
        let mut scene = Self {
            world,
            events,
            metrics,
            hub,
            client,
            output: Vec::new(),
        };
        scene.send(&opening());
        scene
    }

    fn turn(&mut self) {
        for _ in 0..4 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
        let more = self.world.take_output(self.client);
        self.output.extend(more);
    }

    fn send(&mut self, bytes: &[u8]) {
        self.world.send(self.client, bytes);
        self.turn();
    }

    fn get(&mut self, stream: u32, path: &str) {
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", path),
        ];
        let flags = END_HEADERS | END_STREAM;
        self.send(&frame(HEADERS, flags, stream, &block(&fields)));
    }

    /// Opens the window of a stream, and that of the connection.
    fn open(&mut self, stream: u32, bytes: u32) {
        let opened = [0, stream].map(|it| number(WINDOW_UPDATE, it, bytes));
        self.send(&opened.concat());
    }

    /// What a stream was sent, and whether it has ended.
    fn body(&self, stream: u32) -> (String, bool) {
        let sent = frames(&self.output);
        let of = sent.iter().filter(|it| it.stream == stream);
        let body: Vec<u8> = of
            .clone()
            .filter(|it| it.kind == DATA)
            .flat_map(|it| it.payload.clone())
            .collect();
        let is_over = |it: &Sent| matches!(it.kind, DATA | HEADERS) && it.flags & END_STREAM != 0;
        let is_over = of.clone().any(is_over);
        (String::from_utf8(body).unwrap(), is_over)
    }

    /// Publishes 8 KiB each second, until `is_so`.
    fn publish_until(&mut self, channel: &str, is_so: impl Fn(&Self) -> bool) -> usize {
        let mut number = 0;
        while !is_so(self) {
            number += 1;
            let text = format!("<{number:05}>{}", "x".repeat(8 << 10));
            self.hub.publish(channel, &text);
            self.world.advance(Duration::from_secs(1));
            self.turn();
            assert!(number < 60);
        }
        number
    }
}

/// The numbers of the texts that a stream got, in order.
fn numbers(all: &str) -> Vec<usize> {
    let texts = all.split('<').skip(1);
    texts.filter_map(|it| it.get(..5)?.parse().ok()).collect()
}

#[test]
fn a_stream_whose_window_stays_shut_ends_and_others_go_on() {
    let mut scene = Scene::new();
    scene.get(1, "/events?plain");
    scene.get(3, "/events?plain");
    assert_eq!(scene.hub.member_count("plain"), 2);
    // The connection has room, and so has the other stream.
    scene.send(&number(WINDOW_UPDATE, 0, 1 << 24));
    scene.send(&number(WINDOW_UPDATE, 3, 1 << 24));
    let closed = |it: &Scene| it.metrics.snapshot().slow_members_closed > 0;
    let count = scene.publish_until("plain", closed);
    assert!(count > 15, "it has 10 s from when 64 KiB wait: {count}");
    let (other, is_over) = scene.body(3);
    assert_eq!(
        (numbers(&other), is_over),
        (Vec::from_iter(1..=count), false)
    );
    scene.open(1, 1 << 24);
    let (all, is_over) = scene.body(1);
    let found = numbers(&all);
    assert_eq!(
        found,
        Vec::from_iter(1..=found.len()),
        "nothing after a gap"
    );
    assert!(is_over && found.len() <= count);
    assert_eq!(scene.hub.member_count("plain"), 1);
    scene.get(5, "/");
    assert_eq!(scene.body(5), ("here".into(), true));
}

#[test]
fn a_stream_that_takes_a_little_at_a_time_stays() {
    let mut scene = Scene::new();
    scene.get(1, "/events?plain");
    for number in 1..=40 {
        let text = format!("<{number:05}>{}", "x".repeat(8 << 10));
        scene.hub.publish("plain", &text);
    }
    scene.turn();
    for _ in 0..60 {
        scene.open(1, 100);
        scene.world.advance(Duration::from_secs(1));
        scene.hub.publish("plain", "a little");
        scene.turn();
    }
    assert_eq!(scene.metrics.snapshot().slow_members_closed, 0);
    scene.open(1, 1 << 24);
    let (all, is_over) = scene.body(1);
    assert_eq!((numbers(&all), is_over), (Vec::from_iter(1..=40), false));
}
