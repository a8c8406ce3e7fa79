//! Channels against a simple model: one app on one scripted loop, or on two.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::App;
use crate::app::{ChannelOptions, Epoch, History, Hub, Join, Message, Position, Socket, WebSocket};
use crate::net::{ListenTarget, Loop, Scripted, ScriptedClient};

/// Publications that the channels with history keep.
const KEPT: usize = 6;

const CHANNELS: [&str; 3] = ["kept.a", "kept.b", "plain"];

/// `join CHANNEL [EPOCH OFFSET]`, `leave CHANNEL`, `all CHANNEL TEXT`, `others CHANNEL TEXT`.
struct Told;

impl WebSocket for Told {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let words: Vec<&str> = message.as_text().unwrap().split(' ').collect();
        let answer = match words[..] {
            ["join", channel, ref since @ ..] => {
                let mut join = Join::new();
                if let [epoch, offset] = since {
                    let epoch: Epoch = epoch.parse().unwrap();
                    join = join.since(Position::new(epoch, offset.parse().unwrap()));
                }
                let joined = socket.join_with(channel, &join).unwrap();
                let standing = joined.standing().unwrap();
                let position = standing.position.unwrap_or(Position::new(Epoch::new(0), 0));
                let Position { epoch, offset } = position;
                format!("joined {channel} {epoch} {offset} {:?}", standing.recovered)
            }
            ["leave", channel] => format!("left {channel} {}", socket.leave(channel)),
            [how, channel, text] => {
                let published = match how {
                    "all" => socket.publish(channel, text),
                    _ => socket.publish_to_others(channel, text),
                };
                let offset = published.position().map_or(0, |it| it.offset);
                format!("published {how} {channel} {offset} {text}")
            }
            _ => panic!("{words:?}"),
        };
        socket.send(&answer);
    }
}

/// A client of loop `at`, and what it must have got.
struct Member {
    at: usize,
    client: ScriptedClient,
    /// Bytes that are no whole frame yet.
    rest: Vec<u8>,
    has_head: bool,
    /// The next offset that it must get, in the channels that it is in.
    next: BTreeMap<&'static str, u64>,
    /// Its own publications that it does not get.
    skips: Vec<(&'static str, u64)>,
    /// Of plain channels: all that it got.
    plain: Vec<String>,
}

struct Scene {
    loops: Vec<(Scripted, Loop<Scripted>)>,
    hub: Hub,
    members: Vec<Option<Member>>,
    /// All publications by channel, in the order of their offsets.
    published: BTreeMap<&'static str, Vec<String>>,
    /// The last position of those that have gone.
    away: Vec<(&'static str, u64)>,
    epochs: BTreeMap<&'static str, String>,
    random: u64,
    texts: u64,
}

fn name_of(channel: &str) -> &'static str {
    CHANNELS.into_iter().find(|it| *it == channel).unwrap()
}

impl Scene {
    fn new(threads: usize, seed: u64) -> Self {
        let keep = History::DEFAULT.with_publications(KEPT);
        let app = App::new()
            .threads(threads)
            .channel("kept.*", ChannelOptions::new().history(keep))
            .websocket("/ws", |_| Ok(Told));
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
            loops: loops.collect(),
            hub,
            members: (0..8).map(|_| None).collect(),
            published: BTreeMap::new(),
            away: Vec::new(),
            epochs: BTreeMap::new(),
            random: seed,
            texts: 0,
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("t{}", self.texts)
    }

    fn turn(&mut self, at: usize) {
        self.loops[at].1.turn(Some(Duration::ZERO)).unwrap();
    }

    /// Turns all loops until nothing comes of it any more.
    fn settle(&mut self) {
        for _ in 0..40 {
            for at in 0..self.loops.len() {
                self.turn(at);
            }
        }
        for who in 0..self.members.len() {
            self.read(who);
        }
    }

    fn connect(&mut self, who: usize) {
        let at = self.draw(self.loops.len());
        let client = self.loops[at].0.connect_client(0);
        let mut member = Member {
            at,
            client,
            rest: Vec::new(),
            has_head: false,
            next: BTreeMap::new(),
            skips: Vec::new(),
            plain: Vec::new(),
        };
        self.loops[at].0.send(
            client,
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        );
        member.next.clear();
        self.members[who] = Some(member);
    }

    /// Says something, and turns the loop until it is answered.
    fn ask(&mut self, who: usize, text: &str) -> String {
        let Some(member) = &self.members[who] else {
            panic!("nobody is there");
        };
        let (at, client) = (member.at, member.client);
        let mut frame = alloc::vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.loops[at].0.send(client, &frame);
        for _ in 0..50 {
            self.turn(at);
            if let Some(answer) = self.read(who) {
                return answer;
            }
        }
        panic!("no answer to {text}");
    }

    /// Takes what a member has got, and compares it with what it must get.
    fn read(&mut self, who: usize) -> Option<String> {
        let mut member = self.members[who].take()?;
        let output = self.loops[member.at].0.take_output(member.client);
        member.rest.extend_from_slice(&output);
        if !member.has_head {
            let end = member.rest.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(end) = end {
                member.rest.drain(..end + 4);
                member.has_head = true;
            }
        }
        let mut answer = None;
        while member.has_head && member.rest.len() >= 2 {
            assert_eq!(member.rest[0], 0x81, "only texts are sent");
            let length = usize::from(member.rest[1]);
            assert!(length < 126);
            if member.rest.len() < 2 + length {
                break;
            }
            let frame: Vec<u8> = member.rest.drain(..2 + length).collect();
            let text = String::from_utf8(frame[2..].to_vec()).unwrap();
            if self.got(&mut member, &text) {
                continue;
            }
            assert!(answer.is_none(), "one answer at a time");
            self.note(&mut member, &text);
            answer = Some(text);
        }
        self.members[who] = Some(member);
        answer
    }

    /// Whether the text is a publication: the one that comes next in its channel then.
    fn got(&self, member: &mut Member, text: &str) -> bool {
        if !text.starts_with('t') {
            return false;
        }
        let is_it = |channel: &&&str| {
            let all = self.published.get(**channel);
            all.is_some_and(|all| all.iter().any(|it| it == text))
        };
        let Some(channel) = CHANNELS.iter().find(is_it) else {
            // Its own, of which it is told only behind it.
            member.plain.push(text.into());
            return true;
        };
        self.check(member, channel, text);
        true
    }

    fn check(&self, member: &mut Member, channel: &'static str, text: &str) {
        let Some(next) = member.next.get_mut(channel) else {
            panic!("{text} of {channel}, in which it is not");
        };
        if channel == "plain" {
            return member.plain.push(text.into());
        }
        while member.skips.contains(&(channel, *next)) {
            *next += 1;
        }
        let expected = &self.published[channel][*next as usize - 1];
        assert_eq!(text, expected, "{channel} {next}");
        *next += 1;
    }

    /// Notes what an answer says.
    fn note(&mut self, member: &mut Member, answer: &str) {
        let words: Vec<&str> = answer.split(' ').collect();
        match words[..] {
            ["joined", channel, epoch, offset, recovered] => {
                let channel = name_of(channel);
                let head: u64 = offset.parse().unwrap();
                let known = self.epochs.entry(channel).or_insert(epoch.into());
                assert_eq!(known, epoch, "a channel that is kept has one life");
                let all = self.published.get(channel).map_or(0, Vec::len);
                if channel != "plain" {
                    assert_eq!(head, all as u64);
                }
                member.skips.retain(|it| it.0 != channel);
                let from = member
                    .next
                    .remove("asked")
                    .filter(|_| recovered == "Some(true)");
                member.next.insert(channel, from.unwrap_or(head) + 1);
            }
            ["left", channel, "true"] => {
                member.next.remove(name_of(channel));
            }
            ["left", ..] => {}
            ["published", how, channel, offset, text] => {
                let channel = name_of(channel);
                let offset: u64 = offset.parse().unwrap();
                let all = self.published.entry(channel).or_default();
                all.push(text.into());
                if channel != "plain" {
                    assert_eq!(offset, all.len() as u64, "offsets have no gaps");
                }
                // What it got of its own before this answer.
                if let Some(at) = member.plain.iter().position(|it| it == text) {
                    member.plain.remove(at);
                    self.check(member, channel, text);
                } else if how == "others" && member.next.contains_key(channel) {
                    member.skips.push((channel, offset));
                }
            }
            _ => panic!("{answer}"),
        }
    }

    fn step(&mut self) {
        let (who, channel) = (self.draw(8), CHANNELS[self.draw(3)]);
        let Some(member) = &self.members[who] else {
            return self.connect(who);
        };
        let is_in = member.next.contains_key(channel);
        match self.draw(20) {
            0..5 if !is_in => self.join(who, channel),
            5..7 => drop(self.ask(who, &format!("leave {channel}"))),
            7..10 => {
                let text = self.text();
                self.ask(who, &format!("all {channel} {text}"));
            }
            10..12 => {
                let text = self.text();
                self.ask(who, &format!("others {channel} {text}"));
            }
            12..16 => {
                let text = self.text();
                let published = self.hub.publish(channel, text.as_str());
                let all = self.published.entry(channel).or_default();
                all.push(text);
                if let Some(position) = published.position() {
                    assert_eq!(position.offset, all.len() as u64);
                }
            }
            16 => self.crash(who),
            _ => {
                let at = self.draw(self.loops.len());
                self.turn(at);
            }
        }
    }

    /// Joins from now on, or from where somebody was that has gone.
    fn join(&mut self, who: usize, channel: &'static str) {
        let known = self.away.iter().rposition(|it| it.0 == channel);
        let head = self.published.get(channel).map_or(0, Vec::len) as u64;
        let (Some(at), Some(epoch)) = (known, self.epochs.get(channel).cloned()) else {
            self.ask(who, &format!("join {channel}"));
            return;
        };
        let mut offset = self.away.remove(at).1;
        offset += u64::from(self.draw(12) == 0) * 1_000; // one that lies
        if let Some(member) = &mut self.members[who] {
            member.next.insert("asked", offset);
        }
        let answer = self.ask(who, &format!("join {channel} {epoch} {offset}"));
        let can_be = offset <= head && head - offset <= KEPT as u64 && channel != "plain";
        let expected = match channel {
            "plain" => "None".to_string(),
            _ => format!("Some({can_be})"),
        };
        assert!(answer.ends_with(&expected), "{answer} {offset} {expected}");
        if let Some(member) = &mut self.members[who] {
            member.next.remove("asked");
        }
    }

    /// The connection breaks, whatever is under way.
    fn crash(&mut self, who: usize) {
        self.read(who);
        let Some(member) = self.members[who].take() else {
            return;
        };
        self.loops[member.at].0.reset(member.client);
        for (channel, next) in member.next {
            self.away.push((channel, next - 1));
        }
    }

    /// Everybody has got all there is.
    fn all_is_well(&mut self) {
        self.settle();
        for member in self.members.iter_mut().flatten() {
            for (channel, next) in &mut member.next {
                while member.skips.contains(&(*channel, *next)) {
                    *next += 1;
                }
                let all = self.published.get(channel).map_or(0, Vec::len) as u64;
                assert!(*channel == "plain" || *next == all + 1, "{channel} {next}");
            }
        }
        for channel in CHANNELS {
            let members = self.members.iter().flatten();
            let there = members.filter(|it| it.next.contains_key(channel)).count();
            assert_eq!(self.hub.member_count(channel), there, "{channel}");
        }
    }
}

#[test]
fn members_get_each_publication_once_and_in_order_or_are_told() {
    for threads in [1, 2] {
        for seed in 1..30 {
            let mut scene = Scene::new(threads, seed);
            for step in 0..400 {
                scene.step();
                if step % 40 == 39 {
                    scene.all_is_well();
                }
            }
        }
    }
}
