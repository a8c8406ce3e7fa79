//! Members of channels that do not take what is published, and mailboxes that are full, on
//! a scripted loop.

#![cfg(feature = "net")]

use core::time::Duration;

use barewire::app::{
    App, ChannelOptions, Delivery, EventStream, Events, History, Hub, Message, Metrics, Missed,
    Publication, ResponseStream, ServerStream, Service, SlowMembers, Socket, WebSocket,
};
use barewire::net::{Fate, Limits, Loop, Scripted, ScriptedClient};
use barewire::sse::Event;

const SECOND: Duration = Duration::from_secs(1);

/// A member that gets what is published as it is, or sees it itself; and says what it missed,
/// or leaves that to the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Socket,
    SocketObject,
    Stream,
    StreamObject,
    Call,
}

const KINDS: [Kind; 5] = [
    Kind::Socket,
    Kind::SocketObject,
    Kind::Stream,
    Kind::StreamObject,
    Kind::Call,
];

struct Member {
    channel: String,
    is_object: bool,
}

impl Member {
    fn new(query: &str) -> Self {
        let (how, channel) = query.split_once('-').unwrap();
        Self {
            channel: channel.into(),
            is_object: how == "object",
        }
    }

    fn way(&self) -> Delivery {
        match self.is_object {
            true => Delivery::Object,
            false => Delivery::Direct,
        }
    }

    fn tells(&self) -> bool {
        self.channel.starts_with("told")
    }
}

fn missed_text(missed: Missed<'_>) -> String {
    format!("missed {} of {}", missed.publications, missed.channel)
}

impl WebSocket for Member {
    fn delivery(&self) -> Delivery {
        self.way()
    }

    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join(&self.channel).unwrap();
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }

    fn publication(&mut self, socket: &mut Socket<'_, '_>, _: &str, publication: &Publication) {
        socket.send(publication.as_text().unwrap());
    }

    fn missed(&mut self, socket: &mut Socket<'_, '_>, missed: Missed<'_>) {
        match self.tells() {
            true => drop(socket.send(&missed_text(missed))),
            false => WebSocket::missed(&mut Quiet, socket, missed),
        }
    }
}

/// What the default does.
struct Quiet;

impl WebSocket for Quiet {
    fn message(&mut self, _: &mut Socket<'_, '_>, _: Message<'_>) {}
}

impl Events for Quiet {
    fn open(&mut self, _: &mut EventStream<'_, '_>) {}
}

impl ServerStream for Quiet {
    type Message = Vec<u8>;

    fn open(&mut self, _: &mut ResponseStream<'_, '_, Vec<u8>>) {}
}

impl Events for Member {
    fn delivery(&self) -> Delivery {
        self.way()
    }

    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join(&self.channel).unwrap();
    }

    fn publication(&mut self, stream: &mut EventStream<'_, '_>, _: &str, it: &Publication) {
        stream.send(&Event::new(it.as_text().unwrap()));
    }

    fn missed(&mut self, stream: &mut EventStream<'_, '_>, missed: Missed<'_>) {
        match self.tells() {
            true => drop(stream.send(&Event::new(&missed_text(missed)))),
            false => Events::missed(&mut Quiet, stream, missed),
        }
    }
}

impl ServerStream for Member {
    type Message = Vec<u8>;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.join(&self.channel).unwrap();
    }

    fn publication(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Vec<u8>>,
        _: &str,
        publication: &Publication,
    ) {
        stream.send(&publication.payload().to_vec());
    }

    fn missed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>, missed: Missed<'_>) {
        match self.tells() {
            true => drop(stream.send(&missed_text(missed).into_bytes())),
            false => ServerStream::missed(&mut Quiet, stream, missed),
        }
    }
}

struct Scene {
    world: Scripted,
    events: Loop<Scripted>,
    hub: Hub,
    metrics: Metrics,
    published: usize,
}

impl Scene {
    fn new(limits: Limits) -> Self {
        let options = |slow| ChannelOptions::new().slow_members(slow);
        let kept = ChannelOptions::new().history(History::DEFAULT);
        let app = App::new()
            .channel("drop*", options(SlowMembers::Drop))
            .channel("told-drop", options(SlowMembers::Drop))
            .channel("told-newest", options(SlowMembers::Newest))
            .channel("kept", kept)
            .websocket("/ws", |request| Ok(Member::new(request.query().unwrap())))
            .events("/events", |request| {
                Ok(Member::new(request.query().unwrap()))
            })
            .grpc(
                Service::new("t.T").server_streaming_object("Follow", |query: Vec<u8>, _call| {
                    Ok(Member::new(core::str::from_utf8(&query).unwrap()))
                }),
            );
        let (hub, metrics) = (app.hub(), app.metrics());
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), limits).unwrap();
        let listening = app.listen("127.0.0.1:0").unwrap();
        listening.join(&mut events).unwrap();
        Self {
            world,
            events,
            hub,
            metrics,
            published: 0,
        }
    }

    fn turn(&mut self) {
        for _ in 0..4 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
    }

    /// A member of a channel, whose answer to the request has been taken.
    fn member(&mut self, kind: Kind, channel: &str) -> ScriptedClient {
        let client = self.world.connect_client(0);
        let how = match kind {
            Kind::SocketObject | Kind::StreamObject => "object",
            Kind::Socket | Kind::Stream | Kind::Call => "direct",
        };
        let query = format!("{how}-{channel}");
        let request = match kind {
            Kind::Socket | Kind::SocketObject => format!(
                "GET /ws?{query} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Version: 13\r\n\r\n"
            ),
            Kind::Stream | Kind::StreamObject => {
                format!("GET /events?{query} HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            Kind::Call => {
                let length = query.len() as u32;
                let prefix = [&[0], &length.to_be_bytes()[..]].concat();
                let prefix = core::str::from_utf8(&prefix).unwrap();
                format!(
                    "POST /t.T/Follow HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\
                     Content-Type: application/grpc-web+proto\r\n\r\n{prefix}{query}",
                    query.len() + 5
                )
            }
        };
        self.world.send(client, request.as_bytes());
        self.turn();
        let head = self.world.take_output(client);
        assert!(head.starts_with(b"HTTP/1.1 "), "{kind:?}");
        assert_eq!(self.hub.member_count(channel), 1, "{kind:?}");
        client
    }

    /// Publishes the next text, of this length.
    fn publish(&mut self, channel: &str, length: usize) {
        self.published += 1;
        let text = format!("<{:05}>{}", self.published, "x".repeat(length));
        self.hub.publish(channel, &text);
        self.turn();
    }

    /// Publishes so many more, of this length, before the loop looks.
    fn burst(&mut self, channel: &str, count: usize, length: usize) {
        for _ in 1..count {
            self.published += 1;
            let text = format!("<{:05}>{}", self.published, "x".repeat(length));
            self.hub.publish(channel, &text);
        }
        self.publish(channel, length);
    }

    /// A second passes.
    fn second(&mut self) {
        self.world.advance(SECOND);
        self.turn();
    }

    /// Everything that has come by now and comes when the client reads again.
    fn all(&mut self, client: ScriptedClient) -> String {
        self.world.allow_all(client);
        for _ in 0..30 {
            self.turn();
        }
        String::from_utf8_lossy(&self.world.take_output(client)).into_owned()
    }
}

/// The numbers of the texts in what a client got, in order.
fn numbers(all: &str) -> Vec<usize> {
    let texts = all.split('<').skip(1);
    texts.filter_map(|it| it.get(..5)?.parse().ok()).collect()
}

/// How each protocol says that the member is to come back.
fn is_sent_away(kind: Kind, all: &str) -> bool {
    match kind {
        Kind::Socket | Kind::SocketObject => {
            let close = "\u{3}\u{fffd}"; // 1013 is 0x03f5, which is no UTF-8
            all.contains(close) && (all.ends_with("too slow") || all.ends_with("lost"))
        }
        Kind::Stream | Kind::StreamObject => all.ends_with("0\r\n\r\n"),
        Kind::Call => all.contains("grpc-status: 8") || all.contains("grpc-status:8"),
    }
}

/// Nothing is written to it that would show it.
#[test]
fn a_member_whose_client_has_gone_leaves() {
    let mut scene = Scene::new(Limits::DEFAULT);
    for kind in KINDS {
        let client = scene.member(kind, "plain");
        scene.world.eof(client);
        scene.turn();
        assert_eq!(scene.hub.member_count("plain"), 0, "{kind:?}");
    }
}

#[test]
fn a_member_that_stands_still_is_sent_away() {
    for kind in KINDS {
        let mut scene = Scene::new(Limits::DEFAULT);
        let client = scene.member(kind, "plain");
        scene.world.stop_reading(client);
        let mut at = 0;
        while scene.metrics.snapshot().slow_members_closed == 0 {
            scene.publish("plain", 8 << 10);
            scene.second();
            at += 1;
            assert!(at < 30, "{kind:?}");
        }
        assert!(at > 15, "{kind:?}: it has 10 s from when 64 KiB wait");
        let all = scene.all(client);
        assert!(is_sent_away(kind, &all), "{kind:?}: {}", tail(&all));
        let numbers = numbers(&all);
        let before: Vec<usize> = (1..=numbers.len()).collect();
        assert_eq!(numbers, before, "{kind:?}: nothing after a gap");
    }
}

fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(200);
    text.get(from..).unwrap_or(text)
}

#[test]
fn a_member_that_reads_slowly_but_steadily_stays() {
    for kind in KINDS {
        let mut scene = Scene::new(Limits::DEFAULT);
        let client = scene.member(kind, "plain");
        scene.world.stop_reading(client);
        for _ in 0..25 {
            scene.publish("plain", 8 << 10);
        }
        for _ in 0..60 {
            scene.world.allow_write(client, 100);
            scene.second();
            scene.publish("plain", 10);
        }
        let all = scene.all(client);
        assert!(!is_sent_away(kind, &all), "{kind:?}");
        assert_eq!(numbers(&all), Vec::from_iter(1..=85), "{kind:?}");
        assert_eq!(scene.metrics.snapshot().slow_members_closed, 0);
        assert_eq!(scene.world.fate(client), Fate::Open, "{kind:?}");
    }
}

#[test]
fn more_than_the_cap_is_slow_whatever_the_time() {
    for (kind, at_once) in KINDS.into_iter().flat_map(|it| [(it, 1), (it, 24)]) {
        let mut scene = Scene::new(Limits::DEFAULT);
        let client = scene.member(kind, "plain");
        scene.world.stop_reading(client);
        for _ in 0..24 / at_once {
            scene.burst("plain", at_once, 100 << 10);
        }
        assert_eq!(scene.metrics.snapshot().slow_members_closed, 1, "{kind:?}");
        let all = scene.all(client);
        assert!(is_sent_away(kind, &all), "{kind:?}");
        // The eleventh passes 1 MiB, and the one after that finds it so.
        let given = numbers(&all).len();
        match kind {
            Kind::Socket | Kind::Stream => assert_eq!(given, 12, "{kind:?}, {at_once}"),
            _ => assert!(given <= 12, "{kind:?}, {at_once}: {given}"),
        }
    }
}

#[test]
fn what_is_left_out_is_told() {
    for channel in ["told-drop", "told-newest"] {
        for kind in KINDS {
            let mut scene = Scene::new(Limits::DEFAULT);
            let client = scene.member(kind, channel);
            scene.world.stop_reading(client);
            for _ in 0..26 {
                scene.publish(channel, 8 << 10);
                scene.second();
            }
            let all = scene.all(client);
            scene.publish(channel, 1);
            let all = all + &scene.all(client);
            let numbers = numbers(&all);
            let gap = (1..).zip(&numbers).position(|(at, it)| at != *it).unwrap();
            let next = numbers[gap];
            let expected = match channel {
                "told-newest" => 26,
                _ => 27,
            };
            assert_eq!(next, expected, "{kind:?} {channel} {numbers:?}");
            let told = format!("missed {} of {channel}", next - gap - 1);
            let (before, after) = all.split_once(&told).expect(&told);
            assert!(before.contains(&format!("<{gap:05}>")), "{kind:?}");
            assert!(!after.contains(&format!("<{gap:05}>")), "{kind:?}");
            assert!(after.contains(&format!("<{next:05}>")), "{kind:?}");
            let counts = scene.metrics.snapshot();
            assert_eq!(
                (counts.slow_members_closed, counts.slow_members_left_out),
                (0, 1)
            );
            assert!(counts.publications_left_out > 0, "{kind:?}");
            assert!(!is_sent_away(kind, &all), "{kind:?}");
        }
    }
}

#[test]
fn who_does_not_say_what_it_missed_is_sent_away() {
    for kind in KINDS {
        let mut scene = Scene::new(Limits::DEFAULT);
        let client = scene.member(kind, "drop");
        scene.world.stop_reading(client);
        for _ in 0..26 {
            scene.publish("drop", 8 << 10);
            scene.second();
        }
        let all = scene.all(client);
        assert!(is_sent_away(kind, &all), "{kind:?} {}", tail(&all));
        let numbers = numbers(&all);
        assert_eq!(numbers, Vec::from_iter(1..=numbers.len()), "{kind:?}");
    }
}

/// A reply takes the place of the newest publication, of which nothing else would tell.
#[test]
fn what_a_reply_displaces_is_looked_up_although_nothing_follows() {
    for kind in KINDS {
        let mut scene = Scene::new(Limits::DEFAULT.with_mailbox(4));
        let client = scene.member(kind, "kept");
        let session = scene.hub.sessions()[0].id;
        let handle = scene.hub.session(session).unwrap();
        for number in 1..=4 {
            let published = scene.hub.publish("kept", &format!("<{number:05}>"));
            assert_eq!(published.members(), 1);
        }
        while handle.mail(()).is_ok() {} // nobody looks at that
        let all = scene.all(client);
        assert_eq!(numbers(&all), Vec::from_iter(1..=4), "{kind:?}");
        assert!(!is_sent_away(kind, &all), "{kind:?}");
        assert_eq!(scene.metrics.snapshot().members_lost, 0);
    }
}

#[test]
fn what_cannot_be_looked_up_any_more_is_told() {
    for kind in KINDS {
        let mut scene = Scene::new(Limits::DEFAULT.with_mailbox(4));
        let client = scene.member(kind, "kept");
        for number in 1..=1_100 {
            scene.hub.publish("kept", &format!("<{number:05}>"));
        }
        let all = scene.all(client);
        let is_told = match kind {
            Kind::Call => all.contains("grpc-status: 14") || all.contains("grpc-status:14"),
            _ => is_sent_away(kind, &all),
        };
        assert!(is_told, "{kind:?} {}", tail(&all));
        let numbers = numbers(&all);
        assert_eq!(numbers, Vec::from_iter(1..=numbers.len()), "{kind:?}");
        assert!(numbers.len() <= 4, "{kind:?}");
        assert_eq!(scene.metrics.snapshot().members_lost, 1, "{kind:?}");
    }
}
