//! A node's connections: made, greeted, listened to, and lost.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use core::time::Duration;

use super::counts::count;
use super::link::{Expect, Link, Stage};
use super::node::{Action, Node};
use super::options::Way;
use crate::net::Destination;
use crate::redis::{Reply, Token, put_command};
use crate::wire::Instant;

/// How often a node looks whether something is due.
const TICK: Duration = Duration::from_millis(250);

impl Node {
    /// The links that there are from the beginning.
    pub(super) fn begin(&mut self) {
        let most = self.options.limits.reply;
        let first = self.options.destinations.first().cloned();
        match self.options.way {
            Way::Direct => self.links.push(Link::new(first, false, most)),
            Way::Sentinel(_) => {
                self.links.push(Link::new(None, false, most));
                self.links.push(Link::new(first, true, most));
            }
            Way::Cluster => {
                for seed in &self.options.destinations {
                    self.links.push(Link::new(Some(seed.clone()), false, most));
                }
            }
        }
        let now = self.now;
        for link in self.links.iter_mut().filter(|it| it.destination.is_some()) {
            link.stage = Stage::Down(now);
        }
    }

    /// The link to a server of a cluster, of which another one has told. Without a host it is
    /// at the host of that one.
    pub(super) fn link_to(&mut self, told_by: usize, address: &str) -> Option<usize> {
        let destination: Destination = match address.strip_prefix(':') {
            None => address.parse().ok()?,
            Some(port) => {
                let near = self.links.get(told_by)?.destination.as_ref()?.to_string();
                let (host, _) = near.rsplit_once(':')?;
                format!("{host}:{port}").parse().ok()?
            }
        };
        let is_it = |it: &Link| it.destination.as_ref() == Some(&destination);
        let known = self.links.iter().position(is_it);
        let index = known.unwrap_or_else(|| {
            let most = self.options.limits.reply;
            self.links.push(Link::new(Some(destination), false, most));
            self.links.len() - 1
        });
        let link = self.links.get_mut(index)?;
        if link.stage == Stage::Down(Instant::NEVER) {
            link.stage = Stage::Down(self.now);
        }
        Some(index)
    }

    /// When it wants to be called again, at the latest.
    pub(crate) fn due(&self) -> Instant {
        let links = self.links.iter().map(|link| match link.stage {
            Stage::Down(at) => at,
            Stage::Ready if link.hold_until > self.now => link.hold_until,
            _ => Instant::NEVER,
        });
        links.fold(self.next_tick, Instant::min)
    }

    /// Time has passed.
    pub(crate) fn elapsed(&mut self) {
        let now = self.now;
        for index in 0..self.links.len() {
            let Some(link) = self.links.get_mut(index) else {
                continue;
            };
            match link.stage {
                Stage::Down(at) if at <= now => {
                    if let Some(destination) = link.destination.clone() {
                        link.stage = Stage::Dialling;
                        self.actions.push(Action::Dial(index, destination));
                    }
                }
                Stage::Ready if link.hold_until > Instant::START && link.hold_until <= now => {
                    link.hold_until = Instant::START;
                    self.touch_all(index);
                }
                _ => {}
            }
            self.listen(index);
        }
        if self.next_tick <= now {
            self.next_tick = now + TICK;
            self.expire();
            self.ask_for_slots();
            self.look_through();
        }
    }

    /// Gives up a connection that says nothing, and asks one that is quiet.
    fn listen(&mut self, index: usize) {
        let (now, limits) = (self.now, self.options.limits);
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        if !matches!(link.stage, Stage::Greeting | Stage::Ready) {
            return;
        }
        let silent = now.saturating_since(link.heard);
        if link.session.is_waiting() && silent >= limits.answer_time {
            self.lose(index);
        } else if link.stage == Stage::Ready && link.beat_at <= now && !link.is_sentinel {
            link.beat_at = now + limits.check_time;
            link.ask(Expect::Role, now, |out| {
                put_command(out, &[b"INFO", b"replication"])
            });
        }
    }

    /// Looks after quiet channels, and members that are to be renewed.
    fn look_through(&mut self) {
        let (now, check) = (self.now, self.options.limits.check_time);
        let mut touched = core::mem::take(&mut self.waiting);
        for (&id, channel) in &mut self.channels {
            let is_quiet = channel.is_occupied && channel.check_at <= now;
            if is_quiet {
                channel.check_at = now + check;
                channel.tracker.suspect();
            }
            if is_quiet || channel.here.as_ref().is_some_and(|it| it.is_due(now)) {
                touched.push(id);
            }
        }
        for id in touched {
            self.touch(id);
        }
    }

    /// All channels of a link have something to say, maybe.
    pub(super) fn touch_all(&mut self, index: usize) {
        let is_its = |slot| self.topology.route(slot) == Some(index);
        let channels = self.channels.iter().filter(|it| is_its(it.1.names.slot()));
        let ids: Vec<u64> = channels.map(|it| *it.0).collect();
        for id in ids {
            self.touch(id);
        }
    }

    /// The kernel takes more.
    pub(crate) fn writable(&mut self, index: usize) {
        if let Some(link) = self.links.get_mut(index) {
            link.is_full = false;
        }
        self.touch_all(index);
    }

    /// A connection is made: it is greeted.
    pub(crate) fn opened(&mut self, index: usize) {
        let (now, options) = (self.now, self.options.clone());
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        link.renew().for_each(drop); // nothing is under way on one that is new
        link.stage = Stage::Greeting;
        link.heard = now;
        let (user, password) = (options.user.as_bytes(), options.password.as_bytes());
        let user = if user.is_empty() { b"default" } else { user };
        link.ask(Expect::Greeting, now, |out| {
            let name: [&[u8]; 2] = [b"SETNAME", b"barewire"];
            match password.is_empty() {
                true => put_command(out, &[b"HELLO", b"3", name[0], name[1]]),
                false => {
                    let auth: [&[u8]; 7] =
                        [b"HELLO", b"3", b"AUTH", user, password, name[0], name[1]];
                    put_command(out, &auth);
                }
            }
        });
        if let (true, Way::Sentinel(primary)) = (link.is_sentinel, &options.way) {
            link.ask(Expect::Primary, now, |out| {
                let ask: [&[u8]; 3] = [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", primary.as_bytes()];
                put_command(out, &ask);
            });
            return;
        }
        if options.database > 0 {
            let number = options.database.to_string();
            link.ask(Expect::Greeting, now, |out| {
                put_command(out, &[b"SELECT", number.as_bytes()])
            });
        }
        link.ask(Expect::Server, now, |out| {
            put_command(out, &[b"INFO", b"server"])
        });
        link.ask(Expect::Role, now, |out| {
            put_command(out, &[b"INFO", b"replication"])
        });
    }

    /// What a server says of itself.
    pub(super) fn informed(&mut self, index: usize, is_role: bool, mut reply: Reply<'_>) {
        let text = match reply.token() {
            Some(Token::Bytes(text)) => core::str::from_utf8(text).unwrap_or_default(),
            _ => "",
        };
        let field = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        };
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        if !is_role {
            link.run_id = field("run_id").map(String::from).unwrap_or_default();
            return;
        }
        let (role, history) = (field("role"), field("master_replid"));
        let Some(history) = history.filter(|_| !link.run_id.is_empty()) else {
            return self.lose(index); // INFO may be forbidden
        };
        let server = format!("{}{history}", link.run_id);
        let is_changed = !link.server.is_empty() && link.server != server;
        link.server = server;
        link.is_replica = role != Some("master");
        let is_new = link.stage == Stage::Greeting;
        if link.is_replica && !matches!(self.options.way, Way::Cluster) {
            return self.lose(index);
        }
        if is_new {
            self.ready(index);
        } else if is_changed {
            self.suspect_all(index);
        }
    }

    /// A connection can be used.
    fn ready(&mut self, index: usize) {
        let (now, check) = (self.now, self.options.limits.check_time);
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        link.stage = Stage::Ready;
        link.failures = 0;
        link.beat_at = now + check;
        count(&self.shared.counts.connected);
        self.shared
            .counts
            .is_connected
            .store(true, Ordering::Relaxed);
        self.suspect_all(index);
        self.ask_for_slots();
    }

    /// A server may have forgotten what was said to it, or be another one.
    pub(super) fn suspect_all(&mut self, index: usize) {
        let topology = &self.topology;
        for channel in self.channels.values_mut() {
            if topology.route(channel.names.slot()) == Some(index) {
                channel.suspect();
            }
        }
        self.touch_all(index);
    }

    /// Asks for the slots of a cluster, on any connection that is ready.
    pub(super) fn ask_for_slots(&mut self) {
        let now = self.now;
        let ready = self.links.iter_mut().find(|it| it.stage == Stage::Ready);
        if let Some(link) = ready
            && self.topology.take_stale(true)
        {
            link.ask(Expect::Slots, now, |out| {
                put_command(out, &[b"CLUSTER", b"SLOTS"])
            });
        }
    }

    /// A connection is gone, or could not be made. What was under way on it waits again.
    pub(crate) fn closed(&mut self, index: usize) {
        let random = self.random();
        let (now, most) = (self.now, self.options.limits.retry_time);
        let is_cluster = matches!(self.options.way, Way::Cluster);
        let destinations = self.options.clone();
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        if matches!(link.stage, Stage::Down(_)) {
            return;
        }
        count(&self.shared.counts.failed);
        let pause = link.pause(most, random);
        link.stage = Stage::Down(now + pause);
        // The next address is tried then.
        let destinations = &destinations.destinations;
        if !is_cluster && (link.is_sentinel || !self.is_by_sentinel()) {
            let nth = self.links[index].failures as usize % destinations.len().max(1);
            self.links[index].destination = destinations.get(nth).cloned();
        }
        self.forget(index);
        if index == 0 && self.is_by_sentinel() {
            self.links[0].stage = Stage::Down(Instant::NEVER);
            self.ask_sentinels(now + pause);
        }
        self.topology.suspect();
        let is_ready = |it: &Link| it.stage == Stage::Ready && !it.is_sentinel;
        let is_connected = self.links.iter().any(is_ready);
        self.shared
            .counts
            .is_connected
            .store(is_connected, Ordering::Relaxed);
    }

    fn is_by_sentinel(&self) -> bool {
        matches!(self.options.way, Way::Sentinel(_))
    }

    /// Has a Sentinel asked where the primary is.
    fn ask_sentinels(&mut self, at: Instant) {
        if let Some(sentinel) = self.links.get_mut(1)
            && matches!(sentinel.stage, Stage::Down(_))
        {
            sentinel.stage = Stage::Down(at);
        }
    }

    /// A Sentinel has said where the primary is.
    pub(super) fn found_primary(&mut self, index: usize, mut reply: Reply<'_>) {
        let address = (|| {
            (reply.array()? == 2).then_some(())?;
            let (host, port) = (reply.bytes()?, reply.bytes()?);
            let (host, port) = (
                core::str::from_utf8(host).ok()?,
                core::str::from_utf8(port).ok()?,
            );
            let address = match host.contains(':') {
                true => format!("[{host}]:{port}"),
                false => format!("{host}:{port}"),
            };
            address.parse::<Destination>().ok()
        })();
        self.lose(index);
        let Some(address) = address else { return };
        if let [primary, sentinel, ..] = &mut *self.links {
            sentinel.stage = Stage::Down(Instant::NEVER);
            sentinel.failures = 0;
            primary.destination = Some(address);
            primary.stage = Stage::Down(self.now);
        }
    }

    /// Ends a connection.
    pub(crate) fn lose(&mut self, index: usize) {
        self.actions.push(Action::Close(index));
        self.closed(index);
    }
}
