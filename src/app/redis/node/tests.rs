//! Nodes against a scripted broker, in random sessions that can be repeated.

mod broker_tests;

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;
use std::sync::Mutex;

use self::broker_tests::{Broker, text};
use super::*;
use crate::app::channels::backplane::{Inlet, Later, Past};
use crate::app::channels::history::History;
use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;
use crate::app::redis::link::Stage;
use crate::app::redis::options::WhileRedisAway;
use crate::app::redis::redis_limits::RedisLimits;
use crate::redis::Purpose;
use crate::websocket::Kind;

/// What a member has seen.
#[derive(Debug, Default)]
struct Member {
    /// How far it is; `None` before it has joined.
    last: Option<Position>,
    /// It waits for the history, and holds what comes.
    waits: bool,
    held: Vec<Publication>,
    /// What it has got since it was last told that something is missing.
    got: Vec<String>,
    is_lost: bool,
}

impl Member {
    fn take(&mut self, publication: &Publication) {
        let position = publication.position().unwrap();
        if self.waits {
            return self.held.push(publication.clone());
        }
        let last = self.last.unwrap();
        if self.is_lost || position.epoch == last.epoch && position.offset <= last.offset {
            return; // it joins anew, or has got it with its history
        }
        assert_eq!(
            position,
            Position::new(last.epoch, last.offset + 1),
            "a gap"
        );
        let text = String::from_utf8(publication.payload().to_vec()).unwrap();
        assert!(!self.got.contains(&text), "{text} came twice");
        self.got.push(text);
        self.last = Some(position);
    }

    fn join(&mut self, past: Past) {
        self.waits = false;
        self.is_lost = false;
        let Past { head, missed } = past;
        let held = core::mem::take(&mut self.held);
        match missed {
            Some(missed) => missed.iter().for_each(|it| self.take(it)),
            None => self.got.clear(),
        }
        if let Some(last) = self
            .last
            .filter(|it| it.epoch == head.epoch && !self.got.is_empty())
        {
            assert!(last == head, "recovered up to the head");
        }
        self.last = Some(head);
        for publication in held {
            let position = publication.position().unwrap();
            if position.epoch == head.epoch && position.offset > head.offset {
                self.take(&publication);
            }
        }
    }

    fn lose(&mut self, position: Position) {
        let has_it = self
            .last
            .is_some_and(|last| last.epoch == position.epoch && last.offset >= position.offset);
        self.is_lost |= !has_it;
    }
}

/// What was published, and the place that it was given.
type Published = Arc<Mutex<Vec<(String, Option<Position>)>>>;

/// A process: a node, and one member that comes and goes.
struct Process {
    node: Node,
    shared: Arc<Shared>,
    channel: u64,
    member: Arc<Mutex<Member>>,
    is_here: bool,
    /// Whether its connection is made, and bytes on their way from it.
    is_connected: bool,
    out: Vec<u8>,
    published: Published,
}

impl Process {
    fn new(number: u64) -> Self {
        let limits = RedisLimits::DEFAULT.with_queue_time(Duration::from_secs(50));
        let options = RedisOptions::at("127.0.0.1:1").unwrap().limits(limits);
        let shared = Arc::new(Shared::new(limits, WhileRedisAway::Queue));
        let mut node = Node::new(options, shared.clone(), number * 7_919, Instant::START);
        let member = Arc::new(Mutex::new(Member::default()));
        let (takes, loses) = (member.clone(), member.clone());
        let inlet = Inlet::new(
            move |it| takes.lock().unwrap().take(&it),
            move |it| loses.lock().unwrap().lose(it),
        );
        let channel = shared.next_channel();
        node.command(Command::Open(
            channel,
            "tea".into(),
            Some(History::DEFAULT),
            inlet,
        ));
        Self {
            node,
            shared,
            channel,
            member,
            is_here: false,
            is_connected: false,
            out: Vec::new(),
            published: Arc::default(),
        }
    }

    fn publish(&mut self, text: &str) {
        let publication = Publication::from_elsewhere(Kind::Text, text.as_bytes(), b"", 1).unwrap();
        let (published, name) = (self.published.clone(), text.to_string());
        let member = self.member.clone();
        let later = Later::new(move |place: Result<Option<Position>, ChannelError>| {
            let place = place.unwrap();
            published.lock().unwrap().push((name, place));
            // Who is told a place may come back with it: nothing before it is missing then.
            let (member, place) = (member.lock().unwrap(), place.unwrap());
            let is_there = !member.waits && !member.is_lost && member.last.is_some();
            let has_it = |it: Position| it.epoch == place.epoch && it.offset >= place.offset;
            assert!(
                !is_there || member.last.is_some_and(has_it),
                "told before those in front of it: {place:?} {member:?}"
            );
        });
        let claimed = self.shared.claim(1).unwrap();
        self.node
            .command(Command::Publish(self.channel, publication, later, claimed));
    }

    /// Joins, comes back after a loss, or leaves.
    fn come_or_go(&mut self, goes: bool) {
        let mut member = self.member.lock().unwrap();
        if member.waits {
            return;
        }
        if self.is_here && goes {
            self.is_here = false;
            member.is_lost = true; // what comes still is not for it
            drop(member);
            return self.node.command(Command::LastMember(self.channel));
        }
        if self.is_here && !member.is_lost {
            return;
        }
        member.waits = true;
        let since: Vec<Position> = member.last.into_iter().collect();
        drop(member);
        if !self.is_here {
            self.is_here = true;
            self.node.command(Command::FirstMember(self.channel));
        }
        let member = self.member.clone();
        let later = Later::new(move |past: Result<Past, ChannelError>| {
            member.lock().unwrap().join(past.unwrap());
        });
        let claimed = self.shared.claim(1).unwrap();
        self.node
            .command(Command::History(self.channel, since, later, claimed));
    }

    /// One turn: dials, writes, and reads at most `most` bytes.
    fn turn(&mut self, number: usize, broker: &mut Broker, most: usize, is_up: bool) {
        self.node.elapsed();
        self.node.flush();
        for action in core::mem::take(&mut self.node.actions) {
            match action {
                Action::Dial(..) if is_up => {
                    broker.peers.insert(number, Default::default());
                    self.is_connected = true;
                    self.node.opened(0);
                }
                Action::Dial(..) => self.node.closed(0),
                Action::Close(_) => self.cut(number, broker),
            }
        }
        self.out.append(&mut self.node.links[0].out);
        if !self.is_connected {
            return;
        }
        if !broker.peers.contains_key(&number) {
            self.cut(number, broker);
            return self.node.closed(0);
        }
        let sent: Vec<u8> = self.out.drain(..most.min(self.out.len())).collect();
        broker.receive(number, &sent);
        let peer = broker.peers.get_mut(&number).unwrap();
        let come: Vec<u8> = peer.output.drain(..most.min(peer.output.len())).collect();
        if !come.is_empty() {
            self.node.received(0, &come);
        }
    }

    fn cut(&mut self, number: usize, broker: &mut Broker) {
        broker.peers.remove(&number);
        self.is_connected = false;
        self.out.clear();
    }
}

/// Random numbers of a fixed row.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

fn session(seed: u64) {
    let mut chance = Chance(seed);
    let mut broker = Broker::default();
    let mut processes: Vec<Process> = (1..=3).map(Process::new).collect();
    let mut now = Instant::START;
    let mut number = 0;
    for _ in 0..600 {
        let nth = chance.below(3);
        let is_up = chance.below(10) > 0;
        match chance.below(100) {
            0..30 => {
                number += 1;
                processes[nth].publish(&format!("{seed} {number}"));
            }
            30..40 => processes[nth].come_or_go(false),
            40..43 => processes[nth].come_or_go(true),
            43..46 => {
                processes[nth].cut(nth, &mut broker);
                processes[nth].node.closed(0);
            }
            46 => broker.save(),
            47 => {
                broker.crash();
            }
            48 => broker.evict(),
            49..60 => {
                now += Duration::from_millis(chance.below(700) as u64);
            }
            _ => {}
        }
        for process in &mut processes {
            process.node.now = now;
        }
        let most = [1, 7, 100, 100_000][chance.below(4)];
        processes[nth].turn(nth, &mut broker, most, is_up);
    }
    settle(&mut processes, &mut broker, now);
    check(seed, &processes, &broker, number);
}

/// Lets all come to rest: everybody joins, and comes back where something was lost.
fn settle(processes: &mut [Process], broker: &mut Broker, mut now: Instant) {
    for round in 0..300 {
        now += Duration::from_millis(100);
        for (nth, process) in processes.iter_mut().enumerate() {
            process.node.now = now;
            if round < 250 {
                process.come_or_go(false);
            }
            process.turn(nth, broker, 1_000_000, true);
        }
    }
}

fn check(seed: u64, processes: &[Process], broker: &Broker, number: usize) {
    let stream = Names::new("barewire", "tea").key(Purpose::Stream);
    let head = broker.head(&stream);
    let mut answered = 0;
    for process in processes {
        assert_eq!(process.node.links[0].stage, Stage::Ready, "seed {seed}");
        let member = process.member.lock().unwrap();
        assert!(!member.waits && !member.is_lost, "seed {seed}: {member:?}");
        if let Some((epoch, offset, _)) = &head {
            let last = member.last.unwrap();
            assert_eq!(
                (last.epoch.number(), last.offset),
                (*epoch, *offset),
                "seed {seed}"
            );
        }
        answered += process.published.lock().unwrap().len();
    }
    assert_eq!(answered, number, "seed {seed}: each is answered once");
    let Some((_, _, log)) = head else { return };
    let texts: Vec<String> = log.iter().map(|it| text(it)).collect();
    for (nth, one) in texts.iter().enumerate() {
        assert!(
            !texts[..nth].contains(one),
            "seed {seed}: {one} is kept twice"
        );
    }
    // What the members got last is what the broker has last.
    for process in processes {
        let member = process.member.lock().unwrap();
        let both = member.got.len().min(texts.len());
        assert_eq!(
            member.got[member.got.len() - both..],
            texts[texts.len() - both..],
            "seed {seed}"
        );
    }
}

#[test]
fn in_random_sessions_nothing_is_lost_or_doubled_without_a_word() {
    for seed in 0..40 {
        session(seed);
    }
}

/// A channel that nobody needs is freed, be it between two publications.
#[test]
fn the_order_is_that_of_the_name_where_a_channel_is_freed_and_made_again() {
    let mut process = Process::new(1);
    let mut broker = Broker::default();
    // More than a flush sends of one channel, and nothing in every other life.
    let mut number = 0;
    for life in 0..5 {
        for _ in 0..(BATCH + 300) * usize::from(life % 2 == 0) {
            number += 1;
            process.publish(&number.to_string());
        }
        process.node.command(Command::Close(process.channel));
        process.channel = process.shared.next_channel();
        let inlet = Inlet::new(|_| {}, |_| {});
        let open = Command::Open(
            process.channel,
            "tea".into(),
            Some(History::DEFAULT.with_publications(10_000)),
            inlet,
        );
        process.node.command(open);
    }
    let mut now = Instant::START;
    for _ in 0..1_000 {
        now += Duration::from_millis(1);
        process.node.now = now;
        process.turn(0, &mut broker, 1_000_000, true);
    }
    let published = process.published.lock().unwrap();
    assert_eq!(published.len(), number);
    for (nth, (text, place)) in published.iter().enumerate() {
        assert_eq!(*text, (nth + 1).to_string());
        assert_eq!(place.unwrap().offset, nth as u64 + 1);
    }
}

#[test]
fn what_a_server_says_out_of_order_ends_the_connection() {
    let replies = [
        &b">3\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n:1\r\n"[..],
        b"*9999999999999\r\n",
        b"GET / HTTP/1.1\r\n",
    ];
    for reply in replies {
        let mut process = Process::new(1);
        let mut broker = Broker::default();
        process.turn(0, &mut broker, 0, true);
        process.node.actions.clear();
        process.node.received(0, reply);
        assert_eq!(
            process.node.actions,
            vec![Action::Close(0)],
            "{}",
            reply.escape_ascii()
        );
        assert!(matches!(process.node.links[0].stage, Stage::Down(_)));
        assert_eq!(process.shared.counts.snapshot().malformed, 1);
    }
}
