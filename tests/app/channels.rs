//! Channels with history, as their members see them, over real sockets.

#![cfg(feature = "net")]

use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;

use crate::app_support::{Running, read_until, wait_until};
use barewire::app::{
    App, ChannelError, ChannelLimits, ChannelOptions, Delivery, EventStream, Events, Format,
    History, Hub, Join, Message, Position, Post, Publication, Published, Socket, WebSocket,
};
use barewire::sse::Event;
use barewire::websocket::Kind;
use tungstenite::{Message as Frame, WebSocket as Client};

/// Does as it is told:
///
/// ```text
/// join CHANNEL [EPOCH OFFSET]      joined CHANNEL EPOCH OFFSET RECOVERED
/// leave CHANNEL                    left CHANNEL
/// all CHANNEL TEXT                 published OFFSET
/// others CHANNEL TEXT              published OFFSET
/// ```
struct Told(Delivery);

impl WebSocket for Told {
    fn delivery(&self) -> Delivery {
        self.0.clone()
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let text = message.as_text().unwrap();
        let (word, rest) = text.split_once(' ').unwrap();
        let (channel, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let answer = match word {
            "join" => joined(channel, socket.join_with(channel, &join(rest))),
            "leave" => format!("left {channel} {}", socket.leave(channel)),
            "all" => published(socket.publish(channel, rest)),
            "others" => published(socket.publish_to_others(channel, rest)),
            _ => panic!("{text}"),
        };
        socket.send(&answer);
    }

    fn publication(
        &mut self,
        socket: &mut Socket<'_, '_>,
        channel: &str,
        publication: &Publication,
    ) {
        let offset = publication.position().map_or(0, |it| it.offset);
        let text = publication.as_text().unwrap();
        socket.send(&format!("object {channel} {offset} {text}"));
    }
}

fn join(since: &str) -> Join {
    let Some((epoch, offset)) = since.split_once(' ') else {
        return Join::new();
    };
    match (epoch.parse(), offset.parse()) {
        (Ok(epoch), Ok(offset)) => Join::new().since(Position::new(epoch, offset)),
        _ => Join::new().since_nowhere(),
    }
}

fn joined(channel: &str, joined: Result<barewire::app::Joined, ChannelError>) -> String {
    let joined = match joined {
        Ok(joined) => joined,
        Err(error) => return format!("refused {channel} {error}"),
    };
    let Some(standing) = joined.standing() else {
        return format!("{joined:?} {channel}");
    };
    let recovered = standing.recovered.map_or("-", |it| match it {
        true => "true",
        false => "false",
    });
    match standing.position {
        None => format!("joined {channel} {recovered}"),
        Some(Position { epoch, offset, .. }) => {
            format!("joined {channel} {epoch} {offset} {recovered}")
        }
    }
}

fn published(published: Published) -> String {
    match published {
        Published::Done { position, .. } => {
            format!("published {}", position.map_or(0, |it| it.offset))
        }
        other => format!("{other:?}"),
    }
}

/// `CHANNEL OFFSET NOTE: TEXT`
struct Numbered;

impl Format for Numbered {
    fn encode(&self, channel: &str, publication: &Publication, out: &mut Vec<u8>) -> Option<Kind> {
        let offset = publication.position().map_or(0, |it| it.offset);
        let note = String::from_utf8_lossy(publication.note());
        out.extend_from_slice(format!("{channel} {offset} {note}: ").as_bytes());
        out.extend_from_slice(publication.payload());
        Some(publication.kind())
    }
}

fn app(keep: History) -> App {
    let format: Arc<dyn Format> = Arc::new(Numbered);
    App::new()
        .channel("kept*", ChannelOptions::new().history(keep))
        .websocket("/ws", |_| Ok(Told(Delivery::Direct)))
        .websocket("/object", |_| Ok(Told(Delivery::Object)))
        .websocket("/numbered", move |_| {
            Ok(Told(Delivery::Format(format.clone())))
        })
        .events("/events", |request| {
            Ok(Listener {
                channels: request.query_value("channels").unwrap_or_default().into(),
                last: request.last_event_id().map(str::to_owned),
            })
        })
}

struct Listener {
    channels: String,
    last: Option<String>,
}

impl Events for Listener {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        for channel in self.channels.split(',') {
            let join = match &self.last {
                None => Join::new(),
                Some(id) => Join::new().since_event(id),
            };
            let joined = stream.join_with(channel, &join).unwrap();
            let recovered = joined.standing().unwrap().recovered;
            stream.send(&Event::new(&format!("{recovered:?}")).event(channel));
        }
    }
}

struct Scene {
    running: Running,
    hub: Hub,
}

impl Scene {
    fn new(app: App) -> Self {
        let hub = app.hub();
        let running = Running::start(app);
        Self { running, hub }
    }

    fn client(&self, path: &str) -> Member {
        let url = format!("ws://a{path}");
        Member(tungstenite::client(url, self.running.connect()).unwrap().0)
    }

    fn listen(&self, channels: &str, last: Option<&str>) -> Stream {
        let mut stream = self.running.connect();
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!("GET /events?channels={channels} HTTP/1.1\r\nHost: a\r\n{last}\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let head = read_until(&mut stream, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        Stream {
            stream,
            text: String::new(),
            id: String::new(),
        }
    }
}

struct Member(Client<TcpStream>);

impl Member {
    fn next(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Frame::Text(text) => return text.to_string(),
                Frame::Ping(_) | Frame::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, text: &str) -> String {
        self.0.send(Frame::text(text)).unwrap();
        self.next()
    }

    /// Joins, and returns the epoch.
    fn join(&mut self, channel: &str) -> String {
        let answer = self.ask(&format!("join {channel}"));
        let words: Vec<&str> = answer.split(' ').collect();
        assert_eq!(words[0], "joined", "{answer}");
        words[2].to_owned()
    }

    fn expect(&mut self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            assert_eq!(self.next(), text);
        }
    }
}

struct Stream {
    stream: TcpStream,
    text: String,
    /// The id of the last event.
    id: String,
}

impl Stream {
    /// The type and the data of the next event.
    fn next(&mut self) -> (String, String) {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                let field = |name: &str| {
                    let mut lines = block.lines();
                    let line = lines.find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim_start_matches(": ").to_owned())
                };
                if let Some(id) = field("id") {
                    self.id = id;
                }
                if let Some(data) = field("data") {
                    return (field("event").unwrap_or_default(), data);
                }
                continue;
            }
            let chunk = self.chunk();
            self.text.push_str(&chunk);
        }
    }

    fn chunk(&mut self) -> String {
        let size = read_until(&mut self.stream, "\r\n");
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).unwrap();
        String::from_utf8(chunk[..size].to_vec()).unwrap()
    }

    fn expect(&mut self, event: &str, data: &str) {
        assert_eq!(self.next(), (event.to_owned(), data.to_owned()));
    }
}

#[test]
fn who_comes_back_gets_what_it_missed_in_front_of_what_is_new() {
    for threads in [1, 2] {
        let scene = Scene::new(app(History::DEFAULT).threads(threads));
        let mut away = scene.client("/ws");
        let epoch = away.join("kept");
        for n in 1..=3 {
            let members = scene.hub.publish("kept", &format!("{n}")).members();
            assert_eq!(members, 1);
        }
        away.expect(["1".into(), "2".into(), "3".into()]);
        drop(away);
        wait_until("it is gone", || scene.hub.member_count("kept") == 0);
        for n in 4..=9 {
            scene.hub.publish("kept", &format!("{n}"));
        }
        let mut back = scene.client("/ws");
        let answer = back.ask(&format!("join kept {epoch} 3"));
        assert_eq!(answer, format!("joined kept {epoch} 9 true"));
        scene.hub.publish("kept", "10");
        back.expect((4..=10).map(|n| n.to_string()));
    }
}

#[test]
fn who_cannot_be_recovered_is_told_and_gets_what_is_new() {
    let scene = Scene::new(app(History::DEFAULT.with_publications(3)));
    let mut first = scene.client("/ws");
    let epoch = first.join("kept");
    for n in 1..=5 {
        scene.hub.publish("kept", &format!("{n}"));
    }
    first.expect((1..=5).map(|n| n.to_string()));
    for since in [
        format!("{epoch} 1"),                    // gone
        format!("{epoch} 6"),                    // the future
        format!("{epoch} 18446744073709551615"), // likewise
        "0000000000000000 5".into(),             // another life of the channel
        "an epoch 5".into(),                     // none
        format!("{epoch} -1"),                   // no offset
    ] {
        let mut back = scene.client("/ws");
        let answer = back.ask(&format!("join kept {since}"));
        assert_eq!(answer, format!("joined kept {epoch} 5 false"), "{since}");
    }
    let mut back = scene.client("/ws");
    let answer = back.ask(&format!("join kept {epoch} 2"));
    assert_eq!(answer, format!("joined kept {epoch} 5 true"));
    scene.hub.publish("kept", "6");
    back.expect((3..=6).map(|n| n.to_string()));
}

#[test]
fn what_a_member_publishes_has_a_place_that_it_is_told() {
    let scene = Scene::new(app(History::DEFAULT));
    let (mut one, mut other) = (scene.client("/ws"), scene.client("/ws"));
    let epoch = one.join("kept");
    other.join("kept");
    assert_eq!(one.ask("others kept a"), "published 1");
    assert_eq!(other.next(), "a");
    one.0.send(Frame::text("all kept b")).unwrap();
    let answers = [one.next(), one.next()];
    assert_eq!(answers, ["b".to_owned(), "published 2".to_owned()]);
    // From behind its own it is not given that again.
    let mut back = scene.client("/ws");
    back.ask(&format!("join kept {epoch} 1"));
    assert_eq!(back.next(), "b");
    // A publisher need not be a member.
    let mut stranger = scene.client("/ws");
    assert_eq!(stranger.ask("all kept c"), "published 3");
    assert_eq!(stranger.ask("all plain c"), "published 0");
}

#[test]
fn publishers_on_all_loops_and_threads_are_seen_in_one_order_by_everybody() {
    let scene = Scene::new(app(History::DEFAULT.with_publications(100_000)).threads(2));
    let mut members: Vec<Member> = (0..6).map(|_| scene.client("/numbered")).collect();
    for member in &mut members {
        member.join("kept");
    }
    let publishers: Vec<_> = (0..4)
        .map(|nth| {
            let hub = scene.hub.clone();
            let mut client = scene.client("/ws");
            std::thread::spawn(move || {
                for n in 0..250 {
                    match nth % 2 {
                        0 => drop(hub.publish("kept", &format!("{nth}.{n}"))),
                        _ => drop(client.ask(&format!("all kept {nth}.{n}"))),
                    }
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    for member in &mut members {
        let all: Vec<String> = (0..1000).map(|_| member.next()).collect();
        for (n, text) in all.iter().enumerate() {
            assert!(
                text.starts_with(&format!("kept {} :", n + 1)),
                "{n}: {text}"
            );
        }
        seen.push(all);
    }
    for publisher in publishers {
        publisher.join().unwrap();
    }
    assert!(seen.iter().all(|all| *all == seen[0]));
}

#[test]
fn who_joins_while_others_publish_gets_each_exactly_once() {
    let scene = Scene::new(app(History::DEFAULT.with_publications(100_000)).threads(2));
    let mut first = scene.client("/ws");
    let epoch = first.join("kept");
    let hub = scene.hub.clone();
    let publisher = std::thread::spawn(move || {
        for n in 1..=2_000 {
            hub.publish("kept", &format!("{n}"));
        }
    });
    for _ in 0..20 {
        let mut member = scene.client("/ws");
        let answer = member.ask(&format!("join kept {epoch} 0"));
        assert!(answer.ends_with(" true"), "{answer}");
        member.expect((1..=2_000).map(|n| n.to_string()));
    }
    publisher.join().unwrap();
}

#[test]
fn each_member_reads_a_publication_in_its_own_form() {
    let scene = Scene::new(app(History::DEFAULT));
    for channel in ["kept", "plain"] {
        let paths = ["/ws", "/numbered", "/object"];
        let mut members = paths.map(|path| scene.client(path));
        for member in &mut members {
            let answer = member.ask(&format!("join {channel}"));
            assert!(answer.starts_with("joined"), "{answer}");
        }
        let mut stream = scene.listen(channel, None);
        stream.expect(channel, "None");
        let post = Post::from(Event::new("hello").event("greeting")).note(b"me");
        assert_eq!(scene.hub.publish(channel, post).members(), 4);
        let offset = usize::from(channel == "kept");
        members[0].expect(["hello".into()]);
        members[1].expect([format!("{channel} {offset} me: hello")]);
        members[2].expect([format!("object {channel} {offset} hello")]);
        stream.expect("greeting", "hello");
    }
    // Those that are recovered are in the same form.
    let (mut numbered, mut object) = (scene.client("/numbered"), scene.client("/object"));
    let epoch = scene.client("/ws").join("kept");
    let answer = numbered.ask(&format!("join kept {epoch} 0"));
    assert_eq!(answer, format!("joined kept {epoch} 1 true"));
    numbered.expect(["kept 1 me: hello".into()]);
    object.ask(&format!("join kept {epoch} 0"));
    object.expect(["object kept 1 hello".into()]);
}

#[test]
fn an_event_stream_recovers_all_its_channels_by_the_last_id() {
    let scene = Scene::new(app(History::DEFAULT));
    for channels in ["kept1", "kept1,kept2,plain"] {
        let mut stream = scene.listen(channels, None);
        for channel in channels.split(',') {
            stream.expect(channel, "None");
        }
        scene.hub.publish("kept1", "a");
        stream.expect("", "a");
        drop(stream.stream);
        wait_until("it is gone", || scene.hub.member_count("kept1") == 0);
        scene.hub.publish("kept2", "b");
        scene
            .hub
            .publish("kept1", Event::new("c").event("type").id("its own"));
        let mut back = scene.listen(channels, Some(&stream.id));
        for channel in channels.split(',') {
            let recovered = if channel == "plain" {
                "None"
            } else {
                "Some(true)"
            };
            back.expect(channel, recovered);
        }
        back.expect("type", "c");
        if channels.contains("kept2") {
            back.expect("", "b");
        }
        scene.hub.publish("kept1", "d");
        back.expect("", "d");
        drop(back.stream);
        wait_until("it is gone", || scene.hub.member_count("kept1") == 0);
        // The id of the last event says where all are.
        let mut again = scene.listen(channels, Some(&back.id));
        again.expect("kept1", "Some(true)");
        for bad in ["", "7", "AQ", "AQAAAAAAAAAAAQ", &"A".repeat(4_000)] {
            let mut back = scene.listen("kept1", Some(bad));
            back.expect("kept1", "Some(false)");
            scene.hub.publish("kept1", "e");
            back.expect("", "e");
        }
        drop(again.stream);
        wait_until("all are gone", || scene.hub.member_count("kept1") == 0);
    }
}

#[test]
fn a_channel_that_nobody_needs_is_freed() {
    let age = std::time::Duration::from_millis(50);
    let scene = Scene::new(app(History::DEFAULT.with_age(age)));
    let mut member = scene.client("/ws");
    let epoch = member.join("kept");
    scene.hub.publish("kept", "x");
    scene.hub.publish("kept2", "nobody is there, but may come");
    assert_eq!(scene.hub.publish("plain", "nobody").members(), 0);
    drop(member);
    wait_until("both are freed", || scene.hub.channel_count() == 0);
    assert_eq!(scene.hub.channel_memory(), 0);
    let mut back = scene.client("/ws");
    let answer = back.ask(&format!("join kept {epoch} 1"));
    assert!(answer.ends_with(" 0 false"), "{answer}");
}

#[test]
fn names_and_rates_are_bounded() {
    let limits = ChannelLimits::DEFAULT
        .with_name(8)
        .with_members(2)
        .with_publish_burst(3)
        .with_publish_rate(1);
    let scene = Scene::new(app(History::DEFAULT).channel_limits(limits));
    let mut member = scene.client("/ws");
    for (name, error) in [
        ("123456789", ChannelError::NameTooLong),
        ("a\u{7}", ChannelError::InvalidName),
        ("", ChannelError::InvalidName),
    ] {
        let answer = member.ask(&format!("join {name}"));
        assert_eq!(answer, format!("refused {name} {error}"));
    }
    member.join("kept");
    scene.client("/ws").join("kept");
    let mut third = scene.client("/ws");
    let answers = [third.ask("join kept"), third.ask("join other")];
    assert!(answers[1].starts_with("joined"), "{answers:?}");
    let refused = (0..500).any(|_| third.ask("all other x") == "Refused(TooFast)");
    assert!(refused);
}
