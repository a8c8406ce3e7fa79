//! One process's side of Redis, without I/O: its channels, and the commands sent for them.
//!
//! ```text
//!   Command ──► Node ──flush──► Link::out          one for each server
//!                 ▲
//!   replies ──────┘──► Inlet, Later                in the order that the broker gives
//! ```
//!
//! Its owner makes the connections, tells it what comes and what time it is, and writes what
//! the links have to say.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::HashMap;

use super::channel::{Ask, Channel, Outgoing, Query, Subscribed};
use super::counts::count;
use super::link::{Expect, Link};
use super::options::RedisOptions;
use super::shared::{Command, Shared};
use super::topology::Topology;
use super::writing::{Shas, Writer, put_here, put_present, put_publish, put_read, put_spublish};
use crate::app::channels::channel_limits::ChannelError;
use crate::net::Destination;
use crate::redis::{Names, Script, put_command};
use crate::wire::Instant;

/// What its owner is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Connects.
    Dial(usize, Destination),
    /// Ends a connection.
    Close(usize),
}

/// Output of one link from which on nothing more is added for now.
const MUCH: usize = 1 << 20;

/// Commands that one flush sends for one channel.
const BATCH: usize = 1_024;

/// One process, as far as Redis sees it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) options: Arc<RedisOptions>,
    pub(crate) shared: Arc<Shared>,
    /// Its number, unlike that of any other process.
    pub(crate) id: u64,
    pub(crate) next_seq: u64,
    pub(crate) now: Instant,
    random: u64,
    shas: Shas,
    pub(crate) channels: HashMap<u64, Channel>,
    pub(crate) by_name: HashMap<Vec<u8>, u64>,
    dirty: VecDeque<u64>,
    /// Those that wait for a link which is not their slot's, until the next tick.
    pub(crate) waiting: Vec<u64>,
    pub(crate) links: Vec<Link>,
    pub(crate) topology: Topology,
    pub(crate) actions: Vec<Action>,
    pub(crate) next_tick: Instant,
}

impl Node {
    /// One that is to connect. `random` is any number, as unlike others as can be.
    pub(crate) fn new(
        options: RedisOptions,
        shared: Arc<Shared>,
        random: u64,
        now: Instant,
    ) -> Self {
        let mut node = Self {
            topology: Topology::new(&options.way),
            options: Arc::new(options),
            shared,
            id: 0,
            next_seq: 0,
            now,
            random: random | 1,
            shas: Script::ALL.map(Script::sha),
            channels: HashMap::new(),
            by_name: HashMap::new(),
            dirty: VecDeque::new(),
            waiting: Vec::new(),
            links: Vec::new(),
            actions: Vec::new(),
            next_tick: now,
        };
        node.id = node.random() | 1;
        node.begin();
        node
    }

    /// A number that nobody foresees (SplitMix64).
    pub(crate) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Has a channel looked at by the next flush.
    pub(crate) fn touch(&mut self, id: u64) {
        if let Some(channel) = self.channels.get_mut(&id)
            && !core::mem::replace(&mut channel.is_dirty, true)
        {
            self.dirty.push_back(id);
        }
    }

    /// Takes what a line asks.
    pub(crate) fn command(&mut self, command: Command) {
        let until = self.now + self.options.limits.queue_time;
        let id = match command {
            Command::Open(id, name, keep, inlet) => {
                let names = Names::new(&self.options.prefix, &name);
                let before = self.by_name.insert(names.channel().to_vec(), id);
                let mut channel = Channel::new(names, keep, inlet);
                channel.before = before;
                self.channels.insert(id, channel);
                return;
            }
            Command::FirstMember(id)
            | Command::LastMember(id)
            | Command::Close(id)
            | Command::Announce(id, _)
            | Command::Publish(id, ..)
            | Command::History(id, ..)
            | Command::Enter(id, _)
            | Command::Leave(id, _)
            | Command::Present(id, ..) => id,
        };
        let Some(channel) = self.channels.get_mut(&id) else {
            return; // what waits for an answer is told so as it is dropped
        };
        match command {
            Command::Open(..) => {}
            Command::FirstMember(_) => channel.is_occupied = true,
            Command::LastMember(_) => {
                channel.is_occupied = false;
                channel.tracker.reset();
                channel.confirm(false);
            }
            Command::Close(_) => channel.is_closed = true,
            Command::Announce(_, name) => channel.told_as = Some(name),
            Command::Publish(_, publication, later, claimed) => {
                self.next_seq += 1;
                channel.queue.push(Outgoing {
                    seq: self.next_seq,
                    publication,
                    later,
                    until,
                    is_sent: false,
                    is_doubtful: false,
                    _claimed: claimed,
                });
            }
            Command::History(_, since, later, claimed) => channel.asks.push(Ask {
                since,
                later,
                until,
                _claimed: claimed,
            }),
            Command::Enter(_, who) => channel.here.get_or_insert_default().enter(who),
            Command::Leave(_, session) => channel.here.get_or_insert_default().leave(session),
            Command::Present(_, most, later, claimed) => channel.queries.push(Query {
                most,
                later,
                until,
                _claimed: claimed,
            }),
        }
        self.touch(id);
    }

    /// Writes what channels have to say, to links that can take it.
    pub(crate) fn flush(&mut self) {
        for _ in 0..self.dirty.len() {
            let Some(id) = self.dirty.pop_front() else {
                break;
            };
            let follows = self.follows(id);
            let Some(channel) = self.channels.get_mut(&id) else {
                continue;
            };
            channel.is_dirty = false;
            if channel.is_over() && channel.subscribed == Subscribed::No && !follows {
                let name = channel.names.channel();
                if self.by_name.get(name) == Some(&id) {
                    self.by_name.remove(name);
                }
                self.channels.remove(&id);
                continue;
            }
            let routed = self.topology.route(channel.names.slot());
            let detour = channel.detour;
            let Some(index) = detour.or(routed) else {
                self.topology.suspect();
                continue; // all are touched when the slots are known
            };
            let now = self.now;
            let link = self.links.get(index).filter(|it| it.is_ready(now));
            match link.map(|it| it.out.len()) {
                Some(waits) if waits > MUCH => self.touch(id),
                Some(_) if follows => self.touch(id),
                Some(_) => self.write(id, index),
                None if detour.is_some() => self.waiting.push(id),
                None => {} // touched when the link is ready
            }
        }
    }

    /// Whether there is something left to be written.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Whether a channel without members has one of the same name beside it that has some: it
    /// was freed, and made again.
    fn is_anothers(&self, id: u64) -> bool {
        let Some(channel) = self.channels.get(&id).filter(|it| !it.is_occupied) else {
            return false;
        };
        let other = self.by_name.get(channel.names.channel());
        let other = other
            .filter(|&&it| it != id)
            .and_then(|it| self.channels.get(it));
        other.is_some_and(|it| it.is_occupied)
    }

    /// Whether a channel has to wait for what was published before it was freed and made again,
    /// be it several times: the order of publications is that of the name.
    fn follows(&self, id: u64) -> bool {
        let before = |id: &u64| self.channels.get(id)?.before;
        let mut all = core::iter::successors(before(&id), before);
        let has_unsent = |id| {
            self.channels
                .get(&id)
                .is_some_and(|it| it.queue.has_unsent())
        };
        all.any(has_unsent)
    }

    fn write(&mut self, id: u64, index: usize) {
        let epoch = self.random();
        let is_anothers = self.is_anothers(id);
        let (Some(channel), Some(link)) = (self.channels.get_mut(&id), self.links.get_mut(index))
        else {
            return;
        };
        channel.detour = None;
        let mut writer = Writer {
            now: self.now,
            node: self.id,
            epoch,
            options: &self.options,
            shas: &self.shas,
            is_asking: self.topology.is_detour(channel.names.slot(), index),
            link,
        };
        if is_anothers {
            channel.subscribed = Subscribed::No; // that one unsubscribes
        }
        subscribe(channel, id, &mut writer);
        let mut is_left = publish(channel, id, &mut writer, &self.shared);
        if channel.wants_reading() {
            channel.begin_reading();
        }
        if let Some(reading) = channel.reading.as_mut().filter(|it| !it.is_sent) {
            reading.is_sent = true;
            let delivered = channel.tracker.delivered();
            let keys = (&*channel.head, &*channel.stream);
            put_read(&mut writer, id, keys, channel.keep, (reading, delivered));
            count(&self.shared.counts.reads);
        }
        if let Some(here) = &mut channel.here
            && here.is_due(writer.now)
        {
            let renew = writer.options.limits.presence_time / 3;
            here.send(writer.now + renew);
            let told_as = channel.told_as.as_deref();
            put_here(&mut writer, id, &channel.names, (here, told_as));
            is_left |= here.has_news();
        }
        for query in channel.queries.drain(..) {
            put_present(&mut writer, id, &channel.names, query);
        }
        if is_left || channel.is_over() {
            self.touch(id);
        }
    }

    /// Refuses what has waited for too long, or cannot be done; the channels that it is of
    /// are looked through.
    pub(crate) fn expire(&mut self) {
        let (now, counts) = (self.now, &self.shared.counts);
        for channel in self.channels.values_mut() {
            while let Some(first) = channel.queue.first()
                && first.until <= now
            {
                let Some(first) = channel.queue.take(0) else {
                    break;
                };
                first.give_up(counts);
            }
            for answer in channel.answers.extract_if(.., |it| it.until <= now) {
                count(&counts.unknown);
                answer.later.give(Err(ChannelError::Unknown));
            }
            for ask in channel.asks.extract_if(.., |it| it.until <= now) {
                ask.later.give(Err(ChannelError::Unavailable));
            }
            for query in channel.queries.extract_if(.., |it| it.until <= now) {
                query.later.give(Err(ChannelError::Unavailable));
            }
        }
    }
}

/// Subscribes or unsubscribes, where that is not so already.
fn subscribe(channel: &mut Channel, id: u64, writer: &mut Writer<'_>) {
    let (now, name) = (writer.now, channel.names.channel());
    let wants_again = matches!(channel.subscribed, Subscribed::Refused(until) if until <= now);
    let is_on = matches!(channel.subscribed, Subscribed::Asked | Subscribed::Yes);
    let (what, command): (_, &[u8]) = match (channel.is_occupied, channel.subscribed) {
        (true, it) if it == Subscribed::No || wants_again => {
            (Expect::Subscribe(id, name.to_vec()), b"SSUBSCRIBE")
        }
        (false, _) if is_on => (Expect::Unsubscribe(id, name.to_vec()), b"SUNSUBSCRIBE"),
        _ => return,
    };
    writer
        .link
        .ask(what, now, |out| put_command(out, &[command, name]));
    channel.subscribed = match channel.is_occupied {
        true => Subscribed::Asked,
        false => Subscribed::No,
    };
    channel.check_at = now + writer.options.limits.check_time;
}

/// Sends what waits; whether some is left.
fn publish(channel: &mut Channel, id: u64, writer: &mut Writer<'_>, shared: &Shared) -> bool {
    let Channel {
        names,
        head,
        stream,
        keep,
        queue,
        ..
    } = channel;
    queue.send(BATCH, |outgoing| {
        if outgoing.is_doubtful {
            count(&shared.counts.resent);
        }
        match *keep {
            Some(keep) => put_publish(writer, id, names, (head, stream), (outgoing, keep)),
            None => put_spublish(writer, id, names, outgoing),
        }
    })
}

#[cfg(test)]
mod tests;
