//! Channels whose backplane answers later, in any order, or not at all, against a simple
//! model: apps on one scripted loop, or on two.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Poll;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard};

use super::builder::App;
use crate::app::{
    Backplane, ChannelAnswer, ChannelError, ChannelOptions, Delivery, Epoch, EventStream, Events,
    History, Hub, Inlet, Join, Joined, Later, Line, Message, Past, Position, Post, Publication,
    ResponseStream, ServerStream, Service, Socket, WebSocket,
};
use crate::net::{Limits, ListenTarget, Loop, Scripted, ScriptedClient};
use crate::sse::Event;

/// Publications that the broker keeps of a channel.
const KEPT: usize = 12;

const CHANNELS: [&str; 2] = ["a", "b"];

/// A broker that does everything later, in the order of a random number.
#[derive(Clone, Default)]
struct Broker(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    logs: BTreeMap<String, Log>,
    /// What it has been asked, and has not answered.
    asked: Vec<Asked>,
    /// Where it has put each text.
    placed: BTreeMap<String, (&'static str, (u64, u64))>,
}

#[derive(Default)]
struct Log {
    epoch: u64,
    head: u64,
    kept: VecDeque<Publication>,
    inlet: Option<Inlet>,
    /// What the process has not been brought yet, in order.
    to_bring: VecDeque<Publication>,
}

enum Asked {
    Publish(String, Publication, Later<Option<Position>>),
    History(String, Vec<Position>, Later<Past>),
}

struct Channel(String, Broker);

impl Broker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Answers one question, if there is one, as long as it is `well`.
    fn answer(&self, draw: usize, well: bool) -> bool {
        let mut state = self.state();
        if state.asked.is_empty() {
            return false;
        }
        let at = draw % state.asked.len();
        let asked = state.asked.remove(at);
        if !well {
            drop(state);
            drop(asked); // `Later` says that
            return true;
        }
        match asked {
            Asked::Publish(channel, publication, later) => {
                let log = state.logs.get_mut(&channel).unwrap();
                log.head += 1;
                let position = Position::new(Epoch::new(log.epoch), log.head);
                let placed = publication.at(position);
                let place = (channel_of(&channel), (log.epoch, log.head));
                log.kept.push_back(placed.clone());
                if log.kept.len() > KEPT {
                    log.kept.pop_front();
                }
                let text = placed.as_text().unwrap().trim_matches(['{', '}']).into();
                log.to_bring.push_back(placed);
                state.placed.insert(text, place);
                drop(state);
                later.give(Ok(Some(position)));
            }
            Asked::History(channel, since, later) => {
                let log = state.logs.get(&channel).unwrap();
                let head = Position::new(Epoch::new(log.epoch), log.head);
                let since = since.iter().find(|it| it.epoch == head.epoch);
                let missed = since.and_then(|since| {
                    let missed = log.head.checked_sub(since.offset)? as usize;
                    let is_there = missed <= log.kept.len();
                    let rest = log.kept.iter().skip(log.kept.len().saturating_sub(missed));
                    is_there.then(|| rest.cloned().collect())
                });
                drop(state);
                later.give(Ok(Past { head, missed }));
            }
        }
        true
    }

    /// Brings the process what was published first; whether there was something.
    fn bring(&self, channel: &str) -> bool {
        let mut state = self.state();
        let Some(log) = state.logs.get_mut(channel) else {
            return false;
        };
        let (Some(next), Some(inlet)) = (log.to_bring.pop_front(), log.inlet.clone()) else {
            return false;
        };
        drop(state);
        inlet.deliver(next);
        true
    }

    /// Loses all data of a channel.
    fn lose(&self, channel: &str) {
        if let Some(log) = self.state().logs.get_mut(channel) {
            (log.epoch, log.head) = (log.epoch + 1, 0);
            log.kept.clear();
        }
    }
}

impl Backplane for Broker {
    fn subscribe(&self, channel: &str, _: Option<History>, inlet: Inlet) -> Box<dyn Line> {
        let mut state = self.state();
        let number = state.logs.len() as u64;
        let log = state.logs.entry(channel.into()).or_default();
        if log.epoch == 0 {
            log.epoch = 1_000 * (number + 1);
        }
        log.to_bring.clear();
        log.inlet = Some(inlet);
        Box::new(Channel(channel.into(), self.clone()))
    }
}

impl Line for Channel {
    fn publish(
        &self,
        publication: Publication,
        _deliver: &mut dyn FnMut(&Publication),
        later: &dyn Fn() -> Later<Option<Position>>,
    ) -> Poll<Result<Option<Position>, ChannelError>> {
        let asked = Asked::Publish(self.0.clone(), publication, later());
        self.1.state().asked.push(asked);
        Poll::Pending
    }

    fn history(
        &self,
        since: &[Position],
        later: &dyn Fn() -> Later<Past>,
    ) -> Poll<Result<Past, ChannelError>> {
        let asked = Asked::History(self.0.clone(), since.to_vec(), later());
        self.1.state().asked.push(asked);
        Poll::Pending
    }

    fn unsubscribe(&self) {}

    fn is_needless(&self) -> bool {
        false
    }
}

/// Joins both channels, from the positions or the id in its query.
struct Reader {
    query: String,
    is_object: bool,
}

impl Reader {
    fn new(query: Option<&str>) -> Self {
        let query = query.unwrap_or_default();
        Self {
            query: query.into(),
            is_object: query.starts_with("object"),
        }
    }

    fn way(&self) -> Delivery {
        match self.is_object {
            true => Delivery::Object,
            false => Delivery::Direct,
        }
    }

    /// How it joins a channel: `KIND;EPOCH,OFFSET;EPOCH,OFFSET`.
    fn join(&self, at: usize) -> Join {
        let since = self.query.split(';').nth(at + 1);
        match since.and_then(|it| it.split_once(',')) {
            Some((epoch, offset)) => {
                let position = Position::new(epoch.parse().unwrap(), offset.parse().unwrap());
                Join::new().since(position)
            }
            None => Join::new(),
        }
    }
}

/// `[joined CHANNEL EPOCH OFFSET RECOVERED]`
fn told(answer: &ChannelAnswer<'_, Joined>) -> Option<String> {
    let standing = answer.result.ok()?.standing().unwrap();
    let position = standing.position.unwrap();
    Some(format!(
        "[joined {} {} {} {:?}]",
        answer.channel, position.epoch, position.offset, standing.recovered
    ))
}

/// `[text CHANNEL EPOCH OFFSET]`, of an object.
fn shown(channel: &str, it: &Publication) -> String {
    let position = it.position().unwrap();
    let (epoch, offset) = (position.epoch, position.offset);
    format!("[got {channel} {epoch} {offset}] {}", it.as_text().unwrap())
}

impl WebSocket for Reader {
    fn delivery(&self) -> Delivery {
        self.way()
    }

    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        for (at, channel) in CHANNELS.into_iter().enumerate() {
            let joined = socket.join_with(channel, &self.join(at));
            assert_eq!(joined, Ok(Joined::Later));
        }
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let (channel, text) = message.as_text().unwrap().split_once(' ').unwrap();
        socket.publish(channel, Post::from(text));
    }

    fn publication(&mut self, socket: &mut Socket<'_, '_>, channel: &str, it: &Publication) {
        socket.send(&shown(channel, it));
    }

    fn joined(&mut self, socket: &mut Socket<'_, '_>, answer: ChannelAnswer<'_, Joined>) {
        match told(&answer) {
            Some(text) => drop(socket.send(&text)),
            None => drop(socket.close(crate::app::CloseCode::TRY_AGAIN_LATER, "unavailable")),
        }
    }
}

impl Events for Reader {
    fn delivery(&self) -> Delivery {
        self.way()
    }

    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        let id = self.query.strip_prefix("direct;id=");
        for (at, channel) in CHANNELS.into_iter().enumerate() {
            let join = match id {
                Some(id) => Join::new().since_event(id),
                None => self.join(at),
            };
            assert_eq!(stream.join_with(channel, &join), Ok(Joined::Later));
        }
    }

    fn publication(&mut self, stream: &mut EventStream<'_, '_>, channel: &str, it: &Publication) {
        stream.send(&Event::new(&shown(channel, it)));
    }

    fn joined(&mut self, stream: &mut EventStream<'_, '_>, answer: ChannelAnswer<'_, Joined>) {
        match told(&answer) {
            Some(text) => drop(stream.send(&Event::new(&text))),
            None => stream.finish(),
        }
    }
}

impl ServerStream for Reader {
    type Message = Vec<u8>;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        for (at, channel) in CHANNELS.into_iter().enumerate() {
            let joined = stream.join_with(channel, &self.join(at));
            assert_eq!(joined, Ok(Joined::Later));
        }
    }

    fn publication(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Vec<u8>>,
        channel: &str,
        it: &Publication,
    ) {
        stream.send(&shown(channel, it).into_bytes());
    }

    fn joined(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Vec<u8>>,
        answer: ChannelAnswer<'_, Joined>,
    ) {
        match told(&answer) {
            Some(text) => drop(stream.send(&text.into_bytes())),
            None => stream.finish(crate::grpc::Status::new(
                crate::grpc::Code::Unavailable,
                "unavailable",
            )),
        }
    }
}

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

/// A member, and where it is in each channel by what it has got.
struct Member {
    kind: Kind,
    at: usize,
    client: ScriptedClient,
    text: String,
    /// Where it was when it came back, by channel.
    since: BTreeMap<&'static str, (u64, u64)>,
    /// Where it is, once it has joined.
    places: BTreeMap<&'static str, (u64, u64)>,
    /// The last id of an event.
    id: Option<String>,
    is_over: bool,
}

struct Scene {
    broker: Broker,
    hub: Hub,
    loops: Vec<(Scripted, Loop<Scripted>)>,
    members: Vec<Member>,
    random: u64,
    texts: u64,
    /// Who recovered, who was told that something is missing, and who was sent away.
    seen: [usize; 3],
}

fn channel_of(name: &str) -> &'static str {
    CHANNELS.into_iter().find(|it| *it == name).unwrap()
}

impl Scene {
    fn new(threads: usize, seed: u64, mailbox: usize) -> Self {
        let broker = Broker::default();
        let app = App::new()
            .threads(threads)
            .limits(Limits::DEFAULT.with_mailbox(mailbox))
            .backplane(broker.clone())
            .channel("*", ChannelOptions::new().history(History::DEFAULT))
            .websocket("/ws", |request| Ok(Reader::new(request.query())))
            .events("/events", |request| Ok(Reader::new(request.query())))
            .grpc(
                Service::new("t.T").server_streaming_object("Follow", |query: Vec<u8>, _call| {
                    Ok(Reader::new(core::str::from_utf8(&query).ok()))
                }),
            );
        let hub = app.hub();
        let places = [ListenTarget::resolve("127.0.0.1:0").unwrap()];
        let plan = app.plan(&places).unwrap();
        let loops = (0..threads).map(|index| {
            let world = Scripted::new();
            let limits = plan.limits.clone();
            let mut events = Loop::with_poller(world.clone(), limits).unwrap();
            plan.join(&mut events, &places, index).unwrap();
            (world, events)
        });
        Self {
            broker,
            hub,
            loops: loops.collect(),
            members: Vec::new(),
            random: seed,
            texts: 0,
            seen: [0; 3],
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    fn turn(&mut self, at: usize) {
        self.loops[at].1.turn(Some(Duration::ZERO)).unwrap();
    }

    /// Connects a member that has what `before` had.
    fn connect(&mut self, kind: Kind, before: Option<&Member>) {
        let at = self.draw(self.loops.len());
        let client = self.loops[at].0.connect_client(0);
        let mut query = match kind {
            Kind::Socket | Kind::Stream => String::from("direct"),
            Kind::SocketObject | Kind::StreamObject | Kind::Call => String::from("object"),
        };
        let mut since = BTreeMap::new();
        let by_id = before.and_then(|it| it.id.as_ref());
        if let Some(before) = before {
            since = before.places.clone();
            match by_id.filter(|_| kind == Kind::Stream) {
                Some(id) => query += &format!(";id={id}"),
                None => {
                    for channel in CHANNELS {
                        query += ";";
                        if let Some((epoch, offset)) = since.get(channel) {
                            query += &format!("{},{offset}", Epoch::new(*epoch));
                        }
                    }
                }
            }
        }
        let request = match kind {
            Kind::Socket | Kind::SocketObject => format!(
                "GET /ws?{query} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Version: 13\r\n\r\n"
            ),
            Kind::Stream | Kind::StreamObject => {
                format!("GET /events?{query} HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            Kind::Call => format!(
                "POST /t.T/Follow HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\
                 Content-Type: application/grpc-web+proto\r\n\r\n\0\0\0\0{}{query}",
                query.len() + 5,
                char::from(query.len() as u8)
            ),
        };
        self.loops[at].0.send(client, request.as_bytes());
        self.members.push(Member {
            kind,
            at,
            client,
            text: String::new(),
            since,
            places: BTreeMap::new(),
            id: None,
            is_over: false,
        });
    }

    /// Takes what all members have got, and compares it with what they must get.
    fn read(&mut self) {
        for member in &mut self.members {
            let output = self.loops[member.at].0.take_output(member.client);
            member.text += &String::from_utf8_lossy(&output);
            let was_over = member.is_over;
            member.read(&self.broker.state().placed, &mut self.seen);
            self.seen[2] += usize::from(member.is_over && !was_over);
        }
    }

    fn step(&mut self) {
        match self.draw(24) {
            0..2 if self.members.len() < 10 => {
                let kind = KINDS[self.draw(KINDS.len())];
                self.connect(kind, None);
            }
            2..9 => {
                self.texts += 1;
                let (channel, text) = (CHANNELS[self.draw(2)], format!("{{{}}}", self.texts));
                self.hub.publish(channel, text.as_str());
            }
            9..14 => {
                let draw = self.draw(1_000);
                self.broker.answer(draw, true);
            }
            14..18 => {
                let channel = CHANNELS[self.draw(2)];
                self.broker.bring(channel);
            }
            18 if !self.members.is_empty() => self.come_back(),
            19 if self.draw(6) == 0 => {
                let draw = self.draw(1_000);
                self.broker.answer(draw, false);
            }
            20 if self.draw(25) == 0 => {
                let channel = CHANNELS[self.draw(2)];
                self.broker.lose(channel);
            }
            _ => {
                let at = self.draw(self.loops.len());
                self.turn(at);
                self.read();
            }
        }
    }

    /// A member's connection breaks, and it comes back on any loop.
    fn come_back(&mut self) {
        self.read();
        let at = self.draw(self.members.len());
        let member = self.members.swap_remove(at);
        self.loops[member.at].0.reset(member.client);
        self.connect(member.kind, Some(&member));
    }

    /// Everything is answered and brought. All have all then, or have been told.
    fn settle(&mut self) {
        for round in 0..2_000 {
            let draw = self.draw(1_000);
            let answered = self.broker.answer(draw, true);
            let brought = CHANNELS.map(|channel| self.broker.bring(channel));
            for _ in 0..3 {
                for at in 0..self.loops.len() {
                    self.turn(at);
                }
            }
            if !answered && brought == [false; 2] && round > 20 {
                break;
            }
        }
        assert!(self.broker.state().asked.is_empty());
        self.read();
        let state = self.broker.state();
        self.members.retain(|member| !member.is_over);
        for member in &self.members {
            for channel in CHANNELS {
                let log = &state.logs[channel];
                let all = (log.epoch, log.head);
                let is_known = |it: &&(u64, u64)| it.0 == log.epoch;
                // One that lives in an old epoch cannot know before it is published to.
                if let Some(place) = member.places.get(channel).filter(is_known) {
                    let kind = member.kind;
                    assert_eq!(*place, all, "{kind:?} {channel} {}", member.text);
                }
                let is_silent = log.head == 0 || member.places.contains_key(channel);
                assert!(is_silent, "{:?} {channel} {}", member.kind, member.text);
            }
        }
    }
}

impl Member {
    fn read(
        &mut self,
        placed: &BTreeMap<String, (&'static str, (u64, u64))>,
        seen: &mut [usize; 3],
    ) {
        let over = match self.kind {
            Kind::Socket | Kind::SocketObject => "\u{3}\u{fffd}", // 1013
            Kind::Stream | Kind::StreamObject => "0\r\n\r\n",
            Kind::Call => "grpc-status",
        };
        // Whole answers and publications only.
        while let Some(at) = self.text.find(['[', '{']) {
            let end = match self.text.as_bytes()[at] {
                b'[' => ']',
                _ => '}',
            };
            let Some(length) = self.text[at..].find(end) else {
                return;
            };
            let item = self.text[at + 1..at + length].to_string();
            self.note_id(at);
            self.text.drain(..=at + length);
            match item.split(' ').collect::<Vec<_>>()[..] {
                ["joined", channel, epoch, offset, recovered] => {
                    seen[0] += usize::from(recovered == "Some(true)");
                    seen[1] += usize::from(recovered == "Some(false)");
                    self.joined(channel_of(channel), (epoch, offset), recovered);
                }
                ["got", channel, epoch, offset] => {
                    self.got(channel_of(channel), parsed((epoch, offset)));
                }
                [text] if matches!(self.kind, Kind::Socket | Kind::Stream) => {
                    let (channel, place) = placed[text];
                    self.got(channel, place);
                }
                [_] => {} // an object has said where it is
                _ => panic!("{item}"),
            }
        }
        self.note_id(self.text.len());
        self.is_over |= self.text.contains(over);
    }

    /// An event's id stands before its data, or alone.
    fn note_id(&mut self, before: usize) {
        let text = &self.text[..before];
        if let Some(at) = text.rfind("id: ")
            && let Some((id, _)) = text[at + 4..].split_once('\n')
        {
            self.id = Some(id.trim().into());
        }
    }

    fn joined(&mut self, channel: &'static str, at: (&str, &str), recovered: &str) {
        let (epoch, head) = parsed(at);
        let since = self.since.get(channel);
        if recovered == "Some(true)" {
            let (of, offset) = *since.expect("it asked");
            assert_eq!(of, epoch, "{channel}");
            self.places.insert(channel, (epoch, offset));
        } else {
            self.places.insert(channel, (epoch, head));
        }
    }

    fn got(&mut self, channel: &'static str, (epoch, offset): (u64, u64)) {
        let place = self.places.get_mut(channel).expect("it has joined");
        assert_eq!((epoch, offset), (place.0, place.1 + 1), "{:?}", self.kind);
        place.1 = offset;
    }
}

fn parsed((epoch, offset): (&str, &str)) -> (u64, u64) {
    let epoch: Epoch = epoch.parse().unwrap();
    (epoch.number(), offset.parse().unwrap())
}

#[test]
fn whatever_the_order_of_answers_each_comes_once_and_in_order_or_it_is_told() {
    let mut seen = [0; 3];
    for threads in [1, 2] {
        for seed in 1..40 {
            // Some mailboxes are too small for what comes.
            let mailbox = [4, 10_000][seed as usize % 2];
            let mut scene = Scene::new(threads, seed, mailbox);
            for step in 0..600 {
                scene.step();
                if step % 150 == 149 {
                    scene.settle();
                }
            }
            seen = [0, 1, 2].map(|at| seen[at] + scene.seen[at]);
        }
    }
    assert!(
        seen.iter().all(|it| *it > 50),
        "all of it has happened: {seen:?}"
    );
}
